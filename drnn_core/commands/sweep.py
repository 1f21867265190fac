"""``drnn sweep``: loops, confidence and error as pictures get worse in one respect."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from drnn_core.commands.console import emit, progress_bar
from drnn_core.commands.evaluate import check_classes

if TYPE_CHECKING:
    from drnn_core.analysis.bootstrap import Estimate
    from drnn_core.analysis.sweep import Sweep

# As CORRUPTIONS in drnn_core/analysis/corruptions.py; spelled out so that --help needs no torch.
Factor = Literal[
    "blur", "occlusion", "noise", "jpeg", "contrast", "brightness", "rotation", "scale"
]


@dataclass(frozen=True)
class SweepCommand:
    """Corrupt test images more and more: loops, confidence and error, with 95 % intervals.

    Args:
        run_folder: of the run.
        data: "generated", or a folder of images.
        factor: what gets worse.
        strengths: 0 (as it is) to 5 each; changes are against the first.
        limit: images, taken at even distances; 0 for all.
        seed: of noise, places and directions.
        json: print the curve as JSON.
    """

    run_folder: tyro.conf.Positional[Path]
    data: str
    factor: Factor
    strengths: tuple[float, ...] = (0, 1, 2, 3, 4, 5)
    limit: int = 500
    seed: int = 0
    json: bool = False

    def run(self) -> int:
        """Sweep and print."""
        from drnn_core.analysis.sweep import summarise, sweep, values_at
        from drnn_core.data.datasets import load_split
        from drnn_core.store.runs import load_network

        if self.limit < 0:
            raise ValueError(f"expected a --limit of 0 or more images, got {self.limit}")
        if self.seed < 0:
            raise ValueError(f"expected a --seed of 0 or more, got {self.seed}")
        values_at(self.factor, self.strengths)  # before anything is loaded for nothing
        network, info = load_network(self.run_folder)
        sizing = info.preprocessing
        images = load_split(self.data, "test", sizing.image_size, sizing=sizing)
        check_classes(info, images.classes, self.data)
        with progress_bar("images") as progress:
            found = summarise(
                sweep(
                    network,
                    images,
                    sizing,
                    self.factor,
                    self.strengths,
                    self.limit or None,
                    self.seed,
                    progress,
                )
            )
        if self.json:
            emit({"run": str(self.run_folder), "data": images.name, **asdict(found)})
        else:
            _print(info.title, found)
        return 0


def _print(title: str, found: Sweep) -> None:
    print(f"{title}, {found.factor} ({found.unit}), {found.n:,} images, 95 % intervals")
    print(
        "  strength   value  loops                    change                   "
        "confidence              error %"
    )
    for point in found.points:
        print(
            f"  {point.strength:8g} {point.value:7.3g}  {_shown(point.loops, 2)}  "
            f"{_shown(point.loops_change, 2, '+')}  {_shown(point.confidence, 3)}  "
            f"{_shown(point.error, 1)}"
        )
    print(f"  a step of strength adds {_shown(found.slope, 3, '+').strip()} loops")


def _shown(found: Estimate, digits: int, sign: str = "") -> str:
    numbers = [f"{value:{sign}.{digits}f}" for value in (found.value, found.low, found.high)]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]})".ljust(23)
