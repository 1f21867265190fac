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
    """All records in three numbers.

    Attributes:
        n: images.
        error: share of wrong predictions, 0 to 1.
        macs: mean multiply-adds of an image.
    """

    n: int
    error: float
    macs: float


class Records(Protocol):
    """Answers about N records of a network with K recursive blocks.

    A *position* is that of an image in the split, from 0: records have ``index`` in this order.
    """

    def overall(self) -> Overall:
        """All records in three numbers."""
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
