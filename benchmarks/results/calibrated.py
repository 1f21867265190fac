"""What the last calibration of the gates changes: rates, and errors with them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.results.tables import by_seed, mean_over_seeds, table
from benchmarks.results.trainings import Trained
from drnn_core.analysis.seeds import over_seeds

OPENING = """### What the last calibration of the gates changes

After the last update each gate's bias is shifted once, so that its rate on training images is the
target (`calibrate_gates`, ours; the paper has nothing of it). Before: the curve's last epoch;
after: the run. Both on the whole test set; realised rates are means over gates, errors in %. With
`-batchrate` biases are set at every epoch's end, too, so that little is left to change."""

_COLUMNS = (
    "network, data, recipe", "target", "rate before, by seed", "rate after, by seed",
    "error before, by seed", "error after, by seed", "after minus before, mean over seeds",
)  # fmt: skip


def calibrated(groups: Sequence[Trained]) -> str:
    """A row for each training whose gates were calibrated; "" without any."""
    rows = [_row(one) for one in groups if _is_calibrated(one)]
    return f"{OPENING}\n\n{table(_COLUMNS, rows)}" if rows else ""


def _is_calibrated(one: Trained) -> bool:
    asked = one.first.info.recipe["training"].get("calibrate_gates", False)
    last = one.first.info.curve[-1]
    return one.gated and bool(asked) and last.rate is not None


def _row(one: Trained) -> list[str]:
    before = {seed: run.info.curve[-1] for seed, run in one.runs.items()}
    after = {seed: run.info.metrics.test for seed, run in one.runs.items()}
    errors = {
        seed: math.nan if point.test_error is None else point.test_error
        for seed, point in before.items()
    }
    changes = [after[seed].error - error for seed, error in errors.items()]
    return [
        one.name,
        f"{one.training.target:g}",
        by_seed({seed: point.rate for seed, point in before.items() if point.rate}, ".3f"),
        by_seed({seed: test.rate for seed, test in after.items() if test.rate}, ".3f"),
        by_seed(errors),
        by_seed(one.errors),
        mean_over_seeds(over_seeds(changes)),
    ]
