"""Records in memory: the readable answers, against which the others are tested."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drnn_core.analysis.loops import (
    Order,
    Selection,
    block_matrix,
    class_table,
    histogram,
    matching,
    ordered,
)
from drnn_core.layout import BlockLayout
from drnn_core.querying.records import Counts, Overall, Positions


class FrameRecords:
    """Answers of a table in memory; see ``Records``.

    Args:
        frame: as ``store.records.read_records`` reads it; it is not changed.
        layout: of the network's K recursive blocks.
        block_loops: (N, K), where it is at hand already.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        layout: Sequence[BlockLayout],
        block_loops: NDArray[np.int8] | None = None,
    ) -> None:
        self._frame = frame
        self._layout = tuple(layout)
        self._blocks = block_matrix(frame) if block_loops is None else block_loops

    def among(self, mask: NDArray[np.bool_]) -> FrameRecords:
        """Those of an (N,) mask alone; positions then count among them."""
        return FrameRecords(self._frame[mask], self._layout, self._blocks[mask])

    def overall(self) -> Overall:
        """All records in a few numbers."""
        frame = self._frame
        wrong = float(1 - frame["correct"].mean())
        return Overall(len(frame), wrong, float(frame["macs"].mean()), float(frame["macs"].std()))

    def loop_counts(self, selection: Selection) -> Counts:
        """(loops_max + 1,) selected images by executed loops."""
        most = sum(block.loops for block in self._layout)
        return histogram(self._frame["loops"].to_numpy()[self._keep(selection)], most)

    def block_counts(self, selection: Selection) -> list[Counts]:
        """Of each block: (l + 1,) selected images by the loops that they executed in it."""
        ran = self._blocks[self._keep(selection)]
        return [
            np.bincount(ran[:, place], minlength=block.loops + 1)
            for place, block in enumerate(self._layout)
        ]

    def spread(self, scores: Sequence[NDArray[np.float64]]) -> float:
        """Standard deviation over all records of the sum of an image's scores."""
        sums = np.zeros(len(self._frame))
        for place, of_loops in enumerate(scores):
            sums += of_loops[self._blocks[:, place]]
        return float(sums.std(ddof=1)) if len(sums) > 1 else math.nan

    def classes(self, selection: Selection, names: Sequence[str]) -> pd.DataFrame:
        """As ``analysis.loops.class_table``, of the selected images."""
        return class_table(self._frame[self._keep(selection)], names)

    def positions(self, selection: Selection, order: Order) -> Positions:
        """Of the selected images, in an order."""
        return ordered(self._frame, self._keep(selection), order)

    def at(self, positions: Positions, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The records at some positions, in this order."""
        if len(positions) and not 0 <= positions.min() <= positions.max() < len(self._frame):
            raise ValueError(f"expected positions below {len(self._frame):,}, got {positions}")
        part = self._frame if columns is None else self._frame[list(columns)]
        return part.iloc[positions]

    def _keep(self, selection: Selection) -> NDArray[np.bool_]:
        return matching(self._frame, selection, self._blocks)
