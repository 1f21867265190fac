"""What the Compare page's figures draw, worked out by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from app import cache
from app.charts import LIGHT
from app.compare import controls, crossing, distributions, looks, measures, spots
from app.compare.bands import band_table, band_trace
from app.compare.curves import curve_figure, curve_table
from app.compare.others import partner_of
from app.compare.pareto import pareto_figure
from app.compare.sides import Side, same_test, sides_of, unpaired
from app.settings import RUNS_VARIABLE
from tests.app.fake_runs import fake_run
from tests.seed_runs import seed_run


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parts")
    fake_run(folder / "deep", 200)
    fake_run(folder / "short", 200, "dr_resnet16_l2", seed=1)
    fake_run(folder / "plain", 200, "resnet20", seed=2)
    return folder


@pytest.fixture
def sides(bench: Path, monkeypatch: pytest.MonkeyPatch) -> list[Side]:
    monkeypatch.setenv(RUNS_VARIABLE, str(bench))
    found, said = sides_of([cache.open_run(bench / name) for name in ("deep", "short", "plain")])
    assert said == []
    return found


def test_outlines_enclose_the_same_area_on_either_axis(sides: list[Side]) -> None:
    table = distributions.distribution_table(sides[:2])
    assert table.groupby("run")["images"].sum().tolist() == [200, 200]
    for axis, whole in (("loops", 100), ("share of the most loops", 1000)):
        figure: Any = distributions.distribution_figure(sides[:2], table, axis, LIGHT)  # pyright: ignore[reportArgumentType]
        for outline in figure.data[::2]:
            x, y = np.array(outline.x), np.array(outline.y)
            assert np.trapezoid(y, x) == pytest.approx(whole)
            assert (outline.line.dash, outline.line.color) in {
                (look.dash, look.colour) for look in map(looks.look_of, "AB")
            }


def test_loops_that_are_all_alike_are_a_line_without_height(tmp_path: Path, sides: Any) -> None:
    fake_run(tmp_path / "r", 50, "r_resnet32_l4_naive")
    alike = sides_of([cache.open_run(tmp_path / "r")])[0]
    assert not alike[0].changes
    figure: Any = distributions.distribution_figure(
        alike, distributions.distribution_table(alike), "loops", LIGHT
    )
    (line,) = figure.data
    assert set(line.x) == {16}
    assert "every image 16 of 16" in line.name


def test_cells_lose_no_image() -> None:
    table = np.random.default_rng(0).integers(0, 5, (100, 40))
    cells = crossing.crossing_of(table)
    assert cells.counts.sum() == table.sum()
    for (low, high), row in zip(cells.edges_a, cells.counts, strict=True):
        assert row.sum() == table[low : high + 1].sum()
    for (low, high), column in zip(cells.edges_b, cells.counts.T, strict=True):
        assert column.sum() == table[:, low : high + 1].sum()
    assert max(cells.counts.shape) <= 34
    small = crossing.crossing_of(table[:17, :5])
    assert (small.counts == table[:17, :5]).all()
    assert small.edges_b == [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]


def test_partners(bench: Path, sides: list[Side]) -> None:
    names = ["deep", "plain", "short"]
    assert partner_of("deep", ["plain", "short"]) == "plain"
    assert partner_of("plain", ["deep", "short"]) == "short"  # its counterpart
    assert partner_of("short", [name for name in names if name != "short"]) == "plain"
    assert partner_of("deep", []) is None


def test_the_counterpart_comes_before_other_plain_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for network in ("dr_resnet40_l2", "resnet20", "resnet56", "dr_resnet16_l2"):
        seed_run(tmp_path, f"{network}_paper", 1)
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    names = [run.name for run in cache.list_runs()]

    def partner(network: str) -> str | None:
        own = f"cifar10_{network}_paper_s1"
        return partner_of(own, [name for name in names if name != own])

    assert partner("dr_resnet40_l2") == "cifar10_resnet56_paper_s1"
    assert partner("resnet56") == "cifar10_dr_resnet40_l2_paper_s1"
    assert partner("resnet20") == "cifar10_dr_resnet16_l2_paper_s1"


def test_a_partner_trained_alike_comes_before_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in (1, 2):
        for network in ("dr_resnet16_l2", "resnet20"):
            seed_run(tmp_path, f"{network}_paper", seed)
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    names = [run.name for run in cache.list_runs()]
    for seed in (1, 2):
        own, other = (f"cifar10_{each}_paper_s{seed}" for each in ("dr_resnet16_l2", "resnet20"))
        assert partner_of(own, [name for name in names if name != own]) == other
        assert partner_of(other, [name for name in names if name != other]) == own


def test_bands_are_of_the_seeds_of_one_training(tmp_path: Path) -> None:
    ends = {1: (80.0, 40.0, 20.0), 2: (70.0, 50.0, 10.0), 3: (75.0, 45.0)}
    paths = [seed_run(tmp_path, "resnet20_paper", seed, curve=ends[seed]) for seed in ends]
    paths.append(seed_run(tmp_path, "dr_resnet16_l2_paper", 1))
    runs = [cache.open_run(path) for path in paths]
    sides, _ = sides_of([runs[0], runs[3]])
    table = band_table(sides, runs)
    assert set(table["run"]) == {"cifar10_resnet20_paper_s1"}, "one seed has no band"
    assert set(table["measure"]) == {"test_error", "train_loss"}, "no gates, no rate"
    error = table[table["measure"] == "test_error"]
    assert error[["epoch", "low", "high"]].to_numpy().tolist() == [[1, 70, 80], [2, 40, 50]]
    assert set(table["seeds"]) == {3}
    trace = band_trace(sides[0], table, "test_error")
    assert trace is not None
    assert (list(trace["x"]), list(trace["y"])) == ([1, 2, 2, 1], [80, 50, 40, 70])
    assert band_trace(sides[1], table, "test_error") is None
    figure: Any = curve_figure(sides, curve_table(sides), "test_error", LIGHT, table)
    assert len(figure.data) == 3
    assert figure.data[1].name == "<b>A</b> ResNet-20"
    four, _ = sides_of(runs)
    figure = curve_figure(four, curve_table(four), "test_error", LIGHT, table)
    names = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert names == [f"<b>{letter}</b>" for letter in "ABCD"], "titles would not fit"


def test_seeds_of_one_training_are_one_point(tmp_path: Path) -> None:
    paths = [seed_run(tmp_path, "resnet20_paper", seed) for seed in (1, 2, 3)]
    paths += [seed_run(tmp_path, "dr_resnet16_l2_paper", seed) for seed in (1, 2, 3)]
    runs = [cache.open_run(path) for path in paths]
    sides, _ = sides_of([runs[1]])
    found = spots.spots_of(runs, sides, "multiply-adds")
    figure: Any = pareto_figure(found, "multiply-adds", LIGHT)
    names = sorted(note.text for note in figure.layout.annotations)
    assert names == ["<b>A</b> ResNet-20", "DR 16"]
    by_title = {spot.title: spot for spot in found}
    assert len(found) == 2
    plain = by_title["ResNet-20"]
    assert plain.names == tuple(f"cifar10_resnet20_paper_s{seed}" for seed in (1, 2, 3))
    errors = [run.info.metrics.test.error for run in runs[:3] if run.info]
    assert 100 * plain.error.value == pytest.approx(np.mean(errors))
    interval = stats.binomtest(round(plain.error.value * 240), 240).proportion_ci(method="wilson")
    assert plain.error.n == 240, "images, not images of every seed"
    assert plain.error.high - plain.error.low == pytest.approx(
        interval.high - interval.low, abs=2e-3
    )
    assert spots.pareto_table(found, "multiply-adds")["error_std_over_seeds"].max() > 0
    dynamic = by_title["DR-Res 16 (l = 2)"]
    assert dynamic.picked == "cifar10_dr_resnet16_l2_paper_s2", "the seed of A"
    macs = [run.info.metrics.test.macs_mean for run in runs[3:] if run.info]
    assert dynamic.cost == pytest.approx(np.mean(macs))


def test_the_frontier_is_not_of_the_luckiest_seed(tmp_path: Path) -> None:
    """One seed of the costlier network errs less than the cheaper one, its mean errs more."""
    runs = [cache.open_run(seed_run(tmp_path, "resnet20_paper", 1))]
    for seed, error in ((1, 2.0), (2, 30.0)):
        runs.append(cache.open_run(seed_run(tmp_path, "resnet56_paper", seed)))
        runs[-1] = with_error(runs[-1], error)
    sides, _ = sides_of(runs[:1])
    found = spots.spots_of([with_error(runs[0], 10.0), *runs[1:]], sides, "multiply-adds")
    assert [(spot.title, spot.best) for spot in found] == [
        ("ResNet-20", True),
        ("ResNet-56", False),
    ]
    assert 100 * found[1].error.value == pytest.approx(16.0)


def test_a_seed_trained_again_has_a_point_of_its_own_beside_the_frontier(tmp_path: Path) -> None:
    first = cache.open_run(seed_run(tmp_path, "resnet20_paper", 1))
    copy = with_error(dataclasses.replace(first, name="copy"), 1.0)
    sides, _ = sides_of([first])
    found = spots.spots_of([first, copy], sides, "multiply-adds")
    by_name = {spot.names: spot for spot in found}
    assert not by_name[first.name,].again
    assert by_name["copy",].again
    assert [spot.best for spot in by_name.values() if spot.again] == [False]


def test_points_say_how_long_where_some_were_trained_longer(tmp_path: Path) -> None:
    runs = [
        cache.open_run(seed_run(tmp_path, recipe, 1))
        for recipe in ("resnet20_paper", "dr_resnet16_l2_short", "dr_resnet16_l2_long")
    ]
    sides, _ = sides_of([runs[0]])
    found = spots.spots_of(runs, sides, "multiply-adds")
    assert {spot.label for spot in found} == {
        "ResNet-20, paper 350", "DR 16, short 20", "DR 16, long 50",
    }  # fmt: skip
    alike = spots.spots_of([runs[0]], sides, "multiply-adds")
    assert [spot.label for spot in alike] == ["ResNet-20"]
    figure: Any = pareto_figure(found, "multiply-adds", LIGHT)
    assert {note.bgcolor for note in figure.layout.annotations} == {LIGHT.background}


def test_two_seeds_of_a_training_that_are_compared_share_its_point(tmp_path: Path) -> None:
    runs = [cache.open_run(seed_run(tmp_path, "resnet20_paper", seed)) for seed in (1, 2)]
    sides, _ = sides_of(runs)
    (spot,) = spots.spots_of(runs, sides, "multiply-adds")
    assert (spot.letters, spots.label_of(spot)) == ("AB", "A, B ResNet-20")
    assert spot.picked == runs[1].name, "a click takes B out; A is the sidebar's"


def test_what_is_compared_is_named_however_crowded_it_is(tmp_path: Path) -> None:
    run = cache.open_run(seed_run(tmp_path, "resnet20_paper", 1))
    (side,), _ = sides_of([run])
    (spot,) = spots.spots_of([run], [side], "multiply-adds")
    long = dataclasses.replace(spot, label="a name that no phone has room for, long-batchrate 50")
    figure: Any = pareto_figure([long], "multiply-adds", LIGHT)
    assert [note.text for note in figure.layout.annotations] == ["<b>A</b>"]


def with_error(run: cache.Run, error: float) -> cache.Run:
    """The run as if it had erred so often on its test set, in %."""
    assert run.info is not None
    test = dataclasses.replace(run.info.metrics.test, error=error)
    metrics = dataclasses.replace(run.info.metrics, test=test)
    return dataclasses.replace(run, info=dataclasses.replace(run.info, metrics=metrics))


def test_who_can_be_paired(sides: list[Side], bench: Path, tmp_path: Path) -> None:
    assert unpaired(sides[0], sides[1]) is None
    assert same_test(sides[0], sides[2])
    fake_run(tmp_path / "bare", 200, records=False)
    (bare,), said = sides_of([cache.open_run(tmp_path / "bare")])
    assert "has no records" in said[0]
    assert unpaired(sides[0], bare) == "A has no records."  # both are A here: the second
    assert same_test(sides[0], bare)


def test_runs_on_the_frontier(sides: list[Side], bench: Path) -> None:
    runs = [cache.open_run(path) for path in sorted(bench.iterdir())]
    found = spots.spots_of(runs, sides, "multiply-adds")
    assert [spot.picked for spot in found] == ["short", "plain", "deep"]  # 33, 41 and 84 M
    assert [spot.letters for spot in found] == ["B", "C", "A"]
    assert [spot.best for spot in found] == [True, False, False]  # all err as often
    by_size = spots.spots_of(runs, sides[:1], "parameters")
    assert [spot.cost for spot in by_size] == [179_164, 269_722, 303_262]
    assert [spot.letters for spot in by_size] == ["", "", "A"]


def test_a_calibration_error_comes_at_once_and_its_interval_later(sides: list[Side]) -> None:
    first = measures.known_calibration(sides[0])
    assert first is not None
    assert np.isnan(first.low)
    full = measures.calibration_of(sides[0])
    assert full is not None
    assert full.value == first.value
    assert full.low < full.high
    assert measures.known_calibration(sides[0]) == full


def test_choices_name_their_outcomes() -> None:
    assert controls.pick_text(("only b",), ("A", "C")) == "only C right"
    assert controls.pick_text(("both right",), ("A", "C")) == "both right"


def test_colours_blend() -> None:
    assert looks.blend("#ff0000", "#0000ff", 1) == "#ff0000"
    assert looks.blend("#ff0000", "#0000ff", 0) == "#0000ff"
    assert looks.blend("#ff0000", "#0000fe", 0.5) == "#80007f"
