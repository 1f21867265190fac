"""What stands behind the Models page: its tables, notes, runs, plots and downloads."""

from __future__ import annotations

import dataclasses
import re
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cache import Run
from app.charts import LIGHT
from app.models import export, markup, own_table, words
from app.models.cells import cells_of, epochs_text
from app.models.figures import accuracy_figure
from app.models.labels import Place, place_names
from app.models.notes import NOTES, macs_differ, notes_on, numbered, params_agree
from app.models.ours import OwnRun, own_runs, results_of, trainings_of
from app.models.plot import Plot
from app.models.points import joins, own_points, printed_points
from app.models.shown import most_epochs, shown_results
from app.models.strips import strips_of
from app.models.tables import VIEWS, Model, groups_of, kind_of, names_of, short_title, view_of
from app.units import macs_text, params_text
from drnn_core.commands.models import model_row
from drnn_core.recipes import NETWORKS, get_recipe
from drnn_core.recipes.readings import printed_error, read_otherwise, row_of
from drnn_core.store.repeats import data_set_of
from drnn_core.store.runs import RunMetrics
from tests.tiny_runs import tiny_info


def test_what_is_printed_otherwise_is_told_by_more_than_its_colour() -> None:
    style = (Path(markup.__file__).parent / "assets" / "table.css").read_text("utf-8")
    (rule,) = re.findall(r"td\.differs \{(.*?)\}", style)
    assert "text-decoration: underline dotted" in rule


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    return {name: Model.from_row(model_row(name)) for name in NETWORKS}


def run_of(name: str, model: str = "dr_resnet16_l2", **changes: Any) -> OwnRun:
    target = NETWORKS[model].target if model in NETWORKS else 0.7
    test = dataclasses.replace(tiny_info().metrics.test, target=target)
    info = tiny_info(
        model=model, model_args={}, classes=tuple("abcdefghij"), metrics=RunMetrics(test)
    )
    info = dataclasses.replace(info, **changes)
    (own,) = own_runs([Run(name, Path(name), info)])
    return own


def cifar_run(name: str, model: str = "dr_resnet16_l2", **changes: Any) -> OwnRun:
    return run_of(name, model, **{"dataset": "cifar10 (image Parquet)", **changes})


def by(training: str) -> dict[str, Any]:
    """A run's fields of 50 epochs by one of our recipes."""
    recipe = get_recipe(f"dr_resnet16_l2_{training}")
    return {"recipe_name": recipe.name, "recipe": dataclasses.asdict(recipe), "epochs": 50}


class TestTables:
    def test_every_network_has_a_place(self) -> None:
        listed = {name for view in VIEWS for name in names_of(view)}
        assert listed == set(NETWORKS)
        assert view_of("r_resnet32_l4_naive") == "ablation"
        assert view_of("nobody") is None

    def test_groups_are_of_one_data_set_and_led_by_their_plain_network(self) -> None:
        for view in VIEWS:
            for title, names in groups_of(view).items():
                assert len({NETWORKS[name].dataset for name in names}) == 1
                if view != "ablation":
                    assert NETWORKS[names[0]].title == title
                assert all(NETWORKS[name].counterpart == names[0] for name in names[1:])

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("resnet20", "plain"),
            ("resnet16", "plain"),
            ("r_resnet16_l2", "recursive"),
            ("dr_resnet16_l2", "dynamic"),
            ("aig_resnet110", "other"),
            ("sd_resnet110", "other"),
            ("preact_resnet110", "other"),
            ("rcnn160", "recursive"),
        ],
    )
    def test_kinds(self, name: str, kind: str) -> None:
        assert kind_of(NETWORKS[name]) == kind

    @pytest.mark.parametrize(
        ("name", "short"),
        [
            ("dr_resnet74_l2", "DR 74"),
            ("dr_resnet53_l3_t65", "DR 53, t .65"),
            ("sd_resnet101", "SD-ResNet-101"),
            ("r_resnet53_l3_slow", "R 53* + L"),
            ("dr_mobilenetv2", "DR-MobileNetV2"),
            ("dr_resnet16_l2_always", "DR 16 unasked"),
            ("dr_resnet16_l2_joint", "DR 16 jointly"),
        ],
    )
    def test_short_titles(self, name: str, short: str) -> None:
        assert short_title(NETWORKS[name].title) == short

    def test_short_titles_tell_the_networks_of_a_table_apart(self) -> None:
        for view in VIEWS:
            titles = [short_title(NETWORKS[name].title) for name in names_of(view)]
            assert len(set(titles)) == len(titles)


