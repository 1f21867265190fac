"""Means and variances of groups of images, channel by channel, and how sure they are.

A sample of images is dealt out into parts. The moments of all are merged from those of the parts,
and the scatter among samples that lack one part each says how sure a number made of them is: the
jackknife of Quenouille and Tukey. It holds for whatever is computed from moments, and an image
counts as one, however many pixels it has.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drnn_core.analysis.probabilities import t_quantile

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Moments:
    """Of one group of images in one norm.

    Attributes:
        images: how many.
        mean: (..., C), NaN without images.
        var: (..., C), unbiased as BatchNorm's running variance; NaN of fewer than two values.
    """

    images: int
    mean: Floats
    var: Floats


@dataclass(frozen=True)
class Parts:
    """One group of images, dealt out into P parts.

    Attributes:
        images: (P,) of each part.
        mean, var: (P, C), as of ``Moments``.
        pixels: values that an image gives to a channel.
    """

    images: Counts
    mean: Floats
    var: Floats
    pixels: int

    def merged(self) -> Moments:
        """The moments of the whole group."""
        found = self._merged(np.ones((1, len(self.images))))
        return Moments(found.images, found.mean[0], found.var[0])

    def jackknifed(self) -> Moments:
        """(1 + P, C): of the whole group, then without each of its parts."""
        count = len(self.images)
        return self._merged(np.vstack([np.ones(count), 1 - np.eye(count)]))

    def _merged(self, keep: Floats) -> Moments:
        """(K, C) moments of K choices of parts; ``keep`` is (K, P), 1 for a part that is in."""
        n = self.images.astype(np.float64) * self.pixels
        means = np.where(n[:, None] > 0, self.mean, 0.0)
        inside = np.where(n[:, None] > 1, self.var, 0.0) * np.maximum(n - 1, 0)[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            # Around the middle of all, so that no small number is left of two large ones.
            centre = n @ means / n.sum()
            gaps = means - centre
            values = keep @ n
            shift = (keep * n) @ gaps / values[:, None]
            squares = keep @ inside + (keep * n) @ gaps**2 - values[:, None] * shift**2
            var = squares / np.where(values > 1, values - 1, np.nan)[:, None]
        return Moments(int(self.images.sum()), centre + shift, var)


@dataclass(frozen=True)
class NormStatistics:
    """One norm of a recursive block in one of its loops.

    Attributes:
        block: name, as in the layout.
        norm: name within the body, "norm1" the first.
        loop: 0-based.
        kind: of the norm, as ``drnn_core/models/norm.py`` has them.
        depth: 0-based position of this norm and loop among all, in the order of execution.
        executed_parts, skipped_parts: moments of the images that run the loop, and of the others.
        population: the running statistics by which evaluation normalises this loop; ``images``
            is 0, for nobody counted them.
        shuffled: as ``executed`` and ``skipped``, with decisions dealt out at random.
    """

    block: str
    norm: str
    loop: int
    kind: str
    depth: int
    executed_parts: Parts
    skipped_parts: Parts
    population: Moments
    shuffled: tuple[Moments, Moments]

    @cached_property
    def executed(self) -> Moments:
        """Of all images that run the loop."""
        return self.executed_parts.merged()

    @cached_property
    def skipped(self) -> Moments:
        """Of all images that do not run the loop."""
        return self.skipped_parts.merged()


@dataclass(frozen=True)
class Sampled:
    """Numbers made of a sample of images, and the same made of all but one part of it.

    Attributes:
        values: of any shape.
        without: (P, ...), each without one part.
    """

    values: Floats
    without: Floats

    @classmethod
    def of(cls, rows: Floats) -> Sampled:
        """From (1 + P, ...): of all, then without each part, as ``Parts.jackknifed`` has them."""
        return cls(rows[0], rows[1:])

    def map(self, function: Callable[[Floats], Floats]) -> Sampled:
        """Something made of the values, such as their mean over channels."""
        made = [function(each) for each in self.without]
        values = function(self.values)
        return Sampled(values, np.stack(made) if made else np.empty((0, *np.shape(values))))

    def at(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Sampled:
        """Those of some rows."""
        return Sampled(self.values[rows], self.without[:, rows])

    def mean(self) -> Sampled:
        """() the mean of those values that are finite, NaN of none."""
        return self.map(channel_mean)

    @property
    def error(self) -> Floats:
        """Jackknife standard error of the values; NaN of fewer than two parts."""
        parts = len(self.without)
        if parts < 2:
            return np.full_like(self.values, np.nan)
        spread = ((self.without - self.without.mean(axis=0)) ** 2).sum(axis=0)
        return np.sqrt(spread * (parts - 1) / parts)

    def margin(self, level: float = 0.95) -> Floats:
        """Half the width of the interval around the values, by Student's t of P - 1.

        Raises:
            ValueError: a level that is not between 0 and 1.
        """
        return self.error * t_factor(len(self.without), level)


def ends_of(value: ArrayLike, margin: ArrayLike, positive: bool = False) -> tuple[Floats, Floats]:
    """Ends of the intervals around values, any shape.

    Args:
        value: what was found.
        margin: half the interval's width, as ``Sampled.margin`` gives it.
        positive: the value cannot be negative, so take the interval of its logarithm (delta
            method). A value of 0 has none.
    """
    value, margin = np.asarray(value, np.float64), np.asarray(margin, np.float64)
    if not positive:
        return value - margin, value + margin
    factor = np.exp(margin / np.where(value > 0, value, np.nan))
    return value / factor, value * factor


def t_factor(parts: int, level: float = 0.95) -> float:
    """Half the width of an interval in jackknife standard errors; NaN of fewer than two parts.

    Raises:
        ValueError: a level that is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, such as 0.95, got {level}")
    return float(t_quantile((1 + level) / 2, parts - 1)) if parts > 1 else math.nan


def difference(
    first: Sampled, second: Sampled, paired: bool, level: float = 0.95
) -> tuple[float, float]:
    """First number minus second, and half the width of its interval.

    Args:
        first, second: () each.
        paired: whether both are of the same images in the same parts; else their errors add up
            as of independent samples.
        level: of the interval.
    """
    gap = float(first.values - second.values)
    if paired:
        return gap, float(Sampled(np.array(gap), first.without - second.without).margin(level))
    return gap, math.hypot(float(first.margin(level)), float(second.margin(level)))


def channel_mean(values: Floats) -> Floats:
    """(..., C) -> (...): the mean over channels that are finite; NaN where none is."""
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1)
    return total / np.where(count, count, np.nan)
