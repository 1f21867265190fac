"""What docs/results.md says of several seeds, against counts by hand on invented runs."""

from __future__ import annotations

import dataclasses
import math
import re
import shutil
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from scipy import stats

from benchmarks.results.ablation import STEPS, ablation_columns, table_3
from benchmarks.results.calibrated import calibrated
from benchmarks.results.difference import where_it_comes_from
from benchmarks.results.digest import closing, digest
from benchmarks.results.figure_6 import collapses, figure_6
from benchmarks.results.gates_apart import gates_apart
from benchmarks.results.line_chart import Line, line_chart, ticks
from benchmarks.results.loops_spread import by_class, foreseen, spreads
from benchmarks.results.loops_with import loops_with
from benchmarks.results.losses import losses
from benchmarks.results.overview import overview
from benchmarks.results.readings import (
    RATE_LOSSES,
    READINGS,
    pairs_of,
    rate_losses,
    readings,
    verdict,
)
from benchmarks.results.seeds import of_seeds
from benchmarks.results.shipped import Shipped
from benchmarks.results.stability import loops_of, pictures_of, stability
from benchmarks.results.table_1 import table_1
from benchmarks.results.tables import relation
from benchmarks.results.trainings import Trained, command, told_alone, trained
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.relations import spearman
from drnn_core.analysis.seeds import PairedErrors, over_seeds
from drnn_core.recipes import NETWORKS
from drnn_core.store.budget import BudgetCurve, BudgetPoint, write_budget
from drnn_core.store.columns import ColumnWriter
from drnn_core.store.records import read_manifest
from drnn_core.store.runs import find_runs
from tests.seed_runs import ROWS, every_kind, seed_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("runs")
    every_kind(found)
    return found


@pytest.fixture(scope="module")
def runs(folder: Path) -> list[Shipped]:
    return [Shipped(path) for path in find_runs(folder)]


@pytest.fixture(scope="module")
def groups(runs: list[Shipped]) -> list[Trained]:
    return trained(runs)


