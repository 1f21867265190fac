"""``drnn budget``: move the gates' thresholds after training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from drnn_core.commands.console import emit, progress_bar
from drnn_core.commands.evaluate import check_classes

if TYPE_CHECKING:
    import pandas as pd

    from drnn_core.data.sets import ImageSet
    from drnn_core.inference.facts import NetworkFacts
    from drnn_core.layout import BlockLayout
    from drnn_core.store.budget import BudgetCurve, Interval
    from drnn_core.store.runinfo import RunInfo


@dataclass(frozen=True)
class Budget:
    """Error, loops and MACs if gates opened above other probabilities than one half. Resumable.

    Without --data it prints what the run holds: its curve, or what its records alone tell. With
    --data it measures the curve, threshold by threshold, and keeps it in the run as budget.json.
    With --apply it writes a new run whose gates stand there, with records; the run itself stays as
    it is. Interrupted, the same command goes on.

    Args:
        run_folder: of a run with records.
        data: "generated", or the folder of images that was recorded.
        thresholds: to measure, or to tell bounds of, 0 to 1; by default about a dozen where the
            decisions change.
        apply: one threshold, or NAME=THRESHOLD of blocks; blocks that are not named stay at 0.5.
        out: folder of the new run, for --apply.
        json: print the curve as JSON, or the bounds where there is none.
    """

    run_folder: tyro.conf.Positional[Path]
    data: str | None = None
    thresholds: tuple[float, ...] = ()
    apply: tuple[str, ...] = ()
    out: Path | None = None
    json: bool = False

    def run(self) -> int:
        """Measure, apply or print."""
        from drnn_core.store.budget import read_budget
        from drnn_core.store.runs import read_run

        if bool(self.apply) != bool(self.out):
            raise ValueError("expected --apply and --out together: thresholds, and a new folder")
        if not all(0 <= value <= 1 for value in self.thresholds):
            raise ValueError(f"expected --thresholds from 0 to 1, got {list(self.thresholds)}")
        if self.apply and self.thresholds:
            raise ValueError("expected --thresholds to measure or --apply to write a run, got both")
        info = read_run(self.run_folder)
        if self.apply and self.out:
            return self._apply(info, self.out)
        if self.data is not None:
            curve = self._measure(info, self._images(info))
        else:
            curve = read_budget(self.run_folder)
            self._check_stored(curve)
        if curve is None:
            self._show_bounds(info)
        elif self.json:
            emit({"run": str(self.run_folder), "curve": asdict(curve)})
        else:
            _print_curve(info.title, curve)
        return 0

    def _check_stored(self, curve: BudgetCurve | None) -> None:
        if curve is not None and self.thresholds:
            raise ValueError(
                f"{self.run_folder} holds a curve, which is printed as it stands; add --data to "
                "measure other --thresholds, or leave them out"
            )

    def _show_bounds(self, info: RunInfo) -> None:
        """What the records alone tell, where nothing was measured."""
        from drnn_core.analysis.budget import telling_thresholds, threshold_table
        from drnn_core.store.records import read_records

        facts = facts_with_gates(info)
        columns = ["correct", "block_loops", "gate_prob"]
        records: pd.DataFrame = read_records(self.run_folder, columns)
        wanted = sorted({*self.thresholds}) or telling_thresholds(records)
        table = threshold_table(records, facts.cost, wanted)
        if self.json:
            bounds = {"images": len(records), "points": table.to_dict("records")}
            emit({"run": str(self.run_folder), "curve": None, "bounds": bounds})
        else:
            _print_bounds(info.title, len(records), table)

    def _images(self, info: RunInfo) -> ImageSet:
        from drnn_core.data.datasets import load_split

        if self.data is None:
            raise ValueError("expected --data with --apply: the new run is measured on it")
        sizing = info.preprocessing
        images = load_split(self.data, "test", sizing.image_size, sizing=sizing)
        check_classes(info, images.classes, self.data)
        return images

    def _measure(self, info: RunInfo, images: ImageSet) -> BudgetCurve:
        from drnn_core.analysis.budget import telling_thresholds
        from drnn_core.commands.curves import measure_curve
        from drnn_core.store.records import read_records

        facts_with_gates(info)
        thresholds = self.thresholds
        if not thresholds:
            thresholds = telling_thresholds(read_records(self.run_folder, ["gate_prob"]))
        with progress_bar("images") as progress:
            return measure_curve(self.run_folder, images, thresholds, progress)

    def _apply(self, info: RunInfo, out: Path) -> int:
        from drnn_core.commands.moved import move_gates

        thresholds = parsed_thresholds(self.apply, facts_with_gates(info).layout)
        with progress_bar("images") as progress:
            moved = move_gates(self.run_folder, out, thresholds, self._images(info), progress)
        test = moved.metrics.test
        if self.json:
            emit({"run": str(out), "title": moved.title, "metrics": asdict(test)})
        else:
            print(
                f"{out}: {moved.title}, error {test.error:.2f} %, {test.loops_mean:.2f} loops, "
                f"{test.macs_mean / 1e6:.2f} M MACs; {self.run_folder} is as it was"
            )
        return 0


def parsed_thresholds(texts: Sequence[str], layout: Sequence[BlockLayout]) -> list[float]:
    """A threshold for each block, from "0.6" or from "2.2=0.6", "3.2=0.45".

    Raises:
        ValueError: no number, no such block or one without a gate.
    """
    gated = [block.name for block in layout if block.gated]
    found = dict.fromkeys(gated, 0.5)
    for text in texts:
        name, named, value = text.rpartition("=")
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0 <= number <= 1 or (not named and len(texts) > 1):
            raise ValueError(
                f"expected --apply with one threshold from 0 to 1, or with BLOCK=THRESHOLD, got "
                f"{text!r}"
            )
        if named and name not in found:
            raise ValueError(f"expected a block with a gate ({', '.join(gated)}), got {name!r}")
        found |= {name: number} if named else dict.fromkeys(gated, number)
    return [found.get(block.name, 0.5) for block in layout]


def _print_curve(title: str, curve: BudgetCurve) -> None:
    print(
        f"{title} on {curve.n:,} images of {curve.dataset}; in brackets {curve.level:.0%} intervals"
    )
    print("  threshold  error %                loops                  M MACs")
    for point in curve.points:
        cells = (
            _shown(point.error, 2),
            _shown(point.loops, 3),
            _shown(_millions(point.macs), 2),
        )
        print(f"  {point.threshold:9.3f}  {'  '.join(cells)}".rstrip())


def facts_with_gates(info: RunInfo) -> NetworkFacts:
    """What the network of a run is and costs.

    Raises:
        ValueError: it has no gates.
    """
    from drnn_core.inference.facts import network_facts

    facts = network_facts(info)
    if not any(facts.asks):
        raise ValueError(f"expected a network with gates, but {info.title} has none to move")
    return facts


def _print_bounds(title: str, count: int, table: pd.DataFrame) -> None:
    print(f"{title}: bounds from {count:,} records; --data measures the rest")
    print("  threshold  paths kept  loops            error %")
    for _, row in table.iterrows():
        print(
            f"  {row['threshold']:9.3f}  {row['unchanged']:10.1%}  "
            f"{row['loops_low']:6.3f} to {row['loops_high']:6.3f}  "
            f"{row['error_low']:6.2f} to {row['error_high']:6.2f}"
        )


def _millions(found: Interval) -> Interval:
    value, low, high = (part / 1e6 for part in found)
    return value, low, high


def _shown(found: Interval, digits: int) -> str:
    value, low, high = (f"{part:.{digits}f}" for part in found)
    return f"{value} ({low} to {high})".ljust(21)
