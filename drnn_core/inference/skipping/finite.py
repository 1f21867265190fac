"""Weights that are not finite, as a diverged training leaves them: they cannot be compiled."""

from __future__ import annotations

import torch

from drnn_core.models.gate import gate_head
from drnn_core.models.network import Network


class NotFiniteError(ValueError):
    """A network to compile has weights that are NaN or infinite.

    The convolutions' fused relu makes 0 of NaN: what comes out would look like an answer where
    the network's own forward says NaN.
    """


def check_finite_weights(network: Network) -> None:
    """Refuse to compile what the compiled network could not repeat.

    The bias of a gate's head may be infinite: such a gate is open for everybody, or shut.

    Raises:
        NotFiniteError: names the first tensor that is not finite.
    """
    free = {
        id(gate_head(block.gate).bias)
        for _, block in network.recursive_blocks()
        if block.gate is not None
    }
    for name, tensor in network.state_dict(keep_vars=True).items():
        checked = tensor.is_floating_point() and id(tensor) not in free
        if checked and not bool(torch.isfinite(tensor.detach()).all()):
            raise NotFiniteError(
                f"expected finite weights to compile, got NaN or infinity in {name}: its "
                "training diverged; the network itself can still be called"
            )