class TestNotes:
    def test_every_difference_has_a_word(self, models: dict[str, Model]) -> None:
        for name, model in models.items():
            if not params_agree(model) or abs(macs_differ(model)) > 0.025:
                assert notes_on(name), name

    def test_they_name_networks_that_there_are(self) -> None:
        assert {name for note in NOTES for name in note.networks} <= set(NETWORKS)

    def test_their_figures_are_counted(self, models: dict[str, Model]) -> None:
        naive, slow = models["r_resnet53_l3_naive"], models["r_resnet53_l3_slow"]
        assert "3.505 M" in notes_on("mobilenetv2")[0].text
        assert round(models["mobilenetv2"].params / 1e6, 3) == 3.505
        assert "7.35 G" in notes_on("r_resnet53_l3")[0].text
        assert round(slow.macs_expected / 1e9, 2) == round(naive.macs_expected / 1e9, 2) == 7.35
        assert "23.33 M" in notes_on("r_resnet53_l3_naive")[1].text
        assert round(naive.params / 1e6, 2) == 23.33
        longest = models["dr_resnet66_l3"].macs_max / models["resnet110"].macs_max
        assert "3.7 %" in notes_on("dr_resnet66_l3")[1].text
        assert round(100 * (longest - 1), 1) == 3.7
        worse = [
            name
            for name in names_of("cifar10")
            if (other := NETWORKS[name].counterpart)
            and models[name].kind == "dynamic"
            and models[name].macs_max > 1.002 * models[other].macs_max
        ]
        assert worse == ["dr_resnet66_l3"]

    def test_numbers_follow_the_table(self) -> None:
        found = numbered(("rcnn160", "aig_resnet110", "dr_resnet16_l2"))
        assert list(found) == [1, 2, 3, 4]
        assert "no multiply-adds" in found[1].text

    def test_digits(self, models: dict[str, Model]) -> None:
        disagree = {name for name, model in models.items() if not params_agree(model)}
        assert disagree == {
            "aig_resnet110", "aig_resnet101", "aig_resnet50", "mobilenetv2", "r_resnet53_l3_naive",
        }  # fmt: skip


