"""The Norm statistics page as Streamlit runs it, without a browser."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from app import cache
from app.charts import LIGHT
from app.jobs import JOBS, CancelledError, Tell
from app.norms import channels, findings, job
from app.norms.found import found_in
from app.settings import RUNS_VARIABLE
from drnn_core.analysis.moments import Moments, NormStatistics, Parts, Sampled
from drnn_core.analysis.norm_trends import over_depth
from drnn_core.commands.norm_measuring import measure_norms
from drnn_core.store.norms import NORMS, has_norms, write_norms
from drnn_core.store.runs import load_network, write_run
from drnn_core.store.sealed import read_sealed, write_sealed
from tests.analysis.test_norm_statistics import by_hand
from tests.app.fake_runs import fake_run
from tests.app.norm_runs import fake_norms
from tests.app.test_distribution_page import charts, texts
from tests.tiny_runs import PREPROCESSING, tiny_images, tiny_run

PAGE = """
from app import runpicker
from app.norms import page

runpicker.choose_run()
page.show()
"""


@pytest.fixture(scope="module")
def normed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs with statistics: a pair, one without gates, a tiny one that was really measured."""
    folder = tmp_path_factory.mktemp("normed")
    fake_run(folder / "ilvbn", 60, "dr_resnet16_l2")
    fake_norms(folder / "ilvbn", off=0.02)
    fake_run(folder / "lvbn", 60, "dr_resnet16_l2_lvbn", records=False)
    fake_norms(folder / "lvbn", off=0.2, seed=1)
    fake_run(folder / "naive", 60, "r_resnet32_l4_naive", records=False)
    fake_norms(folder / "naive", stay=1.0, off=0.1)
    fake_run(folder / "few", 60, "dr_resnet16_l2", records=False)
    fake_norms(folder / "few", images=50)
    fake_run(folder / "plain", 60, "resnet20", records=False)
    fake_run(folder / "missing", 60, "dr_resnet16_l2")
    fake_run(folder / "elsewhere", 60, "dr_resnet16_l2", of=("CIFAR-10", "ab" * 32))
    shutil.copytree(folder / "ilvbn", folder / "damaged")
    data = bytearray((folder / "damaged" / NORMS).read_bytes())
    data[-3] ^= 1
    (folder / "damaged" / NORMS).write_bytes(data)
    tiny_run(folder / "tiny")
    measure_norms(folder / "tiny", tiny_images(40))
    return folder


@pytest.fixture
def runs(normed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(RUNS_VARIABLE, str(normed))
    return normed


def opened(run: str, **params: Any) -> AppTest:
    page = AppTest.from_string(PAGE, default_timeout=180)
    for name, value in {"run": run, **params}.items():
        page.query_params[name] = value
    return again(page)


def again(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, page.exception
    return page


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value) for metric in page.metric}


def numbers(value: Any) -> np.ndarray:
    """Plotly writes arrays as base64 or as lists."""
    import base64

    if isinstance(value, dict):
        return np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
    return np.array(value, dtype=float)


def marks(chart: dict[str, Any], name: str) -> np.ndarray:
    (trace,) = [trace for trace in chart["data"] if trace.get("name") == name]
    return numbers(trace["y"])


