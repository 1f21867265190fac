"""How like two evidence maps of one image are.

A map (``drnn_core/analysis/saliency.py``) has one number for each pixel; evidence against counts
as evidence for, so both measures look at absolute values, and neither at a map's scale:

=========================  ====================================================================
``rank_similarity``        Spearman's correlation over the pixels; 1 is the same order
``structural_similarity``  SSIM (Wang et al. 2004: Gaussian window of 11 pixels, sigma 1.5) of the
                           maps divided by their largest values; 1 is the same map
=========================  ====================================================================
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]
Maps = NDArray[np.float32]

_SIGMA, _RADIUS = 1.5, 5
_STABLE_MEAN, _STABLE_VARIANCE = 0.01**2, 0.03**2


def rank_similarity(first: Maps, second: Maps) -> Floats:
    """(B,) Spearman's correlation of the absolute evidence of (B, H, W) maps; NaN of an even map.

    Raises:
        ValueError: maps of different shapes.
    """
    ranks = [_ranks(maps) for maps in _same(first, second)]
    product = (ranks[0] * ranks[1]).sum(axis=1)
    scale = np.sqrt((ranks[0] ** 2).sum(axis=1) * (ranks[1] ** 2).sum(axis=1))
    return np.divide(product, scale, out=np.full(len(scale), np.nan), where=scale > 0)


def structural_similarity(first: Maps, second: Maps) -> Floats:
    """(B,) mean SSIM of the absolute evidence of (B, H, W) maps, each divided by its maximum.

    Raises:
        ValueError: maps of different shapes.
    """
    x, y = (_scaled(maps) for maps in _same(first, second))
    mean_x, mean_y = _blurred(x), _blurred(y)
    var_x, var_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    both = _blurred(x * y) - mean_x * mean_y
    above = (2 * mean_x * mean_y + _STABLE_MEAN) * (2 * both + _STABLE_VARIANCE)
    below = (mean_x**2 + mean_y**2 + _STABLE_MEAN) * (var_x + var_y + _STABLE_VARIANCE)
    return np.asarray((above / below).mean(axis=(1, 2)))


def _same(first: Maps, second: Maps) -> tuple[Floats, Floats]:
    if first.shape != second.shape or first.ndim != 3:
        raise ValueError(
            f"expected two stacks of maps of one shape (B, H, W), got {first.shape} and "
            f"{second.shape}"
        )
    return np.abs(first.astype(np.float64)), np.abs(second.astype(np.float64))


def _ranks(maps: Floats) -> Floats:
    """(B, pixels) ranks of each map's pixels about their mean; ties share theirs."""
    from scipy import stats

    ranked: Any = stats.rankdata(maps.reshape(len(maps), maps[0].size), axis=1)
    return ranked - (maps[0].size + 1) / 2


def _scaled(maps: Floats) -> Floats:
    most = maps.max(axis=(1, 2), keepdims=True)
    return np.divide(maps, most, out=np.zeros_like(maps), where=most > 0)


def _blurred(maps: Floats) -> Floats:
    sigma, radius = (0, _SIGMA, _SIGMA), (0, _RADIUS, _RADIUS)
    blurred: Any = ndimage.gaussian_filter(maps, sigma, radius=radius)
    return blurred
