"""What a picture is like, without any network: four numbers for each image.

==================  ==============================================================================
column              of the luma Y = .299 R + .587 G + .114 B (ITU-R BT.601), from 0 to 1
==================  ==============================================================================
``brightness``      mean
``contrast``        standard deviation
``sharpness``       variance of the Laplacian (four neighbours less four times the pixel), a
                    common measure of focus: blur lowers it, noise raises it
``edge_density``    share of pixels whose Sobel gradient is steeper than ``EDGE`` a pixel
==================  ==============================================================================

The last two are taken where a pixel has all its neighbours, so no border enters.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

IMAGE_STATISTICS: tuple[str, ...] = ("brightness", "contrast", "sharpness", "edge_density")

# Change of luma from one pixel to the next that counts as an edge: a tenth of the full range.
EDGE = 0.1
_LUMA = (0.299, 0.587, 0.114)


def image_statistics(images: Tensor) -> dict[str, NDArray[np.float32]]:
    """The four statistics of (B, 3, H, W) uint8 images.

    Returns:
        Name, in the order of ``IMAGE_STATISTICS`` -> (B,) float32.

    Raises:
        ValueError: anything but uint8 images of three channels, three pixels wide and high.
    """
    if images.ndim != 4 or images.shape[1] != 3 or images.dtype != torch.uint8:
        raise ValueError(
            f"expected uint8 images of shape (B, 3, H, W), got {images.dtype} of "
            f"{tuple(images.shape)}"
        )
    if min(images.shape[2:]) < 3:
        raise ValueError(f"expected at least 3 x 3 pixels, got {tuple(images.shape[2:])}")
    luma = luma_of(images)
    values = (
        luma.mean(axis=(1, 2)),
        luma.std(axis=(1, 2)),
        _laplacian(luma).var(axis=(1, 2)),
        (_slope(luma) > EDGE).mean(axis=(1, 2)),
    )
    return {
        name: value.astype(np.float32) for name, value in zip(IMAGE_STATISTICS, values, strict=True)
    }


def luma_of(images: Tensor) -> NDArray[np.float64]:
    """(B, 3, H, W) uint8 -> (B, H, W), from 0 (black) to 1 (white)."""
    red, green, blue = (images[:, k].cpu().numpy().astype(np.float64) for k in range(3))
    return (_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue) / 255


def _laplacian(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """(B, H, W) -> (B, H - 2, W - 2)."""
    beside = y[:, 1:-1, :-2] + y[:, 1:-1, 2:] + y[:, :-2, 1:-1] + y[:, 2:, 1:-1]
    return beside - 4 * y[:, 1:-1, 1:-1]


def _slope(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """(B, H, W) -> (B, H - 2, W - 2): steepness by Sobel's masks, in luma a pixel."""
    down = y[:, :-2] + 2 * y[:, 1:-1] + y[:, 2:]  # smoothed across rows
    along = y[:, :, :-2] + 2 * y[:, :, 1:-1] + y[:, :, 2:]
    # a mask weighs 4 on either side, two pixels apart: a ramp of 1 a pixel gives 8
    across = (down[:, :, 2:] - down[:, :, :-2]) / 8
    upright = (along[:, 2:] - along[:, :-2]) / 8
    return np.hypot(across, upright)