def test_first_sight(runs: Path) -> None:
    page = opened("ilvbn")
    # two recursive blocks of two loops and two norms
    assert metrics(page)["Norms and loops"] == "8"
    assert metrics(page)["Images"] == "400"
    assert metrics(page)["Running mean"].startswith("0.02")
    drawn = charts(page)
    assert len(drawn) == 2 + 1 + 2, "a figure a loop, the gap over depth, two of the bias"
    assert page.selectbox(key="block").value == "3.2", "the deepest block first"
    said = texts(page)
    assert "The gap grows with depth in this run, as in the paper's figure 7**" in said
    assert "other seed" not in said, "the runs beside it repeat its seed, or are of other trainings"
    (chip,) = [metric for metric in page.metric if metric.label == "Gap over depth"]
    assert re.fullmatch(r"n = 8 places, p (= 0\.\d{3}|< 0\.001)", str(chip.delta))
    assert "The shares on the rings are what training’s target expects" in said
    assert "block 3.2 ran loop 1 70\u00a0%, loop 2 50\u00a0%." in said
    assert "n = 280 executed, 120 skipped" in said
    assert "n = 200 executed, 200 skipped" in said
    for metric in page.metric:
        assert metric.help
        if metric.label not in ("Images", "Norms and loops"):
            assert "n = 400 images, 8 norms and loops" in metric.help
    assert all(part.help for part in page.subheader if "runs" not in str(part.value))


def test_an_address_gives_the_view(runs: Path) -> None:
    wanted = {
        "block": "2.2", "norm": "norm2", "channels": "by number", "scale": "as the norm makes them",
        "gap": "difference of means", "beside": "lvbn",
    }  # fmt: skip
    page = opened("ilvbn", **wanted)
    found = found_in(cache.open_run(runs / "ilvbn"))
    first = found.loops_of("2.2", "norm2")[0]
    scaled = (first.executed.mean - first.population.mean) / np.sqrt(first.population.var)
    np.testing.assert_allclose(marks(charts(page)[0], "executed, mean"), scaled, rtol=1e-6)
    assert np.all(marks(charts(page)[0], "running, mean") == 0)
    assert np.all(marks(charts(page)[0], "running, var") == 1)
    gap = [trace for trace in charts(page)[2]["data"] if trace.get("error_y")]
    shown = numbers(gap[0]["y"])
    np.testing.assert_allclose(shown, found.rows("norm2")["mean_difference"])
    assert page.selectbox(key="beside").value == "lvbn"


def test_what_an_address_does_not_know_is_dropped(runs: Path) -> None:
    page = opened(
        "ilvbn", block="9.9", norm="norm7", channels="x", scale="y", gap="z", beside="nobody"
    )
    assert page.selectbox(key="block").value == "3.2"
    assert page.segmented_control(key="norm").value == "norm1"
    assert len(charts(page)) == 5
    page.selectbox(key="run").set_value("naive")
    again(page)
    assert page.selectbox(key="block").value == "3.2"


def test_numbers_are_those_of_a_forward_written_out(runs: Path) -> None:
    page = opened("tiny", block="3.2", norm="norm2")
    network, _ = load_network(runs / "tiny")
    images = PREPROCESSING.normalise(tiny_images(40).pixels)
    with torch.no_grad():
        ran = network(images).trace.ran
    before = by_hand(network, images)
    body: Any = dict(network.recursive_blocks())["3.2"].body
    for loop, chart in enumerate(charts(page)[:3]):
        features = before["3.2", "norm2", loop].double()
        executed = features[ran[:, 2 + loop]]
        rest = features[~ran[:, 2 + loop]]
        assert 2 < len(executed) < 38, "the test needs both groups"
        mean = executed.mean(dim=(0, 2, 3))
        order = mean.argsort()
        close: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}
        np.testing.assert_allclose(marks(chart, "executed, mean"), mean[order], **close)
        skipped = rest.var(dim=(0, 2, 3))[order]
        np.testing.assert_allclose(marks(chart, "skipped, var"), skipped, **close)
        running = body.norm2.norms[loop].running_var[order]
        np.testing.assert_allclose(marks(chart, "running, var"), running, **close)
        assert f"n = {len(executed)} executed, {len(rest)} skipped" in texts(page)
    off, ratio = (
        next(trace for trace in chart["data"] if trace.get("error_y"))
        for chart in charts(page)[-2:]
    )
    last = before["3.2", "norm2", 2].double()[ran[:, 4]]
    norm = body.norm2.norms[2]
    mean_off = (last.mean(dim=(0, 2, 3)) - norm.running_mean).abs() / norm.running_var.sqrt()
    assert numbers(off["y"])[-1] == pytest.approx(float(mean_off.mean()), rel=1e-4)
    logs = (norm.running_var / last.var(dim=(0, 2, 3))).log()
    assert numbers(ratio["y"])[-1] == pytest.approx(float(logs.mean().exp()), rel=1e-4)


