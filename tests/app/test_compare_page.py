"""The Compare page as Streamlit runs it, without a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from streamlit.testing.v1 import AppTest

from app.settings import RUNS_VARIABLE
from drnn_core.data.generated import GeneratedSet
from drnn_core.store.records import read_records
from drnn_core.store.runs import CurvePoint
from tests.app.fake_runs import fake_run

PAGE = """
from app import runpicker
from app.compare import page

runpicker.choose_run()
page.show()
"""


def curve(epochs: int, rate: float | None) -> tuple[CurvePoint, ...]:
    return tuple(
        CurvePoint(epoch, 2 / epoch, 50 / epoch, rate, 0.1, 10.0 * epoch)
        for epoch in range(1, epochs + 1)
    )


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs on the same images, on fewer of them, on others, without records, and damaged."""
    folder = tmp_path_factory.mktemp("bench")
    fake_run(folder / "deep", 300, curve=curve(6, 0.7))
    fake_run(folder / "plain", 300, "resnet20", seed=1, curve=curve(3, None))
    fake_run(folder / "short", 300, "dr_resnet16_l2", seed=2)
    fake_run(folder / "few", 60, seed=3)
    fake_run(folder / "others", images=GeneratedSet("train", 60))
    fake_run(folder / "unrecorded", 300, "dr_resnet16_l2", records=False)
    (folder / "broken").mkdir()
    (folder / "broken" / "run.json").write_text("{")
    return folder


