"""Figure 7: feature maps of executed and of skipped images, from what ``drnn norms`` keeps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.results.norms import Normed, normed, with_margin
from benchmarks.results.panels import Panel, panels
from benchmarks.results.shipped import Shipped
from benchmarks.results.tables import NOTHING, number, table
from drnn_core.analysis.moments import ends_of
from drnn_core.analysis.norm_discrepancy import discrepancy_table
from drnn_core.analysis.norm_trends import Trend, over_depth, over_loops
from drnn_core.store.files import atomic_write_bytes

PICTURE = "figure_7.svg"
_TITLE = "Executed against skipped images: divergence of their feature maps"
_DRAWN = """Symmetric Kullback-Leibler divergence, in nats, of normal distributions with the
moments of the images that run a loop and of those that do not, where they enter its norms: mean
over channels and norms. Lines: 95 % intervals over images. Orange: with the decisions shuffled
among the images, what chance gives. The paper's figure 7 shows a gap that grows with depth; the
figures and the rank correlation with depth stand with each run below."""
_GAPS = ("mean_difference", "log_variance_ratio", "divergence")


def figure_7(run: Shipped) -> str:
    """Discrepancy of executed and skipped images in every block and loop; "" where not measured."""
    for found in normed([run]):
        columns = (
            "block", "loop", "executed", "skipped", "difference of means", "shuffled",
            "log ratio of variances", "shuffled", "divergence, nats", "shuffled",
        )  # fmt: skip
        frame = discrepancy_table(found.places, {n: found.sampled[n] for n in _GAPS})
        rows = [_gap_row(found, part) for _, part in frame.groupby(["block", "loop"], sort=False)]
        return (
            f"Figure 7 on {found.header.images:,} test images: how far the feature maps of images "
            "that run a loop differ from those of the others, where they enter the norms of the "
            "loop (outputs of the shared convolutions; mean over channels and norms of absolute "
            "values; means in standard deviations, divergence: symmetric Kullback-Leibler of "
            "normal distributions). Beside each, the same with the decisions shuffled among the "
            "images: what chance gives. In brackets 95 % intervals over images (jackknife over "
            f"{found.header.parts} parts, of the logarithm, as none of these can be negative)."
            f"\n\n{table(columns, rows)}\n\n{_over_depth(found, frame)}"
        )
    return ""


def _gap_row(found: Normed, part: pd.DataFrame) -> list[str]:
    first = part.iloc[0]
    cells = [str(first["block"]), str(first["loop"] + 1)]
    cells += [f"{first['executed']:,}", f"{first['skipped']:,}"]
    for name in _GAPS:
        own = found.sampled[name].at(part.index.to_numpy()).mean()
        cells += [
            with_margin(own, ".3g", positive=True),
            number(float(part[f"{name}_shuffled"].mean())),
        ]
    return cells


def gap_panel(run: Shipped) -> Panel | None:
    """Divergence of executed and skipped images by block and loop; None where not measured."""
    for found in normed([run]):
        frame = discrepancy_table(found.places, {"divergence": found.sampled["divergence"]})
        groups = [part for _, part in frame.groupby(["block", "loop"], sort=False)]
        groups = [part for part in groups if part["divergence"].notna().any()]
        if not groups:
            return None
        means = [found.sampled["divergence"].at(p.index.to_numpy()).mean() for p in groups]
        values = np.array([float(mean.values) for mean in means])
        half = np.array([float(mean.margin()) for mean in means])
        low, high = ends_of(values, half, positive=True)
        return Panel(
            name=run.folder.name,
            places=[f"{p.iloc[0]['block']}:{p.iloc[0]['loop'] + 1}" for p in groups],
            values=values,
            low=low,
            high=high,
            chance=np.array([float(p["divergence_shuffled"].mean()) for p in groups]),
            bars=False,
        )
    return None


def gaps_drawn(runs: Sequence[Shipped], folder: Path) -> str:
    """A chart of every run that has a gap; "" without any. The picture goes into the folder."""
    drawn = [panel for run in runs if run.varies and (panel := gap_panel(run)) is not None]
    if not drawn:
        return ""
    axes = ("block:loop, in the order of execution", "divergence, nats")
    atomic_write_bytes(folder / PICTURE, panels(_TITLE, drawn, axes).encode())
    return f"{_DRAWN}\n\n![{_TITLE}]({PICTURE})"


def _over_depth(found: Normed, frame: pd.DataFrame) -> str:
    sampled = found.sampled["divergence"]
    by_block = frame.groupby("block", sort=False)["divergence"].mean()
    listed = ", ".join(f"{block} {value:.3f}" for block, value in by_block.items())
    by_norm: list[str] = []
    for norm in dict.fromkeys(frame["norm"]):
        rows = (frame["norm"] == norm).to_numpy()
        own = over_depth(sampled.at(rows))
        by_norm.append(f"{norm} alone {_trend(own)}")
    loops = over_loops(sampled, list(zip(frame["block"], frame["norm"], strict=True)))
    return (
        f"Divergence by block, mean over loops and norms: {listed}. Over depth (the order of the "
        f"{len(frame)} norms and loops) it has Spearman's ρ = {_trend(over_depth(sampled))}; "
        f"{'; '.join(by_norm)}. From loop to loop, within each block and norm: {_trend(loops)}. "
        "p: so clear an order among norms and loops in random order; it takes them as independent, "
        "which neighbours are not. Other trainings may order them otherwise."
    )


def _trend(found: Trend) -> str:
    if math.isnan(found.rho):
        return NOTHING
    return f"{found.rho:+.2f} (n = {found.n}, p = {found.p:.2g})"
