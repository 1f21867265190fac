"""Which networks are worth their cost: those that no other one beats in cost and error at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def frontier(cost: ArrayLike, error: ArrayLike) -> NDArray[np.int64]:
    """Places of the networks on the Pareto frontier, cheapest first.

    A network is on it if none costs no more and errs no more, and is better in one of the two.
    Networks that are equal in both are all on it, in their order.

    Args:
        cost, error: (N,) of each network, the less the better; those with a NaN are never on it.

    Raises:
        ValueError: the columns differ in length.
    """
    spent, wrong = np.asarray(cost, dtype=np.float64), np.asarray(error, dtype=np.float64)
    if spent.ndim != 1 or spent.shape != wrong.shape:
        raise ValueError(
            f"expected two columns of equal length, got shapes {spent.shape} and {wrong.shape}"
        )
    known = np.flatnonzero(~np.isnan(spent) & ~np.isnan(wrong))
    order = known[np.lexsort((wrong[known], spent[known]))]
    found: list[int] = []
    for place in order.tolist():
        last = found[-1] if found else None
        # in this order only a network that errs less than all before can be on the frontier
        if (
            last is None
            or wrong[place] < wrong[last]
            or (wrong[place] == wrong[last] and spent[place] == spent[last])
        ):
            found.append(place)
    return np.array(found, dtype=np.int64)
