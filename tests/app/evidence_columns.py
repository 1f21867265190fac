"""Columns of evidence for the runs of the tests: real tables, invented numbers.

Evidence narrows as loops rise, more so by the gradient than by Grad-CAM, and the share on the
object has nothing to do with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from drnn_core.analysis.evidence import Method
from drnn_core.analysis.saliency_statistics import ON_OBJECT, SALIENCY_STATISTICS
from drnn_core.analysis.sampling import spread_sample
from drnn_core.store.columns import ColumnWriter
from drnn_core.store.records import read_records

_SLOPES: dict[Method, float] = {"saliency": -0.02, "grad_cam": -0.005}


def write_evidence(
    run: Path,
    methods: Sequence[Method] = ("saliency", "grad_cam"),
    limit: int | None = None,
    unfinished: bool = False,
) -> None:
    """Write a table for each method, of ``limit`` images; or half of a table."""
    loops = read_records(run, ["loops"])["loops"].to_numpy()
    keep = spread_sample(len(loops), limit)
    for number, method in enumerate(methods):
        random = np.random.default_rng(number)
        names = [f"{method}_{each}" for each in (*SALIENCY_STATISTICS, ON_OBJECT)]
        half = len(loops) // 2 if unfinished else None
        with ColumnWriter(run, method, names, half, limit) as writer:
            columns: dict[str, np.ndarray] = {}
            for name in names:
                slope = 0.0 if name.endswith(ON_OBJECT) else _SLOPES.get(method, 0.0)
                if name.endswith("concentration"):
                    slope = -slope
                drawn = 0.5 + slope * (loops - 6) + 0.05 * random.normal(size=len(loops))
                columns[name] = np.full(len(loops), np.nan, np.float32)
                columns[name][keep] = np.clip(drawn, 0, 1)[keep]
            for first, rows in writer.missing()[: 1 if unfinished else None]:
                writer.write_columns(
                    first, {name: values[first : first + rows] for name, values in columns.items()}
                )
