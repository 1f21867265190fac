"""The page Saliency & loops as Streamlit runs it, without a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from streamlit.testing.v1 import AppTest

from app import cache
from app.jobs import Jobs
from app.saliency import work
from app.settings import RUNS_VARIABLE
from drnn_core.analysis.relations import partial, within
from drnn_core.commands.measurements import measurements
from drnn_core.data.generated import GeneratedSet
from drnn_core.inference.measuring import measure_run
from drnn_core.store.columns import read_all, read_columns
from tests.app.evidence_columns import write_evidence
from tests.app.fake_runs import fake_run
from tests.app.inspect_runs import IMAGES, inspect_run

PAGE = """
from app import runpicker
from app.saliency import page

runpicker.choose_run()
page.show()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("saliency")
    fake_run(runs / "dr", 400)
    write_evidence(runs / "dr")
    fake_run(runs / "some", 200)
    write_evidence(runs / "some", ["occlusion"], limit=50)
    fake_run(runs / "bare", 60, of=("CIFAR-10", "ab" * 32))
    fake_run(runs / "plain", 40, "resnet20")
    fake_run(runs / "unrecorded", 40, records=False)
    inspect_run(runs / "tiny")
    return runs


@pytest.fixture
def runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(RUNS_VARIABLE, str(folder))
    for name in ("MAPS", "SAMPLES", "CHECKS"):
        monkeypatch.setattr(work, name, Jobs())
    return folder


def opened(run: str, **params: Any) -> AppTest:
    page = AppTest.from_string(PAGE, default_timeout=120)
    page.query_params["run"] = run
    for name, value in params.items():
        page.query_params[name] = value
    return again(page)


