"""Every run in a line, and pairs of runs on the same images."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import stats

from benchmarks.results.shipped import Shipped
from benchmarks.results.tables import NOTHING, estimate, number, table
from drnn_core.analysis.comparison import error_difference, mcnemar, paired
from drnn_core.analysis.confidence import calibration_error
from drnn_core.recipes.readings import printed_error
from drnn_core.store.repeats import changes_of


def overview(runs: Sequence[Shipped]) -> str:
    """Error, calibration, cost and loops of every run, beside the paper's error."""
    columns = (
        "run", "trained on", "epochs", "error % (95 % interval)", "paper",
        "calibration error (ECE)", "params", "MACs, mean", "loops, mean ± std", "realised rate",
        "target",
    )  # fmt: skip
    closing = (
        "The paper trains 350 epochs at batch 256 on the original CIFAR-10. Ours are as long as "
        "the column says, on images that had been stored as JPEG of quality 75; what each of the "
        "two costs in accuracy was not measured apart. Compare rows with each other."
    )
    return f"{table(columns, [_row(run) for run in runs])}\n\n{closing}"


def _row(run: Shipped) -> list[str]:
    info, test, records = run.info, run.info.metrics.test, run.records
    wrong = int((~records["correct"]).sum())
    interval = stats.binomtest(wrong, len(records)).proportion_ci(method="wilson")
    # the paper's row, perhaps read otherwise; neither a changed network nor a recursified backbone
    printed = math.nan if run.generated or changes_of(info) else printed_error(info.model)
    loops = NOTHING
    if test.loops_max:
        loops = f"{test.loops_mean:.2f} ± {test.loops_std:.2f} of {test.loops_max}"
    return [
        f"[{run.title}](../checkpoints/{run.folder.name})",
        info.dataset,
        str(info.epochs),
        f"{test.error:.2f} ({100 * interval.low:.2f} to {100 * interval.high:.2f})",
        number(printed, ".2f"),
        estimate(calibration_error(records["confidence"], records["correct"])),
        f"{run.facts.cost.params / 1e6:.3f} M",
        f"{test.macs_mean / 1e6:.1f} M",
        loops,
        number(test.rate),
        number(test.target),
    ]


def pairs(runs: Sequence[Shipped]) -> str:
    """Each recursive network beside each plain one trained alike, on the same images."""
    columns = (
        "recursive", "plain", "images", "error of the recursive minus that of the plain, points",
        "only the recursive right", "only the plain right", "p (McNemar, exact)",
    )  # fmt: skip
    rows: list[list[str]] = []
    for run in runs:
        for other in runs:
            same = run.info.data_fingerprint == other.info.data_fingerprint
            alike = _schooling(run) == _schooling(other)
            if not run.facts.loops_max or other.facts.loops_max or not same or not alike:
                continue
            both = paired(other.records, run.records)
            test = mcnemar(both)
            rows.append(
                [
                    run.name,
                    other.name,
                    f"{len(both):,}",
                    estimate(error_difference(both), "+.2f"),
                    str(test.only_b),
                    str(test.only_a),
                    f"{test.p:.2g}",
                ]
            )
    return table(columns, rows)


def _schooling(run: Shipped) -> tuple[str, int, int]:
    return run.info.recipe_name.rpartition("_")[2], run.info.epochs, run.info.seed


def rates(run: Shipped) -> str:
    """Realised rate of every gate, among the images that asked it."""
    widest = max(block.loops for block in run.facts.layout)
    rows: list[list[str]] = []
    start = 0
    for block in run.facts.layout:
        found = run.info.metrics.test.gate_rates[start : start + block.loops]
        start += block.loops
        shown = [number(rate) for rate in found]
        rows.append([block.name, *shown, *[""] * (widest - len(shown))])
    return table(["block", *(f"loop {loop + 1}" for loop in range(widest))], rows)
