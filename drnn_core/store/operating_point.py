"""A run whose gates were moved after training says so: run.json's key ``operating_point``.

The weights themselves hold the moved gates, so whatever reads the run honours them; this key is
for people, and leads back to the run as it was trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from drnn_core.store.fields import Fields
from drnn_core.store.runinfo import RunError, RunInfo

_KEY = "operating_point"


@dataclass(frozen=True)
class OperatingPoint:
    """Where the gates of a run stand.

    Attributes:
        run: folder name of the run as it was trained.
        weights_sha256: of that run.
        thresholds: of each gated block, by its name; a gate of that run opened above one half.
    """

    run: str
    weights_sha256: str
    thresholds: Mapping[str, float]

    @property
    def in_words(self) -> str:
        """For titles: "gates at 0.45", or "gates moved" where blocks differ."""
        found = set(self.thresholds.values())
        return f"gates at {found.pop():g}" if len(found) == 1 else "gates moved"


def with_operating_point(extra: Mapping[str, Any], point: OperatingPoint) -> dict[str, Any]:
    """``RunInfo.extra`` with an operating point."""
    return {**extra, _KEY: asdict(point)}


def operating_point_of(info: RunInfo) -> OperatingPoint | None:
    """The operating point of a run; None of a run as it was trained.

    Raises:
        RunError: the key is there and says something else.
    """
    if _KEY not in info.extra:
        return None
    read = Fields(info.extra[_KEY], f"run.json, {_KEY}", RunError)
    thresholds = read.object("thresholds")
    found = {name: thresholds.number(name) for name in thresholds.values}
    if not found or not all(0 <= value <= 1 for value in found.values()):
        raise RunError(f"run.json, {_KEY}: expected a threshold from 0 to 1 of each gated block")
    return OperatingPoint(read.text("run"), read.text("weights_sha256"), found)
