"""``drnn sweep``: loops, confidence and error as pictures get worse in one respect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from drnn_core.commands.console import emit, progress_bar
from drnn_core.commands.device import check_device
from drnn_core.commands.evaluate import check_classes
from drnn_core.commands.replacing import check_replaced

if TYPE_CHECKING:
    from drnn_core.analysis.bootstrap import Estimate
    from drnn_core.analysis.sweep import Sweep
    from drnn_core.data.sets import ImageSet
    from drnn_core.store.runs import RunInfo

# As CORRUPTIONS in drnn_core/analysis/corruptions.py; spelled out so that --help needs no torch.
Factor = Literal[
    "blur", "occlusion", "noise", "jpeg", "contrast", "brightness", "rotation", "scale"
]
_PIXELS_AT_ONCE = 250 * 32 * 32


@dataclass(frozen=True)
class SweepCommand:
    """Corrupt test images more and more: loops, confidence and error, with 95 % intervals.

    Args:
        run_folder: of the run.
        data: "generated", or a folder of images.
        factor: what gets worse; "all" takes one after another.
        strengths: 0 (as it is) to 5 each; changes are against the first.
        limit: images, taken at even distances; 0 for all.
        seed: of noise, places and directions.
        keep: write the curves into the run, where the app's lab shows them; for that, the images
            have to be those of its records, if it has some.
        replace: curves of more images that the run holds, by those of fewer; with --keep.
        device: cpu or cuda.
        json: print the curve as JSON, a list of them for "all".
    """

    run_folder: tyro.conf.Positional[Path]
    data: str
    factor: Factor | Literal["all"]
    strengths: tuple[float, ...] = (0, 1, 2, 3, 4, 5)
    limit: int = 500
    seed: int = 0
    keep: bool = False
    replace: bool = False
    device: Literal["cpu", "cuda"] = "cpu"
    json: bool = False

    def run(self) -> int:
        """Sweep, keep and print."""
        from drnn_core.analysis.corruptions import CORRUPTIONS
        from drnn_core.analysis.sweep import Passes, summarise, sweep, values_at
        from drnn_core.data.datasets import load_split
        from drnn_core.inference.skipping import fast_forward
        from drnn_core.store.recorded import check_recorded
        from drnn_core.store.runs import load_network
        from drnn_core.store.sweeps import write_sweep

        self._check()
        factors = list(CORRUPTIONS) if self.factor == "all" else [self.factor]
        values_at(factors[0], self.strengths)  # before anything is loaded for nothing
        check_device(self.device)
        network, info = load_network(self.run_folder)
        network.to(self.device)
        sizing = info.preprocessing
        images = load_split(self.data, "test", sizing.image_size, sizing=sizing)
        check_classes(info, images.classes, self.data)
        if self.keep:  # what is only printed may be of any images
            check_recorded(self.run_folder, images)
            if not self.replace:
                self._check_replaced(factors, info, images)
        forward = fast_forward(network, sizing.image_size)
        batch = max(1, _PIXELS_AT_ONCE // sizing.image_size**2)
        results: list[dict[str, Any]] = []
        for factor in factors:
            with progress_bar(factor) as progress:
                swept = sweep(
                    network, images, sizing, factor, self.strengths, self.limit or None,
                    self.seed, Passes(progress, forward, batch),
                )  # fmt: skip
                found = summarise(swept)
            if self.keep:
                write_sweep(self.run_folder, kept(found, info, images, self.seed))
            results.append({"run": str(self.run_folder), "data": images.name, **asdict(found)})
            if not self.json:
                _print(info.title, found)
        if self.json:
            emit(results if self.factor == "all" else results[0])
        return 0

    def _check(self) -> None:
        if self.limit < 0:
            raise ValueError(f"expected a --limit of 0 or more images, got {self.limit}")
        if self.seed < 0:
            raise ValueError(f"expected a --seed of 0 or more, got {self.seed}")
        if self.replace and not self.keep:
            raise ValueError("expected --keep with --replace: without it, nothing is written")

    def _check_replaced(self, factors: Sequence[str], info: RunInfo, images: ImageSet) -> None:
        from drnn_core.analysis.sampling import spread_sample
        from drnn_core.store.sweeps import SweepError, read_sweep

        count = len(spread_sample(len(images), self.limit or None))
        for factor in factors:
            try:
                there = read_sweep(self.run_folder, factor)
            except SweepError:
                continue  # none, or none that can be read any more
            if there.weights_sha256 == info.weights_sha256:
                check_replaced(f"{self.run_folder} holds a sweep of {factor}", there.images, count)


def kept(found: Sweep, info: RunInfo, images: ImageSet, seed: int) -> Any:
    """A sweep as a run keeps it, a ``KeptSweep``."""
    from drnn_core.store.sweeps import KeptPoint, KeptSweep

    def ranged(estimate: Estimate) -> tuple[float, float, float]:
        return estimate.value, estimate.low, estimate.high

    points = tuple(
        KeptPoint(
            point.strength,
            point.value,
            ranged(point.loops),
            ranged(point.confidence),
            ranged(point.error),
            ranged(point.flipped),
        )
        for point in found.points
    )
    return KeptSweep(
        found.factor,
        found.unit,
        info.weights_sha256,
        images.name,
        images.fingerprint,
        found.n,
        seed,
        found.points[0].loops.level,
        points,
    )


def _print(title: str, found: Sweep) -> None:
    print(f"{title}, {found.factor} ({found.unit}), {found.n:,} images, 95 % intervals")
    print(
        "  strength   value  loops                    change                   "
        "confidence              error %                 answered otherwise %"
    )
    for point in found.points:
        print(
            f"  {point.strength:8g} {point.value:7.3g}  {_shown(point.loops, 2)}  "
            f"{_shown(point.loops_change, 2, '+')}  {_shown(point.confidence, 3)}  "
            f"{_shown(point.error, 1)} {_shown(point.flipped, 1).rstrip()}"
        )
    print(f"  a step of strength adds {_shown(found.slope, 3, '+').strip()} loops")


def _shown(found: Estimate, digits: int, sign: str = "") -> str:
    numbers = [f"{value:{sign}.{digits}f}" for value in (found.value, found.low, found.high)]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]})".ljust(23)
