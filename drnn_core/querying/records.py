"""What can be asked of a run's records, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drnn_core.analysis.loops import Order, Selection

Counts = NDArray[np.int64]
Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Overall:
    """All records in a few numbers.

    Attributes:
        n: images.
        error: share of wrong predictions, 0 to 1.
        macs: mean multiply-adds of an image.
        macs_std: over images, with n - 1; NaN of fewer than 2.
    """

    n: int
    error: float
    macs: float
    macs_std: float


class Records(Protocol):
    """Answers about N records of a network with K recursive blocks.

    A *position* is that of an image in the split, from 0: records have ``index`` in this order.
    """

    def overall(self) -> Overall:
        """All records in a few numbers."""
        ...

    def loop_counts(self, selection: Selection) -> Counts:
        """(loops_max + 1,) selected images by executed loops (figure 8).

        Raises:
            ValueError: an image took more loops than the network has.
        """
        ...

    def block_counts(self, selection: Selection) -> list[Counts]:
        """Of each block: (l + 1,) selected images by the loops that they executed in it."""
        ...

    def spread(self, scores: Sequence[NDArray[np.float64]]) -> float:
        """Standard deviation (n - 1) over all records of the sum of an image's scores.

        Args:
            scores: of each block, (l + 1,) by the loops that an image executed in it.
        """
        ...

    def classes(self, selection: Selection, names: Sequence[str]) -> pd.DataFrame:
        """As ``analysis.loops.class_table``, of the selected images."""
        ...

    def positions(self, selection: Selection, order: Order) -> Positions:
        """Of the selected images, in an order; ties by ``index``."""
        ...

    def at(self, positions: Positions, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The records at some positions, in this order; by default with every column.

        Raises:
            ValueError: a position that is not there.
        """
        ...