class TestOurs:
    @pytest.mark.parametrize(
        ("dataset", "classes", "found"),
        [
            ("CIFAR-10", 10, "CIFAR-10"),
            ("cifar10 (image Parquet)", 10, "CIFAR-10"),
            ("CIFAR-10, 10,000 of 50,000", 10, "CIFAR-10"),
            ("cifar10", 100, "cifar10"),
            ("imagenet", 1000, "ImageNet"),
            ("imagenet", 12, "imagenet"),
            ("generated (train)", 10, "generated"),
        ],
    )
    def test_data_sets_are_told_apart(self, dataset: str, classes: int, found: str) -> None:
        names = tuple(str(number) for number in range(classes))
        assert (
            data_set_of(dataclasses.replace(tiny_info(), dataset=dataset, classes=names)) == found
        )

    def test_a_result_is_of_the_very_network_on_its_data_set(self) -> None:
        runs = [
            run_of("elsewhere", model="dr_resnet16_l2", dataset="generated"),
            cifar_run("short", epochs=20),
            cifar_run("long", epochs=350),
            cifar_run("other", "resnet20"),
        ]
        found = results_of("dr_resnet16_l2", trainings_of(runs))
        assert [each.runs for each in found] == [(runs[2],), (runs[1],)]
        assert results_of("dr_resnet32_l4", trainings_of(runs)) == []
        assert not run_of("no", model="convnext", dataset="cifar10").is_result_of("resnet20")

    def test_seeds_are_one_training_and_its_mean(self) -> None:
        tests = [dataclasses.replace(tiny_info().metrics.test, error=e, target=0.7) for e in (8, 9)]
        seeds = [
            cifar_run(f"dr_paper_s{seed}", seed=seed, metrics=RunMetrics(test))
            for seed, test in enumerate(tests, 1)
        ]
        again = cifar_run("copy", seed=1)
        longer = cifar_run("long", epochs=350)
        found = trainings_of([*seeds, again, longer])
        assert [[run.name for run in each.runs] for each in found] == [
            ["copy"],
            ["dr_paper_s1", "dr_paper_s2"],
            ["long"],
        ]
        several = found[1]
        assert (several.name, several.seeds) == ("dr_paper (seeds 1, 2)", "1, 2")
        assert (several.accuracy, several.metrics.error) == (8.5, 8.5)
        assert several.accuracy_text == "8.50 ± 0.71"
        assert results_of("dr_resnet16_l2", found) == [found[2], several]
        assert [each.again for each in found] == [True, False, False]

    def test_of_equally_long_trainings_the_papers_rate_loss_is_shown(self) -> None:
        own = [cifar_run(f"batch_s{seed}", seed=seed, **by("long-batchrate")) for seed in (1, 2)]
        papers = cifar_run("long_s1", seed=1, **by("long"))
        found = results_of("dr_resnet16_l2", trainings_of([*own, papers]))
        assert [each.recipe for each in found] == ["long", "long-batchrate"]
        assert [epochs_text(each) for each in found] == ["50 epochs", "50 epochs, long-batchrate"]

    def test_what_was_changed_is_said(self) -> None:
        info = tiny_info()
        (own,) = own_runs([Run("tiny", Path("tiny"), info)])
        assert own.changed == ("blocks = 1-2-2", "widths = 8-8-8", "loops = 1-2-3")
        test = dataclasses.replace(info.metrics.test, target=0.5)
        (own,) = own_runs([Run("t", Path("t"), dataclasses.replace(
            info, model_args={"norm": "ilvbn"}, metrics=RunMetrics(test)))])  # fmt: skip
        assert own.changed == ("target = 0.5",)


