"""What needs the images themselves: figure 7, and loops as pictures get worse."""

from __future__ import annotations

import pandas as pd
import torch

from benchmarks.results.shipped import Shipped
from benchmarks.results.tables import estimate, number, table
from drnn_core.analysis.corruptions import CORRUPTIONS
from drnn_core.analysis.norm_discrepancy import discrepancy_table
from drnn_core.analysis.norm_statistics import norm_statistics
from drnn_core.analysis.relations import spearman
from drnn_core.analysis.sweep import spread_sample, summarise, sweep
from drnn_core.data.sets import ImageSet
from drnn_core.store.runs import load_network

FIGURE_7_IMAGES = 1000
SWEPT_IMAGES = 300
STRENGTHS = (0.0, 1.0, 3.0, 5.0)
_BATCH = 100


def figure_7(run: Shipped, images: ImageSet) -> str:
    """Discrepancy of executed and skipped images in every block and loop."""
    network, info = load_network(run.folder)
    keep = spread_sample(len(images), FIGURE_7_IMAGES)
    batches = (
        info.preprocessing.normalise(images.images(part))
        for part in torch.from_numpy(keep).split(_BATCH)
    )
    found = discrepancy_table(norm_statistics(network, batches))
    columns = (
        "block", "loop", "executed", "skipped", "difference of means", "shuffled",
        "log ratio of variances", "shuffled", "divergence, nats", "shuffled",
    )  # fmt: skip
    rows = [_row(part) for _, part in found.groupby(["block", "loop"], sort=False)]
    return (
        f"Figure 7 on {len(keep):,} test images: how far the feature maps of images that run a "
        "loop differ from those of the others, where they enter the norms of the loop (outputs of "
        "the shared convolutions; mean over channels and norms of absolute values; means in "
        "standard deviations, divergence: symmetric Kullback-Leibler of normal distributions). "
        "Beside each, the same with the decisions shuffled among the images: what chance gives.\n\n"
        f"{table(columns, rows)}\n\n{_over_depth(found)}"
    )


def _row(part: pd.DataFrame) -> list[str]:
    first = part.iloc[0]
    cells = [str(first["block"]), str(first["loop"] + 1)]
    cells += [f"{first['executed']:,}", f"{first['skipped']:,}"]
    for name in ("mean_difference", "log_variance_ratio", "divergence"):
        cells += [number(float(part[column].mean())) for column in (name, f"{name}_shuffled")]
    return cells


def _over_depth(found: pd.DataFrame) -> str:
    by_block = found.groupby("block", sort=False)["divergence"].mean()
    listed = ", ".join(f"{block} {value:.3f}" for block, value in by_block.items())
    trend = spearman(found["depth"], found["divergence"])
    return (
        f"Divergence by block, mean over loops and norms: {listed}. Over depth (the order of the "
        f"{len(found)} norms and loops) it has Spearman's ρ = {trend.rho:+.2f} (p = {trend.p:.2g})."
    )


def under_corruption(run: Shipped, images: ImageSet) -> str:
    """Loops and error of the same images under each corruption."""
    network, info = load_network(run.folder)
    columns = (
        "corruption", *(f"loops at {strength:g}" for strength in STRENGTHS),
        "loops that a step adds", "error % at 0", f"error % at {STRENGTHS[-1]:g}",
    )  # fmt: skip
    rows: list[list[str]] = []
    for name in CORRUPTIONS:
        swept = sweep(network, images, info.preprocessing, name, STRENGTHS, SWEPT_IMAGES)
        found = summarise(swept)
        rows.append(
            [
                name,
                *(f"{point.loops.value:.2f}" for point in found.points),
                estimate(found.slope, "+.3f"),
                f"{found.points[0].error.value:.1f}",
                f"{found.points[-1].error.value:.1f}",
            ]
        )
    return (
        f"The same {SWEPT_IMAGES} test images at strengths 0 (as they are) to 5 of our own "
        "corruptions (`drnn_core/analysis/corruptions.py` says what a strength is); slopes are of "
        "each image's loops over strength, mean over images.\n\n" + table(columns, rows)
    )
