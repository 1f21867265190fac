"""``drnn records``: write a run's record table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from drnn_core.commands.console import emit, progress_bar
from drnn_core.commands.device import check_device
from drnn_core.commands.evaluate import check_classes


@dataclass(frozen=True)
class Records:
    """Write one row per test image: prediction, loops, gate probabilities, MACs. Resumable.

    Args:
        run_folder: of the run.
        data: "generated", or a folder of images.
        device: cpu or cuda; finish a table on the one that it was begun on.
        json: print a summary as JSON.
    """

    run_folder: tyro.conf.Positional[Path]
    data: str
    device: Literal["cpu", "cuda"] = "cpu"
    json: bool = False

    def run(self) -> int:
        """Write what is missing."""
        from drnn_core.data.datasets import load_split
        from drnn_core.inference.recording import record_run
        from drnn_core.store.runs import read_run

        check_device(self.device)
        info = read_run(self.run_folder)
        sizing = info.preprocessing
        images = load_split(self.data, "test", sizing.image_size, sizing=sizing)
        check_classes(info, images.classes, self.data)
        with progress_bar("images") as progress:
            record_run(self.run_folder, images, progress=progress, device=self.device)
        if self.json:
            emit({"run": str(self.run_folder), "rows": len(images), "complete": True})
        else:
            print(f"{self.run_folder}: records of {len(images):,} images, complete")
        return 0
