"""What gates cost by leaving loops out, and what by the training with them."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.results.budget import curve_of
from benchmarks.results.shipped import Shipped
from benchmarks.results.tables import by_seed, mean_over_seeds, spread, table
from benchmarks.results.trainings import Trained, alike
from drnn_core.analysis.seeds import over_seeds
from drnn_core.store.budget import BudgetPoint

OPENING = """The same weights with every loop run for every image (`drnn budget`, threshold 0),
beside the network that was trained without gates. Loops and their norms were trained on the images
that ran them, and all others are strange to them: so what running every loop gains back is the
least that leaving loops out costs, and what is still lost the most that training with gates does.
Errors in %, gains in points of accuracy, with the same seeds."""

_COLUMNS = (
    "network, data, recipe", "error by its gates", "error with every loop run",
    "gained by running every loop", "error, trained without gates", "still lost, by seed",
    "still lost, mean over seeds",
)  # fmt: skip


def every_loop(shared: Trained, gated: Sequence[Trained]) -> list[list[str]]:
    """A row for each training with gates of which a run with every loop was measured.

    Args:
        shared: the network with its loops unasked.
        gated: networks that are it but for their gates; those trained otherwise are left out.
    """
    rows: list[list[str]] = []
    for one in gated:
        if not alike(shared, one):
            continue
        points = {seed: point for seed, run in one.runs.items() if (point := _point(run))}
        if points:
            rows.append(_row(one, points, shared.errors))
    return rows


def told(rows: Sequence[Sequence[str]]) -> str:
    """The table; "" without rows."""
    return f"{OPENING}\n\n{table(_COLUMNS, rows)}" if rows else ""


def _point(run: Shipped) -> BudgetPoint | None:
    """All loops of every image, where that was measured."""
    curve = curve_of(run)
    return None if curve is None else curve.at(0.0)


def _row(one: Trained, points: dict[int, BudgetPoint], without: dict[int, float]) -> list[str]:
    every = {seed: point.error[0] for seed, point in points.items()}
    gained = {seed: -point.error_change[0] for seed, point in points.items()}
    left = {seed: error - without[seed] for seed, error in every.items() if seed in without}
    return [
        one.name,
        by_seed({seed: one.errors[seed] for seed in points}),
        by_seed(every),
        mean_over_seeds(over_seeds(list(gained.values()))),
        spread(over_seeds([without[seed] for seed in left])),
        by_seed(left, "+.2f"),
        mean_over_seeds(over_seeds(list(left.values()))),
    ]
