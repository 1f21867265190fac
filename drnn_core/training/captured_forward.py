"""A network's forward in evaluation as a CUDA graph: the test set after every epoch."""

from __future__ import annotations

import torch
from torch import Tensor

from drnn_core.models.modes import in_mode
from drnn_core.models.network import Network
from drnn_core.trace import Output, Trace
from drnn_core.training.fusing import unfused


class CapturedForward:
    """The network's own forward for batches of up to ``batch`` images; it sees later weights.

    Args:
        network: on a GPU; its modules are left in the modes that they are in.
        batch: images of one replay; smaller batches are filled up.
        image_size: height and width of the images.
        stream: to capture on, see ``FixedShapeUpdates``.
    """

    def __init__(
        self, network: Network, batch: int, image_size: int, stream: torch.cuda.Stream
    ) -> None:
        device = next(network.parameters()).device
        shape = (batch, 3, image_size, image_size)
        self.batch = batch
        self._input = torch.zeros(shape, device=device).to(memory_format=torch.channels_last)
        self._graph = torch.cuda.CUDAGraph()
        stream.wait_stream(torch.cuda.current_stream())
        with (
            in_mode(network, training=False),
            torch.no_grad(),
            unfused(network),
            torch.cuda.stream(stream),
        ):
            network(self._input)  # libraries choose their kernels
            with torch.cuda.graph(self._graph, stream=stream, capture_error_mode="thread_local"):
                self._output: Output = network(self._input)
        torch.cuda.current_stream().wait_stream(stream)

    def __call__(self, x: Tensor) -> Output:
        """Classify (B, 3, H, W) normalised images, B at most ``batch``."""
        self._input[: len(x)].copy_(x)
        self._graph.replay()
        trace = Trace(*(each[: len(x)].clone() for each in self._output.trace))
        return Output(self._output.logits[: len(x)].clone(), trace)