def rows_of(text: str, start: str) -> list[list[str]]:
    """Cells of the table rows that start with a text."""
    lines = [line for line in text.splitlines() if line.startswith(f"| {start} ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def wrong_of(one: Trained, seed: int) -> np.ndarray:
    return ~one.runs[seed].records.sort_values("id")["correct"].to_numpy()


def group_of(groups: list[Trained], network: str) -> Trained:
    return next(one for one in groups if one.network == network)


def test_trainings_hold_their_seeds(groups: list[Trained]) -> None:
    assert len(groups) == 8
    assert all(list(one.runs) == [1, 2] and not one.others for one in groups)


def test_table_1_has_every_network_of_the_paper(groups: list[Trained]) -> None:
    text = table_1(groups)
    for recipe in NETWORKS.values():
        if recipe.paper is not None and recipe.paper.source == "table 1":
            (row, *_) = rows_of(text, recipe.title)
            trained_here = recipe.name in ("resnet20", "dr_resnet16_l2")
            assert (row[2] == "2") == trained_here
            assert (row[3] == "–") == (not trained_here)
            assert float(row[5]) == recipe.paper.error


def test_the_row_of_a_network_is_its_seeds(groups: list[Trained]) -> None:
    one = group_of(groups, "dr_resnet16_l2")
    errors = [100 * wrong_of(one, seed).mean() for seed in (1, 2)]
    row = rows_of(table_1(groups), one.title)[0]
    assert row[1:5] == [
        "paper, 350 epochs",
        "2",
        f"{np.mean(errors):.2f} ± {np.std(errors, ddof=1):.2f}",
        f"1: {errors[0]:.2f}, 2: {errors[1]:.2f}",
    ]
    loops = [one.runs[seed].records["loops"] for seed in (1, 2)]
    spread = np.mean([part.std() for part in loops])
    assert row[9] == f"{np.mean(loops):.2f} ± {spread:.2f} of 4"


def test_changed_networks_are_no_rows_of_table_1(groups: list[Trained]) -> None:
    text = table_1(groups)
    assert "ilvbn_joint" not in text
    assert len(rows_of(text, "DR-Res 16 (l = 2)")) == 2  # its row and its pair


def test_the_pair_is_seed_by_seed(groups: list[Trained]) -> None:
    one, plain = group_of(groups, "dr_resnet16_l2"), group_of(groups, "resnet20")
    row = rows_of(table_1(groups), one.title)[1]
    gaps: list[float] = []
    won = lost = 0
    for seed in (1, 2):
        mine, theirs = wrong_of(one, seed), wrong_of(plain, seed)
        gaps.append(100 * (mine.mean() - theirs.mean()))
        won, lost = won + (theirs & ~mine).sum(), lost + (mine & ~theirs).sum()
    test = stats.ttest_1samp(gaps, 0).confidence_interval(0.95)
    assert row[1] == plain.title
    assert row[3] == f"1: {gaps[0]:+.2f}, 2: {gaps[1]:+.2f}"
    assert row[5] == f"{np.mean(gaps):+.2f} ({test.low:+.2f} to {test.high:+.2f})"
    assert row[7] == f"{won} / {lost}"
    assert row[9] == "-0.61"  # 8.14 against 8.75 in the paper


def test_losses_stand_beside_the_plain_networks(groups: list[Trained]) -> None:
    one, plain = group_of(groups, "dr_resnet16_l2"), group_of(groups, "resnet20")
    rows = rows_of(losses(groups), one.title)
    assert len(rows) == 1
    mine, theirs = (
        np.array([each.runs[seed].records["loss"].mean() for seed in (1, 2)])
        for each in (one, plain)
    )
    (row,) = rows
    assert row[1:3] == [plain.title, "CIFAR-10, paper, 350 epochs"]
    assert row[3] == f"{mine.mean():.3f} ± {mine.std(ddof=1):.3f}"
    assert row[4] == f"{theirs.mean():.3f} ± {theirs.std(ddof=1):.3f}"
    gaps = mine - theirs
    assert row[5] == f"1: {gaps[0]:+.3f}, 2: {gaps[1]:+.3f}"
    test = stats.ttest_1samp(gaps, 0).confidence_interval(0.95)
    assert row[6] == f"{gaps.mean():+.3f} ({test.low:+.3f} to {test.high:+.3f})"
    assert losses([one]) == "", "nobody stands beside it"
    assert not rows_of(losses(groups), plain.title), "a plain network has no counterpart"
    changed = [each.title for each in groups if each.first.info.model == one.network]
    assert len(changed) > 1
    assert all(len(rows_of(losses(groups), title)) == 1 for title in changed)


def test_commands_can_be_typed(groups: list[Trained]) -> None:
    assert command(group_of(groups, "resnet20")) == (
        "`drnn train resnet20_paper --data DATA --out RUN --seed S --device cuda`, S = 1, 2; "
        "`drnn records RUN --data DATA`"
    )
    changed = next(one for one in groups if one.changes == ("norm = ilvbn_joint",))
    assert "--set norm=ilvbn_joint`" in command(changed)


def test_table_3_steps_follow_each_other(groups: list[Trained]) -> None:
    text = table_3(groups)
    (column,) = ablation_columns(groups)
    assert column.title == "generated, short, 20 epochs"
    assert column.steps[0] is None
    assert all(column.steps[1:])
    rows = text.splitlines()
    assert "| plain | 77.95 | – | – | – |" in rows
    naive = group_of(groups, "r_resnet32_l4_naive")
    right = [100 * (1 - wrong_of(naive, seed).mean()) for seed in (1, 2)]
    wanted = f"| fails: diverges | {np.mean(right):.2f} ± {np.std(right, ddof=1):.2f} (2) | 0.2"
    assert any(wanted in row for row in rows)
    for before, after in pairwise(STEPS[1:]):
        (row,) = [row for row in rows if f"| {before[0]} → {after[0]} |" in row]
        first, second = group_of(groups, before[1]), group_of(groups, after[1])
        gain = [100 * (wrong_of(first, s).mean() - wrong_of(second, s).mean()) for s in (1, 2)]
        assert f"| 1: {gain[0]:+.2f}, 2: {gain[1]:+.2f} | {np.mean(gain):+.2f} (" in row


def test_the_way_from_the_plain_network_to_its_counterpart(tmp_path: Path) -> None:
    names = ("resnet20", "r_resnet16_l2", "dr_resnet16_l2_always", "dr_resnet16_l2")
    missing = {("r_resnet16_l2", 2)}
    paths = [
        seed_run(tmp_path, f"{name}_long", seed)
        for name in names
        for seed in (1, 2)
        if (name, seed) not in missing
    ]
    ways = trained([Shipped(path) for path in paths])
    text = where_it_comes_from(ways)
    by_name = {one.network: one for one in ways}

    def gain(before: str, after: str, seed: int) -> float:
        first, second = by_name[before], by_name[after]
        return 100 * (wrong_of(first, seed).mean() - wrong_of(second, seed).mean())

    (shared,) = [line for line in text.splitlines() if "| ResNet-20 → one block shared" in line]
    assert f"| 1: {gain('resnet20', 'r_resnet16_l2', 1):+.2f} |" in shared
    (gated,) = [line for line in text.splitlines() if "→ gates from the second" in line]
    assert f"| 1: {gain('r_resnet16_l2', 'dr_resnet16_l2_always', 1):+.2f} |" in gated
    (first,) = [line for line in text.splitlines() if "→ gates before every loop" in line]
    both = ", ".join(
        f"{seed}: {gain('dr_resnet16_l2_always', 'dr_resnet16_l2', seed):+.2f}" for seed in (1, 2)
    )
    assert f"| {both} |" in first
    assert "CIFAR-10, long, 50 epochs" in first
    assert "with every loop run" not in text
    assert where_it_comes_from([one for one in ways if one.network != "r_resnet16_l2"]) == ""
    assert "each block run once →" not in text


def test_the_same_blocks_run_once_stand_beside_what_loops_them(tmp_path: Path) -> None:
    names = ("resnet20", "resnet16", "r_resnet16_l2", "dr_resnet16_l2")
    paths = [seed_run(tmp_path, f"{name}_long", seed) for name in names for seed in (1, 2)]
    found = trained([Shipped(path) for path in paths])
    by_name = {one.network: one for one in found}

    def more(network: str, plain: str) -> str:
        gaps = {
            seed: 100
            * (wrong_of(by_name[network], seed).mean() - wrong_of(by_name[plain], seed).mean())
            for seed in (1, 2)
        }
        return ", ".join(f"{seed}: {gap:+.2f}" for seed, gap in gaps.items())

    pairs = table_1(found).partition("### Against the plain counterpart")[2]
    for network, plain in (
        *(("dr_resnet16_l2", "resnet20"), ("dr_resnet16_l2", "resnet16")),
        ("resnet16", "resnet20"),
    ):
        titles = [NETWORKS[name].title for name in (network, plain)]
        (row,) = [row for row in rows_of(pairs, titles[0]) if row[:2] == titles]
        assert row[3] == more(network, plain)
        assert row[9] == ("-0.61" if network != "resnet16" and plain == "resnet20" else "–")
    (step,) = [
        line
        for line in where_it_comes_from(found).splitlines()
        if "| ResNet-16 (3-2-2), each block run once → its loops" in line
    ]
    assert f"| {more('resnet16', 'r_resnet16_l2')} |" in step, "gained by looping"
    beside = [row[1] for row in rows_of(losses(found), "R-Res 16")]
    assert beside == ["ResNet-20", "ResNet-16 (3-2-2)"]


def test_what_gates_cost_by_leaving_out_and_by_training(tmp_path: Path) -> None:
    names = ("r_resnet16_l2_short", "dr_resnet16_l2_short", "dr_resnet16_l2_short-falling")
    paths = {name: [seed_run(tmp_path, name, seed) for seed in (1, 2)] for name in names}
    groups = trained([Shipped(path) for path in find_runs(tmp_path)])
    plain, gated, falling = (
        next(one for one in groups if one.first.folder in paths[name]) for name in names
    )
    measured = [*gated.runs.values(), falling.runs[2]]
    images = (-6, 3, -12)  # of 240: -2.5, +1.25 and -5 points
    for run, change in zip(measured, images, strict=True):
        with_every_loop(run, change)
    rows = rows_of(where_it_comes_from(groups), "DR-Res 16")
    assert [row[0] for row in rows] == [gated.name, falling.name]
    every = {seed: error + (-2.5, 1.25)[seed - 1] for seed, error in gated.errors.items()}
    assert rows[0][2] == f"1: {every[1]:.2f}, 2: {every[2]:.2f}"
    assert rows[0][3].startswith("+0.62 (")
    left = {seed: every[seed] - plain.errors[seed] for seed in (1, 2)}
    assert rows[0][5] == f"1: {left[1]:+.2f}, 2: {left[2]:+.2f}"
    assert rows[0][6].startswith(f"{sum(left.values()) / 2:+.2f} (")
    assert rows[1][1:4] == [
        f"2: {falling.errors[2]:.2f}", f"2: {falling.errors[2] - 5:.2f}", "+5.00 (one seed)",
    ]  # fmt: skip
    assert f"| 1: {-left_between(plain, gated, 1):+.2f}" in where_it_comes_from(groups)


def left_between(first: Trained, second: Trained, seed: int) -> float:
    return 100 * (wrong_of(second, seed).mean() - wrong_of(first, seed).mean())


def with_every_loop(run: Shipped, images: int) -> None:
    """Note in a run that running every loop answers so many images more wrong."""
    none = (0.0, 0.0, 0.0)
    classes = (0,) * len(run.info.classes)
    wrong = int((~run.records["correct"]).sum()) + images
    error, change = 100 * wrong / ROWS, 100 * images / ROWS
    point = BudgetPoint(
        threshold=0.0, anew=ROWS, error=(error, error, error), loops=none, macs=none,
        error_change=(change, change, change), loops_change=none, macs_change=none,
        lost=0, won=0, class_wrong=(wrong, *classes[1:]), class_lost=classes, class_won=classes,
        class_loops=(0.0,) * len(classes),
    )  # fmt: skip
    header = read_manifest(run.folder).header
    header = dataclasses.replace(header, weights_sha256=run.info.weights_sha256)
    of_class = [ROWS, *classes[1:]]
    write_budget(run.folder, BudgetCurve.beside(header, of_class, 0.95).with_point(point))


def test_a_step_between_two_precisions_says_so(tmp_path: Path) -> None:
    names = ("r_resnet32_l4_naive_short", "r_resnet32_l4_short")
    naive, own = (Shipped(seed_run(tmp_path, name, 1)) for name in names)
    object.__setattr__(naive.info, "precision", "bfloat16")
    text = table_3(trained([naive, own]))
    assert "| recursive, one BatchNorm → + L (bfloat16 → float32) |" in text


def test_a_training_that_ends_at_chance_is_called_so(tmp_path: Path) -> None:
    path = seed_run(tmp_path, "resnet20_paper", 1)
    (one,) = trained([Shipped(path)])
    assert one.guessing == 0
    run = one.runs[1]
    test = run.info.metrics.test
    object.__setattr__(test, "error", 90.0)
    assert one.guessing == 1


def test_figure_6_is_drawn_and_counts_collapses(groups: list[Trained], tmp_path: Path) -> None:
    text = figure_6(groups, tmp_path)
    (picture,) = tmp_path.glob("*.svg")
    assert f"]({picture.name})" in text
    root = ET.fromstring(picture.read_text())
    drawn = [each for each in root.iter() if each.tag.endswith("polyline")]
    assert len(drawn) == 4
    naive = next(line for line in text.splitlines() if line.startswith("| recursive, one"))
    assert naive.endswith("| 1 of 2 |")
    assert "40.00 (10.00 to 70.00; epoch 3)" in naive
    assert text.count("| 0 of 2 |") == 3


def test_a_collapse_is_what_does_not_come_back() -> None:
    assert collapses(np.array([10.0, 80, 10]))
    assert not collapses(np.array([10.0, 80, 10, 70]))


@pytest.mark.parametrize(("longest", "last", "count"), [(1, 1, 2), (6, 6, 7), (20, 20, 11),
                                                        (50, 50, 11), (350, 350, 8)])  # fmt: skip
def test_epochs_are_named_by_whole_numbers(longest: int, last: int, count: int) -> None:
    found = ticks(longest)
    assert found[-1] == last
    assert len(found) == count
    assert (found == np.round(found)).all()


def test_lines_stand_where_their_values_are() -> None:
    ends = np.array([10.0, 30.0])
    line = Line("<naive>", np.array([1.0, 2.0]), ends, ends, ends)
    svg = line_chart("a & b", [line], "accuracy")
    root = ET.fromstring(svg)
    (points,) = [e.get("points", "") for e in root.iter() if e.tag.endswith("polyline")]
    (_, low), (right, high) = (tuple(map(float, p.split(","))) for p in points.split())
    assert high < low  # what is more stands higher
    assert right == 760 - 16
    named = {
        e.text: float(e.get("x", "0")) for e in root.iter() if e.get("text-anchor") == "middle"
    }
    assert named["2"] == right  # an epoch's name stands under it
    assert named["0"] + right == 2 * named["1"]
    assert svg == line_chart("a & b", [line], "accuracy")
    with pytest.raises(ValueError, match="one to 5 lines"):
        line_chart("none", [], "accuracy")


def test_readings_are_paired_with_what_differs_in_nothing_else(groups: list[Trained]) -> None:
    text = readings(groups)
    for reading in READINGS:
        ((own, other),) = pairs_of(reading, groups)
        assert own.network == "dr_resnet16_l2"
        assert other.network is None
        assert reading.title in text
    assert text.count("seeds do not tell") + text.count("The other errs") == 2


def test_rate_losses_are_paired_as_readings_are_and_stand_beside_one_plain_network(
    groups: list[Trained], tmp_path: Path
) -> None:
    assert not rate_losses(groups)
    forms = ("short-batchrate", "short-netrate", "short-falling")
    for network in ("resnet20_short", *(f"dr_resnet16_l2_{each}" for each in ("short", *forms))):
        for seed in (1, 2):
            seed_run(tmp_path, network, seed)
    found = trained([Shipped(path) for path in find_runs(tmp_path)])
    for reading, form in zip(RATE_LOSSES, forms, strict=True):
        ((own, other),) = pairs_of(reading, found)
        assert (own.training.recipe, other.training.recipe) == ("short", form)
    assert not any(pairs_of(reading, found) for reading in READINGS)
    text = rate_losses(found)
    assert all(f"dr_resnet16_l2_{form} --data" in text for form in forms)
    told = text.count("2 seeds do not tell") + text.count("The other errs")
    assert told == len(forms)
    against = rows_of(table_1(found).partition("### Against the plain counterpart")[2], "DR-Res 16")
    assert [row[1:3] for row in against] == [
        ["ResNet-20", "short, 20 epochs"],
        ["ResNet-20", "short-netrate, 20 epochs"],
        ["ResNet-20", "short-falling, 20 epochs"],
        ["ResNet-20", "short-batchrate, 20 epochs"],
    ]


@pytest.mark.parametrize(
    ("gaps", "images", "said"),
    [
        ([0.1, 0.11, 0.12], (0.11, -0.3, 0.5), "errs 0.11 points more, and the interval"),
        ([-0.1, -0.11, -0.12], (-0.11, -0.3, 0.1), "errs 0.11 points less, and the interval"),
        ([0.5, -0.5, 0.1], (0.03, -0.3, 0.5), "3 seeds do not tell"),
        ([0.5], (0.5, 0.1, 0.9), "With one seed the other errs 0.50 points more, beyond"),
        ([0.5], (0.5, -0.1, 0.9), "within what images leave open"),
    ],
)
def test_words_follow_from_intervals(
    gaps: list[float], images: tuple[float, float, float], said: str
) -> None:
    over = over_seeds(gaps)
    errors = PairedErrors({}, over, Estimate(*images, 100, 0.95), 0, 0, 1.0)
    text = verdict(errors, over_seeds([0.2, 0.21]))
    assert said in text
    assert re.search(r"It runs 0\.2[01] loops more\.$", text)
    if over.n > 1 and not over.sign:
        assert f"{max(abs(over.low), abs(over.high)):.2f} points is not ruled out" in text


def test_spread_of_loops_by_hand(groups: list[Trained]) -> None:
    one = group_of(groups, "dr_resnet16_l2")
    row = rows_of(spreads(groups), one.name)[0]
    stds = [one.runs[seed].records["loops"].std() for seed in (1, 2)]
    assert row[3] == f"{np.mean(stds):.2f} ± {np.std(stds, ddof=1):.2f}"
    between, within, whole = (float(row[place].split(" ")[0]) for place in (4, 5, 3))
    assert math.hypot(between, within) == pytest.approx(whole, abs=0.02)
    shown = [line for line in spreads(groups).splitlines() if re.match(r"\| (DR-|R-)Res", line)]
    assert len(shown) == sum(one.gated for one in groups)


def test_classes_are_named_with_their_loops(groups: list[Trained]) -> None:
    one = group_of(groups, "dr_resnet16_l2")
    label, name = 3, one.first.info.classes[3]
    means = [
        run.records.loc[run.records["label"] == label, "loops"].mean() for run in one.runs.values()
    ]
    assert rows_of(by_class(groups), name)[0][1].startswith(f"{np.mean(means):.2f} ± ")


def test_agreement_of_seeds_is_spearmans(groups: list[Trained]) -> None:
    one = group_of(groups, "dr_resnet16_l2")
    loops = loops_of(one)
    rho = float(stats.spearmanr(loops[1], loops[2]).statistic)
    text = stability(groups)
    assert rows_of(text, one.name)[0][2].startswith(f"{rho:.3f} (")
    first, second = (
        np.stack(run.records.sort_values("id")["block_loops"].to_numpy())
        for run in one.runs.values()
    )
    assert rows_of(text, one.name)[0][3] == ", ".join(
        f"{name}: {stats.spearmanr(first[:, k], second[:, k]).statistic:.2f}"
        for k, name in enumerate(("2.2", "3.2"))
    )
    entropy = [
        float(stats.spearmanr(run.records["loops"], run.records["entropy"]).statistic)
        for run in one.runs.values()
    ]
    row = next(row for row in rows_of(text, one.name) if row[1] == "`entropy`")
    assert row[2].startswith(f"{np.mean(entropy):+.3f} (")
    corrected = np.mean(entropy) / math.sqrt(rho) if rho > 0.01 else None
    assert row[3] == ("–" if corrected is None else f"{corrected:+.3f}")


def test_what_was_measured_of_pictures_is_found_in_any_run_on_them(tmp_path: Path) -> None:
    """Also in one that repeats a seed; joined by image, whatever the order."""
    for seed in (1, 2):
        path = seed_run(tmp_path, "dr_resnet16_l2_paper", seed)
    again = tmp_path / "measured"
    shutil.copytree(path, again)
    values = np.random.default_rng(0).random(ROWS)
    with ColumnWriter(again, "images", ["image_brightness"]) as writer:
        for first, count in writer.missing():
            part = values[first : first + count].astype(np.float32)
            writer.write_columns(first, {"image_brightness": part})
    (one,) = groups = trained([Shipped(each) for each in find_runs(tmp_path)])
    assert [run.folder.name for run in one.others] == ["measured"]
    assert pictures_of(one, groups)["image_brightness"].to_numpy() == pytest.approx(
        values, rel=1e-3
    )
    row = next(row for row in rows_of(stability(groups), one.name) if "brightness" in row[1])
    rhos = [
        float(stats.spearmanr(run.records["loops"], values).statistic) for run in one.runs.values()
    ]
    assert row[2].startswith(f"{np.mean(rhos):+.3f}"[:5])


def test_what_loops_go_with_is_spearmans_of_every_training(groups: list[Trained]) -> None:
    one = group_of(groups, "dr_resnet16_l2")
    whole, inside = (
        part for part in re.split(r"\n\n(?=\S+, (?:all images|within classes))", loops_with(groups))
        if part.startswith(one.training.data)
    )  # fmt: skip
    heads = whole.splitlines()[2].strip("| ").split(" | ")
    place = heads.index(f"{one.title}, {one.schedule} (2)")
    records = [run.records for run in one.runs.values()]
    rhos = [float(stats.spearmanr(each["loops"], each["entropy"]).statistic) for each in records]
    (row,) = rows_of(whole, "`entropy`")
    assert row[place] == f"{np.mean(rhos):+.3f} ({rhos[0]:+.3f}, {rhos[1]:+.3f})"
    weighted = [
        np.average(
            [
                stats.spearmanr(part["loops"], part["entropy"]).statistic
                for _, part in each.groupby("label")
            ],
            weights=each.groupby("label").size(),
        )
        for each in records
    ]
    (row,) = rows_of(inside, "`entropy`")
    assert row[place].startswith(f"{np.mean(weighted):+.3f} (")


def test_one_run_says_its_interval_over_images(tmp_path: Path) -> None:
    seed_run(tmp_path, "dr_resnet16_l2_paper", 1)
    groups = trained([Shipped(path) for path in find_runs(tmp_path)])
    found = spearman(groups[0].first.records["loops"], groups[0].first.records["correct"])
    row = rows_of(loops_with(groups), "`correct`")[0]
    shown = relation(found)
    assert row[1] == (f"**{shown}**" if found.low > 0 or found.high < 0 else shown)
    assert loops_with([]) == ""


def test_of_each_network_one_run_is_told_alone(tmp_path: Path) -> None:
    """One that is not named for its seed; else the smallest seed that columns were measured of."""
    for name in ("dr_resnet16_l2_paper", "dr_resnet32_l4_paper", "resnet20_paper"):
        for seed in (1, 2, 3):
            path = seed_run(tmp_path, name, seed)
            if seed > 1 and name != "resnet20_paper":
                with ColumnWriter(path, "images", ["image_brightness"]) as writer:
                    for first, count in writer.missing():
                        writer.write_columns(first, {"image_brightness": np.ones(count, "f4")})
    by_seed = {run.folder.name: run for run in map(Shipped, find_runs(tmp_path))}
    found = told_alone(list(by_seed.values()))
    assert [(run.info.model, run.info.seed) for run in found] == [
        ("dr_resnet16_l2", 2), ("dr_resnet32_l4", 2),
    ]  # fmt: skip
    shutil.copytree(found[0].folder, tmp_path / "unnamed")
    runs = [Shipped(path) for path in find_runs(tmp_path)]
    assert [run.folder.name for run in told_alone(runs)] == [found[1].folder.name, "unnamed"]


def test_every_gated_run_has_its_row_of_foreseen_errors(groups: list[Trained]) -> None:
    text = foreseen(groups)
    gated = [one for one in groups if one.gated]
    assert len(gated) == 5
    found = [line for line in text.splitlines() if re.match(r"\| (DR-|R-)Res", line)]
    assert len(found) == 2 * len(gated)


def test_what_the_last_calibration_changes(tmp_path: Path) -> None:
    names = ("dr_resnet16_l2_short", "dr_resnet16_l2_paper", "resnet20_short")
    paths = [seed_run(tmp_path, name, seed) for name in names for seed in (1, 2)]
    groups = trained([Shipped(path) for path in paths])
    assert calibrated(groups) == "", "no curve here has rates"
    for one in groups:
        for seed, run in one.runs.items():
            last = dataclasses.replace(run.info.curve[-1], rate=0.6 + 0.1 * seed, test_error=20.0)
            object.__setattr__(run.info, "curve", (*run.info.curve[:-1], last))
    short = next(one for one in groups if one.network and one.gated and "short" in one.schedule)
    ((*_, before, after, error_before, error_after, change),) = rows_of(
        calibrated(groups), "DR-Res 16"
    )
    rates = {seed: run.info.metrics.test.rate for seed, run in short.runs.items()}
    assert before == "1: 0.700, 2: 0.800"
    assert after == ", ".join(f"{seed}: {rate:.3f}" for seed, rate in rates.items())
    assert error_before == "1: 20.00, 2: 20.00"
    assert error_after == ", ".join(f"{s}: {error:.2f}" for s, error in short.errors.items())
    assert change.startswith(f"{np.mean(list(short.errors.values())) - 20:+.2f} (")


def test_the_whole_page_comes_together(runs: list[Shipped], tmp_path: Path) -> None:
    parts = of_seeds(runs, tmp_path)
    assert [part.splitlines()[0] for part in parts][:6] == [
        "## Table 1: CIFAR-10",
        "## Cross-entropy beside the plain network's",
        "## Where the difference to the plain network comes from",
        "## Table 3: what each part brings",
        "## Figure 6: accuracy over training",
        "## Two readings of the paper",
    ]
    assert len(parts) == 13
    assert overview(runs).count("](../checkpoints/") == len(runs)
    assert told_alone(runs) == []
    assert not any("nan" in part for part in parts)


def test_the_digest_is_of_the_files(runs: list[Shipped], tmp_path: Path) -> None:
    before = closing(runs)
    assert before == closing(list(reversed(runs)))
    assert before != closing(runs[1:])
    path = seed_run(tmp_path, "resnet20_paper", 1)
    first = closing([Shipped(path)])
    (path / "budget.json").write_text("{}")
    assert closing([Shipped(path)]) != first
    measured = tmp_path / "measured"
    measured.mkdir()
    none = digest([Shipped(path)], measured)
    (measured / "gate_settings.jsonl").write_text("{}")
    assert digest([Shipped(path)], measured) != none


def test_how_far_gates_tell_images_apart(groups: list[Trained]) -> None:
    one = group_of(groups, "dr_resnet16_l2")
    first = one.runs[1].facts.layout[0]
    stds: dict[int, float] = {}
    for seed, run in one.runs.items():
        chance = np.stack(run.records["gate_prob"].to_numpy()).astype(float)[:, 0]
        assert not np.isnan(chance).any(), "all images ask the first gate"
        stds[seed] = float(np.std(np.log(chance / (1 - chance)), ddof=1))
    row = rows_of(gates_apart(groups), one.name)[0]
    assert row[2].startswith(f"{first.name}: {np.mean(list(stds.values())):.2g}, ")
    assert row[1] == "2"
    least = {int(part[0]): float(part[3:]) for part in row[3].split(", ")}
    assert all(least[seed] <= std * 1.01 for seed, std in stds.items())
    assert row[5] == "–"
    assert len(rows_of(gates_apart(groups), "ResNet-20")) == 0
