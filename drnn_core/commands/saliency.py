"""``drnn saliency``: where each image's evidence lies, as columns beside the records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from drnn_core.commands.console import emit, progress_bar
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
        batch: images measured together.
        json: print a summary as JSON.
    """

    run_folder: tyro.conf.Positional[Path]
    data: str
    method: Choice = "saliency"
    batch: int = 100
    json: bool = False

    def run(self) -> int:
        """Write what is missing."""
        from drnn_core.commands.measurements import measurements
        from drnn_core.data.datasets import load_split
        from drnn_core.inference.measuring import measure_run
        from drnn_core.store.records import read_manifest
        from drnn_core.store.runs import read_run

        if self.batch < 1:
            raise ValueError(f"expected a --batch of at least 1, got {self.batch}")
        info = read_run(self.run_folder)
        split = read_manifest(self.run_folder).header.split
        sizing = info.preprocessing
        images = load_split(
            self.data, "train" if split == "train" else "test", sizing.image_size, sizing=sizing
        )
        check_classes(info, images.classes, self.data)
        tables = measurements(self.method, masks=images.masks([0]) is not None)
        with progress_bar("images") as progress:
            measured = measure_run(self.run_folder, images, tables, self.batch, progress)
        columns = [column for table in tables for column in table.columns]
        if self.json:
            emit(
                {
                    "run": str(self.run_folder),
                    "rows": len(images),
                    "measured": measured,
                    "tables": [table.name for table in tables],
                    "columns": columns,
                    "complete": True,
                }
            )
        else:
            print(f"{self.run_folder}: {', '.join(columns)} of {len(images):,} images, complete")
        return 0