def test_four_places_have_no_interval_that_the_verdict_contradicts() -> None:
    rising = Sampled.of(np.arange(4.0) + np.zeros((11, 1)))
    trend = over_depth(rising)
    assert (trend.rho, trend.low, trend.high) == (1, 1, 1), "the order is the same for all images"
    assert trend.p == pytest.approx(1 / 12)
    assert "No clear trend" in findings._verdict(trend)
    assert findings._trend_chip(trend) == "n = 4 places, p = 0.083"


def seeded(folder: Path, seed: int, grows: bool) -> None:
    """A run of a training with this seed, whose gap grows with depth or shrinks."""
    fake_run(folder, 20, "dr_resnet16_l2", records=False)
    network, info = load_network(folder)
    write_run(folder, network.state_dict(), dataclasses.replace(info, seed=seed))
    stored = fake_norms(folder, seed=seed)
    if grows:
        return
    for name, values in stored.arrays.items():
        if name.startswith("3.2/") and "/skipped_" in name:
            near = stored.arrays[name.replace("skipped", "executed")]
            less = np.array([0.2, 0.1])[:, None]  # from loop to loop
            values[:] = near + (less if name.endswith("mean") else 0)
    write_norms(folder, stored)


def test_other_seeds_of_the_training_are_told_beside_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    for seed, grows in ((1, True), (2, False), (3, True), (4, True)):
        seeded(tmp_path / f"net_s{seed}", seed, grows)
    (tmp_path / "net_s4" / NORMS).write_bytes(b"damaged")
    fake_run(tmp_path / "net_s5", 20, "dr_resnet16_l2", records=False, epochs=3)
    fake_norms(tmp_path / "net_s5")  # of another training
    page = opened("net_s1")
    rhos = [
        over_depth(found_in(cache.open_run(tmp_path / f"net_s{seed}")).sampled["divergence"]).rho
        for seed in (2, 3)
    ]
    assert rhos[0] < -0.5
    assert rhos[1] > 0.5
    listed = ", ".join(f"{rho:+.2f}" for rho in rhos).replace("-", "−")
    said = texts(page)
    assert f"; other seeds: {listed}. Mean divergence" in said
    assert "figure 7; with 1 of 2 other seeds of this training ρ has the opposite sign**" in said
    assert f"n = 8; other seeds: {listed}." in said, "below the figure too"
    shrinking = texts(opened("net_s2"))
    assert "shrinks with depth in this run" in shrinking
    assert "with 2 of 2 other seeds of this training ρ has the opposite sign**" in shrinking


def test_both_norms_stand_in_the_figure_over_depth_and_in_its_key(runs: Path) -> None:
    page = opened("ilvbn", norm="norm2")
    found = found_in(cache.open_run(runs / "ilvbn"))
    figure = charts(page)[2]
    (other,) = [trace for trace in figure["data"] if trace.get("name") == "norm1"]
    drawn = numbers([np.nan if y is None else y for y in other["y"]])
    expected = found.rows("norm1")["divergence"]
    np.testing.assert_allclose(drawn[np.isfinite(drawn)], expected)
    assert other["marker"] == {"symbol": "diamond", "size": 7, "color": LIGHT.muted}
    drawings = [json.loads(each.proto.json) for each in page.get("bidi_component")]
    (key,) = [each["markup"] for each in drawings if "decisions shuffled" in each.get("markup", "")]
    assert f'fill="{LIGHT.muted}"/></svg>norm1</span>' in key
    assert key.count("<svg") == 3


