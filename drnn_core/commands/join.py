"""``drnn join``: do loops go with what somebody else measured of the images?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from drnn_core.commands.console import emit

if TYPE_CHECKING:
    from drnn_core.analysis.outside import Outside
    from drnn_core.analysis.relations import Relation


@dataclass(frozen=True)
class Join:
    """Relate a table of your own, such as human uncertainty, with the loops of a run.

    Args:
        run_folder: of a run with records.
        file: CSV or Parquet with a column "id" or "index" and columns of numbers.
        reliability: NAME=VALUE of columns, and of "loops": corrects for chance in the measures.
        keep: a name: keep the columns in the run as its table own_NAME, for every page and
            command that reads columns; deleting columns/own_NAME undoes it.
        json: print the relations as JSON.
    """

    run_folder: tyro.conf.Positional[Path]
    file: tyro.conf.Positional[Path]
    reliability: tuple[str, ...] = ()
    keep: str | None = None
    json: bool = False

    def run(self) -> int:
        """Join and print."""
        from drnn_core.analysis.outside import match, relate
        from drnn_core.store.columns import keep_columns
        from drnn_core.store.measures import read_measures
        from drnn_core.store.records import read_records
        from drnn_core.store.runs import read_run

        reliabilities = _parsed(self.reliability)
        info = read_run(self.run_folder)
        records = read_records(
            self.run_folder, ["index", "id", "label", "loops", "confidence", "entropy"]
        )
        measures = read_measures(self.file)
        found = relate(records, measures.columns, measures.key, reliabilities)
        kept = None
        if self.keep is not None:
            values = match(records, measures.columns, measures.key).values
            kept = keep_columns(self.run_folder, self.keep, values)
        if self.json:
            emit(
                {
                    "run": str(self.run_folder),
                    "file": str(self.file),
                    "kept": kept,
                    "ignored": measures.ignored,
                    **asdict(found),
                }
            )
        else:
            _print(info.title, found, measures.ignored)
            if kept:
                print(f"  kept in {self.run_folder}: columns/{kept}")
        return 0


def _parsed(texts: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        try:
            found[name] = float(value)
        except ValueError:
            name = ""
        if not name:
            raise ValueError(f"expected --reliability NAME=NUMBER, such as human=0.8, got {text!r}")
    return found


def _print(title: str, found: Outside, ignored: Sequence[str]) -> None:
    print(
        f"{title}: {found.matched:,} images matched by {found.key}; {found.unmatched:,} rows "
        f"without an image, {found.missing:,} images without a row"
    )
    if found.examples:
        print(f"  rows without an image: {', '.join(found.examples)}, ...")
    if ignored:
        print(f"  no numbers in: {', '.join(ignored)}")
    for column in found.columns:
        print(f"  {column.name} ({column.loops.n:,} images), Spearman's rho with 95 % interval")
        print(f"    loops                    {_shown(column.loops)}")
        print(f"    loops, within classes    {_shown(column.loops_within_class)}")
        print(f"    loops, given confidence  {_shown(column.loops_given_confidence)}")
        if not math.isnan(column.corrected):
            print(f"    loops, corrected         {column.corrected:+.3f}")
        print(f"    confidence               {_shown(column.confidence)}")
        print(f"    entropy                  {_shown(column.entropy)}")


def _shown(found: Relation) -> str:
    if math.isnan(found.rho):
        return f"none to measure in {found.n:,} images: too few, or all the same"
    return f"{found.rho:+.3f} ({found.low:+.3f} to {found.high:+.3f}), p = {found.p:.1e}"
