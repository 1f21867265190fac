"""``drnn norms``: what the norms of a run see of executed and of skipped images (figure 7)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from drnn_core.commands.console import emit, progress_bar
from drnn_core.commands.device import check_device
from drnn_core.commands.evaluate import check_classes
from drnn_core.commands.replacing import check_replaced

if TYPE_CHECKING:
    import pandas as pd

    from drnn_core.data.sets import ImageSet
    from drnn_core.store.norms import NormsHeader
    from drnn_core.store.runinfo import RunInfo


@dataclass(frozen=True)
class Norms:
    """Measure mean and variance of what enters each norm, channel by channel (figure 7).

    Of images that execute a loop and of those that do not, beside the running statistics, and with
    the decisions shuffled; kept with the run. Can be stopped: nothing is written before the end.

    Args:
        run_folder: of the run.
        data: "generated", or the folder of images that was recorded.
        limit: test images, taken at even distances; 0 for all.
        batch: images measured together.
        seed: of the shuffled decisions.
        replace: statistics of more images that the run holds, by those of fewer.
        device: cpu or cuda.
        json: print the table as JSON.
    """

    run_folder: tyro.conf.Positional[Path]
    data: str
    limit: int = 2000
    batch: int = 100
    seed: int = 0
    replace: bool = False
    device: Literal["cpu", "cuda"] = "cpu"
    json: bool = False

    def run(self) -> int:
        """Measure, write and print."""
        from drnn_core.analysis.norm_bias import BIASES, bias_table
        from drnn_core.analysis.norm_discrepancy import discrepancy_table
        from drnn_core.commands.norm_measuring import measure_norms
        from drnn_core.data.datasets import load_split
        from drnn_core.querying.norms import statistics_of
        from drnn_core.store.runs import read_run

        self._check()
        info = read_run(self.run_folder)
        sizing = info.preprocessing
        images = load_split(self.data, "test", sizing.image_size, sizing=sizing)
        check_classes(info, images.classes, self.data)
        if not self.replace:
            self._check_replaced(info, images)
        with progress_bar("images") as progress:
            stored = measure_norms(
                self.run_folder,
                images,
                self.limit or None,
                self.batch,
                self.seed,
                progress,
                self.device,
            )
        found = statistics_of(stored)
        bias = bias_table(found)[[*BIASES, *(f"{name}_error" for name in BIASES)]]
        table = discrepancy_table(found).join(bias)
        if self.json:
            emit(
                {
                    "run": str(self.run_folder),
                    "data": images.name,
                    "images": stored.header.images,
                    "norms": table.to_dict("records"),
                }
            )
        else:
            _print(info.title, stored.header, table)
        return 0

    def _check(self) -> None:
        if self.batch < 1:
            raise ValueError(f"expected a --batch of at least 1, got {self.batch}")
        for name, value in (("limit", self.limit), ("seed", self.seed)):
            if value < 0:
                raise ValueError(f"expected a --{name} of 0 or more, got {value}")
        check_device(self.device)

    def _check_replaced(self, info: RunInfo, images: ImageSet) -> None:
        from drnn_core.analysis.sampling import spread_sample
        from drnn_core.store.norms import NormsError, read_norms

        try:
            there = read_norms(self.run_folder, info.weights_sha256).header.images
        except NormsError:
            return  # none, or none that count any more
        count = len(spread_sample(len(images), self.limit or None))
        check_replaced(f"{self.run_folder} holds statistics of norms", there, count)


def _print(title: str, header: NormsHeader, table: pd.DataFrame) -> None:
    print(f"{title}: norms on {header.images:,} of {header.rows:,} images of {header.dataset}")
    print(
        "  block   loop  norm      executed  skipped   divergence (shuffled)   running mean off"
        "   running variance"
    )
    for row in table.to_dict("records"):
        print(
            f"  {row['block']:7s} {row['loop'] + 1:4d}  {row['norm']:8s} {row['executed']:9,d}"
            f"{row['skipped']:9,d}   {_number(row['divergence'], '.4f'):>8s} "
            f"({_number(row['divergence_shuffled'], '.5f')})     "
            f"{_number(row['mean_bias'], '.3f'):>12s} sd"
            f"{_number(math.exp(row['variance_shift']), '.2f'):>12s} × true"
        )
    print("  divergence in nats, means over channels; running statistics against executed images")


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else format(value, form)