def test_without_gates_there_is_nothing_skipped(runs: Path) -> None:
    page = opened("naive")
    assert "The shares on the rings" not in texts(page)
    assert "Every image executes every loop" in texts(page)
    assert "One BatchNorm serves all loops of a block here" in texts(page)
    assert len(charts(page)) == 4 + 2, "no gap over depth"
    assert "n = 400 executed" in texts(page)
    assert "skipped" not in [trace.get("name", "")[:7] for trace in charts(page)[0]["data"]]
    assert set(metrics(page)) == {"Images", "Norms and loops", "Running mean", "Running variance"}


def test_a_network_that_cannot_be_built_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_run(tmp_path / "odd", rows=20)
    path = tmp_path / "odd" / "run.json"
    told = read_sealed(path)
    left = {key: told[key] for key in told if key not in ("network", "sha256")}
    write_sealed(path, {**left, "model": "somebody_elses"})
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    page = opened("odd")
    assert not page.exception
    assert "The network of this run cannot be built" in page.error[0].value


def test_two_runs_beside_each_other(runs: Path) -> None:
    page = opened("ilvbn", beside="lvbn")
    said = texts(page)
    found = re.search(
        r"off by (0\.\d+) sd with I-LVBN \(ilvbn\), by (0\.\d+) sd with LVBN \(lvbn\): "
        r"difference −(0\.\d+) \(95 % interval −(0\.\d+) to −(0\.\d+)\)",
        said,
    )
    assert found, said
    mine, its, gap, low, high = (float(each) for each in found.groups())
    assert mine == pytest.approx(0.02, abs=0.003)
    assert its == pytest.approx(0.2, abs=0.003)
    assert gap == pytest.approx(its - mine, abs=0.0011)
    assert high <= gap <= low
    assert "the first is closer in 8 of 8 norms and loops" in said
    symbols = [
        trace["marker"]["symbol"][0]
        for trace in charts(page)[-1]["data"]
        if trace.get("mode") == "markers"
    ]
    assert symbols == ["circle", "diamond"]


def test_only_runs_of_the_same_shape_stand_beside_it(runs: Path) -> None:
    page = opened("ilvbn")
    names = page.selectbox(key="beside").options
    assert set(names) == {"no other run", "lvbn", "few", "missing", "elsewhere", "damaged"}
    page.selectbox(key="beside").set_value("missing")
    again(page)
    assert f"drnn norms {runs / 'missing'} --data generated" in texts(page)
    page.selectbox(key="beside").set_value("damaged")
    again(page)
    assert "checksum does not match" in texts(page)
    assert len(charts(page)) == 5, "the first run is there all the same"
    assert "No other run here" in texts(opened("naive"))


def test_few_images_are_marked_as_unsure(runs: Path) -> None:
    page = opened("few")  # 50 images: 35 and 15, then 24 and 26
    assert "n = 40 executed, 10 skipped · unsure" in texts(page)
    assert "8 of 8 have few images and are unsure" in texts(page)
    gap = next(trace for trace in charts(page)[2]["data"] if trace.get("error_y"))
    assert set(gap["marker"]["symbol"]) == {"circle-open"}


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("plain", "This network has no recursive blocks"),
        ("missing", "has not been measured yet"),
        ("damaged", "was changed after it was written"),
        ("elsewhere", r"The pictures of CIFAR\-10 are not part of Loopscope"),
    ],
)
def test_what_to_do_without_statistics(runs: Path, run: str, words: str) -> None:
    page = opened(run)
    assert words in texts(page)
    assert not charts(page)
    if run == "plain":
        return
    source = "D" if run == "elsewhere" else "generated"
    assert f"drnn norms {runs / run} --data {source}" in texts(page)
    assert len(page.button) == (0 if run == "elsewhere" else 1)


