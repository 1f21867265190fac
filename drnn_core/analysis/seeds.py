"""What several trainings that differ in their seed say together.

Two things vary: the seed, over which means have a t interval, and the test images, which all seeds
share. A figure over both says of which its interval is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from drnn_core.analysis.bootstrap import Estimate, mean_estimate
from drnn_core.analysis.probabilities import normal_tail, t_quantile, t_tail


@dataclass(frozen=True)
class OverSeeds:
    """Mean of a figure over seeds.

    Attributes:
        n: seeds.
        mean: NaN of none.
        std: with n - 1; NaN of fewer than two.
        low, high: interval of the mean by Student's t; NaN of fewer than two. It takes the
            seeds' figures as normally distributed.
        p: two-sided, of a mean of 0, by the same t.
        level: of the interval, for example .95.
    """

    n: int
    mean: float
    std: float
    low: float
    high: float
    p: float
    level: float

    @property
    def sign(self) -> int:
        """1 or -1 where the interval leaves out 0, else 0; also 0 where there is none."""
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True)
class Paired:
    """A figure of two trainings on the same images, with the same seeds.

    Attributes:
        by_seed: that of the second minus that of the first, by seed.
        over_seeds: their mean with its interval over seeds.
        over_images: the same mean with its bootstrap interval over images, seeds held as they are.
    """

    by_seed: Mapping[int, float]
    over_seeds: OverSeeds
    over_images: Estimate


@dataclass(frozen=True)
class PairedErrors(Paired):
    """Errors, in points.

    Attributes:
        only_first, only_second: images that one of them alone gets right, summed over seeds.
        p: of McNemar's test over all seeds, with the image as the cluster.
    """

    only_first: int
    only_second: int
    p: float


def over_seeds(values: ArrayLike, level: float = 0.95) -> OverSeeds:
    """Mean, spread and interval of (n,) figures, one for each seed; NaN are left out."""
    found = np.asarray(values, dtype=np.float64)
    found = found[~np.isnan(found)]
    n, nan = len(found), math.nan
    if n < 2:
        return OverSeeds(n, float(found[0]) if n else nan, nan, nan, nan, nan, level)
    mean, std = float(found.mean()), float(found.std(ddof=1))
    error = std / math.sqrt(n)
    half = float(t_quantile((1 + level) / 2, n - 1)) * error
    distance = abs(mean) / error if error else (math.inf if mean else 0.0)
    p = 2 * t_tail(distance, n - 1)
    return OverSeeds(n, mean, std, mean - half, mean + half, p, level)


def correlation_over_seeds(rhos: ArrayLike, level: float = 0.95) -> OverSeeds:
    """As ``over_seeds`` of (n,) correlations, with an interval that stays within -1..1.

    Mean and standard deviation are of the correlations themselves; interval and p are Student's t
    of their Fisher transforms, the interval carried back.
    """
    found = np.asarray(rhos, dtype=np.float64)
    plain = over_seeds(found, level)
    edge = 1 - 1e-12  # where the transform is not infinite
    moved = over_seeds(np.arctanh(np.clip(found, -edge, edge)), level)
    return replace(plain, low=math.tanh(moved.low), high=math.tanh(moved.high), p=moved.p)


def difference_over_seeds(
    first: Mapping[int, float], second: Mapping[int, float], level: float = 0.95
) -> OverSeeds:
    """Second minus first over the seeds that both have."""
    return over_seeds([second[seed] - first[seed] for seed in first if seed in second], level)


def paired_errors(
    pairs: Mapping[int, pd.DataFrame], level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> PairedErrors:
    """Compare the errors of two trainings seed by seed.

    Args:
        pairs: by seed, ``comparison.paired``'s table of the first and the second run.
        level: of the intervals.
        resamples, seed: of the bootstrap over images.

    Raises:
        ValueError: no seed, or seeds on other images.
    """
    won = _by_image(pairs, "correct")
    both = _over_both(0.0 - 100 * won, level, resamples, seed)
    table = won.to_numpy(dtype=np.float64)
    return PairedErrors(
        both.by_seed,
        both.over_seeds,
        both.over_images,
        int((table < 0).sum()),
        int((table > 0).sum()),
        clustered_mcnemar(table),
    )


def paired_losses(
    pairs: Mapping[int, pd.DataFrame], level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Paired:
    """Compare the cross-entropy of two trainings, in nats; else as ``paired_errors``."""
    return _over_both(_by_image(pairs, "loss"), level, resamples, seed)


def _over_both(changes: pd.DataFrame, level: float, resamples: int, seed: int) -> Paired:
    """(N, seeds) what the second has more, seed by seed and image by image."""
    table = changes.to_numpy(dtype=np.float64)
    means: list[float] = table.mean(axis=0).tolist()
    by_seed = {int(seed): mean for seed, mean in zip(changes.columns, means, strict=True)}
    return Paired(
        by_seed,
        over_seeds(list(by_seed.values()), level),
        mean_estimate(table.mean(axis=1), level, resamples, seed),
    )


def clustered_mcnemar(changes: ArrayLike) -> float:
    """P of McNemar's test on images that were seen by several seeds, two-sided.

    The image is the cluster: its seeds may agree, which the sum of squares takes in (Obuchowski,
    "On the comparison of correlated proportions for clustered data", 1998). With one seed it is
    McNemar's test without continuity correction. 1 where nothing changes.

    Args:
        changes: (N, seeds) 1 where the second run alone is right, -1 where the first alone is.
    """
    total = np.asarray(changes, dtype=np.float64).sum(axis=1)
    square = float(total @ total)
    if not square:
        return 1.0
    return 2 * normal_tail(abs(float(total.sum())) / math.sqrt(square))


def _by_image(pairs: Mapping[int, pd.DataFrame], name: str) -> pd.DataFrame:
    """(N, seeds) what the second has more of a column than the first; rows by id."""
    if not pairs:
        raise ValueError("expected at least one seed that both trainings have, got none")
    columns: dict[int, Any] = {}
    for seed, table in pairs.items():
        first, second = (table[f"{name}_{run}"].to_numpy().astype(np.float64) for run in "ab")
        columns[seed] = pd.Series(second - first, index=table["id"].to_numpy())
    found = pd.DataFrame(columns)
    if any(len(table) != len(found) for table in pairs.values()):
        raise ValueError("expected the same images for every seed, got seeds with others")
    return found


def spread_parts(values: ArrayLike, groups: ArrayLike) -> tuple[float, float]:
    """Standard deviation between groups and within them, whose squares add up to the variance.

    Args:
        values: (N,), such as loops.
        groups: (N,), such as labels.

    Returns:
        (between, within), both over images with N: the deviation of the images' group means, and
        of the images from their group's mean.
    """
    column: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    place = np.unique(np.asarray(groups), return_inverse=True)[1]
    means = (np.bincount(place, column) / np.bincount(place))[place]
    rest = column - means
    return float(np.std(means)), math.sqrt(float(rest @ rest) / len(column))


def mean_and_range(curves: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """(3, E) mean, least and most of several curves at each of the epochs that all reached.

    Args:
        curves: a value for each epoch, from the first; NaN where none was taken.
    """
    reached = min((len(curve) for curve in curves), default=0)
    if not reached:
        return np.zeros((3, 0))
    table = np.array([list(curve)[:reached] for curve in curves], dtype=np.float64)
    found = [table.mean(axis=0), table.min(axis=0), table.max(axis=0)]
    return np.array(found, dtype=np.float64)
