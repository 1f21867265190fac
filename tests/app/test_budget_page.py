"""The Budget page as Streamlit runs it, without a browser."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from app import cache
from app.budget import marks, points
from app.budget.axes import Axis
from app.budget.mixing import mixing_line
from app.charts import LIGHT
from app.headlines import headline_of
from app.jobs import Jobs
from app.settings import DATA_VARIABLE, RUNS_VARIABLE
from drnn_core.analysis.budget import bounds
from drnn_core.analysis.shares import share_of
from drnn_core.commands.curves import measure_curve, measure_point
from drnn_core.data.generated import GeneratedSet
from drnn_core.data.sets import ImageSet, MemorySet
from drnn_core.inference.facts import network_facts
from drnn_core.inference.recording import record_run
from drnn_core.store.budget import BUDGET, read_budget, write_budget
from drnn_core.store.integrity import verify_run
from drnn_core.store.operating_point import operating_point_of
from drnn_core.store.records import read_records
from drnn_core.store.runs import load_network, read_run
from tests.app.fake_runs import fake_run
from tests.tiny_runs import PREPROCESSING, tiny_network, tiny_run

PAGE = """
from app import runpicker
from app.budget import page

runpicker.choose_run()
page.show()
"""
SECONDS = 300
ROWS = 60
IMAGES = GeneratedSet("test", ROWS)
HERE, CURVE = "Run the network here", "Run the whole curve"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs whose records are their network's: with gates, of images elsewhere, and others."""
    folder = tmp_path_factory.mktemp("shelf")
    images = GeneratedSet("test", ROWS)
    recorded_run(folder / "dr", images)
    foreign = MemorySet(
        "CIFAR-10", images.classes, images.ids, images.labels, "ab" * 32, images.images(range(ROWS))
    )
    recorded_run(folder / "elsewhere", foreign)
    fake_run(folder / "plain", 20, "resnet20")
    fake_run(folder / "unrecorded", 20, "dr_resnet16_l2", records=False)
    return folder


def recorded_run(folder: Path, images: ImageSet) -> None:
    network = tiny_network(classes=len(images.classes))
    sizing = replace(PREPROCESSING, image_size=32, resize=32)
    tiny_run(folder, network, classes=images.classes, preprocessing=sizing)
    record_run(folder, images)


