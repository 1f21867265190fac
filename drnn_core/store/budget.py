"""budget.json of a run: what other thresholds of its gates do, measured with the network.

A sealed JSON file (``store/sealed.py``) that names the weights and the images it is of::

    {"format": 1, "split": "test", "dataset": ..., "data_fingerprint": ..., "weights_sha256": ...,
     "n": 10000, "level": 0.95, "class_images": [1000, ...],
     "points": [{"threshold": 0.5, "anew": 0, "error": [15.92, 15.2, 16.6], "loops": [...],
                 "macs": [...], "error_change": [...], "loops_change": [...], "macs_change": [...],
                 "lost": 0, "won": 0, "class_wrong": [...], "class_lost": [...],
                 "class_won": [...], "class_loops": [...]}, ...], "sha256": ...}

Three numbers are a value and its interval of ``level``. Points are added one by one, so that an
interrupted curve goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from drnn_core.store.fields import Fields
from drnn_core.store.manifest import RecordsHeader
from drnn_core.store.sealed import SealError, read_sealed, write_sealed

BUDGET = "budget.json"
BUDGET_FORMAT = 1

Interval = tuple[float, float, float]


class BudgetError(ValueError):
    """A budget.json that is missing, damaged or of something else; one sentence."""


@dataclass(frozen=True)
class BudgetPoint:
    """The whole image set under one threshold of all gates; C classes.

    Attributes:
        threshold: a gate opens where its probability is above it.
        anew: images that passed through the network; the others keep the path of their record.
        error: in %; as all intervals, value, low, high.
        loops, macs: means per image.
        error_change, loops_change, macs_change: less those at one half, image by image.
        lost, won: images answered right at one half only, or here only.
        class_wrong, class_lost, class_won: the same by class, (C,) each.
        class_loops: (C,) mean loops by class; None of a class without images.
    """

    threshold: float
    anew: int
    error: Interval
    loops: Interval
    macs: Interval
    error_change: Interval
    loops_change: Interval
    macs_change: Interval
    lost: int
    won: int
    class_wrong: tuple[int, ...]
    class_lost: tuple[int, ...]
    class_won: tuple[int, ...]
    class_loops: tuple[float | None, ...]


@dataclass(frozen=True)
class BudgetCurve:
    """Points of one run on one image set, by rising threshold.

    Attributes:
        split, dataset, data_fingerprint, weights_sha256: as of the records that it goes with.
        n: images.
        level: of the intervals.
        class_images: (C,) images of each class.
        points: by threshold.
    """

    split: str
    dataset: str
    data_fingerprint: str
    weights_sha256: str
    n: int
    level: float
    class_images: tuple[int, ...]
    points: tuple[BudgetPoint, ...] = ()

    @classmethod
    def beside(
        cls, header: RecordsHeader, class_images: Sequence[int], level: float
    ) -> BudgetCurve:
        """A curve without points, of the images and weights of some records."""
        return cls(
            header.split,
            header.dataset,
            header.data_fingerprint,
            header.weights_sha256,
            header.rows,
            level,
            tuple(class_images),
        )

    def at(self, threshold: float) -> BudgetPoint | None:
        """The point at a threshold, if it was measured."""
        return next((p for p in self.points if abs(p.threshold - threshold) < 1e-9), None)

    def with_point(self, point: BudgetPoint) -> BudgetCurve:
        """This curve with one more point, in the place of an older one of the same threshold."""
        others = [old for old in self.points if abs(old.threshold - point.threshold) >= 1e-9]
        points = tuple(sorted([*others, point], key=lambda each: each.threshold))
        return replace(self, points=points)

    def is_of(self, header: RecordsHeader) -> bool:
        """Whether it is of the weights and images of some records."""
        return (self.weights_sha256, self.data_fingerprint, self.n) == (
            header.weights_sha256,
            header.data_fingerprint,
            header.rows,
        )


def write_budget(run_folder: Path, curve: BudgetCurve) -> None:
    """Write budget.json atomically."""
    write_sealed(Path(run_folder) / BUDGET, {"format": BUDGET_FORMAT, **asdict(curve)})


def read_budget(run_folder: Path) -> BudgetCurve | None:
    """Read budget.json; None where a run has none.

    Raises:
        BudgetError: damaged, or contradicting itself.
    """
    path = Path(run_folder) / BUDGET
    if not path.is_file():
        return None
    try:
        read = Fields(read_sealed(path), str(path), BudgetError)
    except SealError as error:
        raise BudgetError(str(error)) from error
    version = read.integer("format", least=1)
    if version > BUDGET_FORMAT:
        raise BudgetError(
            f"{path}: expected format {BUDGET_FORMAT}, got {version}; a newer version of this "
            "program wrote it: update to read it"
        )
    curve = BudgetCurve(
        split=read.text("split"),
        dataset=read.text("dataset"),
        data_fingerprint=read.text("data_fingerprint"),
        weights_sha256=read.text("weights_sha256"),
        n=read.integer("n", least=1),
        level=read.number("level"),
        class_images=_counts(read, "class_images"),
        points=tuple(_point(point) for point in read.objects("points")),
    )
    _check(curve, str(path))
    return curve


def _point(read: Fields) -> BudgetPoint:
    values: dict[str, Any] = {
        name: _interval(read, name)
        for name in ("error", "loops", "macs", "error_change", "loops_change", "macs_change")
    }
    for name in ("anew", "lost", "won"):
        values[name] = read.integer(name, least=0)
    for name in ("class_wrong", "class_lost", "class_won"):
        values[name] = _counts(read, name)
    return BudgetPoint(
        threshold=read.number("threshold"),
        class_loops=read.numbers_or_none("class_loops"),
        **values,
    )


def _interval(read: Fields, name: str) -> Interval:
    found = read.numbers_or_none(name)
    value, low, high = found if len(found) == 3 else (None, None, None)
    if value is None or low is None or high is None:
        raise BudgetError(f"{read.where}: expected {name!r} to be value, low and high")
    return value, low, high


def _counts(read: Fields, name: str) -> tuple[int, ...]:
    found = read.numbers_or_none(name)
    if any(value is None or value < 0 or value != int(value) for value in found):
        raise BudgetError(f"{read.where}: expected {name!r} to be whole numbers from 0")
    return tuple(int(value or 0) for value in found)


def _check(curve: BudgetCurve, where: str) -> None:
    """Counts that add up, and every threshold once, in order."""
    classes = len(curve.class_images)
    found = [point.threshold for point in curve.points]
    if found != sorted(set(found)) or not all(0 <= value <= 1 for value in found):
        raise BudgetError(f"{where}: expected thresholds from 0 to 1, each once, in order")
    if sum(curve.class_images) != curve.n or not 0 < curve.level < 1:
        raise BudgetError(f"{where}: expected 'class_images' to sum to n = {curve.n:,}")
    for point in curve.points:
        lists = [getattr(point, f.name) for f in fields(point) if f.name.startswith("class_")]
        wrong = sum(point.class_wrong)
        if (
            any(len(part) != classes for part in lists)
            or sum(point.class_lost) != point.lost
            or sum(point.class_won) != point.won
            or point.lost > wrong
            or abs(100 * wrong / curve.n - point.error[0]) > 1e-5
            or point.anew > curve.n
        ):
            raise BudgetError(
                f"{where}: expected the counts of the classes to add up to those of all images at "
                f"the threshold {point.threshold:g}"
            )
