"""``drnn evaluate``: measure a run on a data set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from drnn_core.commands.console import emit, progress_bar
from drnn_core.commands.device import check_device

if TYPE_CHECKING:
    from drnn_core.data.sets import ImageSet
    from drnn_core.evaluation import Measures
    from drnn_core.layout import BlockLayout
    from drnn_core.store.runinfo import RunInfo


@dataclass(frozen=True)
class Evaluate:
    """Measure a run: error, loops, realised rate of every gate, multiply-adds (MACs).

    Args:
        run_folder: of the run.
        data: "generated", or a folder of images.
        split: of the data.
        limit: images, taken at even distances; 0 for all.
        device: cpu or cuda.
        json: print the measures as JSON.
    """

    run_folder: tyro.conf.Positional[Path]
    data: str
    split: str = "test"
    limit: int = 0
    device: Literal["cpu", "cuda"] = "cpu"
    json: bool = False

    def run(self) -> int:
        """Evaluate and print."""
        from drnn_core.evaluation import measure
        from drnn_core.inference.skipping import fast_forward
        from drnn_core.store.runs import load_network

        if self.split not in ("train", "test"):
            raise ValueError(f"expected --split train or test, got {self.split!r}")
        if self.limit < 0:
            raise ValueError(f"expected a --limit of 0 or more images, got {self.limit}")
        check_device(self.device)
        network, info = load_network(self.run_folder)
        network.to(self.device)
        images = self._images(info)
        forward = fast_forward(network, info.preprocessing.image_size)
        with progress_bar("images") as progress:
            measures = measure(
                network, images, info.preprocessing, progress=progress, forward=forward
            )
        if self.json:
            emit({"run": str(self.run_folder), "data": images.name, **vars(measures)})
        else:
            _print(info, measures, network.layout)
        return 0

    def _images(self, info: RunInfo) -> ImageSet:
        from drnn_core.analysis.sampling import spread_sample
        from drnn_core.data.datasets import load_split
        from drnn_core.data.sets import Subset

        sizing = info.preprocessing
        images = load_split(
            self.data,
            "train" if self.split == "train" else "test",
            sizing.image_size,
            sizing=sizing,
            originals=self.limit > 0,  # so that only the chosen ones are decoded
        )
        check_classes(info, images.classes, self.data)
        keep = spread_sample(len(images), self.limit or None)
        return images if len(keep) == len(images) else Subset(images, keep)


def check_classes(info: RunInfo, classes: tuple[str, ...], data: str) -> None:
    """Refuse data whose classes are not the run's.

    Raises:
        ValueError: they differ; a label would mean something else.
    """
    from drnn_core.data.classes import difference

    if classes != info.classes:
        raise ValueError(
            f"expected {data} to have the run's {len(info.classes)} classes, got "
            f"{difference(info.classes, classes)}; pass a data set of the run's classes, in their "
            "order"
        )


def _print(info: RunInfo, measures: Measures, layout: Sequence[BlockLayout]) -> None:
    print(f"{info.title} on {measures.n:,} images")
    print(f"  top-1 error   {measures.error:.2f} %   top-5 {measures.error_top5:.2f} %")
    print(f"  loss          {measures.loss:.4f} nats")
    print(f"  MACs          {measures.macs_mean / 1e6:.2f} M per image")
    if not measures.loops_max:
        return
    print(
        f"  loops         {measures.loops_mean:.2f} ± {measures.loops_std:.2f} "
        f"of {measures.loops_max}"
    )
    if math.isnan(measures.rate):  # R-networks loop without gates
        return
    target = info.metrics.test.target
    print(f"  realised rate {measures.rate:.3f}, target {target}; by block and loop:")
    start = 0
    for block in layout:
        rates = measures.gate_rates[start : start + block.loops]
        start += block.loops
        shown = ("  –  " if math.isnan(rate) else f"{rate:.3f}" for rate in rates)
        print(f"    {block.name:6s}", "  ".join(shown))
