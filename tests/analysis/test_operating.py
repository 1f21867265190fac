"""Operating points against counts by hand, and against the bootstrap of a single column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from drnn_core.analysis.bootstrap import mean_estimate
from drnn_core.analysis.comparison import paired
from drnn_core.analysis.operating import by_class, class_changes, operating


def records(correct: list[int], loops: list[int], labels: list[int]) -> pd.DataFrame:
    count = len(correct)
    return pd.DataFrame(
        {
            "index": np.arange(count),
            "id": [f"i{place}" for place in range(count)],
            "label": labels,
            "prediction": [
                label if right else label + 1 for right, label in zip(correct, labels, strict=True)
            ],
            "correct": np.array(correct, dtype=bool),
            "confidence": 0.5,
            "entropy": 0.5,
            "loss": 1.0,
            "loops": loops,
            "macs": [100 * each for each in loops],
        }
    )


LABELS = [0, 0, 0, 0, 2, 2, 2, 2]
BEFORE = records([1, 1, 1, 0, 1, 1, 0, 0], [3, 3, 2, 2, 1, 1, 0, 4], LABELS)
AFTER = records([1, 0, 0, 0, 1, 1, 1, 0], [1, 0, 2, 2, 1, 0, 0, 1], LABELS)


def test_by_hand() -> None:
    found = operating(BEFORE, AFTER, 3, resamples=200)
    assert found.n == 8
    assert found.error.value == 50.0
    assert found.error_change.value == 12.5
    assert found.loops.value == 7 / 8
    assert found.loops_change.value == pytest.approx((7 - 16) / 8)
    assert found.macs_change.value == pytest.approx(100 * (7 - 16) / 8)
    assert (found.answers.only_a, found.answers.only_b) == (2, 1)
    assert found.answers.p == 1.0  # two against one of three: a fair coin
    assert found.classes.images.tolist() == [4, 0, 4]
    assert found.classes.wrong.tolist() == [3, 0, 1]
    assert found.classes.lost.tolist() == [2, 0, 0]
    assert found.classes.won.tolist() == [0, 0, 1]
    np.testing.assert_array_equal(found.classes.loops, [5 / 4, np.nan, 0.5])


def test_the_intervals_are_those_of_each_column_alone() -> None:
    found = operating(BEFORE, AFTER, 3, resamples=200, seed=3)
    change = AFTER["loops"] - BEFORE["loops"]
    assert found.loops_change == mean_estimate(change, resamples=200, seed=3)
    assert found.error == mean_estimate(100.0 * ~AFTER["correct"], resamples=200, seed=3)


def test_only_some_images_ran_anew() -> None:
    part = AFTER.iloc[[1, 6]]
    found = operating(BEFORE, part, 3, resamples=20)
    assert found.n == 2
    assert (found.answers.only_a, found.answers.only_b) == (1, 1)
    stranger = part.assign(id=["i1", "other"])
    with pytest.raises(ValueError, match="records of all 2 images that ran anew, 1 have one"):
        operating(BEFORE, stranger, 3)


def test_who_pays() -> None:
    found = by_class(paired(BEFORE, AFTER), 3)
    table = class_changes(found, ("cat", "dog", "ship"), resamples=2000)
    assert table["name"].tolist() == ["cat", "ship"]  # no image of a dog
    assert table["change"].tolist() == [50.0, -25.0]
    assert table["before"].tolist() == [25.0, 50.0]
    assert table["error"].tolist() == [75.0, 25.0]
    # one image in four is won: the share won among four is binomial(4, 1/4) / 4
    assert (table["low"][1], table["high"][1]) == (-75.0, 0.0)
    assert (table["low"] <= table["change"]).all()
    assert (table["change"] <= table["high"]).all()


def test_no_class_no_table() -> None:
    nothing = by_class(paired(BEFORE, AFTER).iloc[:0], 3)
    assert class_changes(nothing, ("a", "b", "c")).empty