@pytest.fixture(autouse=True)
def jobs(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """Of this test alone; points, running and export share it."""
    from app.budget import export, running

    own = Jobs()
    for module in (points, running, export):
        monkeypatch.setattr(module, "JOBS", own)
    return own


@pytest.fixture
def own_runs(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of "dr" that the test may write to, with a curve of two points."""
    folder = tmp_path / "runs"
    shutil.copytree(shelf / "dr", folder / "dr")
    measure_curve(folder / "dr", IMAGES, [0.3, 0.5])
    monkeypatch.setenv(RUNS_VARIABLE, str(folder))
    return folder


def opened(run: str, **params: Any) -> AppTest:
    page = AppTest.from_string(PAGE, default_timeout=SECONDS)
    page.query_params["run"] = run
    for name, value in params.items():
        page.query_params[name.replace("_", "-")] = value
    return again(page)


def again(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, page.exception
    return page


def texts(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.info, *page.error, *page.code, *page.subheader]
    parts += [*page.warning, *page.success]
    return "\n".join(str(part.value) for part in parts)


def shown(page: AppTest) -> dict[str, tuple[str, str]]:
    return {metric.label: (str(metric.value), str(metric.delta)) for metric in page.metric}


def traces(page: AppTest, chart: int = 0) -> dict[str, dict[str, Any]]:
    figure = json.loads(page.get("plotly_chart")[chart].proto.spec)
    return {trace.get("name", ""): trace for trace in figure["data"]}


def button(page: AppTest, label: str) -> Any:
    return next(each for each in page.button if each.label.startswith(label))


def name_of(page: AppTest) -> Any:
    return next(each for each in page.text_input if each.label == "Name of the new run")


def table_of(runs: Path, run: str = "dr") -> Any:
    return read_records(runs / run)


def test_as_trained_everything_is_exact(runs: Path) -> None:
    page = opened("dr")
    frame = table_of(runs)
    found = shown(page)
    assert found["Test error"] == (f"{100 * (~frame['correct']).mean():.2f} %", "exact, n = 60")
    assert found["Mean loops"][0] == f"{frame['loops'].mean():.2f}"
    assert "Paths kept" not in found
    assert button(page, HERE).disabled
    marks = traces(page)
    assert "run anew, 95 % interval" not in marks
    assert marks["exact, from the records"]["x"] == [pytest.approx(frame["macs"].mean() / 1e6)]
    assert "drnn budget" in texts(page)  # no curve yet
    assert "Move the threshold first" in texts(page)


def test_moved_gates_have_bounds_that_say_so(runs: Path) -> None:
    page = opened("dr", threshold="0.6")
    cost = network_facts(read_run(runs / "dr")).cost
    limits = bounds(table_of(runs), cost, 0.6)
    found = shown(page)
    assert found["Mean loops"] == (
        f"{limits.loops[0]:.2f} to {limits.loops[1]:.2f}", "bounds, from the records",
    )  # fmt: skip
    assert found["Test error"][0] == f"{limits.error[0]:.1f} to {limits.error[1]:.1f} %"
    assert found["Paths kept"] == (f"{limits.unchanged / ROWS:.0%}", f"{limits.unchanged} of 60")
    box = traces(page)["bounds, from the records"]
    assert min(box["x"]) == pytest.approx(limits.macs[0] / 1e6)
    assert max(box["x"]) == pytest.approx(limits.macs[1] / 1e6)
    assert not button(page, HERE).disabled


def test_shut_gates_are_exact_in_cost_alone(runs: Path) -> None:
    found = shown(opened("dr", threshold="1.0"))
    assert found["Mean loops"] == ("0.00", "exact, from the records")
    assert found["Mean cost"][1] == "exact, from the records"
    assert found["Test error"][1] == "bounds, from the records"


def test_an_address_gives_the_view(runs: Path) -> None:
    page = opened("dr", threshold="0.4", own=["2.2", "3.2"], cost="Loops")
    assert page.select_slider(key="threshold").value == 0.4
    assert page.multiselect(key="own").value == ["2.2", "3.2"]
    page.select_slider(key="at-2.2").set_value(stop_near(page, 0.9))
    again(page)
    cost = network_facts(read_run(runs / "dr")).cost
    moved: Any = page.select_slider(key="at-2.2").value
    limits = bounds(table_of(runs), cost, [moved, 0.4])
    assert shown(page)["Mean loops"][0] == f"{limits.loops[0]:.2f} to {limits.loops[1]:.2f}"
    exact = traces(page)["exact, from the records"]
    assert exact["x"] == [pytest.approx(table_of(runs)["loops"].mean())]
    assert f"--apply 2.2={moved!r} 3.2=0.4" in texts(page)
    button(page, "Let all follow").click()
    again(page)
    assert shown(page)["Mean loops"] == shown(opened("dr", threshold="0.4"))["Mean loops"]


def stop_near(page: AppTest, threshold: float, key: str = "threshold") -> float:
    """The stop of a slider that is nearest to a threshold, but none of the round ones."""
    stops = [float(name) for name in page.select_slider(key=key).options]
    return min(set(stops) - {0.0, 0.5, 1.0}, key=lambda stop: abs(stop - threshold))


def test_the_slider_stops_where_decisions_change(own_runs: Path) -> None:
    page = opened("dr")
    stops = [float(name) for name in page.select_slider(key="threshold").options]
    assert {0.0, 0.3, 0.5, 1.0} <= set(stops), "the measured points are among them"
    prob = np.concatenate(table_of(own_runs)["gate_prob"].tolist())
    asked = prob[~np.isnan(prob)]
    shares = np.diff([(asked <= stop).mean() for stop in stops[1:-1]])
    assert len(stops) > 10, "of 60 probabilities that are not 1"
    assert shares.max() < 0.05
    page.select_slider(key="threshold").set_value(stop := stop_near(page, 0.6))
    again(page)
    cost = network_facts(read_run(own_runs / "dr")).cost
    limits = bounds(table_of(own_runs), cost, stop)
    assert shown(page)["Mean loops"][0] == f"{limits.loops[0]:.2f} to {limits.loops[1]:.2f}"


@pytest.mark.parametrize("threshold", ["0.60", "0.6123456789", "6e-1", "0.612345678912345"])
def test_an_address_may_name_a_threshold_between_the_stops(runs: Path, threshold: str) -> None:
    page = opened("dr", threshold=threshold)
    assert page.select_slider(key="threshold").value == float(threshold)
    cost = network_facts(read_run(runs / "dr")).cost
    limits = bounds(table_of(runs), cost, float(threshold))
    assert shown(page)["Mean loops"][0] == f"{limits.loops[0]:.2f} to {limits.loops[1]:.2f}"
    assert f"--apply {float(threshold)!r} --out" in texts(page), "with all of its digits"


def test_along_the_threshold_decisions_have_as_much_room(own_runs: Path) -> None:
    page = opened("dr", threshold="0.3")
    prob = np.concatenate(table_of(own_runs)["gate_prob"].tolist())
    asked = prob[~np.isnan(prob)]
    spec = json.loads(page.get("plotly_chart")[1].proto.spec)
    diamonds = next(t for t in spec["data"] if t["name"] == "run anew, 95 % interval")
    wanted = [(asked <= threshold).mean() for threshold in (0.3, 0.5)]
    assert diamonds["x"] == pytest.approx(wanted)
    assert [facts[0] for facts in diamonds["customdata"]] == [0.3, 0.5]
    assert spec["layout"]["shapes"][0]["x0"] == pytest.approx(wanted[0])
    axis = spec["layout"]["xaxis"]
    ticks = dict(zip(axis["ticktext"], axis["tickvals"], strict=True))
    assert {"0", "0.5", "1"} <= set(ticks)
    for name, place in ticks.items():
        if name not in ("0", "1"):
            assert place == pytest.approx((asked <= float(name)).mean())
    assert (ticks["0"], ticks["1"]) == (0, 1)


def test_a_wanted_cost_moves_the_slider(own_runs: Path) -> None:
    page = opened("dr", own=["2.2"])
    frame = table_of(own_runs)
    trained = frame["macs"].mean() / 1e6
    cost = network_facts(read_run(own_runs / "dr")).cost
    least = bounds(frame, cost, 1.0).macs[0] / 1e6
    page.number_input(key="budget_wanted_macs").set_value(trained - (trained - least) / 20)
    again(page)
    threshold: Any = page.select_slider(key="threshold").value
    prob = np.concatenate(frame["gate_prob"].tolist())
    above = prob[prob > 0.5]
    assert (above <= threshold).mean() == pytest.approx(1 / 20, abs=2 / len(above))
    assert page.multiselect(key="own").value == []
    limits = bounds(frame, cost, threshold)
    assert shown(page)["Mean loops"][0] == f"{limits.loops[0]:.2f} to {limits.loops[1]:.2f}"
    said = rf"An estimate between {trained:.2f} at (0\.5[0-9]*) and {least:.2f} at 1\. "
    found = re.search(said, texts(page))
    assert found
    beside = float(found.group(1))  # the last one up to which the records leave nothing open
    low, high = bounds(frame, cost, beside).macs
    assert high - low <= 0.01 * cost.macs_max
    assert "are equal there" not in texts(page)
    page.number_input(key="budget_wanted_macs").set_value((trained + least) / 2)
    again(page)
    equal = f"{(prob == 1).sum() / (~np.isnan(prob)).sum():.0%} of the recorded probabilities"
    assert f"{equal} are equal there" in texts(page), "all those gates are sure to open"
    page.select_slider(key="threshold").set_value(0.3)
    again(page)
    assert "An estimate between" not in texts(page), "the slider moved on"
    page.number_input(key="budget_wanted_macs").set_value(9e6)
    again(page)
    assert f"{9e6:.2f} cannot be reached: there is {least:.2f} at threshold 1" in texts(page)
    assert page.select_slider(key="threshold").value == 0.3, "and stays there"


def test_an_answer_to_what_was_wanted_is_of_one_run(own_runs: Path) -> None:
    shutil.copytree(own_runs / "dr", own_runs / "other")
    page = opened("dr")
    page.number_input(key="budget_wanted_macs").set_value(9e6)
    again(page)
    assert "cannot be reached" in texts(page)
    page.selectbox(key="run").set_value("other")
    again(page)
    assert "cannot be reached" not in texts(page)


def test_a_wanted_mean_that_is_known_needs_no_estimate(own_runs: Path) -> None:
    curve = read_budget(own_runs / "dr")
    assert curve is not None
    page = opened("dr", cost="Loops")
    page.number_input(key="budget_wanted_loops").set_value(curve.points[0].loops[0])
    again(page)
    assert page.select_slider(key="threshold").value == 0.3
    assert f"Known: {curve.points[0].loops[0]:.2f} at 0.3." in texts(page)


def test_stages_are_added_at_once(runs: Path) -> None:
    page = opened("dr")
    button(page, "Add stage 3").click()
    again(page)
    assert page.multiselect(key="own").value == ["3.2"]


@pytest.mark.parametrize(
    "params",
    [
        {"threshold": "7"},
        {"threshold": "high"},
        {"own": "9.9"},
        {"cost": "money"},
        {"images": "most"},
        {"at_2.2": "0.9"},
    ],
)
def test_nonsense_in_the_address_is_ignored(runs: Path, params: dict[str, Any]) -> None:
    assert shown(opened("dr", **params))["Test error"][1] == "exact, n = 60"


def test_runs_without_records_or_gates_say_what_to_do(runs: Path) -> None:
    page = opened("unrecorded")
    assert f"drnn records {runs / 'unrecorded'} --data" in texts(page)
    page = opened("plain")
    assert "no threshold to move" in texts(page)
    assert not page.get("plotly_chart")


def test_without_pictures_the_reason_is_given(runs: Path) -> None:
    page = opened("elsewhere", threshold="0.6")
    assert button(page, HERE).disabled
    assert button(page, CURVE).disabled
    assert "cannot be run anew here" in texts(page)
    assert "--data" in texts(page)


def test_the_stored_curve_is_there_at_once(own_runs: Path) -> None:
    curve = read_budget(own_runs / "dr")
    assert curve is not None
    point = curve.points[0]
    page = opened("dr", threshold="0.3")
    found = shown(page)
    error, low, high = point.error
    assert found["Test error"] == (f"{error:.2f} %", f"{low:.2f} to {high:.2f} %")
    assert found["Mean loops"][0] == f"{point.loops[0]:.2f}"
    change = f"{point.error_change[0]:+.2f} points".replace("-", "−")
    assert found["Error, change"][0] == change
    diamonds = traces(page)["run anew, 95 % interval"]
    assert [facts[0] for facts in diamonds["customdata"]] == [0.3, 0.5]
    np.testing.assert_allclose(diamonds["y"], [each.error[0] for each in curve.points])
    classes = json.loads(page.get("plotly_chart")[3].proto.spec)["data"][0]
    assert sum(facts[3] for facts in classes["customdata"]) == point.lost
    assert f"{point.lost} lost, {point.won} won" in texts(page)
    counts = page.dataframe[0].value
    assert counts.iloc[:, 1:].to_numpy().sum() == ROWS
    assert not [each for each in page.code if each.value.endswith("--data D")]


def test_as_trained_the_intervals_are_those_of_other_pages(own_runs: Path) -> None:
    curve = read_budget(own_runs / "dr")
    assert curve is not None
    wrong = int((~table_of(own_runs)["correct"]).sum())
    known = share_of(wrong, ROWS)
    ends = f"{100 * known.low:.2f} to {100 * known.high:.2f} %"
    _, low, high = curve.points[1].error
    assert ends != f"{low:.2f} to {high:.2f} %", "the curve keeps a bootstrap's"
    page = opened("dr")
    assert shown(page)["Test error"] == (f"{100 * wrong / ROWS:.2f} %", ends)
    view = view_of(own_runs)
    loops = headline_of(view.run, view.table).loops
    assert shown(page)["Mean loops"][1] == f"{loops.low:.2f} to {loops.high:.2f}"
    bars = traces(page)["run anew, 95 % interval"]["error_y"]["array"]
    assert bars[1] == pytest.approx(100 * (known.high - wrong / ROWS))
    assert f"({ends})" in texts(opened("dr", threshold="0.9")), "beside it too"
    (own_runs / "dr" / BUDGET).unlink()
    helps = {metric.label: metric.help for metric in opened("dr").metric}
    assert ends in helps["Test error"], "and where nothing was measured"


def test_mixing_by_chance_lies_between_the_measured_ends(own_runs: Path) -> None:
    assert "mixing by chance" not in traces(opened("dr")), "the ends are not measured"
    curve = measure_curve(own_runs / "dr", IMAGES, [0.0, 1.0])
    ends = [curve.points[-1], curve.points[0]]
    assert [end.threshold for end in ends] == [1, 0]
    page = opened("dr")
    line = traces(page)["mixing by chance"]
    spec = json.loads(page.get("plotly_chart")[0].proto.spec)
    top = spec["layout"]["yaxis"]["range"][1]
    costs, errors = [end.macs[0] / 1e6 for end in ends], [end.error[0] for end in ends]
    assert max(line["y"]) <= top + 1e-9
    # a coin for each image: shares of both, in cost as in error
    share = (np.array(line["x"]) - costs[0]) / (costs[1] - costs[0])
    assert ((share > -1e-9) & (share < 1 + 1e-9)).all()
    np.testing.assert_allclose(line["y"], errors[0] + share * (errors[1] - errors[0]))
    assert line["text"][1] == "mixing by chance"
    assert "customdata" not in line, "a click on it moves nothing"
    (why,) = [each.help for each in page.subheader if each.value == "Error against cost"]
    assert "whatever it shows" in why


@pytest.mark.parametrize(("fewest", "most"), [(80.0, 10.0), (10.0, 80.0), (9.0, 10.0)])
def test_the_name_of_the_line_stays_inside_the_axis(fewest: float, most: float) -> None:
    def point(error: float, macs: float) -> Any:
        found = SimpleNamespace(
            n=9, error=SimpleNamespace(value=error), macs=SimpleNamespace(value=macs)
        )
        return SimpleNamespace(found=found)

    curve = {0.0: point(most, 4e6), 1.0: point(fewest, 2e6)}
    (line,) = mixing_line(curve, Axis.of("macs"), 30.0, LIGHT)
    assert max(line["y"]) <= 30 + 1e-9
    slope = (most - fewest) / 2
    np.testing.assert_allclose(line["y"], [fewest + slope * (x - 2) for x in line["x"]])
    assert mixing_line({0.0: curve[0.0]}, Axis.of("macs"), 30.0, LIGHT) == []


@given(beyond=st.lists(st.booleans(), min_size=1, max_size=20))
def test_names_of_points_do_not_crowd_at_the_end_of_the_axis(beyond: list[bool]) -> None:
    thresholds = [(place + 1) / 64 for place in range(len(beyond))]
    names = marks.names_of(thresholds, beyond)
    last = len(beyond) - 1
    assert len(names) == len(beyond)
    assert names[0]
    assert names[last]
    assert all(not name for name, out in zip(names[1:last], beyond[1:last], strict=True) if out)
    assert sum(map(bool, names)) <= 8
    assert all(not name or float(name) == t for name, t in zip(names, thresholds, strict=True))


def test_between_measured_thresholds_both_are_told(own_runs: Path) -> None:
    curve = read_budget(own_runs / "dr")
    assert curve is not None
    low, high = curve.points
    between = texts(opened("dr", threshold="0.4")).splitlines()
    (line,) = [each for each in between if "beside" in each]
    for point in (low, high):
        assert f"at {point.threshold:g}: error {point.error[0]:.2f} %" in line
        assert f"{point.loops[0]:.2f} loops" in line
    beyond = texts(opened("dr", threshold="0.9")).splitlines()
    (alone,) = [each for each in beyond if "nearest" in each]
    assert f"at {high.threshold:g}:" in alone
    assert f"at {low.threshold:g}:" not in alone
    for measured in ("0.3", "0.5"):
        assert "Measured" not in texts(opened("dr", threshold=measured))
    own = opened("dr", threshold="0.4", own=["2.2"], **{"at-2.2": "0.6"})
    assert "Measured" not in texts(own)


def test_a_curve_that_cannot_be_used_is_said(own_runs: Path) -> None:
    run = own_runs / "dr"
    curve = read_budget(run)
    assert curve is not None
    write_budget(run, replace(curve, weights_sha256="00" * 32))
    page = opened("dr")
    assert "of other weights or images" in texts(page)
    assert "run anew, 95 % interval" not in traces(page)
    (run / BUDGET).write_text("{")
    assert "cannot be used" in texts(opened("dr"))


def test_the_network_runs_anew(own_runs: Path, jobs: Jobs) -> None:
    page = opened("dr", threshold="0.7")
    button(page, HERE).click()
    again(page)
    view = view_of(own_runs)
    assert jobs.wait(view.key((0.7, 0.7)), SECONDS).state == "done"
    again(page)
    run = own_runs / "dr"
    network, info = load_network(run)
    wanted = measure_point(network, info, read_records(run), IMAGES, 0.7).found
    assert shown(page)["Test error"][0] == f"{wanted.error.value:.2f} %"
    assert shown(page)["Mean loops"][0] == f"{wanted.loops.value:.2f}"
    assert len(traces(page)["run anew, 95 % interval"]["x"]) == 3
    # another session finds it too, at these thresholds; its curve holds what it asked for
    assert shown(opened("dr", threshold="0.7"))["Test error"] == shown(page)["Test error"]


def view_of(runs: Path) -> points.View:
    run = cache.open_run(runs / "dr")
    table = cache.table(run)
    return points.View(run, table, cache.facts(run), len(table.frame), {}, "")


def test_a_failure_and_a_cancelled_run(
    own_runs: Path, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        def work(tell: Any) -> Any:
            raise ValueError("the weights are gone")

        return work

    monkeypatch.setattr(points, "_work", broken)
    page = opened("dr", threshold="0.7")
    button(page, HERE).click()
    again(page)
    jobs.wait(view_of(own_runs).key((0.7, 0.7)), SECONDS)
    again(page)
    assert "The network could not be run: the weights are gone" in texts(page)
    assert shown(page)["Test error"][1] == "bounds, from the records"


def test_an_operating_point_becomes_a_run(own_runs: Path, jobs: Jobs) -> None:
    before = {path: path.read_bytes() for path in own_runs.rglob("*") if path.is_file()}
    page = opened("dr", threshold="0.3")
    assert name_of(page).value == "dr_at_0.3"
    for wrong in ("../up", "dr", ".hidden", "a/b"):
        name_of(page).set_value(wrong)
        again(page)
        assert button(page, "Write the run").disabled
    name_of(page).set_value("cheaper")
    again(page)
    button(page, "Write the run").click()
    again(page)
    out = own_runs / "cheaper"
    assert jobs.wait(page.session_state["budget_export_dr"], SECONDS).state == "done"
    again(page)
    assert "The run cheaper is written" in texts(page)
    assert verify_run(out) == []
    point = operating_point_of(read_run(out))
    assert point is not None
    assert set(point.thresholds.values()) == {0.3}
    for path, content in before.items():
        assert path.read_bytes() == content
    page = opened("cheaper")
    assert "gates of this run were moved after training" in texts(page)
    assert "moved already" in texts(page)


def test_what_was_written_is_said_of_its_run_while_it_is_there(
    own_runs: Path, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.budget import export

    def made(_: Any, out: Path, *__: Any) -> Any:
        def work(tell: Any) -> str:
            out.mkdir()
            return out.name

        return work

    monkeypatch.setattr(export, "_work", made)
    shutil.copytree(own_runs / "dr", own_runs / "other")
    page = opened("dr", threshold="0.3")
    for _ in range(2):
        button(page, "Write the run").click()
        again(page)
        jobs.wait(page.session_state["budget_export_dr"], SECONDS)
        assert "The run dr_at_0.3 is written" in texts(again(page))
        assert (own_runs / "dr_at_0.3").is_dir()
        page.selectbox(key="run").set_value("other")
        assert "is written" not in texts(again(page))
        (own_runs / "dr_at_0.3").rmdir()
        page.selectbox(key="run").set_value("dr")
        assert "is written" not in texts(again(page))


def test_the_data_folder_of_other_images_is_no_picture(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATA_VARIABLE, "generated")
    assert not button(opened("dr", threshold="0.6"), HERE).disabled