class TestPlots:
    names = st.lists(st.text("abcdef", min_size=1, max_size=14), min_size=1, max_size=18)

    @given(names, st.lists(st.floats(290, 1200), max_size=2), st.data())
    def test_no_name_lies_on_another_or_on_a_point(
        self, names: list[str], wider: list[float], data: st.DataObject
    ) -> None:
        spot = st.tuples(st.floats(0, 290), st.floats(0, 330))
        points = data.draw(st.lists(spot, min_size=len(names), max_size=len(names)))
        places = place_names(points, names, (290, 330), [(points[0], points[-1])], wider)
        for width in (290.0, *wider):
            self.stand_apart([(x * width / 290, y) for x, y in points], names, places, width)

    @staticmethod
    def stand_apart(
        points: list[tuple[float, float]],
        names: list[str],
        places: list[Place | None],
        width: float,
    ) -> None:
        boxes: list[tuple[float, float, float, float]] = []
        for (x, y), name, place in zip(points, names, places, strict=True):
            if place is not None:
                half = 3.2 * len(name)
                middle, line = x + place.dx, y + place.dy
                boxes.append((middle - half, line - 7, middle + half, line + 7))
        for left, top, right, bottom in boxes:
            assert left >= 0
            assert top >= 0
            assert right <= width
            assert bottom <= 330
            assert not any(left < x < right and top < y < bottom for x, y in points)
        for one, other in combinations(boxes, 2):
            apart = one[0] >= other[2] or other[0] >= one[2]
            assert apart or one[1] >= other[3] - 1e-6 or other[1] >= one[3] - 1e-6

    def test_a_line_that_a_wide_plot_lays_under_a_name_is_avoided(self) -> None:
        line = [((100.0, 100.0), (200.0, 200.0))]  # too steep to meet the name on a phone
        (on_a_phone,) = place_names([(100, 100)], ["ResNet-20"], (290, 330), line)
        (everywhere,) = place_names([(100, 100)], ["ResNet-20"], (290, 330), line, [900])
        assert on_a_phone is not None
        assert everywhere is not None
        assert on_a_phone.dx > 0 == round(on_a_phone.dy)
        assert everywhere.dx < 0 == round(everywhere.dy)

    def test_a_name_alone_stands_to_the_right(self) -> None:
        (place,) = place_names([(50, 50)], ["ResNet"], (290, 330))
        assert place is not None
        assert (place.dy, place.far) == (0, False)
        assert place.dx > 0
        assert place_names([(5, 5)], ["a" * 99], (290, 330)) == [None]

    @given(st.lists(st.floats(0, 100), min_size=1, max_size=30))
    def test_every_value_stands_on_one_part_of_the_axis(self, values: list[float]) -> None:
        strips = strips_of(values)
        assert len(strips) in (1, 2)
        for value in values:
            (strip,) = [each for each in strips if each.holds(value)]
            assert 0 <= strip.depth(value) <= 1
        assert all(low.top < high.bottom for low, high in combinations(strips, 2))

    def test_the_axis_breaks_where_nothing_is(self) -> None:
        assert len(strips_of([5.2, 6.1, 7.0, 7.9])) == 1
        below, above = strips_of([5.2, 6.1, 7.0, 8.7, 14.05, 15.92])
        assert below.high < 14 < above.low + 1
        assert above.top - above.bottom < below.top - below.bottom

    def test_lines_join_recursive_networks_with_plain_ones(self, models: dict[str, Model]) -> None:
        chosen = [models[name] for name in names_of("cifar10")]
        runs = [cifar_run("a"), cifar_run("b", "resnet20"), cifar_run("c", "resnet110")]
        found = [*printed_points(chosen), *own_points(trainings_of(runs), chosen)]
        plot = Plot.of(found, "params", "dr_resnet16_l2")
        joined = [(a.point.network, b.point.network, a.point.ours) for a, b in plot.joined()]
        assert set(joined) == {
            *(
                (n, NETWORKS[n].counterpart, False)
                for n in names_of("cifar10")
                if n[:3] == "dr_" and NETWORKS[n].paper
            ),
            ("rcnn160", "resnet110", False),
            ("dr_resnet16_l2", "resnet20", True),
        }
        assert all(a.point.ours == b.point.ours for a, b in plot.joined())

    def test_what_is_clicked_is_a_network(self, models: dict[str, Model]) -> None:
        chosen = [models[name] for name in names_of("imagenet")]
        figure: Any = accuracy_figure(
            printed_points(chosen), "macs", "ImageNet", "dr_resnet53_l3", LIGHT
        )
        marks = [trace for trace in figure.data if trace.mode == "markers"]
        at = {
            point[0]: (x, y)
            for trace in marks
            for point, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
        }
        assert at["dr_resnet53_l3"] == (4.92, 77.96)
        assert set(at) == set(names_of("imagenet"))


class TestWords:
    def test_of_networks(self, models: dict[str, Model]) -> None:
        assert "stages 3 and 4 let an image run up to 23" in words.described(
            models["dr_resnet53_l3"]
        )
        assert "no gate asks" in words.described(models["rcnn160"])
        assert "each of its 33 blocks" in words.described(models["aig_resnet101"])
        assert "only training" in words.described(models["sd_resnet50"])
        assert words.described(models["resnet20"]).startswith("Plain")

    def test_against_the_counterpart(self, models: dict[str, Model]) -> None:
        said = words.compared(models["dr_resnet16_l2"], models["resnet20"])
        assert said == (
            "Against ResNet-20: 34% fewer parameters, 19% fewer multiply-adds, in the paper 0.61 "
            "points less error."
        )
        same = words.compared(models["sd_resnet50"], models["resnet50"])
        assert "as many parameters, as many multiply-adds, in the paper 4.20 points less" in same

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            (macs_text(83_040_000), "83.0\u00a0M"),
            (macs_text(5.605e9), "5.61\u00a0G"),
            (params_text(303_262), "0.303\u00a0M"),
            (params_text(23_525_680), "23.53\u00a0M"),
        ],
    )
    def test_units(self, text: str, shown: str) -> None:
        assert text == shown


