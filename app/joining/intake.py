"""From the bytes that a user drops to columns in the order of the records.

Nothing of a file becomes a path or markup: its name and its columns' names are brought into plain
words here, once, before any page sees them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from app.columns import Brought
from app.inspection.pictures import short_name
from drnn_core.analysis.outside import match
from drnn_core.store.measures import MeasuresError, parse_measures

MOST_BYTES = 20 << 20
MOST_COLUMNS = 30
_NAME_LONGEST = 60
_PLAIN = set(" _-.,%+=()'/")  # beside letters and digits; none of them begins markup


@dataclass(frozen=True)
class Joined(Brought):
    """A user's table, joined; see ``app.columns.Brought``.

    Attributes:
        digest: of the file.
        key: by which images are named, "id" or "index".
        rows: of the file.
        matched: images that file and records have.
        unmatched: rows of the file without an image.
        missing: images without a row.
        examples: keys of some rows without an image.
        ignored: columns without numbers.
        renamed: names as they are shown -> as they came, where these differ.
    """

    digest: str = ""
    key: str = ""
    rows: int = 0
    matched: int = 0
    unmatched: int = 0
    missing: int = 0
    examples: Sequence[str] = ()
    ignored: Sequence[str] = ()
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])


def join(
    data: bytes, name: str, records: pd.DataFrame, fingerprint: str, taken: Collection[str]
) -> Joined:
    """Read a file and join it to records.

    Args:
        data: its content.
        name: as the browser says.
        records: ``Table.frame``.
        fingerprint: of their images.
        taken: names of columns that the frame has already.

    Raises:
        MeasuresError: what cannot be read or joined; one sentence in plain words.
    """
    source = plain(short_name(name))
    if len(data) > MOST_BYTES:
        raise MeasuresError(f"expected at most 20 MB, got {len(data) / 1e6:.1f} MB in {source}")
    try:
        measures = parse_measures(data, source)
        if len(measures.names) > MOST_COLUMNS:
            raise MeasuresError(
                f"{source}: expected at most {MOST_COLUMNS} columns of numbers, got "
                f"{len(measures.names)}; leave some out"
            )
        found = match(records, measures.columns, measures.key)
    except MeasuresError:
        raise
    except ValueError as error:  # no image in common
        raise MeasuresError(f"{source}: {error}") from error
    names = free_names(list(found.values), taken)
    return Joined(
        source=source,
        values={names[old]: values for old, values in found.values.items()},
        fingerprint=fingerprint,
        digest=hashlib.sha256(data).hexdigest(),
        key=found.key,
        rows=len(measures.columns),
        matched=found.matched,
        unmatched=found.unmatched,
        missing=found.missing,
        examples=[plain(each) for each in found.examples],
        ignored=[plain(each) for each in measures.ignored],
        renamed={new: old for old, new in names.items() if new != old},
    )


def free_names(names: Sequence[str], taken: Collection[str]) -> dict[str, str]:
    """A plain name for each column, that no other column has."""
    found: dict[str, str] = {}
    used = set(taken)
    for name in names:
        wanted = plain(name)
        new = wanted if wanted not in used else f"{wanted} (yours)"
        number = 2
        while new in used:
            new, number = f"{wanted} (yours {number})", number + 1
        used.add(new)
        found[name] = new
    return found


def plain(text: str) -> str:
    """Letters, digits and a few signs of a text; what could be markup becomes "_"."""
    clean = "".join(each if each.isalnum() or each in _PLAIN else "_" for each in text).strip()
    if len(clean) > _NAME_LONGEST:
        clean = f"{clean[: _NAME_LONGEST - 1].rstrip()}…"
    return clean or "_"