def test_measured_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_run(tmp_path / "fresh", 12, "dr_resnet16_l2")
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    monkeypatch.setattr(job, "SAMPLES", (10, 20))
    page = opened("fresh")
    page.button[0].click()
    again(page)
    assert page.get("bidi_component") or has_norms(tmp_path / "fresh")
    key = next(key for key in JOBS._jobs if str(tmp_path) in str(key))
    assert JOBS.wait(key, 60).state == "done", JOBS.wait(key).problem
    again(page)
    assert "12 of 12 images of generated (test)" in texts(page)
    assert len(charts(page)) >= 4
    (tmp_path / "fresh" / NORMS).unlink()
    again(page)
    assert len(page.button) == 1, "it can be measured once more"


def test_measuring_can_be_cancelled_and_says_why_it_failed(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def endless(run: cache.Run, limit: int, tell: Tell) -> None:
        for done in range(1, limit):
            told.append("begun")
            try:
                tell(done, limit)
            except CancelledError:
                told.append("cancelled")
                raise
            time.sleep(0.01)

    monkeypatch.setattr(job, "_measure", endless)
    page = opened("missing")
    page.button[0].click()
    again(page)
    while not told:
        again(page)
    assert [button.label for button in page.button] == ["Cancel"]
    page.button[0].click()
    again(page)
    key = next(key for key in JOBS._jobs if "missing" in str(key))
    assert JOBS.wait(key, 30).state == "cancelled"
    assert not has_norms(runs / "missing")
    again(page)
    monkeypatch.setattr(job, "_measure", broken)
    page.button[0].click()
    again(page)
    JOBS.wait(key, 30)
    assert "could not be measured: the disk is full" in texts(again(page))


def broken(run: cache.Run, limit: int, tell: Tell) -> None:
    raise OSError("the disk is full")


def test_many_blocks_are_named_by_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_run(tmp_path / "deep", 20, "aig_resnet110", records=False)
    fake_norms(tmp_path / "deep")
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    page = opened("deep")
    assert metrics(page)["Norms and loops"] == "108"
    axis = charts(page)[1]["layout"]["xaxis"]
    assert axis["ticktext"] == ["stage 1", "stage 2", "stage 3"]
    assert "From loop to loop" not in texts(page), "a block has one loop here"
    drawn = [trace for trace in charts(page)[1]["data"] if "markers" in trace["mode"]]
    assert len(drawn) == 3, "chance, the other norm, which has no line to draw, and the chosen one"
    assert len(page.selectbox(key="block").options) == 54


def wide(count: int) -> NormStatistics:
    mean = np.random.default_rng(0).normal(size=count)
    parts = Parts(np.array([40, 40]), np.stack([mean, mean]), np.ones((2, count)), 4)
    nobody = Moments(0, mean * np.nan, mean * np.nan)
    running = Moments(0, mean, np.ones(count))
    empty = Parts(np.zeros(2, int), parts.mean * np.nan, parts.var * np.nan, 4)
    return NormStatistics("2.2", "norm1", 0, "ilvbn", 0, parts, empty, running, (nobody, nobody))


@pytest.mark.parametrize("order", ["mean", "channel"])
def test_of_a_thousand_channels_some_are_drawn(order: channels.Order) -> None:
    look = channels.Look(order, "raw")
    whole = channels.channel_table([wide(1000)], look)
    assert whole["place"].tolist() == list(range(1000))
    drawn = channels.shown(whole)
    assert len(drawn) == channels.MOST_CHANNELS
    assert {0, 999} <= set(drawn["place"])
    if order == "mean":
        assert whole["executed_mean"].is_monotonic_increasing
    else:
        assert whole["channel"].tolist() == list(range(1, 1001))
    ranges = channels.ranges_of(drawn)
    assert ranges["mean"][0] < drawn["executed_mean"].min()
    figure = channels.channel_figure(drawn, ranges, look, LIGHT)
    traces: Any = figure.data
    assert [trace.name for trace in traces] == [
        "running, mean", "executed, mean", "running, var", "executed, var",
    ]  # fmt: skip
