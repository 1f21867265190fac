"""The Distribution page as Streamlit runs it, without a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from scipy import stats
from streamlit.testing.v1 import AppTest

from app import cache, runpicker
from app.distribution import page as distribution_page
from app.gates import flat_in_words, lumped_in_words, show_doubt_about_loops
from app.settings import RUNS_VARIABLE
from drnn_core.analysis.gate_logits import GateLogits
from drnn_core.analysis.loops import Selection, class_table, matching
from tests.app.fake_runs import fake_run
from tests.app.plotted import numbers

PAGE = """
from app import runpicker
from app.distribution import page

runpicker.choose_run()
page.show()
"""


def opened(run: str, **params: Any) -> AppTest:
    page = AppTest.from_string(PAGE, default_timeout=60)
    page.query_params["run"] = run
    for name, value in params.items():
        page.query_params[name] = value
    return again(page)


def again(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, page.exception
    return page


def galleries(page: AppTest) -> list[dict[str, Any]]:
    """What each gallery of the page is given."""
    given = [json.loads(component.proto.json) for component in page.get("bidi_component")]
    return [data for data in given if "source" in data]


def source_of(page: AppTest) -> dict[str, Any]:
    """What the page's gallery shows."""
    (given,) = galleries(page)
    return given["source"]


def charts(page: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def counted(runs: Path, run: str = "dr", **conditions: Any) -> int:
    frame = cache.table(cache.open_run(runs / run)).frame
    return int(matching(frame, Selection(**conditions)).sum())


def texts(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.info, *page.error, *page.code, *page.subheader]
    return "\n".join(str(part.value) for part in parts)


def address(page: AppTest) -> dict[str, list[str]]:
    return {
        name: [value] if isinstance(value, str) else list(value)
        for name, value in page.query_params.items()
    }


def test_first_sight(runs: Path) -> None:
    page = opened("dr")
    assert source_of(page)["count"] == 300
    assert source_of(page)["query"] == ""
    assert {metric.label for metric in page.metric} == {
        "Images", "Test error", "Mean loops", "Gates open", "Mean cost",
    }  # fmt: skip
    histogram, steps, classes = charts(page)
    assert sum(numbers(histogram["data"][0]["y"])) == 300
    notes = " ".join(note["text"] for note in histogram["layout"]["annotations"])
    frame = cache.table(cache.open_run(runs / "dr")).frame
    assert f"mean <b>{frame['loops'].mean():.2f}</b> ± {frame['loops'].std():.2f}" in notes
    # Four blocks of four loops at t = .7: 4 (.7 + .49 + .343 + .2401)
    assert "expected at target <b>7.09</b>" in notes
    assert len(steps["data"][0]["y"]) or steps["data"]
    assert len(classes["layout"]["shapes"]) == 1


def test_every_number_has_a_definition_with_its_n(runs: Path) -> None:
    page = opened("dr")
    for metric in page.metric:
        assert metric.help
        if metric.label != "Images":
            assert "n = 300 images" in metric.help
    titles = [part for part in page.subheader if part.value != "Filter"]
    defined = [part for part in titles if part.help]
    assert [part.value for part in defined] == ["Loops per image", "Per block", "Per class"]
    assert all(re.search(r"n = 300", part.help or "") for part in defined)


def test_every_mean_and_share_has_its_interval(runs: Path) -> None:
    shown = {metric.label: metric for metric in opened("dr").metric}
    frame = cache.table(cache.open_run(runs / "dr")).frame
    wrong = int((~frame["correct"]).sum())
    ends = stats.binomtest(wrong, 300).proportion_ci(method="wilson")
    assert shown["Test error"].delta == f"{100 * ends.low:.2f} to {100 * ends.high:.2f} %"
    mean, error = frame["loops"].mean(), stats.sem(frame["loops"])
    low, high = stats.t.interval(0.95, 299, mean, error)
    assert shown["Mean loops"].delta == f"{low:.2f} to {high:.2f}"
    assert f"95\u00a0% interval {low:.2f} to {high:.2f}, n = 300" in shown["Mean loops"].help
    for name in ("Gates open", "Mean cost"):
        assert " to " in shown[name].delta
        assert "interval" in shown[name].help


def test_what_is_the_same_for_every_image_has_no_interval(runs: Path) -> None:
    shown = {metric.label: metric for metric in opened("plain").metric}
    assert shown["Mean cost"].delta == ""
    assert "interval" not in shown["Mean cost"].help


def test_filters_narrow_the_gallery(runs: Path) -> None:
    page = opened("dr")
    page.slider(key="loops").set_value((6, 9))
    again(page)
    assert source_of(page)["count"] == counted(runs, loops=(6, 9))
    page.multiselect(key="class").set_value(["fish", "car"])
    labels = tuple(sorted(_classes(runs).index(name) for name in ("fish", "car")))
    again(page)
    assert source_of(page)["count"] == counted(runs, loops=(6, 9), labels=labels)
    page.slider(key="conf").set_value((50, 90))
    again(page)
    wanted: dict[str, Any] = {"loops": (6, 9), "labels": labels, "confidence": (0.5, 0.9)}
    assert source_of(page)["count"] == counted(runs, **wanted)
    page.segmented_control(key="answer").set_value("right")
    again(page)
    assert source_of(page)["count"] == counted(runs, **wanted, correct=True)
    assert "6 to 9 loops" in texts(page)
    assert "confidence 50 to 90 %" in texts(page)


def _classes(runs: Path) -> tuple[str, ...]:
    info = cache.open_run(runs / "dr").info
    assert info is not None
    return info.classes


def test_an_address_gives_the_view(runs: Path) -> None:
    page = opened(
        "dr", loops=["6", "9"], answer="wrong", conf=["10", "95"], sort="largest loss first",
        ran="2.3 loop 2",
    )  # fmt: skip
    wanted: dict[str, Any] = {
        "loops": (6, 9),
        "correct": False,
        "confidence": (0.1, 0.95),
        "step": (1, 1),
    }
    assert source_of(page)["count"] == counted(runs, **wanted)
    assert "order=loss+down" in source_of(page)["query"]
    assert page.slider(key="loops").value == (6, 9)
    assert page.selectbox(key="ran").value == "2.3 loop 2"


@pytest.mark.parametrize(
    "params",
    [
        {"loops": ["6", "99"]},
        {"loops": "many"},
        {"class": "unicorn"},
        {"answer": "perhaps"},
        {"conf": ["-5", "200"]},
        {"sort": "sideways"},
        {"ran": "9.9 loop 9"},
        {"image": "../../x"},
        {"image": "99999999999999999999"},
    ],
)
def test_nonsense_in_the_address_is_ignored(runs: Path, params: dict[str, Any]) -> None:
    page = opened("dr", **params)
    assert source_of(page)["count"] == 300


def test_an_image_in_the_address_is_opened_where_it_stands(runs: Path) -> None:
    (given,) = galleries(opened("dr", image="17"))
    assert given["open"] == 17
    (given,) = galleries(opened("dr", image="17", sort="most loops first"))
    assert given["open"] != 17


@pytest.mark.parametrize("image", ["²", "-1", "9" * 5000, "x", ""])
def test_an_address_of_no_image_opens_none(runs: Path, image: str) -> None:
    (given,) = galleries(opened("dr", image=image))
    assert given["open"] is None


def test_an_unknown_run_is_said_and_another_shown(runs: Path) -> None:
    page = opened("no*body*")
    assert source_of(page)["count"] == 300
    assert "There is no run `no*body*` here; this is `dr`." in str(page.toast[0].value)
    assert address(page)["run"] == ["dr"]


def test_show_all_clears_every_filter(runs: Path) -> None:
    page = opened("dr", loops=["6", "9"], answer="wrong", ran="2.3 loop 2")
    next(button for button in page.button if button.label == "Show all").click()
    again(page)
    assert source_of(page)["count"] == 300
    assert page.slider(key="loops").value == (0, 16)
    assert page.selectbox(key="ran").value == "any"


def test_another_run_keeps_what_it_can(runs: Path) -> None:
    page = opened("dr", loops=["12", "16"], ran="3.3 loop 4", answer="wrong")
    page.selectbox(key="run").set_value("plain")
    again(page)
    assert source_of(page)["count"] == counted(runs, "plain", correct=False)


def test_a_plain_network_has_no_distribution_but_a_gallery(runs: Path) -> None:
    page = opened("plain")
    assert "no recursive blocks" in texts(page)
    assert charts(page) == []
    assert source_of(page)["count"] == 60
    assert "Mean loops" not in {metric.label for metric in page.metric}


def test_without_records_the_command_is_named(runs: Path) -> None:
    page = opened("unrecorded")
    assert "no records yet" in texts(page)
    assert f"drnn records {runs / 'unrecorded'} --data" in texts(page)
    assert not galleries(page)


def test_a_damaged_run_is_one_sentence_and_harms_no_other(runs: Path) -> None:
    page = opened("broken")
    assert len(page.error) == 1
    assert "broken cannot be opened" in str(page.error[0].value)
    assert "Traceback" not in texts(page)
    page.selectbox(key="run").set_value("dr")
    again(page)
    assert source_of(page)["count"] == 300


def test_damaged_records_are_one_sentence(runs: Path, tmp_path: Path, monkeypatch: Any) -> None:
    fake_run(tmp_path / "runs" / "bitten", 40)
    shard = tmp_path / "runs" / "bitten" / "records" / "part-00000.parquet"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(bytes(data))
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path / "runs"))
    page = opened("bitten")
    assert len(page.error) == 1
    assert "is damaged" in str(page.error[0].value)