def test_the_tables_are_html_whatever_a_run_is_called(models: dict[str, Model]) -> None:
    nasty = cifar_run('<script>"&', title='"><img>', dataset="<b>cifar10")
    table = ET.fromstring(own_table.runs_table(trainings_of([nasty]), nasty.name, 'a "caption"'))
    (link,) = table.iter("a")
    assert link.text == '<script>"&'
    assert link.get("href") == "/inspect?run=%3Cscript%3E%22%26"
    groups = {"x & y": [models["aig_resnet110"]]}
    notes = numbered(("aig_resnet110",))
    whole = ET.fromstring(
        markup.models_table(groups, trainings_of([nasty]), notes, "cifar10", "CIFAR-10")
    )
    assert [mark.text for mark in whole.iter("sup")] == ["1", "2", "3"]
    heads, cells = list(whole.iter("tr"))[:2], list(whole.iter("td"))
    spans = [int(th.get("colspan", "1")) for th in heads[0]]
    assert sum(spans) == 1 + len(cells)


def test_a_row_of_seeds_opens_each(models: dict[str, Model]) -> None:
    seeds = trainings_of([cifar_run(f"dr_paper_s{seed}", seed=seed) for seed in (1, 2)])
    table = ET.fromstring(own_table.runs_table(seeds, "dr_paper_s2", "runs"))
    assert [(a.text, a.get("href")) for a in table.iter("a")] == [
        ("s1", "/inspect?run=dr_paper_s1"),
        ("s2", "/inspect?run=dr_paper_s2"),
    ]
    cells = [cell.text for cell in table.iter("td")]
    assert cells[0] == "75.00 ± 0.00"
    assert cells[4] == "8.14"
    assert "in the sidebar" in ET.tostring(table, "unicode")
    cell = cells_of(models["dr_resnet16_l2"], seeds)["ours"]
    assert cell.text == "75.00 ± 0.00"
    assert "seeds 1, 2" in cell.meaning


def test_points_of_several_ways_are_told_apart(models: dict[str, Model]) -> None:
    runs = [
        cifar_run("a"), cifar_run("b", "resnet20"),
        cifar_run("c", epochs=350), cifar_run("d", "resnet20", epochs=350),
    ]  # fmt: skip
    found = own_points(trainings_of(runs), list(models.values()))
    assert [point.label for point in found] == [
        "DR 16, short 20",
        "ResNet-20, short 20",
        "DR 16, short 350",
        "ResNet-20, short 350",
    ]
    assert all(one.schooling == other.schooling for one, other in joins(found))
    assert len(joins(found)) == 2


def test_points_say_how_long_where_some_were_trained_longer(models: dict[str, Model]) -> None:
    runs = [cifar_run("a"), cifar_run("b", "resnet20", epochs=6)]
    found = own_points(trainings_of(runs), list(models.values()))
    assert [point.label for point in found] == ["DR 16, short 20", "ResNet-20, short 6"]
    alike = own_points(
        trainings_of([cifar_run("a"), cifar_run("b", "resnet20")]), [*models.values()]
    )
    assert [point.label for point in alike] == ["DR 16, ours", "ResNet-20, ours"]


