"""What needs the images themselves: loops as pictures get worse."""

from __future__ import annotations

from benchmarks.results.shipped import Shipped
from benchmarks.results.tables import estimate, table
from drnn_core.analysis.corruptions import CORRUPTIONS
from drnn_core.analysis.sweep import summarise, sweep
from drnn_core.data.sets import ImageSet
from drnn_core.store.runs import load_network

SWEPT_IMAGES = 300
STRENGTHS = (0.0, 1.0, 3.0, 5.0)


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
