"""A picture in, a prediction with the network's path out: for the command line and the app.

Threads. A forward pass of one small picture is faster on one thread (28 ms) than on two that
must find each other on a busy machine (seconds). PyTorch has one number of threads for the
process, so a prediction sets it to one and puts the old number back when it is done. A lock
around this makes predictions of several user sessions wait for one another, and leaves the
number alone for whatever else the process does.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from drnn_core.counting import network_cost
from drnn_core.data.pictures import as_decoded, decode_picture
from drnn_core.inference.prediction import Prediction
from drnn_core.inference.skipping import fast_forward
from drnn_core.layout import BlockLayout
from drnn_core.store.runs import load_network
from drnn_core.trace import Output

_BATCH = 32
_TOP = 5
# Reentrant: what holds it, such as an attribution, may call a predictor.
_one_at_a_time = threading.RLock()


class Predictor:
    """The network of a run, ready for pictures; may be shared by threads.

    Class names and preprocessing are the run's.

    Args:
        run_folder: of the run.

    Attributes:
        info: run.json.
        layout: the recursive blocks.
        network: in evaluation mode, on the CPU; for what needs its gradients or features.
        cost: of the network, at the size that it sees.

    Raises:
        RunError: the run is missing or damaged.
    """

    def __init__(self, run_folder: Path) -> None:
        with one_thread():
            self.network, self.info = load_network(run_folder)
            self.network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
            size = self.info.preprocessing.image_size
            self.cost = network_cost(self.network, size)
            self._forward = fast_forward(self.network, size)
        self.layout: tuple[BlockLayout, ...] = self.network.layout

    def predict(self, picture: Image.Image | Path) -> Prediction:
        """Predict one picture of any size, see ``predict_many``."""
        return self.predict_many([picture])[0]

    def predict_many(self, pictures: Sequence[Image.Image | Path]) -> list[Prediction]:
        """Predict pictures of any sizes, in their order.

        Args:
            pictures: files (JPEG, PNG, WebP), or what PIL opened. Either is made RGB by the same
                rules, see ``decode_picture``: turned upright, transparency over white.

        Raises:
            PictureError: a file is no picture, or a picture is too large or too long.
            OSError: a file cannot be read.
        """
        found: list[Prediction] = []
        for start in range(0, len(pictures), _BATCH):
            batch = [self._prepared(picture) for picture in pictures[start : start + _BATCH]]
            found += self._predict_batch(torch.stack(batch))
        return found

    def _prepared(self, picture: Image.Image | Path) -> Tensor:
        if isinstance(picture, Path):
            picture = decode_picture(picture.read_bytes(), picture.name, own=True)
        return self.info.preprocessing.prepare(as_decoded(picture))

    def predict_seen(self, seen: NDArray[np.uint8]) -> Prediction:
        """Predict a picture of exactly the size that the network sees.

        Args:
            seen: (H, W, 3) uint8, as in a ``Prediction``.

        Raises:
            ValueError: it is of another size or type.
        """
        side = self.info.preprocessing.image_size
        if seen.shape != (side, side, 3) or seen.dtype != np.uint8:
            raise ValueError(
                f"expected uint8 pixels of shape ({side}, {side}, 3), got {seen.dtype} of "
                f"{seen.shape}; use predict for pictures of other sizes"
            )
        pixels = torch.from_numpy(seen.transpose(2, 0, 1).copy())
        return self._predict_batch(pixels[None])[0]

    def _predict_batch(self, pixels: Tensor) -> list[Prediction]:
        """Of (B, 3, H, W) uint8."""
        with one_thread(), torch.inference_mode():
            output = self._forward(self.info.preprocessing.normalise(pixels))
            macs = self.cost.macs_of(output.trace.asked, output.trace.ran).numpy()
        seen = np.ascontiguousarray(pixels.permute(0, 2, 3, 1).numpy())
        return [
            self._prediction(output, row, seen[row], int(macs[row])) for row in range(len(pixels))
        ]

    def _prediction(
        self, output: Output, row: int, seen: NDArray[np.uint8], macs: int
    ) -> Prediction:
        trace, test = output.trace, self.info.metrics.test
        probabilities = output.logits[row].double().softmax(dim=0).float().numpy()
        order = np.argsort(-probabilities, kind="stable")[:_TOP]
        prob, asked = trace.prob[row].float().numpy(), trace.asked[row].numpy()
        return Prediction(
            seen=seen,
            probabilities=probabilities,
            top=[(self.info.classes[place], float(probabilities[place])) for place in order],
            loops=int(trace.loops[row]),
            block_loops=trace.block_loops(self.layout)[row].numpy().copy(),
            asked=asked.copy(),
            ran=trace.ran[row].numpy().copy(),
            prob=np.where(asked, prob, np.float32("nan")),
            macs=macs,
            macs_max=self.cost.macs_max,
            macs_mean_of_run=test.macs_mean,
            loops_max=self.cost.loops_max,
            loops_mean_of_run=test.loops_mean,
            loops_std_of_run=test.loops_std,
        )


@contextmanager
def one_thread() -> Generator[None]:
    """Compute on one thread, alone; the number of threads is what it was afterwards."""
    with _one_at_a_time:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
