"""Columns beside the records: the run's, those somebody keeps in it, and a session's own."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st

from app import cache, columns
from app.columns import BROUGHT, Brought
from drnn_core.data.generated import GeneratedSet
from drnn_core.store.columns import keep_columns
from tests.app.fake_runs import fake_run, records_anew

ROWS = 60


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("columns")
    fake_run(folder / "dr", ROWS)
    fake_run(folder / "same", ROWS, "resnet20")
    fake_run(folder / "elsewhere", ROWS, of=("CIFAR-10", "ab" * 32))
    return folder


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    state: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", state)
    return state


def opened(folder: Path, name: str = "dr") -> tuple[cache.Run, cache.Table]:
    run = cache.open_run(folder / name)
    return run, cache.table(run)


def brought(rows: int = ROWS, fingerprint: str = "") -> Brought:
    return Brought("mine.csv", {"human": np.arange(rows, dtype=np.float64)}, fingerprint)


def test_the_records_own_numbers_are_described(master: Path, session: dict[str, Any]) -> None:
    run, table = opened(master)
    frame = columns.frame(run, table)
    found = {column.name: column for column in columns.described(frame, run)}
    assert found["confidence"].kind == "output"
    assert found["blur"].kind == "factor"
    assert not {"loops", "index", "label", "id"} & set(found)
    assert columns.problems(run, table) == []


def test_a_sessions_columns_stand_beside_them(master: Path, session: dict[str, Any]) -> None:
    run, table = opened(master)
    session[BROUGHT] = {"dr": brought()}
    frame = columns.frame(run, table)
    assert frame["human"].tolist() == list(range(ROWS))
    assert "human" not in table.frame.columns  # what is shared stays as it is
    (own,) = [c for c in columns.described(frame, run) if c.kind == "brought"]
    assert (own.name, own.label) == ("human", "human")
    assert "mine.csv" in own.meaning


def test_rows_to_be_saved_have_every_column(master: Path, session: dict[str, Any]) -> None:
    run, table = opened(master)
    values = np.arange(ROWS, dtype=np.float64)
    session[BROUGHT] = {"dr": Brought("mine.csv", {"human": values, "self": values})}
    rows = np.array([7, 2, 40])
    saved = columns.at(run, table, rows)
    assert saved["human"].tolist() == [7, 2, 40]
    assert saved["id"].tolist() == table.frame["id"].iloc[rows].tolist()
    assert set(saved) == {*table.records.at(rows), *columns.frame(run, table)}
    many = dataclasses.replace(table, sampled=True)
    assert "human" not in columns.at(run, many, rows)


def test_records_are_shared_and_not_copied(master: Path, session: dict[str, Any]) -> None:
    run, table = opened(master)
    session[BROUGHT] = {"dr": brought()}
    frame = columns.frame(run, table)
    shared = np.shares_memory(frame["entropy"].to_numpy(), table.frame["entropy"].to_numpy())
    assert shared


def test_runs_of_the_same_images_share_them_others_do_not(
    master: Path, session: dict[str, Any]
) -> None:
    images = GeneratedSet("test", ROWS).fingerprint
    session[BROUGHT] = {"dr": brought(fingerprint=images)}
    assert columns.brought_of(opened(master, "same")[0]) is not None
    assert columns.brought_of(opened(master, "elsewhere")[0]) is None
    session[BROUGHT] = {"dr": brought()}  # of nobody knows which images
    assert columns.brought_of(opened(master, "same")[0]) is None


def test_columns_of_other_records_are_left_out(master: Path, session: dict[str, Any]) -> None:
    run, table = opened(master)
    session[BROUGHT] = {"dr": brought(rows=ROWS - 1)}
    assert "human" not in columns.frame(run, table)


def test_kept_tables(master: Path, tmp_path: Path, session: dict[str, Any]) -> None:
    shutil.copytree(master / "dr", tmp_path / "dr")
    keep_columns(tmp_path / "dr", "ratings", {"human": np.arange(float(ROWS))})
    run, table = opened(tmp_path)
    assert columns.kept_tables(run) == {"ratings": ("human",)}
    frame = columns.frame(run, table)
    assert frame["human"].tolist() == list(range(ROWS))
    (own,) = [c for c in columns.described(frame, run) if c.kind == "brought"]
    assert "ratings" in own.meaning
    (tmp_path / "dr" / "columns" / "own_ratings" / "manifest.json").write_text("{")
    assert columns.kept_tables(run) == {}
    (problem,) = columns.problems(run, table)
    assert "own_ratings cannot be read" in problem


@pytest.mark.parametrize("most", [ROWS, ROWS // 2])
def test_columns_of_images_recorded_before_are_refused(
    master: Path,
    tmp_path: Path,
    session: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    most: int,
) -> None:
    """Of records in memory as of a sample of those on the disk."""
    monkeypatch.setattr(cache, "MOST_IN_MEMORY", most)
    monkeypatch.setattr(cache, "SAMPLE", ROWS // 2)
    shutil.copytree(master / "dr", tmp_path / "dr")
    keep_columns(tmp_path / "dr", "ratings", {"human": np.arange(float(ROWS))})
    run, table = opened(tmp_path)
    assert table.sampled == (most < ROWS)
    assert "human" in columns.frame(run, table)
    records_anew(tmp_path / "dr", GeneratedSet("train", ROWS))
    run, table = opened(tmp_path)
    assert "human" not in columns.frame(run, table)
    (problem,) = columns.problems(run, table)
    assert "are not of the run's records (data fingerprint" in problem
