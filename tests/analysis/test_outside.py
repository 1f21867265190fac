"""Columns from outside: joined by their key, related as scipy relates them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drnn_core.analysis.bootstrap import mean_estimate
from drnn_core.analysis.outside import binned_loops, match, relate


def records(count: int = 60) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "index": np.arange(count, dtype=np.int32),
            "id": [f"i{place}" for place in range(count)],
            "label": random.integers(0, 3, count).astype(np.int16),
            "loops": random.integers(0, 8, count).astype(np.int16),
            "confidence": random.random(count).astype(np.float32),
            "entropy": random.random(count).astype(np.float32),
        }
    )


def test_by_id_in_any_order_with_rows_left_over() -> None:
    table = records()
    human = table["loops"].to_numpy() + np.random.default_rng(1).normal(0, 3, 60)
    outside = pd.DataFrame({"id": table["id"], "loops": human, "blur": human[::-1]})
    shuffled = pd.concat(
        [outside[10:], pd.DataFrame({"id": ["p", "q"], "loops": 1.0, "blur": 2.0})]
    )
    found = relate(table, shuffled.sample(frac=1, random_state=0), "id", resamples=50)
    assert (found.matched, found.unmatched, found.missing) == (50, 2, 10)
    assert sorted(found.examples) == ["p", "q"]
    first, second = found.columns
    assert (first.name, second.name) == ("loops", "blur")
    expected = stats.spearmanr(table["loops"][10:], human[10:])
    assert first.loops.rho == pytest.approx(expected.statistic)
    assert first.loops.p == pytest.approx(expected.pvalue)
    assert first.loops.low < first.loops.rho < first.loops.high
    expected = stats.spearmanr(table["confidence"][10:], human[10:])
    assert first.confidence.rho == pytest.approx(expected.statistic)
    assert first.loops.n == 50
    assert math.isnan(first.corrected)


def test_by_index_with_missing_values() -> None:
    table = records()
    outside = pd.DataFrame({"index": [5, 3, 9, 12, 40], "x": [1.0, 2.0, math.nan, 4.0, 3.0]})
    found = relate(table, outside, "index", resamples=10)
    assert found.matched == 5
    assert found.columns[0].loops.n == 4
    rows = [5, 3, 12, 40]
    expected = stats.spearmanr(table["loops"].to_numpy()[rows], [1, 2, 4, 3]).statistic
    assert found.columns[0].loops.rho == pytest.approx(expected)


def test_chance_in_the_measures_is_corrected_for() -> None:
    table = records()
    outside = pd.DataFrame({"id": table["id"], "x": table["loops"] * 1.0, "y": table["entropy"]})
    found = relate(table, outside, "id", {"x": 0.64, "loops": 0.25}, resamples=5)
    x, y = found.columns
    assert x.corrected == pytest.approx(1 / math.sqrt(0.64 * 0.25))
    assert (x.reliability, x.loops_reliability) == (0.64, 0.25)
    assert y.corrected == pytest.approx(y.loops.rho / 0.5)
    assert y.reliability is None


def test_what_cannot_be_related() -> None:
    table = records(5)
    with pytest.raises(ValueError, match=r"none of the 2 rows has an id .* they have 'i0', 'i1'"):
        relate(table, pd.DataFrame({"id": ["a", "b"], "x": [1.0, 2.0]}), "id")
    outside = pd.DataFrame({"id": ["i0", "i1"], "x": [1.0, 2.0]})
    with pytest.raises(ValueError, match="reliability of one of: x, loops; got that of y"):
        relate(table, outside, "id", {"y": 0.5})
    with pytest.raises(ValueError, match="above 0 and at most 1, got x=1"):
        relate(table, outside, "id", {"x": 1.5})


def test_a_table_in_the_order_of_the_records() -> None:
    table = pd.DataFrame({"id": ["i3", "x", "i0"], "human": [0.3, 9.0, 0.0]})
    found = match(records(5), table, "id")
    assert (found.matched, found.unmatched, found.missing) == (2, 1, 3)
    assert found.examples == ("x",)
    np.testing.assert_array_equal(found.values["human"], [0.0, np.nan, np.nan, 0.3, np.nan])


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(-4, 4) | st.none()), max_size=60),
    st.integers(1, 7),
)
def test_parts_hold_every_image_once_and_rise(
    pairs: list[tuple[int, int | None]], bins: int
) -> None:
    loops = np.array([pair[0] for pair in pairs], dtype=np.float64)
    values = np.array([math.nan if pair[1] is None else pair[1] for pair in pairs], np.float64)
    found = binned_loops(loops, values, bins, resamples=5)
    known = values[np.isfinite(values)]
    assert found["n"].sum() == len(known)
    assert len(found) <= max(bins, 1)
    assert (found["first"].iloc[1:].to_numpy() > found["last"].iloc[:-1].to_numpy()).all()
    for _, row in found.iterrows():
        inside = (values >= row["first"]) & (values <= row["last"])
        assert inside.sum() == row["n"]
        assert row["loops"] == pytest.approx(loops[inside].mean())
        assert row["mean"] == pytest.approx(values[inside].mean())
    if len(np.unique(known)) <= bins:
        assert found["mean"].tolist() == np.unique(known).tolist()


def test_parts_are_of_about_as_many_images() -> None:
    loops, values = np.arange(100) % 7, np.arange(100.0)
    found = binned_loops(loops, values, 5, resamples=20)
    assert found["n"].tolist() == [20] * 5
    expected = mean_estimate(loops[:20], resamples=20)
    assert (found["low"][0], found["high"][0]) == (expected.low, expected.high)
    with pytest.raises(ValueError, match="at least 1 bin"):
        binned_loops(loops, values, 0)
