"""Small pictures of evidence: over a pale picture, with the object's outline where it is known."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from app.inspection.components import data_uri
from app.inspection.heat import heat

_SIDE = 128  # pixels at least, so that an outline is finer than a pixel of the picture
_PALE = 0.45  # how far the picture under the evidence goes to light grey
_LIGHT = 238


def overlay(
    seen: NDArray[np.uint8], evidence: NDArray[np.float32], mask: NDArray[np.bool_] | None
) -> NDArray[np.uint8]:
    """Evidence of a picture.

    Args:
        seen: (H, W, 3) what the network saw.
        evidence: (H, W).
        mask: (H, W) the object, to be outlined.

    Returns:
        (S, S', 3), enlarged by a whole number.
    """
    times = max(1, _SIDE // seen.shape[0])
    grey = seen.astype(np.float64).mean(axis=2, keepdims=True)
    pale = (1 - _PALE) * grey + _PALE * _LIGHT
    warm = heat(evidence).astype(np.float64)
    alpha = warm[..., 3:] / 255
    drawn = _enlarged((1 - alpha) * pale + alpha * warm[..., :3], times)
    if mask is not None and mask.any():
        inside: Any = _enlarged(mask, times)
        outer: Any = ndimage.binary_dilation(inside) & ~inside
        drawn[ndimage.binary_dilation(outer) & ~inside] = 0
        drawn[outer] = 255
    return np.round(drawn).astype(np.uint8)


def image_html(pixels: NDArray[np.uint8], words: str, width: str = "100%") -> str:
    """An ``img`` of every pixel as it is; ``words`` say what it shows."""
    return (
        f'<img src="{data_uri(pixels)}" alt="{escape(words, quote=True)}" '
        f'style="width:{width};image-rendering:pixelated;border-radius:4px;display:block">'
    )


def _enlarged(pixels: NDArray[Any], times: int) -> NDArray[Any]:
    return pixels.repeat(times, axis=0).repeat(times, axis=1)
