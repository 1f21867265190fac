"""Cross-entropy and confidence of networks beside plain ones, over seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.results.shipped import Shipped
from benchmarks.results.tables import by_seed, estimate, mean_over_seeds, spread, table
from benchmarks.results.trainings import Trained, alike, both_seeds, tables_of
from drnn_core.analysis.confidence import calibration_error
from drnn_core.analysis.seeds import OverSeeds, over_seeds, paired_losses
from drnn_core.recipes import NETWORKS
from drnn_core.recipes.beside import plain_beside

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
    rows = [
        _row(plain, one)
        for one in groups
        for name in _plain(one)
        for plain in groups
        if plain.network == name and alike(one, plain) and both_seeds(plain, one)
    ]
    return "\n\n".join([OPENING, table(_COLUMNS, rows)]) if rows else ""


def _plain(one: Trained) -> tuple[str, ...]:
    """The plain networks that it is set beside: of one that was changed, the counterpart."""
    if one.network is not None:
        return plain_beside(one.network)
    recipe = NETWORKS.get(one.first.info.model)
    return () if recipe is None or recipe.counterpart is None else (recipe.counterpart,)


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
