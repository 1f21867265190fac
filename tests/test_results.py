"""docs/results.md says what the shipped runs say."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.results.ablation import table_3
from benchmarks.results.at_start import MEASURED, gradients_at_start
from benchmarks.results.budget import budget
from benchmarks.results.digest import closing
from benchmarks.results.figure_7 import figure_7
from benchmarks.results.gradients import along_training
from benchmarks.results.learning_rates import PICTURE, learning_rates
from benchmarks.results.loops import differences, foreseen_errors
from benchmarks.results.norms import running_statistics
from benchmarks.results.overview import overview, pairs, rates
from benchmarks.results.population import population_statistics
from benchmarks.results.readings import rate_losses, readings
from benchmarks.results.shipped import Shipped
from benchmarks.results.table_1 import table_1
from benchmarks.results.tables import estimate, number, relation, table
from benchmarks.results.trainings import told_alone, trained
from benchmarks.stability_record import STABILITY
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.relations import Relation
from drnn_core.store.runs import find_runs

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def runs() -> list[Shipped]:
    return [Shipped(folder) for folder in find_runs(ROOT / "checkpoints")]


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "results.md").read_text()


def test_the_page_is_of_these_runs(runs: list[Shipped], page: str) -> None:
    """What takes longer hangs on the same files, of which the digest is."""
    assert closing(runs) in page, "a run changed or came: make results"
    assert overview(runs) in page
    alone = told_alone(runs)
    assert pairs(alone) in page
    assert gradients_at_start(ROOT / MEASURED) in page
    assert along_training(runs) in page
    assert population_statistics(runs) in page
    for run in alone:
        if run.varies:
            assert rates(run) in page
            assert differences(run) in page
            assert foreseen_errors(run) in page
            assert budget(run) in page


def test_the_map_of_learning_rates_is_of_these_trainings(page: str, tmp_path: Path) -> None:
    assert learning_rates(tmp_path, ROOT / STABILITY) in page
    if (tmp_path / PICTURE).exists():
        assert (tmp_path / PICTURE).read_bytes() == (ROOT / "docs" / PICTURE).read_bytes()


def test_the_tables_over_seeds_are_of_these_runs(runs: list[Shipped], page: str) -> None:
    groups = trained(runs)
    for part in (table_1(groups), table_3(groups), readings(groups), rate_losses(groups)):
        assert part in page


def test_every_recursive_run_brings_its_columns(runs: list[Shipped]) -> None:
    for run in told_alone(runs):
        assert not run.varies or {"margin", "saliency_entropy"} < set(run.records.columns)


def test_norms_of_every_recursive_run_are_there(runs: list[Shipped]) -> None:
    said = running_statistics(runs)
    for run in told_alone(runs):
        assert (f"`{run.folder.name}`" in said) == bool(run.facts.loops_max)
        if run.varies:
            rows = [line for line in figure_7(run).splitlines() if line.startswith("| 2.2 |")]
            assert len(rows) == run.facts.layout[0].loops


def test_figures_as_text() -> None:
    nan = math.nan
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n|---|---|\n| 1 | 2 |"
    assert number(None) == number(nan) == estimate(Estimate(nan, nan, nan, 0, 0.95)) == "–"
    assert estimate(Estimate(0.5, 0.25, 1, 9, 0.95)) == "0.500 (0.250 to 1.000)"
    assert relation(Relation(-0.5, -1, 0, 0.1, 9, 0.95)) == "-0.500 (-1.000 to +0.000)"
