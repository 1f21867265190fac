"""How many bits two columns of categories share, such as the loops and the class."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Information:
    """Mutual information of two columns, in bits.

    Attributes:
        plug_in: of the empirical distribution; too high by about
            (categories - 1) (other categories - 1) / (2 N ln 2).
        corrected: with Miller and Madow's correction of each entropy (1955); may fall below 0
            by chance where nothing is shared.
        p: chance of a plug-in value as high when the columns are shuffled against each other.
        first_entropy, second_entropy: of the columns, plug-in: no more can be shared.
        n: images.
    """

    plug_in: float
    corrected: float
    p: float
    first_entropy: float
    second_entropy: float
    n: int


def mutual_information(
    first: ArrayLike, second: ArrayLike, permutations: int = 999, seed: int = 0
) -> Information:
    """Bits that two columns of categories, (N,) each, share.

    Args:
        first, second: numbers or names; equal ones are one category.
        permutations: shuffles behind ``p``, which is at least 1 / (permutations + 1); 0 for none
            (p is 1 then).
        seed: of the shuffles.

    Raises:
        ValueError: the columns differ in length.
    """
    one, other = np.asarray(first), np.asarray(second)
    if one.shape != other.shape or one.ndim != 1:
        raise ValueError(
            f"expected two columns of equal length, got shapes {one.shape} and {other.shape}"
        )
    n = len(one)
    if not n:
        nan = math.nan
        return Information(nan, nan, nan, nan, nan, 0)
    x, y = _places(one), _places(other)
    width = int(y.max()) + 1
    counts_x, counts_y = np.bincount(x), np.bincount(y)
    joint = np.bincount(x * width + y)
    apart = entropy_of(counts_x) + entropy_of(counts_y)
    shared = apart - entropy_of(joint)
    kinds = len(counts_x) + len(counts_y) - int((joint > 0).sum())
    corrected = shared + (kinds - 1) / (2 * n * math.log(2))
    random = np.random.default_rng(seed)
    as_high = sum(
        apart - entropy_of(np.bincount(x * width + random.permutation(y))) >= shared - 1e-12
        for _ in range(permutations)
    )
    p = (1 + as_high) / (1 + permutations)
    # rounding must not make a negative number of what shares nothing
    plug_in = max(shared, 0.0)
    return Information(plug_in, corrected, p, entropy_of(counts_x), entropy_of(counts_y), n)


def entropy_of(counts: ArrayLike) -> float:
    """Bits of the empirical distribution of counts, 0 counts left out."""
    found: NDArray[np.float64] = np.asarray(counts, dtype=np.float64)
    found = found[found > 0]
    total = float(found.sum())
    return math.log2(total) - float((found * np.log2(found)).sum()) / total


def _places(values: NDArray[np.generic]) -> NDArray[np.int64]:
    return np.unique(values, return_inverse=True)[1].astype(np.int64)
