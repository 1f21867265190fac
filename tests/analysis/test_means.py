"""Means with Student's interval, against scipy.stats."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from drnn_core.analysis.means import mean_of


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_interval_is_students(level: float) -> None:
    values = np.random.default_rng(0).normal(3, 2, 12)
    found = mean_of(values.mean(), values.std(ddof=1), 12, level)
    wanted = stats.t.interval(level, 11, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(wanted)
    assert (found.value, found.n, found.level) == (values.mean(), 12, level)


def test_one_image_says_nothing_of_others() -> None:
    found = mean_of(4.0, math.nan, 1)
    assert found.value == 4
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_a_level_in_percent_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        mean_of(4.0, 1.0, 9, 95)