def again(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, page.exception
    return page


def figures(page: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def cells(page: AppTest) -> list[str]:
    """The matrix, row by row, without its bold."""
    return [
        text.replace("<b>", "").replace("</b>", "") for text in figures(page)[0]["data"][0]["text"]
    ]


def said(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.info, *page.error, *page.code, *page.warning]
    return "\n".join(str(part.value) for part in [*parts, *page.subheader])


def metric(page: AppTest, label: str) -> Any:
    return next(each for each in page.metric if each.label == label)


def wait_for(jobs: Jobs) -> None:
    for key in list(jobs._jobs):
        assert jobs.wait(key, 120).state == "done", jobs.get(key)


def test_first_sight(runs: Path) -> None:
    page = opened("dr")
    frame = read_all(runs / "dr")
    loops, values = frame["loops"], frame["saliency_entropy"]
    rho: Any = stats.spearmanr(loops, values)
    assert rho.statistic < -0.5
    assert metric(page, "ρ, all images").value == f"{rho.statistic:.2f}".replace("-", "−")
    inside = within(loops, values, frame["label"], resamples=0)
    assert metric(page, "ρ within classes").value == f"{inside.rho:.2f}".replace("-", "−")
    given = partial(loops, values, [frame["confidence"]], resamples=0)
    assert metric(page, "ρ given confidence").value == f"{given.rho:.2f}".replace("-", "−")
    assert metric(page, "Images").value == "400"
    shown = "lower entropy of the evidence**; the relation is strong"
    assert shown in said(page)
    matrix = cells(page)
    assert len(matrix) == 5 * 6
    assert matrix[0] == f"{rho.statistic:+.2f}".replace("-", "−").replace("0.", ".")
    assert matrix[6:18] == [""] * 12, "input x gradient and integrated gradients: not measured"
    assert "12 relations are looked at" in said(page)
    assert "about 0.6 would be bold by chance. Relations that hang together" in said(page)
    assert "decisions are held" in said(page)
    _, density, means, classes = figures(page)
    assert len(classes["data"][0]["customdata"]) == 10
    overall = [shape["y0"] for shape in means["layout"]["shapes"]]
    assert overall == [pytest.approx(values.mean())]
    assert density["data"][0]["type"] == "heatmap"


def test_among_the_images_of_a_range_only(runs: Path) -> None:
    page = opened("dr", where="confidence")
    slider = page.slider(key="between-confidence")
    slider.set_value((slider.min, 0.8))
    again(page)
    frame = read_all(runs / "dr")
    kept = frame[frame["confidence"] <= 0.8]
    assert 0 < len(kept) < len(frame)
    assert metric(page, "Images").value == str(len(kept))
    rho: Any = stats.spearmanr(kept["loops"], kept["saliency_entropy"])
    assert metric(page, "ρ, all images").value == f"{rho.statistic:.2f}".replace("-", "−")
    page.segmented_control(key="answer").set_value("wrong")
    again(page)
    assert metric(page, "Images").value == str(int((~kept["correct"]).sum()))
    page.slider(key="between-confidence").set_value((slider.min, slider.min))
    again(page)
    assert "No image meets the filters" in said(page)
    next(each for each in page.button if each.label == "Show all").click()
    assert metric(again(page), "Images").value == "400"


def test_every_number_has_a_definition_with_its_n(runs: Path) -> None:
    page = opened("dr")
    for each in page.metric:
        assert each.help
    for label in ("ρ, all images", "ρ within classes", "ρ given confidence"):
        assert "n = 400 images" in metric(page, label).help
        assert "p < 0.001" in metric(page, label).help
        assert "interval" in metric(page, label).help
    assert all(part.help for part in page.subheader if part.value not in ("Filter",))


def test_an_address_gives_the_view(runs: Path) -> None:
    page = opened(
        "dr", evidence="Grad-CAM", statistic="spread", over="given confidence",
        answer="right", **{"class": ["fish", "car"]},
    )  # fmt: skip
    frame = read_all(runs / "dr")
    classes = cache.open_run(runs / "dr").info.classes  # pyright: ignore[reportOptionalMemberAccess]
    labels = [classes.index(name) for name in ("fish", "car")]
    kept = frame[frame["label"].isin(labels) & frame["correct"]]
    assert metric(page, "Images").value == str(len(kept))
    rho: Any = stats.spearmanr(kept["loops"], kept["grad_cam_spread"])
    assert metric(page, "ρ, all images").value == f"{rho.statistic:.2f}".replace("-", "−")
    part = partial(kept["loops"], kept["grad_cam_spread"], [kept["confidence"]], resamples=0)
    place = 3 * 6 + 3
    assert cells(page)[place] == f"{part.rho:+.2f}".replace("-", "−").replace("0.", ".")
    assert "Grad-CAM: spread and loops" in said(page)
    assert f"{len(kept)} of 400 images" in said(page)


@pytest.mark.parametrize(
    "params",
    [
        {"evidence": "telepathy", "over": "the moon", "class": "unicorn", "answer": "perhaps"},
        {"statistic": "beauty", "check": "tea leaves", "checked": "9 images", "here": "7 images"},
    ],
)
def test_nonsense_in_the_address_is_ignored(runs: Path, params: dict[str, Any]) -> None:
    page = opened("dr", **params)
    assert metric(page, "Images").value == "400"
    assert "Saliency: entropy and loops" in said(page)
    assert not page.error
    assert not work.CHECKS._jobs


def test_any_column_may_stand_in_the_place_of_evidence(runs: Path) -> None:
    page = opened("dr", evidence="no evidence: a column", column="occlusion (known)")
    frame = read_all(runs / "dr")
    rho: Any = stats.spearmanr(frame["loops"], frame["occlusion"])
    assert metric(page, "ρ, all images").value == f"{rho.statistic:.2f}".replace("-", "−")
    offered = page.selectbox(key="column").options
    assert not [name for name in offered if "Saliency" in name or "saliency" in name]
    page.selectbox(key="column").set_value("confidence")
    again(page)
    assert metric(page, "ρ given confidence").value == "–"
    assert "the confidence itself" in metric(page, "ρ given confidence").help


def test_a_column_that_a_user_brought(runs: Path) -> None:
    from app.columns import BROUGHT, Brought

    page = AppTest.from_string(PAGE, default_timeout=120)
    loops = read_all(runs / "dr")["loops"].to_numpy(np.float64)
    page.session_state[BROUGHT] = {"dr": Brought("mine.csv", {"doubt": loops**2})}
    page.query_params.update({"run": "dr", "evidence": "no evidence: a column", "column": "doubt"})
    again(page)
    assert metric(page, "ρ, all images").value == "1.00"
    assert "From your table mine.csv" in str([part.help for part in page.subheader])


def test_without_columns_the_command_is_named(runs: Path) -> None:
    page = opened("bare")
    assert f"drnn saliency {runs / 'bare'} --data DATA --method saliency" in said(page)
    assert "No evidence has been measured" in said(page)
    assert not page.metric
    page.selectbox(key="evidence").set_value("other")
    again(page)
    assert metric(page, "Images").value == "60"
    assert "not part of Loopscope" in said(page)
    assert not [button for button in page.button if "Inspect" in button.label]


def test_a_method_that_looked_at_some_images_says_so(runs: Path) -> None:
    page = opened("some", evidence="Occlusion")
    assert metric(page, "Images").value == "50"
    rows = figures(page)[0]["layout"]["yaxis"]["ticktext"]
    assert "50 images" in rows[4]
    assert all("not measured" in row for row in rows[:4])
    page.selectbox(key="evidence").set_value("integrated_gradients")
    again(page)
    command = f"drnn saliency {runs / 'some'} --data generated --method integrated_gradients"
    assert f"{command} --limit 1000" in said(page)


def test_columns_that_cannot_be_used_are_said_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_run(tmp_path / "half", 50)
    write_evidence(tmp_path / "half", ["saliency"], unfinished=True)
    write_evidence(tmp_path / "half", ["grad_cam"])
    shard = tmp_path / "half" / "columns" / "grad_cam" / "part-00000.parquet"
    shard.write_bytes(shard.read_bytes()[:-20])
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    page = opened("half", evidence="no evidence: a column")
    assert "The columns grad_cam cannot be read" in said(page)
    assert "The columns saliency are unfinished" in said(page)
    assert metric(page, "Images").value == "50"
    assert set(cells(page)) == {""}


def test_a_plain_network_has_no_relations_but_a_check(runs: Path) -> None:
    page = opened("plain")
    assert "no recursive blocks" in said(page)
    assert figures(page) == []
    assert "Do the maps depend" in said(page)


def test_without_records_the_command_is_named_too(runs: Path) -> None:
    assert f"drnn records {runs / 'unrecorded'} --data" in said(opened("unrecorded"))


def test_an_empty_filter_is_said_and_cleared(runs: Path) -> None:
    frame = cache.table(cache.open_run(runs / "bare")).frame
    names = cache.open_run(runs / "bare").info.classes  # pyright: ignore[reportOptionalMemberAccess]
    wrong = set(frame.loc[~frame["correct"], "label"])
    name = next(name for label, name in enumerate(names) if label not in wrong)
    page = opened("bare", answer="wrong", **{"class": name})
    assert "No image meets the filters" in said(page)
    next(button for button in page.button if button.label == "Show all").click()
    again(page)
    assert "No image meets" not in said(page)


def test_the_examples_are_the_ends_and_lead_to_inspect(runs: Path) -> None:
    page = opened("dr")
    values = read_all(runs / "dr")["saliency_entropy"].to_numpy()
    order = np.argsort(values, kind="stable")
    expected = {f"Inspect {row}" for row in [*order[:4], *order[::-1][:4]]}
    assert {b.label for b in page.button if b.label.startswith("Inspect")} == expected
    wait_for(work.MAPS)
    again(page)
    markup = [str(part.proto.body) for part in page.get("html")]
    assert sum("evidence by Saliency of image" in body for body in markup) == 8
    assert "white line: the object" in said(page)


def test_the_check_runs_and_is_kept(runs: Path) -> None:
    page = opened("tiny", check="Saliency", checked="8 images", evidence="no evidence: a column")
    wait_for(work.CHECKS)
    again(page)
    table: Any = page.dataframe[-1].value
    assert table["method"].tolist() == ["Saliency"]
    assert "weights" in table["maps"][0]
    curve = figures(page)[-1]["data"][0]
    assert curve["y"][0] == pytest.approx(1)
    assert len(curve["y"]) == 6
    assert len(work.CHECKS._jobs) == 1
    opened("tiny", check="Saliency", checked="8 images")
    assert len(work.CHECKS._jobs) == 1, "another session finds it"


def test_the_image_of_the_check_is_in_the_address(runs: Path) -> None:
    choice = {"check": "Saliency", "checked": "8 images", "evidence": "no evidence: a column"}
    page = opened("tiny", **choice)
    wait_for(work.CHECKS)
    again(page)
    strips = [
        next(str(e.proto.body) for e in each.get("html") if "random weights" in str(e.proto.body))
        for each in (opened("tiny", shown="3", **choice), page, opened("tiny", shown="1", **choice))
    ]
    assert strips[0] != strips[1] == strips[2]


def test_a_sample_is_measured_on_the_page(runs: Path, tmp_path: Path) -> None:
    page = opened("tiny", here="100 images")
    assert "has not been measured" in said(page)
    wait_for(work.SAMPLES)
    again(page)
    again(page)
    assert metric(page, "Images").value == str(IMAGES)
    whole = inspect_run(tmp_path / "tiny")
    images = GeneratedSet("test", IMAGES)
    measure_run(whole, images, measurements("saliency", masks=True)[2:])
    expected = read_columns(whole, "saliency")
    (job,) = work.SAMPLES._jobs.values()
    for name, values in job.result.items():
        np.testing.assert_allclose(values, expected[name], rtol=2e-3, atol=1e-4)
    assert not list((runs / "tiny").glob("columns")), "nothing is written into the run"


def test_a_damaged_network_leaves_the_relations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_run(tmp_path / "bitten", 60)
    write_evidence(tmp_path / "bitten")
    weights = tmp_path / "bitten" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-7])
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    page = opened("bitten", check="Saliency")
    assert metric(page, "Images").value == "60"
    assert "evidence cannot be shown" in said(page)
    assert "The network cannot be loaded" in said(page)
