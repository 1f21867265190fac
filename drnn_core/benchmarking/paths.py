"""What one image costs, from no loop to all of them, and the straight line through it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from drnn_core.benchmarking.interleaving import Call, interleave, typical
from drnn_core.benchmarking.subjects import Subject, check_loops
from drnn_core.inference.skipping import compile_for_inference, static_execution

_POINTS = 7


@dataclass(frozen=True)
class PathRow:
    """Time of one image by the loops that it runs.

    Attributes:
        net: the network, folded and packed, at batch 1.
        loops: executed, at each point.
        milliseconds: of the image at each point, gates included, median of the rounds.
        loop_milliseconds, fixed_milliseconds: slope and intercept of the straight line through
            them, by least squares: what a loop costs, and what everything else costs.
        r_squared: share of the points' variance that the line explains.
        fixed_ratio: the intercept over the line's time of all loops.
        fixed_macs_ratio: multiply-adds outside of the recursive blocks over all.
        static_milliseconds: all loops, no gate asked.
    """

    net: str
    loops: tuple[int, ...]
    milliseconds: tuple[float, ...]
    loop_milliseconds: float
    fixed_milliseconds: float
    r_squared: float
    fixed_ratio: float
    fixed_macs_ratio: float
    static_milliseconds: float


def path_costs(
    subject: Subject,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    seconds: float = 10.0,
    least: int = 3,
) -> PathRow:
    """Measure images that run no loop, some and all of them, in turns.

    Loops are handed out evenly: the first one of every block, then the second ones, and so on.

    Raises:
        ValueError: the network does not loop.
    """
    check_loops(subject)
    layout, cost = subject.network.layout, subject.cost
    loops_of_steps = [loop for block in layout for loop in range(block.loops)]
    order = np.argsort(loops_of_steps, kind="stable")
    images = subject.images(1, device)
    skipping = compile_for_inference(subject.network, subject.image_size, dtype)
    static = static_execution(subject.network, subject.image_size, dtype)
    calls: dict[str, list[Call]] = {"static": [lambda: static(images)]}
    counts = sorted({round(len(order) * point / (_POINTS - 1)) for point in range(_POINTS)})
    for count in counts:
        decisions = torch.zeros(1, len(order), dtype=torch.bool, device=device)
        decisions[0, torch.from_numpy(order[:count]).to(device)] = True
        calls[str(count)] = [lambda decisions=decisions: skipping(images, decisions)]
    times = interleave(calls, seconds, device, least)
    found = [1e3 * typical(times[str(count)]) for count in counts]
    slope, intercept, r_squared = straight_line(counts, found)
    return PathRow(
        subject.name,
        tuple(counts),
        tuple(found),
        slope,
        intercept,
        r_squared,
        intercept / (intercept + slope * len(order)),
        cost.fixed_macs / cost.macs_max,
        1e3 * typical(times["static"]),
    )


def straight_line(x: list[int], y: list[float]) -> tuple[float, float, float]:
    """Slope, intercept and R² of the line through points, by least squares."""
    slope, intercept = (float(value) for value in np.polyfit(x, y, 1))
    middle = sum(y) / len(y)
    left = sum((b - (slope * a + intercept)) ** 2 for a, b in zip(x, y, strict=True))
    return slope, intercept, 1 - left / sum((b - middle) ** 2 for b in y)
