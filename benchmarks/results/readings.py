"""Two ways of one thing beside each other: what the words say follows from the numbers.

Two readings of the paper, where its words allow both, and other ways to hold gates at their rate.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.results.tables import by_seed, estimate, mean_over_seeds, spread, table
from benchmarks.results.trainings import Trained, command, compared
from drnn_core.analysis.seeds import OverSeeds, PairedErrors, difference_over_seeds, over_seeds
from drnn_core.store.repeats import Training, differing


@dataclass(frozen=True)
class Reading:
    """Two values of a field, of a network's or of the training's settings.

    Attributes:
        field: its name.
        own: the value that we take by default; None where the setting is off.
        other: the other.
        title: of the two, for people.
    """

    field: str
    own: str | None
    other: str
    title: str


READINGS = (
    Reading(
        "norm", '"ilvbn"', '"ilvbn_joint"', "I-LVBN: skipped images normalised by their own "
        "moments (`ilvbn`, ours) or by those of the executed ones (`ilvbn_joint`)",
    ),
    Reading(
        "first_loop", '"gated"', '"always"', "First loop: gated (ours) or always run (`always`)",
    ),
)  # fmt: skip

RATE_LOSSES = (
    Reading(
        "rate_loss", '"sampled"', '"batch"', "Rate loss: each gate held by the loss (`sampled`, "
        "the paper's), or at its first loop by every batch (`batch`)",
    ),
    Reading(
        "rate_loss", '"sampled"', '"network"', "Rate loss: each gate at the target (`sampled`, the "
        "paper's) or their mean (`network`)",
    ),
    Reading(
        "target_falls", None, "[0.0, 0.6]", "Rate loss: at the target from the first update on "
        "(the paper's), or with a target that falls from 1 over 0.6 of the training (`-falling`)",
    ),
)  # fmt: skip

HELD = """Other forms of the rate loss in whole trainings, calibrated at the end: each gate to the
target, with `network` all gates by one shift. "Ours" is the paper's. Differences and intervals as
with the readings above."""

OPENING = """Where the paper's words allow two readings (docs/paper.md), both trained alike with
the same seeds. Differences are the other reading minus ours. Over seeds: mean and 95 % interval of
Student's t; over images: bootstrap, seeds held fixed; p: McNemar's over all seeds with the image
as the cluster."""


def readings(groups: Sequence[Trained]) -> str:
    """A part for each reading that was trained both ways; "" where none was."""
    parts = [part for reading in READINGS if (part := _part(reading, groups))]
    return "\n\n".join([OPENING, *parts]) if parts else ""


def rate_losses(groups: Sequence[Trained]) -> str:
    """Trainings with the paper's rate loss and with each other form; "" where none was."""
    parts = [part for reading in RATE_LOSSES if (part := _part(reading, groups))]
    return "\n\n".join([HELD, *parts]) if parts else ""


def pairs_of(reading: Reading, groups: Sequence[Trained]) -> list[tuple[Trained, Trained]]:
    """Trainings, our reading first, that differ in nothing else."""
    return [
        (own, other)
        for own in groups
        for other in groups
        if (_value(own, reading), _value(other, reading)) == (reading.own, reading.other)
        and _apart(own.training, other.training) == {reading.field}
    ]


def _value(one: Trained, reading: Reading) -> str | None:
    network, settings = dict(one.training.network), json.loads(one.training.settings)
    said = settings.get(reading.field)
    return network.get(reading.field) if said is None else json.dumps(said)


def _apart(first: Training, second: Training) -> set[str]:
    """Fields in which two trainings differ, those of the settings by their own names."""
    found = differing(first, second)
    if "settings" in found:
        own, other = json.loads(first.settings), json.loads(second.settings)
        found |= {key for key in {*own, *other} if own.get(key) != other.get(key)} - {"name"}
    return found - {"settings"}


def _part(reading: Reading, groups: Sequence[Trained]) -> str:
    """The table of a reading and what follows from it; "" where it was not trained both ways."""
    columns = (
        "network, data, recipe", "error %, ours", "error %, the other", "difference by seed",
        "mean over seeds", "over images", "p, all seeds", "loops, ours", "loops, the other",
        "difference of loops over seeds",
    )  # fmt: skip
    rows: list[list[str]] = []
    said: list[str] = []
    for own, other in pairs_of(reading, groups):
        found = compared(own, other)
        if found is None:
            continue
        errors, loops = found[0], difference_over_seeds(_loops(own), _loops(other))
        rows.append(
            [
                own.name,
                spread(over_seeds(list(own.errors.values()))),
                spread(over_seeds(list(other.errors.values()))),
                by_seed(errors.by_seed, "+.2f"),
                mean_over_seeds(errors.over_seeds),
                estimate(errors.over_images, "+.2f"),
                f"{errors.p:.2g}",
                spread(over_seeds(list(_loops(own).values()))),
                spread(over_seeds(list(_loops(other).values()))),
                mean_over_seeds(loops),
            ]
        )
        said.append(f"- {own.name}: {verdict(errors, loops)}")
        said += [f"- {one.title}: {command(one)}" for one in (own, other)]
    if not rows:
        return ""
    lines = "\n".join(said)
    return f"### {reading.title}\n\n{table(columns, rows)}\n\n{lines}"


def verdict(errors: PairedErrors, loops: OverSeeds) -> str:
    """What the two intervals allow to be said, and no more."""
    return f"{_of_errors(errors)} {_of_loops(loops)}"


def _of_errors(errors: PairedErrors) -> str:
    over, images = errors.over_seeds, errors.over_images
    size = f"{abs(images.value):.2f} points"
    which = "more" if images.value > 0 else "less"
    if over.n < 2:
        clear = images.low > 0 or images.high < 0
        told = "beyond what images leave open" if clear else "within what images leave open"
        return f"With one seed the other errs {size} {which}, {told}; seeds may differ."
    if over.sign:
        return f"The other errs {size} {which}, and the interval over seeds leaves out 0."
    most = max(abs(over.low), abs(over.high))
    return (
        f"{over.n} seeds do not tell the errors of the two apart; a difference of up to {most:.2f} "
        "points is not ruled out."
    )


def _of_loops(loops: OverSeeds) -> str:
    if loops.n < 2:
        return f"Loops change by {loops.mean:+.2f} with this seed."
    if loops.sign:
        return f"It runs {abs(loops.mean):.2f} loops {'more' if loops.mean > 0 else 'fewer'}."
    return "Neither are the loops told apart."


def _loops(one: Trained) -> dict[int, float]:
    return {seed: run.info.metrics.test.loops_mean for seed, run in one.runs.items()}
