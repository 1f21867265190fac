"""An exported network run by onnxruntime, for whoever compares it with something."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from drnn_core.inference.export.describing import metadata_of


class Results(NamedTuple):
    """What an exported network returns of N images, see ``drnn_core/trace.py``.

    Attributes:
        logits: (N, classes) float32.
        prob: (N, S) float32.
        asked, ran: (N, S) bool.
    """

    logits: NDArray[np.float32]
    prob: NDArray[np.float32]
    asked: NDArray[np.bool_]
    ran: NDArray[np.bool_]


class ExportedNetwork:
    """A session of onnxruntime on an exported network.

    Args:
        model: the file, or what it is written from.
        threads: of the CPU; by default one for each core.
        profile: note every executed node, with the shapes that it met, in a file whose path begins
            like this, see ``finish_profile``; nodes are then left as they were exported.

    Attributes:
        metadata: what the file says of itself.
        steps: S.
        takes_pixels: uint8 pixels instead of normalised images.
        runtime: name and version.
    """

    def __init__(
        self,
        model: Path | onnx.ModelProto,
        threads: int | None = None,
        profile: Path | None = None,
    ) -> None:
        options = cast(Any, onnxruntime).SessionOptions()
        options.intra_op_num_threads = threads or os.cpu_count() or 1
        # Else its threads go on waiting busily after a run, and slow down whoever comes next.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        if profile is not None:
            options.enable_profiling, options.profile_file_prefix = True, str(profile)
            levels = cast(Any, onnxruntime).GraphOptimizationLevel
            options.graph_optimization_level = levels.ORT_DISABLE_ALL
        source = model.SerializeToString() if isinstance(model, onnx.ModelProto) else str(model)
        self._session = cast(Any, onnxruntime).InferenceSession(
            source, options, providers=["CPUExecutionProvider"]
        )
        self._inputs: list[str] = [given.name for given in self._session.get_inputs()]
        self.metadata = metadata_of(self._session.get_modelmeta().custom_metadata_map)
        self.steps = len(self.metadata["steps"])
        self.takes_pixels = "pixels" in self._inputs
        self.runtime = f"onnxruntime {onnxruntime.__version__}"

    def __call__(
        self, images: NDArray[Any], thresholds: NDArray[np.float32] | None = None
    ) -> Results:
        """Classify.

        Args:
            images: (N, 3, H, W), of the type that the file was exported for.
            thresholds: (S,), where the file takes them; by default one half each.
        """
        given: dict[str, NDArray[Any]] = {self._inputs[0]: images}
        if "thresholds" in self._inputs:
            half = np.full(self.steps, 0.5, dtype=np.float32)
            given["thresholds"] = half if thresholds is None else thresholds
        return Results(*self._session.run(list(Results._fields), given))

    def finish_profile(self) -> Path:
        """Where the profile has been written."""
        return Path(self._session.end_profiling())
