"""Networks compiled for inference: what an image does not run is not computed.

``compile_for_inference`` makes of a network an ``InferenceNetwork``, a frozen object of its own
that takes the same decisions and gives the same logits as the reference forward of
``models/recursive.py``, to rounding. docs/engine.md says what it does and what that brings.
"""

from drnn_core.inference.skipping.cutting import NotAChainError
from drnn_core.inference.skipping.finite import NotFiniteError
from drnn_core.inference.skipping.network import (
    InferenceNetwork,
    compile_for_inference,
    fast_forward,
    masked_execution,
    static_execution,
)

__all__ = [
    "InferenceNetwork",
    "NotAChainError",
    "NotFiniteError",
    "compile_for_inference",
    "fast_forward",
    "masked_execution",
    "static_execution",
]
