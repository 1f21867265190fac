"""From the canvas to the picture: shrink, blur, veil and noise, in this order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drnn_core.data.generated.draws import Draws
from drnn_core.data.generated.paint import Colour, even
from drnn_core.data.generated.raster import Field

NOISE_GRID = 32


def shrink(canvas: Field, times: int) -> Field:
    """Mean of every times x times block (area filter): (..., S, S) -> (..., S/times, S/times)."""
    rows = canvas[..., 0::times, :].copy()
    for k in range(1, times):
        rows += canvas[..., k::times, :]
    small = rows[..., 0::times].copy()
    for k in range(1, times):
        small += rows[..., k::times]
    return small * np.float32(1.0 / (times * times))


def _falling(x: float) -> float:
    """exp(-x) as (1 - x / 1024)**1024, by squaring: the same bits everywhere."""
    value = 1.0 - x / 1024.0
    for _ in range(10):
        value = value * value
    return value


def gaussian(picture: Field, sigma: float) -> Field:
    """Gaussian blur of (3, S, S) with ``sigma`` in pixels; edges are repeated."""
    reach = int(3.0 * sigma + 1.0)
    if sigma < 0.05:
        return picture
    weights = [_falling(k * k / (2.0 * sigma * sigma)) for k in range(reach + 1)]
    total = weights[0]
    for weight in weights[1:]:
        total += 2.0 * weight
    taps = [np.float32(weight / total) for weight in weights]
    for axis in (1, 2):
        pad = [(0, 0), (0, 0), (0, 0)]
        pad[axis] = (reach, reach)
        wide = np.moveaxis(np.pad(picture, pad, mode="edge"), axis, 0)
        length = picture.shape[axis]
        blurred = wide[reach : reach + length] * taps[0]
        for k in range(1, reach + 1):
            pair = wide[reach - k : reach - k + length] + wide[reach + k : reach + k + length]
            blurred += pair * taps[k]
        picture = np.moveaxis(blurred, 0, axis)
    return np.ascontiguousarray(picture)


def veil(picture: Field, contrast: float, grey: Colour) -> Field:
    """Draw every pixel towards one grey: contrast 1 leaves it, 0 leaves only grey."""
    base = even(grey)
    return base + (picture - base) * np.float32(contrast)


def grain(draws: Draws, size: int) -> Field:
    """Noise of standard deviation 1, (3, size, size): one draw per pixel of the 32 x 32 picture.

    A finer picture gets the same grain, interpolated (Catmull-Rom), so that shrinking it
    gives about the small picture again.
    """
    noise = draws.bell(3, NOISE_GRID, NOISE_GRID).astype(np.float32)
    if size == NOISE_GRID:
        return noise
    index, weights = _cubic(size)
    rows = np.zeros((3, size, NOISE_GRID), dtype=np.float32)
    for place, weight in zip(index, weights, strict=True):
        rows += noise[:, place, :] * weight[None, :, None]
    fine = np.zeros((3, size, size), dtype=np.float32)
    for place, weight in zip(index, weights, strict=True):
        fine += rows[:, :, place] * weight
    return fine


def _cubic(size: int) -> tuple[list[NDArray[np.int64]], list[Field]]:
    place = (np.arange(size) + 0.5) * NOISE_GRID / size - 0.5
    low = np.floor(place).astype(np.int64)
    t = (place - low).astype(np.float32)
    weights = [
        ((2.0 - t) * t - 1.0) * t * np.float32(0.5),
        ((3.0 * t - 5.0) * t * t + 2.0) * np.float32(0.5),
        ((4.0 - 3.0 * t) * t + 1.0) * t * np.float32(0.5),
        (t - 1.0) * t * t * np.float32(0.5),
    ]
    index = [np.minimum(np.maximum(low + k, 0), NOISE_GRID - 1) for k in (-1, 0, 1, 2)]
    return index, weights


def to_bytes(picture: Field) -> NDArray[np.uint8]:
    """(3, S, S) in 0..1 -> (S, S, 3) uint8, clipped and rounded."""
    levels = np.floor(
        np.minimum(np.maximum(picture, 0.0), 1.0) * np.float32(255.0) + np.float32(0.5)
    )
    return np.ascontiguousarray(np.moveaxis(levels.astype(np.uint8), 0, 2))
