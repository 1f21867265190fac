"""Gates moved after training: the curve in a run's budget.json, in words and figures."""

from __future__ import annotations

import pandas as pd

from benchmarks.results.shipped import Shipped
from benchmarks.results.tables import estimate, number, table
from drnn_core.analysis.budget import threshold_table
from drnn_core.analysis.comparison import holm
from drnn_core.analysis.operating import Operating, class_changes
from drnn_core.commands.curves import restored
from drnn_core.store.budget import BudgetCurve, read_budget

_ALPHA = 0.05
_CLASSES = 3  # named at either end


def curve_of(run: Shipped) -> BudgetCurve | None:
    """A run's curve; None where there is none.

    Raises:
        ValueError: the curve is of other weights or images than the run's records.
    """
    curve = read_budget(run.folder)
    if curve is None:
        return None
    if curve.n != len(run.records) or curve.weights_sha256 != run.info.weights_sha256:
        raise ValueError(f"{run.folder}: the curve is not of the records; measure it anew")
    return curve


def budget(run: Shipped) -> str:
    """What other thresholds of the gates cost and bring; "" for a run without a curve.

    Raises:
        ValueError: the curve is of other weights or images than the run's records.
    """
    curve = curve_of(run)
    if curve is None:
        return ""
    points = {point.threshold: restored(curve, point) for point in curve.points}
    found = {threshold: point.found for threshold, point in points.items()}
    limits = threshold_table(run.records, run.facts.cost, list(found)).set_index("threshold")
    moved = [threshold for threshold in found if threshold != 0.5]
    corrected = dict(zip(moved, holm([found[each].answers.p for each in moved]), strict=True))
    columns = (
        "threshold", "error %", "change, points", "lost / won", "p (McNemar, Holm)",
        "mean loops", "M MACs", "change of MACs, %", "paths kept %", "loops by the records alone",
    )  # fmt: skip
    rows: list[list[str]] = []
    for threshold, one in found.items():
        row = limits.loc[threshold]
        share = 100 * one.macs_change.value / found[0.5].macs.value
        rows.append(
            [
                f"{threshold:g}",
                estimate(one.error, ".2f"),
                "–" if threshold == 0.5 else estimate(one.error_change, "+.2f"),
                "–" if threshold == 0.5 else f"{one.answers.only_a} / {one.answers.only_b}",
                "–" if threshold == 0.5 else _p(corrected[threshold]),
                f"{one.loops.value:.2f}",
                f"{one.macs.value / 1e6:.2f}",
                f"{share:+.1f}",
                f"{100 * row['unchanged']:.1f}",
                f"{row['loops_low']:.2f} to {row['loops_high']:.2f}",
            ]
        )
    opening = (
        "The same weights with one threshold for all gates in place of 0.5 (0: every loop, 1: no "
        f"loop that a gate decides on), on the {curve.n:,} test images (`drnn budget`). Thresholds "
        "stand where the gates' recorded probabilities change most. Changes are paired by image. "
        "*Paths kept*: images whose decisions the records show to stay, so that nothing of them "
        "had to run anew; *by the records alone*: between which bounds they leave the mean loops."
    )
    findings = f"{_worth(found, corrected)}\n{_who_pays(run, found, corrected)}"
    return f"{opening}\n\n{table(columns, rows)}\n\n{findings}"


def _p(value: float) -> str:
    return f"{value:.2g}" if value > 1e-300 else "< 1e-300"


def _worth(found: dict[float, Operating], corrected: dict[float, float]) -> str:
    """Does it pay to move the gates?"""
    half = found[0.5]
    better = [t for t, p in corrected.items() if p < _ALPHA and found[t].error_change.high < 0]
    saved = [t for t in corrected if found[t].macs_change.value < 0]
    harmless = [t for t in saved if corrected[t] >= _ALPHA]
    parts: list[str] = []
    if better:
        best = min(better, key=lambda t: found[t].error.value)
        one = found[best]
        parts.append(
            f"- Opening the gates further pays: at {best:g} the error falls by "
            f"{number(-one.error_change.value, '.2f')} points for "
            f"{100 * one.macs_change.value / half.macs.value:.0f} % more multiply-adds. The "
            "threshold was chosen on these test images, so part of the gain is luck of the choice."
        )
    else:
        parts.append(
            "- At no threshold are fewer images answered wrong than at 0.5, beyond chance: loops "
            "beyond those that the gates ask for bring nothing that this test set shows."
        )
    if harmless:
        least = min(harmless, key=lambda t: found[t].macs.value)
        parts.append(
            f"- The cheapest threshold whose error is not larger beyond chance is {least:g}, with "
            f"{-100 * found[least].macs_change.value / half.macs.value:.1f} % fewer multiply-adds."
        )
    elif saved:
        near = max(saved, key=lambda t: found[t].macs.value)
        parts.append(
            f"- Nothing is saved for free: already at {near:g}, with "
            f"{-100 * found[near].macs_change.value / half.macs.value:.1f} % fewer multiply-adds, "
            f"the error is larger by {estimate(found[near].error_change, '+.2f')} points."
        )
    shut, wide = found.get(1.0), found.get(0.0)
    if shut and wide:
        parts.append(
            f"- With all gates shut ({number(shut.loops.value, '.2f')} loops an image) the error "
            f"is {shut.error.value:.2f} %, with every loop {wide.error.value:.2f} %; as "
            f"trained it is {half.error.value:.2f} % for "
            f"{100 * half.macs.value / wide.macs.value:.0f} % of the multiply-adds of all loops."
        )
    return "\n".join(parts)


def _who_pays(run: Shipped, found: dict[float, Operating], corrected: dict[float, float]) -> str:
    """The classes, at the first cheaper threshold that costs accuracy."""
    worse = [t for t, p in corrected.items() if p < _ALPHA and found[t].error_change.low > 0]
    cheaper = [t for t in worse if t > 0.5]
    if not cheaper:
        return "- No cheaper threshold costs accuracy beyond chance, so no class pays for one."
    threshold = min(cheaper)
    changes = class_changes(found[threshold].classes, run.info.classes)
    most, least = changes.head(_CLASSES), changes.tail(_CLASSES)
    return (
        f"- At {threshold:g} those that pay most are {_listed(most)}; least {_listed(least)} "
        "(change of the class's error in points)."
    )


def _listed(changes: pd.DataFrame) -> str:
    return ", ".join(
        f"{row['name']} {row['change']:+.1f} ({row['low']:+.1f} to {row['high']:+.1f})"
        for _, row in changes.iterrows()
    )
