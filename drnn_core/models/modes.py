"""Training and evaluation mode for a while: afterwards every module is in the mode that it was in.

``network.train(before)`` would not do: a norm that was frozen on purpose, in evaluation while the
rest trains, would learn from then on.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from torch import nn


@contextmanager
def in_mode(network: nn.Module, training: bool) -> Generator[None]:
    """All modules in training mode, or all in evaluation; afterwards each in its own again.

    What is changed of the modes in between is undone, too.

    Args:
        network: whose modules they are, itself included.
        training: False for evaluation.
    """
    modes = [(module, module.training) for module in network.modules()]
    try:
        network.train(training)
        yield
    finally:
        for module, before in modes:
            module.training = before