@pytest.fixture
def runs(bench: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(RUNS_VARIABLE, str(bench))
    return bench


def opened(
    run: str | None = "deep", beside: str | list[str] | None = None, **params: Any
) -> AppTest:
    page = AppTest.from_string(PAGE, default_timeout=120)
    if beside is not None:
        params["with"] = beside
    if run is not None:
        page.query_params["run"] = run
    for name, value in params.items():
        page.query_params[name] = value
    return again(page)


def again(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, page.exception
    return page


def tables(page: AppTest) -> dict[str, list[list[str]]]:
    """The cells of the page's tables in words, by caption."""
    found: dict[str, list[list[str]]] = {}
    for element in page.get("html"):
        body = element.proto.body
        label = re.search(r'role="region" aria-label="([^"]+)"', body)
        if label:
            rows = re.findall(r"<tr>(.*?)</tr>", body)
            found[label.group(1)] = [
                [words(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
                for row in rows
            ]
    return found


def words(markup: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup)).strip()


def figures(page: AppTest) -> dict[str, list[str]]:
    return {name: cells for name, *cells in tables(page)["Key figures of the runs"][1:]}


def charts(page: AppTest) -> dict[str, dict[str, Any]]:
    """Plotly's figures by the title of their horizontal axis, or of the vertical one."""
    found: dict[str, dict[str, Any]] = {}
    for chart in page.get("plotly_chart"):
        spec = json.loads(chart.proto.spec)
        axes = spec["layout"]["xaxis"], spec["layout"]["yaxis"]
        titles = [axis.get("title", {}).get("text", "") for axis in axes]
        found[titles[1] if titles[0] == "epoch" else titles[0]] = spec
    return found


def source_of(page: AppTest) -> dict[str, Any]:
    given = [json.loads(component.proto.json) for component in page.get("bidi_component")]
    (source,) = [data["source"] for data in given if "source" in data]
    return source


def texts(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.info, *page.error, *page.warning]
    return "\n".join(str(part.value) for part in [*parts, *page.subheader])


def address(page: AppTest, name: str) -> list[str]:
    found = page.query_params.get(name, [])
    return [found] if isinstance(found, str) else list(found)


def both(runs: Path, a: str, b: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Records of two runs, row by row of the same images."""
    first, second = read_records(runs / a), read_records(runs / b)
    n = min(len(first), len(second))
    assert (first["id"].iloc[:n] == second["id"].iloc[:n]).all()
    return first.iloc[:n], second.iloc[:n]


def test_first_sight_is_a_recursive_run_beside_the_plain_one(runs: Path) -> None:
    page = opened(None)
    assert address(page, "run") == ["deep"]
    assert address(page, "with") == ["plain"]
    a, b = both(runs, "deep", "plain")
    source = source_of(page)
    assert source["count"] == int((a["prediction"] != b["prediction"]).sum())
    assert (source["pair"]["a"]["letter"], source["pair"]["b"]["letter"]) == ("A", "B")
    assert {
        "loops per image",
        "loops in A",
        "confidence",
        "training loss, rate loss included, nats",
    } <= set(charts(page))
    assert [part.value for part in page.subheader if "images" in str(part.value)] == [
        f"{source['count']} of 300 images"
    ]


def test_key_figures_by_hand(runs: Path) -> None:
    found = figures(opened(beside="plain"))
    a, b = both(runs, "deep", "plain")
    for cell, frame in zip(found["Test error"], (a, b), strict=True):
        wrong = int((~frame["correct"]).sum())
        interval = stats.binomtest(wrong, 300).proportion_ci(method="wilson")
        assert f"{100 * wrong / 300:.2f} %" in cell
        assert f"{100 * interval.low:.2f} to {100 * interval.high:.2f}" in cell
    change = 100 * (b["correct"].mean() - a["correct"].mean())
    assert f"{-change:+.2f} points".replace("-", "−") in found["Test error"][1]
    low, high = stats.t.interval(0.95, 299, a["loops"].mean(), stats.sem(a["loops"]))
    assert found["Loops per image"] == [
        f"{a['loops'].mean():.2f} ± {a['loops'].std():.2f} {low:.2f} to {high:.2f}, of 16", "–",
    ]  # fmt: skip
    assert re.search(r" M to .* M, \d+ % of the most", found["Multiply-adds, mean"][0])
    assert " to " not in found["Multiply-adds, mean"][1]
    assert found["Parameters"][0] == "0.303 M"
    assert found["Parameters"][1] == "0.270 M −11 %"
    assert re.fullmatch(r"0\.\d{3} \(0\.7\) 0\.\d{3} to 0\.\d{3}", found["Gates open (target)"][0])
    assert found["Gates open (target)"][1] == "–"
    assert "to" in found["Calibration error"][0]
    assert "…" not in found["Calibration error"][0]


def test_test_and_training_images_are_told_apart(runs: Path) -> None:
    found = figures(opened(beside="plain"))
    assert found["Images tested"][0] == "300 generated, test images"
    assert found["Epochs"][0] == "24 generated, training images"


def test_every_figure_has_a_definition(runs: Path) -> None:
    page = opened(beside=["plain", "short"])
    assert all(part.help for part in page.subheader if "images" not in str(part.value))
    assert all(metric.help and "n = 300" in metric.help for metric in page.metric[1:])
    (meanings,) = [e.proto.body for e in page.get("html") if '"lc-meanings"' in e.proto.body]
    assert set(figures(page)) == set(re.findall(r"<dt>(.*?)</dt>", meanings))


def test_paired_tests_by_hand_and_holms_correction(runs: Path) -> None:
    rows = tables(opened(beside=["plain", "short"]))["Paired tests"]
    assert rows[0][-1] == "p (Holm)"
    p_values: list[float] = []
    for row, other in zip(rows[1:], ("plain", "short"), strict=True):
        a, b = (frame["correct"].to_numpy() for frame in both(runs, "deep", other))
        only_a, only_b = int((a & ~b).sum()), int((~a & b).sum())
        p_values.append(stats.binomtest(only_a, only_a + only_b).pvalue)
        change = 100 * (only_a - only_b) / 300
        assert row[1].startswith(f"{change:+.2f} points".replace("-", "−"))
        assert row[2:5] == [str(only_a), str(only_b), f"{p_values[-1]:.3f}"]
    low, high = sorted(p_values)
    wanted = {low: min(1, 2 * low), high: max(high, min(1, 2 * low))}
    assert [row[5] for row in rows[1:]] == [f"{wanted[p]:.3f}" for p in p_values]
    alone = tables(opened(beside="plain"))["Paired tests"]
    assert "p (Holm)" not in alone[0]


def test_an_address_gives_the_view(runs: Path) -> None:
    page = opened(
        beside=["plain", "short"], pair="A and C", pick="only C right",
        pick_order="largest change of loops", loops_a=["3", "9"], loops_b=["1", "4"],
        loops_axis="share of the most loops", cost="parameters",
    )  # fmt: skip
    a, c = both(runs, "deep", "short")
    keep = ~a["correct"] & c["correct"] & a["loops"].between(3, 9) & c["loops"].between(1, 4)
    source = source_of(page)
    assert source["count"] == int(keep.sum())
    assert source["pair"]["b"]["name"] == "short"
    assert "order=change+down" in source["query"]
    assert {"loops of the network's most", "parameters, millions", "loops in A"} <= set(
        charts(page)
    )
    assert page.slider(key="loops_b").value == (1, 4)


@pytest.mark.parametrize(
    "params",
    [
        {"with": "unicorn", "pair": "A and Z", "pick": "only Z right", "loops_a": ["9", "99"]},
        {"with": ["deep", "../../etc"], "loops_a": "many", "pick_order": "sideways"},
        {"loops_axis": "feet", "cost": "money", "image": "99999999999999999999", "loops_a": "-1"},
    ],
)
def test_nonsense_in_the_address_is_ignored(runs: Path, params: dict[str, Any]) -> None:
    page = opened(**params)
    a, b = both(runs, "deep", "plain")
    assert source_of(page)["count"] == int((a["prediction"] != b["prediction"]).sum())


def test_loops_against_loops(runs: Path) -> None:
    page = opened(beside="short")
    a, b = both(runs, "deep", "short")
    heat = next(
        chart
        for chart in charts(page).values()
        if chart["layout"]["yaxis"]["title"].get("text") == "loops in B"
    )
    cells = {tuple(cell[:2] + cell[2:4]): cell[6] for cell in heat["data"][0]["customdata"]}
    counted = pd.crosstab(a["loops"].to_numpy(), b["loops"].to_numpy())
    assert sum(cells.values()) == 300
    for loops, row in counted.iterrows():
        for other, images in row.items():
            assert cells.get((loops, loops, other, other), 0) == images
    shown = {metric.label: metric for metric in page.metric}
    rho = stats.spearmanr(a["loops"], b["loops"]).statistic
    assert shown["Loops in both"].value == f"ρ = {rho:.2f}".replace("-", "−")
    same = float((a["loops"].to_numpy() == b["loops"].to_numpy()).mean())
    assert shown["Same loops"].value == f"{same:.1%}".replace("%", " %")
    agreed = int((a["prediction"].to_numpy() == b["prediction"].to_numpy()).sum())
    ends = stats.binomtest(agreed, 300).proportion_ci(method="wilson")
    interval = f"{100 * ends.low:.1f} to {100 * ends.high:.1f} %"
    assert shown["Same answer"].delta == interval
    assert f"95 % interval {interval}, n = 300 images" in shown["Same answer"].help
    assert " to " in shown["Cohen's κ"].delta


def test_runs_whose_loops_are_all_alike(runs: Path) -> None:
    page = opened("plain", beside="short")
    assert "loops in B" in charts(page)  # errors by the loops of the one that varies
    assert "A is without recursive blocks" in texts(page)
    assert [slider.label for slider in page.slider] == ["Loops of B"]
    page = opened("plain", beside="unrecorded")
    assert "there are no loops to compare" in texts(page)


def test_a_run_without_records_takes_part_as_far_as_it_can(runs: Path) -> None:
    page = opened(beside=["unrecorded", "plain"])
    said = texts(page)
    assert f"drnn records {runs / 'unrecorded'} --data D" in said
    assert figures(page)["Test error"][1].startswith("11.")
    assert figures(page)["Calibration error"][1] == "–"
    rows = tables(page)["Paired tests"][1:]
    assert rows[0][1] == "B has no records."
    assert len(rows[1]) == 5  # one test alone needs no correction
    assert source_of(page)["pair"]["b"]["letter"] == "C"


def test_a_damaged_run_is_explained_and_the_others_keep_their_letters(runs: Path) -> None:
    page = opened(beside=["broken", "plain"])
    assert "B, the run broken, cannot be opened" in texts(page)
    assert [head.split()[0] for head in tables(page)["Key figures of the runs"][0][1:]] == [
        "A",
        "C",
    ]
    page = opened(beside="broken")
    assert "Choose a run above" in texts(page)


def test_runs_on_other_images_are_not_paired(runs: Path) -> None:
    page = opened(beside="others")
    assert "no image has a record of both" in tables(page)["Paired tests"][1][1]
    assert "No two of these runs can be compared image by image" in texts(page)
    assert "other images" in figures(page)["Test error"][1]
    assert "points" not in figures(page)["Calibration error"][1]
    assert not [each for each in page.get("bidi_component") if '"source"' in each.proto.json]


def test_another_fingerprint_is_said(runs: Path) -> None:
    page = opened(beside="few")
    said = " ".join(str(part.value) for part in page.warning)
    assert "different fingerprints" in said
    assert "The 60 images of the same name" in said
    a, b = both(runs, "deep", "few")
    assert source_of(page)["count"] == int((a["prediction"] != b["prediction"]).sum())


def test_a_new_first_run_changes_places_with_the_old_one(runs: Path) -> None:
    page = opened(beside=["plain", "short"])
    page.selectbox(key="run").set_value("short")
    again(page)
    assert address(page, "with") == ["plain", "deep"]
    assert source_of(page)["pair"]["a"]["name"] == "short"
    page.selectbox(key="run").set_value("few")
    again(page)
    assert "few" not in address(page, "with")


def test_nobody_to_compare_with(runs: Path, tmp_path: Path, monkeypatch: Any) -> None:
    page = opened()
    page.multiselect(key="with").set_value([])
    again(page)
    assert "Choose a run above" in texts(page)
    assert "multiply-adds an image, millions" in charts(page)
    fake_run(tmp_path / "only", 40)
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    assert "There is one run in" in texts(opened("only"))


def test_nothing_left_is_said_and_can_be_reset(runs: Path) -> None:
    page = opened(beside="short", pick="both wrong, the same", loops_a=["0", "0"])
    assert "No image meets the choice" in texts(page)
    next(button for button in page.button if button.label == "Reset the choice").click()
    again(page)
    assert page.selectbox(key="pick").value == "answers differ"
    a, b = both(runs, "deep", "short")
    assert source_of(page)["count"] == int((a["prediction"] != b["prediction"]).sum())


def test_curves_are_as_long_as_the_trainings(runs: Path) -> None:
    drawn = charts(opened(beside=["plain", "short"]))
    lengths = [len(numbers(trace["x"])) for trace in drawn["test error, %"]["data"]]
    assert lengths == [6, 3]
    assert numbers(drawn["test error, %"]["data"][1]["y"]) == pytest.approx([50, 25, 50 / 3])
    assert len(drawn["gates open"]["data"]) == 1  # the plain network has no gates
    page = opened("short", beside="few")
    assert "no curve of their training" in texts(page)


def test_all_runs_of_the_data_set_are_set_against_their_cost(runs: Path) -> None:
    drawn = charts(opened(beside="plain"))["multiply-adds an image, millions"]
    marks = {mark[0] for trace in drawn["data"][1:] for mark in trace["customdata"]}
    assert marks == {"deep", "plain", "short", "few", "others", "unrecorded"}
    named = {note["text"] for note in drawn["layout"]["annotations"]}
    assert {"<b>A</b> DR 32, short 24", "<b>B</b> ResNet-20"} <= named


def numbers(value: Any) -> list[float]:
    """Plotly writes arrays as base64 or as lists."""
    import base64

    if isinstance(value, dict):
        return np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"]).tolist()
    return list(value)
