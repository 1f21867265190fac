"""Two runs of which every number can be counted by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drnn_core.analysis.bootstrap import mean_estimate
from drnn_core.analysis.comparison import (
    agreement,
    error_difference,
    flips,
    holm,
    largest_changes,
    loops_by_loops,
    mcnemar,
    paired,
)


def records(predictions: list[int], labels: list[int], **changes: Any) -> pd.DataFrame:
    count = len(labels)
    values: dict[str, Any] = {
        "index": np.arange(count),
        "id": [f"i{place}" for place in range(count)],
        "label": np.array(labels, np.int16),
        "prediction": np.array(predictions, np.int16),
        "correct": np.array(predictions) == np.array(labels),
        "confidence": np.linspace(0.9, 0.5, count).astype(np.float32),
        "entropy": np.ones(count, np.float32),
        "loss": np.ones(count, np.float32),
        "loops": np.arange(count, dtype=np.int16),
        "macs": np.arange(count),
    }
    return pd.DataFrame({**values, **changes})


LABELS = [0, 1, 2, 0, 1, 2, 0, 1]


def pairs() -> pd.DataFrame:
    a = records([0, 1, 2, 0, 0, 0, 1, 2], LABELS)
    b = records([0, 1, 0, 1, 1, 0, 2, 2], LABELS, loops=np.array([0, 3, 2, 3, 0, 5, 7, 7], np.int8))
    return paired(a, b)


def test_images_are_joined_by_their_names() -> None:
    a = records([0, 1, 2], [0, 1, 1], id=["x", "y", "z"])
    b = records([1, 1, 0], [1, 0, 1], id=["z", "x", "w"])
    table = paired(a, b)
    assert table["id"].tolist() == ["x", "z"]
    assert table["index_a"].tolist() == [0, 2]
    assert table["index_b"].tolist() == [1, 0]
    assert table["correct_a"].tolist() == [True, False]
    assert table["correct_b"].tolist() == [False, True]
    assert table["loops_change"].tolist() == [1, -2]


@pytest.mark.parametrize(
    ("b", "message"),
    [
        (records([0, 0], [0, 0], id=["p", "q"]), "images in common, got none"),
        (records([0, 0], [0, 2]), "expected the same label in both runs, got 1 and 2 for i1"),
        (records([0, 0], [0, 1], id=["i1", "i1"]), "in the second records, got 'i1' again"),
    ],
)
def test_runs_that_cannot_be_compared(b: pd.DataFrame, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired(records([0, 1], [0, 1]), b)


def test_mcnemar_by_hand() -> None:
    found = mcnemar(pairs())
    assert (found.both_right, found.only_a, found.only_b, found.neither) == (2, 2, 1, 3)
    assert found.p == 1  # two of three, either way
    a = records([0] * 12, [0] * 12)
    b = records([1] * 10 + [0] * 2, [0] * 12)
    assert mcnemar(paired(a, b)).p == pytest.approx(2 * 0.5**10)
    assert mcnemar(paired(a, a)).p == 1


@given(st.integers(0, 400))
def test_the_difference_of_errors_and_its_interval(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, 40)
    a, b = (np.where(random.random(40) < p, labels, 0).tolist() for p in (0.9, 0.6))
    table = paired(records(a, labels.tolist()), records(b, labels.tolist()))
    found = error_difference(table, resamples=100)
    errors = [100 * float((np.array(run) != labels).mean()) for run in (a, b)]
    assert found.value == pytest.approx(errors[1] - errors[0])
    assert found.low <= found.value + 1e-9
    assert found.high >= found.value - 1e-9


def test_pairing_makes_the_interval_narrow() -> None:
    labels = [0] * 400
    a = [0] * 200 + [1] * 200
    b = [0] * 198 + [1] * 202
    together = error_difference(paired(records(a, labels), records(b, labels)))
    assert together.value == pytest.approx(0.5)
    assert 0 <= together.low < 0.5 < together.high < 1.5


def test_the_interval_is_that_of_drawn_images() -> None:
    random = np.random.default_rng(0)
    labels = [0] * 300
    a, b = ((random.random(300) < p).astype(int).tolist() for p in (0.2, 0.35))
    table = paired(records(a, labels), records(b, labels))
    change = 100 * (table["correct_a"].astype(float) - table["correct_b"].astype(float))
    found, drawn = error_difference(table, resamples=4000), mean_estimate(change, resamples=4000)
    assert found.value == pytest.approx(drawn.value)
    assert (found.low, found.high) == pytest.approx((drawn.low, drawn.high), abs=0.6)
    assert math.isnan(error_difference(table.iloc[:0]).low)


def test_holm_by_hand() -> None:
    # 3 x .01, then 2 x .04 is less than 1 x .09, and none falls below the one before
    assert holm([0.04, 0.01, 0.09]) == pytest.approx([0.08, 0.03, 0.09])
    assert holm([0.03, 0.02, 0.025]) == pytest.approx([0.06, 0.06, 0.06])
    assert holm([0.7, 0.6]) == [1, 1]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_agreement_is_cohens() -> None:
    found = agreement(pairs())
    assert (found.n, found.same.value, found.same_loops.value) == (8, 4 / 8, 5 / 8)
    ends = stats.binomtest(4, 8).proportion_ci(method="wilson")
    assert (found.same.low, found.same.high) == pytest.approx((ends.low, ends.high))
    # a says 0 four times, 1 twice, 2 twice; b says 0 three times, 1 three times, 2 twice
    chance = (4 * 3 + 2 * 3 + 2 * 2) / 64
    assert found.kappa.value == pytest.approx((0.5 - chance) / (1 - chance))
    same = records([1, 1], [1, 0])
    assert math.isnan(agreement(paired(same, same)).kappa.value)


def test_kappas_interval_is_that_of_drawn_images() -> None:
    random = np.random.default_rng(0)
    a = random.integers(0, 3, 400)
    b = np.where(random.random(400) < 0.6, a, random.integers(0, 3, 400))
    table = paired(records(a.tolist(), [0] * 400), records(b.tolist(), [0] * 400))
    found = agreement(table).kappa
    # Fleiss, Cohen and Everitt's variance of kappa, from the table of both answers
    cells = pd.crosstab(a, b).to_numpy() / 400
    rows, columns = cells.sum(axis=1), cells.sum(axis=0)
    same, chance = np.trace(cells), rows @ columns
    own = np.diag(cells) @ ((1 - chance) - (rows + columns) * (1 - same)) ** 2
    sums = (columns[:, None] + rows[None, :]) ** 2
    others = (1 - same) ** 2 * ((cells * sums).sum() - np.diag(cells) @ np.diag(sums))
    spread = own + others - (same * chance - 2 * chance + same) ** 2
    error = math.sqrt(spread / 400) / (1 - chance) ** 2
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.01)
    drawn = [agreement(table.iloc[random.integers(0, 400, 400)]).kappa.value for _ in range(400)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)


def test_full_agreement_is_certain() -> None:
    run = records([0, 1, 2, 1], [0, 1, 1, 1])
    found = agreement(paired(run, run)).kappa
    assert (found.value, found.low, found.high) == (1, 1, 1)


@given(st.integers(0, 400))
def test_loops_by_loops_count_every_image(seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.integers(0, 4, 30), random.integers(0, 6, 30)
    zeros = [0] * 30
    table = paired(records(zeros, zeros, loops=a), records(zeros, zeros, loops=b))
    found = loops_by_loops(table, 3, 5)
    expected = np.histogram2d(a, b, bins=(4, 6), range=((-0.5, 3.5), (-0.5, 5.5)))[0]
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(ValueError, match="expected at most 1 and 1 loops"):
        loops_by_loops(table, 1, 1)


def test_flips_and_changes_in_a_stable_order() -> None:
    table = pairs()
    found = {name: rows.tolist() for name, rows in flips(table).items()}
    assert found == {"lost": [2, 3], "won": [4], "other": [6]}
    change = table["loops_change"].abs().tolist()
    assert change == [0, 2, 0, 0, 4, 0, 1, 0]
    assert largest_changes(table).tolist() == [4, 1, 6]
    assert largest_changes(table, 1).tolist() == [4]
    surer = table.assign(confidence_b=[0.1, 0.1, 0.2, 0.3, 0.1, 0.1, 0.1, 0.1])
    assert flips(surer)["lost"].tolist() == [3, 2]


def test_mcnemar_is_about_the_chi_squared_one() -> None:
    random = np.random.default_rng(0)
    labels = [0] * 3000
    a, b = ((random.random(3000) < p).astype(int).tolist() for p in (0.30, 0.33))
    found = mcnemar(paired(records(a, labels), records(b, labels)))
    discordant = found.only_a + found.only_b
    statistic = (abs(found.only_a - found.only_b) - 1) ** 2 / discordant
    assert found.p == pytest.approx(stats.chi2.sf(statistic, 1), rel=0.05)
