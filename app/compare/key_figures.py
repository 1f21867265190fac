"""The table of key figures: a row for each figure, a column for each run, changes to the first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.compare.measures import error_of
from app.compare.sides import Side
from app.headlines import headline_of
from app.numbers import between, number
from app.units import macs_text, params_text
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.store.repeats import data_set_of
from drnn_core.store.retraining import training_changes_of

NONE = "–"

Change = Callable[[float, float], str]


@dataclass(frozen=True)
class Entry:
    """A figure of a run.

    Attributes:
        text: as it is to be read.
        value: the number behind it, for changes and for files; None where there is none.
        below: a second line, such as the interval.
        meaning: more, on hover.
    """

    text: str
    value: float | str | None = None
    below: str = ""
    meaning: str = ""


@dataclass(frozen=True)
class Row:
    """A figure of all runs.

    Attributes:
        name: for people.
        column: in files, with its unit.
        meaning: definition with unit.
        entries: by run.
        change: a change to the first run in words; None where changes mean nothing.
        tested: it depends on the images of the test.
    """

    name: str
    column: str
    meaning: str
    entries: tuple[Entry, ...]
    change: Change | None = None
    tested: bool = False


def rows_of(sides: Sequence[Side], calibration: Sequence[Estimate | None]) -> list[Row]:
    """The figures of some runs; calibration errors are given, they may lack intervals still."""
    return [
        _row("Test error", "error", _ERROR, sides, _error, _points, True),
        Row("Calibration error", "calibration_error", _CALIBRATION,
            tuple(map(_calibration, calibration)), _points, True),
        _row("Parameters", "parameters", _PARAMETERS, sides, _parameters, _share),
        _row("Multiply-adds, mean", "macs_mean", _MACS, sides, _macs, _share, True),
        _row("Multiply-adds, most", "macs_max", _MOST, sides, _macs_max, _share),
        _row("Loops per image", "loops_mean", _LOOPS, sides, _loops, _plain, True),
        _row("Gates open (target)", "rate", _RATE, sides, _rate, _fine, True),
        _row("Images tested", "images", _IMAGES, sides, _images, None),
        _row("Epochs", "epochs", "Passes over the training set.", sides, _epochs, None),
        _row("Seed", "seed", "Of the training: weights, order and noise follow from it.", sides,
             lambda side: Entry(str(side.info.seed), side.info.seed), None),
        _row("Recipe", "recipe", "The recipe of the training, and the arithmetic's precision.",
             sides, _recipe, None),
        _row("Training time", "seconds", _TIME, sides, _time, None),
    ]  # fmt: skip


_ERROR = (
    "Share of test images answered wrong, with Wilson's 95 % interval over images. It says nothing "
    "of other trainings: each run is one training with one seed."
)
_CALIBRATION = (
    "Expected calibration error: how far accuracy and confidence lie apart, mean over 15 bins of "
    "confidence weighted by their images; with a bootstrap interval over images, which may lie "
    "above the value."
)
_PARAMETERS = "Trainable numbers, counted from the network."
_MACS = "Multiply-adds of an image, mean over the test images, with its 95 % interval over images."
_MOST = "Multiply-adds of an image that runs every loop."
_LOOPS = (
    "Executed loops of an image, summed over its recursive blocks: mean ± standard deviation "
    "(n - 1); below, the mean's 95 % interval over images, and the most."
)
_RATE = (
    "Realised opening rate: how often a gate that was asked opened, mean over gates, with its 95 % "
    "interval over images; in brackets what training aimed at."
)
_IMAGES = "Images behind the figures, and the set that they are of."
_TIME = "Of the training, on the machine that it ran on; not comparable between machines."


def _row(
    name: str,
    column: str,
    meaning: str,
    sides: Sequence[Side],
    entry: Callable[[Side], Entry],
    change: Change | None,
    tested: bool = False,
) -> Row:
    return Row(name, column, meaning, tuple(map(entry, sides)), change, tested)


def _error(side: Side) -> Entry:
    found = error_of(side)
    source = "records" if side.table is not None else "run.json"
    return Entry(
        f"{100 * found.value:.2f} %",
        100 * found.value,
        between(100 * found.low, 100 * found.high),
        f"n = {found.n:,} images, from its {source}",
    )


def _calibration(found: Estimate | None) -> Entry:
    if found is None:
        return Entry(NONE, meaning="no records to work it out from")
    interval = "…" if found.low != found.low else between(100 * found.low, 100 * found.high)
    return Entry(
        f"{100 * found.value:.2f} %", 100 * found.value, interval, f"n = {found.n:,} images"
    )


def _parameters(side: Side) -> Entry:
    params = side.facts.cost.params
    return Entry(params_text(params), params, "", f"{params:,}")


def _macs(side: Side) -> Entry:
    macs, ends = side.info.metrics.test.macs_mean, ""
    if side.table is not None:
        found = headline_of(side.run, side.table).macs
        macs = found.value
        if found.low < found.high:
            ends = f"{macs_text(found.low)} to {macs_text(found.high)}"
    share = f"{macs / side.facts.cost.macs_max:.0%}".replace("%", " %")
    below = f"{ends}, {share} of the most" if ends else f"{share} of the most"
    return Entry(macs_text(macs), macs, below if any(side.facts.asks) else "", _n(side))


def _macs_max(side: Side) -> Entry:
    macs = side.facts.cost.macs_max
    return Entry(macs_text(macs), macs, "", f"{macs:,}")


def _loops(side: Side) -> Entry:
    test, most = side.info.metrics.test, side.facts.loops_max
    if not most:
        return Entry(NONE, meaning="no recursive blocks")
    mean, std, ends = test.loops_mean, test.loops_std, ""
    if side.table is not None:
        found = headline_of(side.run, side.table)
        mean, std = found.loops.value, found.loops_std
        ends = f"{between(found.loops.low, found.loops.high)}, "
    if not std > 0:
        return Entry(f"{mean:.2f}", mean, f"every image, of {most}")
    return Entry(f"{mean:.2f} ± {std:.2f}", mean, f"{ends}of {most}", _n(side))


def _rate(side: Side) -> Entry:
    test = side.info.metrics.test
    if test.rate is None:
        return Entry(NONE, meaning="no gates")
    target = f" ({test.target:g})" if test.target is not None else ""
    if side.table is None:
        return Entry(f"{test.rate:.3f}{target}", test.rate)
    found = headline_of(side.run, side.table).rate
    ends = between(found.low, found.high, ".3f")
    return Entry(f"{number(found.value, '.3f')}{target}", found.value, ends, _n(side))


def _n(side: Side) -> str:
    return "" if side.table is None else f"n = {side.table.header.rows:,} images"


def _images(side: Side) -> Entry:
    if side.table is None:
        return Entry(f"{side.info.metrics.test.n:,}", side.info.metrics.test.n, "from its run.json")
    header = side.table.header
    # Under the name that the paper gives it, which tells nothing of how it is stored.
    name = data_set_of(replace(side.info, dataset=header.dataset))
    return Entry(f"{header.rows:,}", header.rows, f"{name}, {header.split} images", header.dataset)


def _epochs(side: Side) -> Entry:
    below = f"{data_set_of(side.info)}, training images"
    return Entry(f"{side.info.epochs:,}", side.info.epochs, below, side.info.dataset)


def _recipe(side: Side) -> Entry:
    info = side.info
    changed = ", ".join(training_changes_of(info))
    below = f"{info.precision}, {changed}" if changed else info.precision
    return Entry(info.recipe_name, f"{info.recipe_name} {changed}".strip(), below)


def _time(side: Side) -> Entry:
    minutes = side.info.seconds / 60
    text = f"{minutes / 60:.1f} h" if minutes >= 90 else f"{minutes:.0f} min"
    if minutes < 1:
        text = f"{side.info.seconds:.0f} s"
    return Entry(text, side.info.seconds, "", side.info.device)


def _points(value: float, first: float) -> str:
    return _less(value, first, "+.2f", " points")


def _share(value: float, first: float) -> str:
    if not first or value == first:
        return "the same" if value == first else ""
    change = value / first - 1
    return number(change, "+.0%" if abs(change) >= 0.01 else "+.2%").replace("%", " %")


def _plain(value: float, first: float) -> str:
    return _less(value, first, "+.2f")


def _fine(value: float, first: float) -> str:
    return _less(value, first, "+.3f")


def _less(value: float, first: float, form: str, unit: str = "") -> str:
    text = number(value - first, form)
    return "the same" if not float(text.replace("−", "-")) else f"{text}{unit}"
