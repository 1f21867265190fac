"""Cross-entropy and confidence of networks beside plain ones, over seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.results.shipped import Shipped
from benchmarks.results.tables import by_seed, estimate, mean_over_seeds, spread, table
from benchmarks.results.trainings import Trained, plain_pairs, tables_of
from drnn_core.analysis.confidence import calibration_error
from drnn_core.analysis.seeds import OverSeeds, over_seeds, paired_losses

OPENING = """Errors count answers; cross-entropy also counts how sure they are. Differences are
network minus plain, with the same seed and on the same images, in nats, negative where the network
is better. Over seeds: mean and 95 % interval of Student's t. Over images: 95 % bootstrap interval
of the same mean, seeds held fixed. Calibration error: as in the app, 15 bins of equal width. This
was looked at after the errors above."""

_COLUMNS = (
    "network", "plain", "data, recipe", "test loss", "plain's", "difference by seed",
    "mean over seeds", "over images", "calibration error", "plain's",
)  # fmt: skip


def losses(groups: Sequence[Trained]) -> str:
    """A row for each training and plain network beside it trained alike; nothing without any."""
    rows = [_row(plain, one) for plain, one in plain_pairs(groups)]
    return "\n\n".join([OPENING, table(_COLUMNS, rows)]) if rows else ""


def _row(plain: Trained, one: Trained) -> list[str]:
    tables = tables_of(plain, one)
    found = paired_losses(tables)
    ours, theirs = ([each.runs[seed] for seed in tables] for each in (one, plain))
    return [
        one.title,
        plain.title,
        f"{one.training.data}, {one.schedule}",
        *(spread(_over(runs, _test), ".3f") for runs in (ours, theirs)),
        by_seed(found.by_seed, "+.3f"),
        mean_over_seeds(found.over_seeds, "+.3f"),
        estimate(found.over_images, "+.3f"),
        *(spread(_over(runs, _calibration), ".3f") for runs in (ours, theirs)),
    ]


def _over(runs: Sequence[Shipped], figure: Callable[[Shipped], float]) -> OverSeeds:
    return over_seeds([figure(run) for run in runs])


def _test(run: Shipped) -> float:
    return float(run.records["loss"].astype(float).mean())


def _calibration(run: Shipped) -> float:
    records = run.records
    return calibration_error(records["confidence"], records["correct"], resamples=0).value
