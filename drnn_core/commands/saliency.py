"""``drnn saliency``: where each image's evidence lies, as columns beside the records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from drnn_core.commands.console import emit, progress_bar
from drnn_core.commands.device import check_device
from drnn_core.commands.evaluate import check_classes

# As METHODS in drnn_core/analysis/saliency.py; spelled out so that --help needs no torch.
Choice = Literal["saliency", "input_x_gradient", "integrated_gradients", "grad_cam", "occlusion"]


@dataclass(frozen=True)
class Saliency:
    """Write columns beside the records: evidence, image statistics, margin. Resumable.

    The evidence is that of the predicted class, on the path that the image took.

    Args:
        run_folder: of a run with records.
        data: "generated", or the folder of images that was recorded.
        method: of attribution; "saliency" is the gradient. Integrated gradients and occlusion take
            about 70 times as long.
        limit: images whose evidence is measured, taken at even distances; 0 for all.
        batch: images measured together.
        device: cpu or cuda.
        json: print a summary as JSON.
    """

    run_folder: tyro.conf.Positional[Path]
    data: str
    method: Choice = "saliency"
    limit: int = 0
    batch: int = 100
    device: Literal["cpu", "cuda"] = "cpu"
    json: bool = False

    def run(self) -> int:
        """Write what is missing."""
        from drnn_core.analysis.evidence import SLOW_METHODS
        from drnn_core.analysis.sampling import spread_sample
        from drnn_core.commands.measurements import measurements
        from drnn_core.data.datasets import load_split
        from drnn_core.inference.measuring import measure_run
        from drnn_core.store.records import read_manifest
        from drnn_core.store.runs import read_run

        if self.batch < 1:
            raise ValueError(f"expected a --batch of at least 1, got {self.batch}")
        if self.limit < 0:
            raise ValueError(f"expected a --limit of 0 or more images, got {self.limit}")
        check_device(self.device)
        info = read_run(self.run_folder)
        split = read_manifest(self.run_folder).header.split
        sizing = info.preprocessing
        images = load_split(
            self.data, "train" if split == "train" else "test", sizing.image_size, sizing=sizing
        )
        check_classes(info, images.classes, self.data)
        *quick, evidence = measurements(self.method, masks=images.masks([0]) is not None)
        keep = spread_sample(len(images), self.limit or None)
        rows = _shard_rows(len(images), len(keep)) if self.method in SLOW_METHODS else None
        with progress_bar("images") as progress:
            measured = measure_run(
                self.run_folder, images, quick, self.batch, progress, device=self.device
            )
        with progress_bar(self.method) as progress:
            more = measure_run(
                self.run_folder,
                images,
                [evidence],
                self.batch,
                progress,
                device=self.device,
                shard_rows=rows,
                keep=keep,
            )
        measured = max(measured, more)
        tables = [*quick, evidence]
        columns = [column for table in tables for column in table.columns]
        if self.json:
            emit(
                {
                    "run": str(self.run_folder),
                    "rows": len(images),
                    "measured": measured,
                    "limit": len(keep),
                    "tables": [table.name for table in tables],
                    "columns": columns,
                    "complete": True,
                }
            )
        else:
            some = "" if len(keep) == len(images) else f"; evidence of {len(keep):,} of them"
            listed = ", ".join(columns)
            print(f"{self.run_folder}: {listed} of {len(images):,} images, complete{some}")
        return 0


# Measured images of a shard of a slow method: a kill costs minutes, not hours.
_SLOW_SHARD = 250


def _shard_rows(rows: int, measured: int) -> int:
    return max(1, round(rows * _SLOW_SHARD / measured))