class TestSchedules:
    LONG = ("resnet56", "dr_resnet40_l2")
    SHORT = ("resnet56", "r_resnet32_l4_naive", "r_resnet32_l4", "dr_resnet32_l4")

    def runs(self) -> list[OwnRun]:
        return [
            *(cifar_run(f"long_{name}", name, epochs=50) for name in self.LONG),
            *(cifar_run(f"short_{name}", name, epochs=6) for name in self.SHORT),
            cifar_run("odd", "dr_resnet32_l4_lvbn", epochs=8),
        ]

    def here(self, models: dict[str, Model], view: Any) -> dict[str, str]:
        """What stands under "here", by network."""
        groups = {title: [models[name] for name in each] for title, each in groups_of(view).items()}
        groups = {title: each for title, each in groups.items() if each[0].recipe.num_classes == 10}
        table = markup.models_table(groups, trainings_of(self.runs()), {}, view, "CIFAR-10")
        found: dict[str, str] = {}
        for row in ET.fromstring(table).iter("tr"):
            cells = [cell.text or "" for cell in row.iter("td")]
            if cells:
                found[row.get("data-pick", "")] = cells[1 + (view == "ablation")]
        return found

    def test_steps_of_the_ablation_are_of_one_schedule(self, models: dict[str, Model]) -> None:
        found = self.here(models, "ablation")
        # 6 epochs by most rows, the plain one among them, though that was trained for 50, too
        assert {found[name] for name in self.SHORT} == {"75.00 (6 epochs)"}
        assert found["dr_resnet32_l4_lvbn"] == "75.00", "has no such training: the longest shown"
        groups = {"steps": [models[name] for name in self.SHORT]}
        shown = shown_results("ablation", groups, trainings_of(self.runs()))
        assert shown["resnet56"][0].name == "short_resnet56"
        assert most_epochs(shown) == 6

    def test_elsewhere_the_longest_is_shown_and_others_say_their_epochs(
        self, models: dict[str, Model]
    ) -> None:
        found = self.here(models, "cifar10")
        assert found["resnet56"] == found["dr_resnet40_l2"] == "75.00"
        assert found["dr_resnet32_l4"] == "75.00 (6 epochs)"
        assert found["resnet20"] == "–"

    def test_of_equally_many_rows_the_longest_schedule_counts(
        self, models: dict[str, Model]
    ) -> None:
        runs = [
            cifar_run(f"{n}{e}", n, epochs=e) for e in (6, 50) for n in ("resnet20", "resnet56")
        ]
        groups = {"both": [models["resnet20"], models["resnet56"]]}
        shown = shown_results("ablation", groups, trainings_of(runs))
        assert {each[0].info.epochs for each in shown.values()} == {50}

    def test_downloads_hold_what_the_page_shows(self, models: dict[str, Model]) -> None:
        groups = {"steps": [models[name] for name in self.SHORT]}
        trainings = trainings_of(self.runs())
        assert set(export.models_table("ablation", groups, trainings)["run_epochs"]) == {6}
        assert set(export.models_table("cifar10", groups, trainings)["run_epochs"]) == {6, 50}


class TestReadings:
    @pytest.mark.parametrize(
        ("network", "error"),
        [
            ("dr_resnet16_l2_always", 8.14),
            ("dr_resnet16_l2_joint", 8.14),
            ("dr_resnet32_l4_always", 6.73),
            ("dr_resnet40_l2_always", 6.51),
        ],
    )
    def test_the_papers_figure_is_that_of_the_row(
        self, models: dict[str, Model], network: str, error: float
    ) -> None:
        assert read_otherwise(network)
        assert printed_error(network) == error
        cell = cells_of(models[network], [])["printed"]
        assert cell.text == f"{error:.2f}*"
        assert "another reading of that row" in cell.meaning

    def test_a_row_itself_and_other_networks_are_no_other_reading(self) -> None:
        for name, recipe in NETWORKS.items():
            if recipe.paper is not None:
                assert row_of(name) is recipe
                assert not read_otherwise(name)
        for name in ("r_resnet16_l2", "dr_resnet16_l2_lvbn", "r_resnet32_l4_naive", "nobody"):
            assert row_of(name) is None

    def test_our_runs_of_it_stand_beside_it(self) -> None:
        runs = trainings_of([cifar_run("a", "dr_resnet40_l2_always")])
        cells = list(ET.fromstring(own_table.runs_table(runs, "", "runs")).iter("td"))
        assert cells[4].text == "6.51*"
        assert "DR-Res 40 (l = 2)" in str(cells[4].get("title"))


def test_downloads_hold_every_figure(models: dict[str, Model]) -> None:
    chosen = {"all": [models["resnet20"], models["dr_resnet16_l2"]]}
    runs = [cifar_run("mine")]
    table = export.models_table("cifar10", chosen, trainings_of(runs))
    assert table["network"].tolist() == ["resnet20", "dr_resnet16_l2"]
    assert table["params"].tolist() == [models["resnet20"].params, models["dr_resnet16_l2"].params]
    assert table["macs_printed"].tolist() == [41_000_000, 32_000_000]
    assert table["run"].tolist()[1] == "mine"
    assert table["run_loops_mean"].tolist()[1] == 2.5
    (line,) = export.runs_table(runs).to_dict("records")
    shown = [line[name] for name in ("run", "network", "epochs", "error", "rate")]
    assert shown == ["mine", "dr_resnet16_l2", 20, 75.0, 0.66]
