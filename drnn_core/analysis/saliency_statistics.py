"""Where the evidence of an image lies: a few numbers for each map.

An evidence map is what ``attribute`` returns (``drnn_core/analysis/saliency.py``), one number for
each pixel. Its *mass* is each pixel's share of all absolute evidence, so that evidence against
counts as much as evidence for, and a map's scale does not matter.

===================  =============================================================================
column               of the mass, which sums to 1 over the image
===================  =============================================================================
``entropy``          Shannon's, over that of an even map: 0 (one pixel) to 1 (all the same)
``concentration``    Gini's coefficient of the pixels: 0 (all the same) to nearly 1 (one pixel)
``area``             smallest share of the pixels that together hold half of the mass: 0 to .5
``spread``           root mean square distance of the mass from its centre
``off_centre``       distance of the mass's centre from the image's centre
``on_object``        share of the mass on the object, where a mask is known
===================  =============================================================================

Distances are in halves of the image's diagonal: 1 is from the centre to a corner.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drnn_core.analysis.evidence import share_on, shares

SALIENCY_STATISTICS: tuple[str, ...] = (
    "entropy",
    "concentration",
    "area",
    "spread",
    "off_centre",
)
ON_OBJECT = "on_object"

Floats = NDArray[np.float64]


def saliency_statistics(
    evidence: NDArray[np.float32], mask: NDArray[np.bool_] | None = None
) -> dict[str, NDArray[np.float32]]:
    """The statistics of (B, H, W) evidence maps.

    Args:
        evidence: finite.
        mask: (B, H, W) bool, the object's pixels, where they are known.

    Returns:
        Name, in the order of ``SALIENCY_STATISTICS`` and then, with a mask, ``ON_OBJECT`` ->
        (B,) float32; NaN for a map without any evidence.

    Raises:
        ValueError: no maps of two pixels or more, evidence that is not finite, or a mask of
            another size.
    """
    if evidence.ndim != 3 or evidence.shape[1] * evidence.shape[2] < 2:
        raise ValueError(f"expected evidence of shape (B, H, W), got {evidence.shape}")
    if not np.isfinite(evidence).all():
        raise ValueError("expected finite evidence, got NaN or infinity")
    mass = shares(evidence).astype(np.float64)
    total = mass.sum(axis=(1, 2), keepdims=True)
    empty = total[:, 0, 0] == 0
    mass = mass / np.where(total == 0, 1, total)  # shares are float32: sum to 1 again
    flat = mass.reshape(len(mass), mass.shape[1] * mass.shape[2])
    rising = np.sort(flat, axis=1)
    spread, off_centre = _distances(mass)
    values = (_entropy(flat), _gini(rising), _half_area(rising), spread, off_centre)
    named = dict(zip(SALIENCY_STATISTICS, values, strict=True))
    if mask is not None:
        named[ON_OBJECT] = share_on(evidence, mask)
    return {
        name: np.where(empty, np.nan, value).astype(np.float32) for name, value in named.items()
    }


def _entropy(flat: Floats) -> Floats:
    logs = np.log(flat, out=np.zeros_like(flat), where=flat > 0)
    return -(flat * logs).sum(axis=1) / np.log(flat.shape[1])


def _gini(rising: Floats) -> Floats:
    """Half the mean difference of two pixels, over the mean; the pixels sum to 1."""
    count = rising.shape[1]
    weights: Floats = 2 * np.arange(1, count + 1, dtype=np.float64) - count - 1
    return (rising * weights).sum(axis=1) / count


def _half_area(rising: Floats) -> Floats:
    held = np.cumsum(rising[:, ::-1], axis=1)
    # a hair less than half, so that rounding does not ask for one pixel more
    return ((held < 0.5 - 1e-9).sum(axis=1) + 1) / rising.shape[1]


def _distances(mass: Floats) -> tuple[Floats, Floats]:
    """(B,) root mean square distance from the mass's centre, and (B,) of that from the middle."""
    height, width = mass.shape[1:]
    rows: Floats = np.arange(height, dtype=np.float64) - (height - 1) / 2
    columns: Floats = np.arange(width, dtype=np.float64) - (width - 1) / 2
    by_row, by_column = mass.sum(axis=2), mass.sum(axis=1)
    y: Floats = by_row @ rows
    x: Floats = by_column @ columns
    around: Floats = by_row @ rows**2 - y**2 + by_column @ columns**2 - x**2
    unit = float(np.hypot(rows[-1], columns[-1]))
    return np.sqrt(np.maximum(around, 0)) / unit, np.hypot(y, x) / unit