def test_records_of_other_weights_are_refused(tmp_path: Path, monkeypatch: Any) -> None:
    fake_run(tmp_path / "runs" / "mixed", 40)
    fake_run(tmp_path / "runs" / "mixed", 40, records=False)
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path / "runs"))
    page = opened("mixed")
    assert "of other weights" in str(page.error[0].value)


def test_a_folder_without_runs_says_how_to_get_one(tmp_path: Path, monkeypatch: Any) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        monkeypatch.setenv(RUNS_VARIABLE, str(folder))
        page = opened("any")
        assert "There is no run in" in texts(page)
        assert "drnn train" in texts(page)


def test_nothing_left_is_said(runs: Path) -> None:
    page = opened("dr", loops=["0", "0"], conf=["0", "1"])
    assert "No image meets all of the filters" in texts(page)
    assert not galleries(page)
    assert "0 of 300 images" in texts(page)


def test_pictures_elsewhere_are_explained(runs: Path) -> None:
    told = source_of(opened("elsewhere"))
    assert told["pictures"] is False
    assert "--data" in told["notice"]


def test_the_run_is_read_anew_when_it_is_written_anew(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    fake_run(tmp_path / "new", 40, records=False)
    page = opened("new")
    assert "no records yet" in texts(page)
    fake_run(tmp_path / "new", 40, title="Second of its name")
    again(page)
    assert source_of(page)["count"] == 40
    assert "Second of its name" in texts(page)


def test_class_figure_is_sorted(runs: Path) -> None:
    *_, classes = charts(opened("dr"))
    table = cache.table(cache.open_run(runs / "dr"))
    names = list(class_table(table.frame, _classes(runs))["name"])
    assert [point[0] for point in classes["data"][0]["customdata"]] == names
    assert list(classes["layout"]["yaxis"]["ticktext"]) == names


def test_records_that_stay_on_the_disk_are_counted_there(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = opened("dr", answer="wrong", sort="loops down")
    monkeypatch.setattr(cache, "MOST_IN_MEMORY", 100)
    monkeypatch.setattr(runpicker, "MOST_IN_MEMORY", 100)
    monkeypatch.setattr(cache, "SAMPLE", 60)
    st.cache_resource.clear()
    many = opened("dr", answer="wrong", sort="loops down")
    assert "300 records" in texts(many)
    assert source_of(many)["count"] == source_of(few)["count"]
    assert [chart["data"][0]["y"] for chart in charts(many)] == [
        chart["data"][0]["y"] for chart in charts(few)
    ]
    assert [metric.value for metric in many.metric] == [metric.value for metric in few.metric]
    table = cache.table(cache.open_run(runs / "dr"))
    assert table.sampled
    assert 30 < len(table.frame) < 100


def test_charts_come_after_the_wait_for_the_gallery(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came: list[str] = []

    def noted(module: Any, name: str, say: str) -> None:
        real = getattr(module, name)

        def call(*given: Any, **more: Any) -> Any:
            came.append(say)
            return real(*given, **more)

        monkeypatch.setattr(module, name, call)

    noted(distribution_page, "gallery", "gallery")
    noted(distribution_page.turns, "wait", "wait")
    noted(distribution_page.charts, "show", "chart")
    opened("dr")
    assert came == ["gallery", "wait", "chart", "chart", "chart"]


@pytest.fixture
def of_gates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run whose gates tell images apart, one whose gates do not, and one without any."""
    fake_run(tmp_path / "alive", rows=60)
    fake_run(tmp_path / "flat", rows=60, spread=0.01)
    fake_run(tmp_path / "plain", rows=60, model="resnet20")
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    return tmp_path


def test_an_image_is_sent_to_inspect_once(of_gates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clicks, left = [7], list[dict[str, str]]()

    def clicked(_: Any, key: str, *rest: Any) -> None:
        if clicks:
            st.session_state[key] = {"inspect": clicks.pop()}
            rest[-1]()

    monkeypatch.setattr(distribution_page, "gallery", clicked)
    monkeypatch.setattr(st, "switch_page", lambda _, query_params: left.append(query_params))
    page = opened("plain")
    assert left == [{"run": "plain", "record": "7"}]
    again(page)  # come back by the navigation
    assert len(left) == 1


@pytest.mark.usefixtures("of_gates")
def test_gates_that_do_not_tell_images_apart_are_named() -> None:
    for run in ("alive", "plain"):
        assert "images apart" not in texts(opened(run))
    told = texts(opened("flat"))
    assert "The gates of 2.2, 2.3, 3.2, 3.3 hardly tell images apart" in told
    gate = GateLogits("2.2", 0, 60, 0.7, 0.0031, 0.1, 0.5)
    assert flat_in_words([gate]).startswith(
        "The gate of 2.2 hardly tells images apart: its logits have a standard deviation of 0.0031"
    )
    assert lumped_in_words([gate]) == ""


def test_gates_that_give_many_images_one_logit_are_named() -> None:
    passing = GateLogits("3.2", 0, 60, 0.7, 1.2, 0.746, 0.5000001)
    leaving = GateLogits("3.3", 0, 60, 0.7, 1.2, 0.3, 0.4)
    assert flat_in_words([passing]) == ""
    assert lumped_in_words([passing]).startswith(
        "The gate of 3.2 gives many images one and the same logit (3.2 75 %, which all run)"
    )
    assert "3.3 30 %, which all leave" in lumped_in_words([passing, leaving])


def test_other_pages_say_in_a_line_that_loops_are_doubtful(
    of_gates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(st, "caption", lines.append)
    for name in ("alive", "plain", "flat"):
        run = cache.open_run(of_gates / name)
        show_doubt_about_loops(run, cache.table(run), cache.facts(run))
    (line,) = lines
    assert line.startswith("The gates of 2.2, 2.3, 3.2, 3.3 hardly tell images apart: read what")


def test_the_blocks_figure_shows_what_gates_say(runs: Path) -> None:
    page = opened("dr", blocks="what gates say")
    (heat,) = [
        trace for chart in charts(page) for trace in chart["data"] if trace["type"] == "heatmap"
    ]
    assert "Chance to run, of the images that asked" in texts(page)
    frame = cache.table(cache.open_run(runs / "dr")).frame
    chance = np.stack(frame["gate_prob"].to_numpy())[:, 0]
    shares = np.asarray(numbers(heat["z"])).reshape(40, -1)
    shares = shares[:, ~np.isnan(shares).all(axis=0)]  # without the gaps between blocks
    assert shares.sum(axis=0) == pytest.approx(100)
    assert shares[20:, 0].sum() == pytest.approx(100 * (chance > 0.5).mean())
