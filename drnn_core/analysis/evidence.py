"""Evidence maps without the network: the methods that make them, and how they divide up.

What an attribution gives, one number for each pixel, is made by ``saliency.py``, which needs torch;
its table says what each method's evidence is.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Method = Literal["saliency", "input_x_gradient", "integrated_gradients", "grad_cam", "occlusion"]
METHODS: tuple[Method, ...] = get_args(Method)
# They take some seventy passes through the network for each image, the others one or two.
SLOW_METHODS: tuple[Method, ...] = ("integrated_gradients", "occlusion")


def shares(evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each pixel's share of all evidence, for or against.

    Args:
        evidence: (..., H, W) as ``attribute`` returns it.

    Returns:
        Same shape: absolute evidence divided by its sum over H and W, so every map sums to 1; a
        map without any evidence is 0 everywhere.
    """
    size = np.abs(evidence.astype(np.float64))
    total = size.sum(axis=(-2, -1), keepdims=True)
    return np.divide(size, total, out=np.zeros_like(size), where=total > 0).astype(np.float32)


def share_on(evidence: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The share of all evidence that lies on the object, beside ``mask.mean()`` by chance.

    Args:
        evidence: (..., H, W) as ``attribute`` returns it.
        mask: (..., H, W) bool, the object's pixels.

    Returns:
        (...), between 0 and 1; NaN where there is no evidence at all.

    Raises:
        ValueError: mask and evidence are of different sizes.
    """
    if evidence.shape != mask.shape:
        raise ValueError(f"expected a mask of shape {evidence.shape}, got {mask.shape}")
    size = np.abs(evidence.astype(np.float64))
    total = np.asarray(size.sum(axis=(-2, -1)))
    on_object = np.asarray((size * mask).sum(axis=(-2, -1)))
    return np.divide(on_object, total, out=np.full(total.shape, np.nan), where=total > 0)
