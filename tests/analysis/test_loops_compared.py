"""Loops of two runs in one table: the same as the two columns say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.analysis.comparison import loops_by_loops, paired
from drnn_core.analysis.loops_compared import error_by_loops, loops_relation
from drnn_core.analysis.relations import spearman
from tests.analysis.test_comparison import LABELS, pairs, records


@given(st.integers(0, 400))
def test_the_relation_is_that_of_the_columns(seed: int) -> None:
    random = np.random.default_rng(seed)
    a = random.integers(0, 4, 80)
    b = np.clip(a + random.integers(-1, 3, 80), 0, 5)
    zeros = [0] * 80
    table = paired(records(zeros, zeros, loops=a), records(zeros, zeros, loops=b))
    found = loops_relation(loops_by_loops(table, 3, 5), resamples=5)
    expected = spearman(a, b, resamples=5)
    assert found.rho == pytest.approx(expected.rho, abs=1e-12)
    assert found.p == pytest.approx(expected.p, rel=1e-6)
    assert found.n == 80


def test_its_interval_is_that_of_drawn_images() -> None:
    random = np.random.default_rng(1)
    a = random.integers(0, 5, 400)
    b = np.clip(a + random.integers(-3, 4, 400), 0, 7)
    table = np.zeros((5, 8), np.int64)
    np.add.at(table, (a, b), 1)
    found, expected = loops_relation(table, resamples=2000), spearman(a, b, resamples=2000)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.015)


def test_runs_whose_loops_never_change_have_no_relation() -> None:
    constant = np.zeros((3, 3), np.int64)
    constant[:, 2] = (4, 5, 6)
    for table in (constant, constant.T, np.zeros((3, 3), np.int64)):
        found = loops_relation(table)
        assert math.isnan(found.rho)
        assert math.isnan(found.p)
        assert found.n == int(table.sum())


def test_errors_by_loops_by_hand() -> None:
    a, b = error_by_loops(pairs()), error_by_loops(pairs(), "b")
    assert a["loops"].tolist() == list(range(len(LABELS)))
    assert a["n"].tolist() == [1] * 8
    assert a["wrong_a"].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert a["wrong_b"].tolist() == [0, 0, 1, 1, 0, 1, 1, 1]
    assert b["loops"].tolist() == [0, 2, 3, 5, 7]
    assert b["n"].tolist() == [2, 1, 2, 1, 2]
    assert b["wrong_a"].tolist() == [1, 0, 0, 1, 2]
    assert b["wrong_b"].tolist() == [0, 1, 1, 1, 2]
