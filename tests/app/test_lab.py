"""The counterfactual lab without a browser: what stands in the address, and what it computes."""

from __future__ import annotations

import io
import json
import re
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from app import cache
from app.images import Pictures, pictures_of
from app.inspection.path import digits
from app.inspection.pictures import Picture
from app.inspection.predictions import path_of
from app.jobs import JOBS
from app.lab import answers
from app.lab.answers import Subject, answer
from app.lab.changes import changes, compared, gate_table
from app.lab.factors import FACTORS, from_text, to_text
from app.lab.figures import segments
from app.lab.line import edits_along, line_along
from app.lab.many import IMAGES
from app.numbers import percent
from drnn_core.analysis.edits import Box, Edit, edited, usual_box
from drnn_core.analysis.sweep import summarise, sweep
from drnn_core.cli import main
from drnn_core.data.generated import DEFAULT_COUNT, render
from drnn_core.store.sweeps import KeptPoint, KeptSweep
from tests.app.inspect_pages import components, drawings, headings, opened, run_again, shelf_of
from tests.app.inspect_runs import IMAGES as RECORDS
from tests.app.inspect_runs import inspect_run

LAB = {"view": "Counterfactual lab"}


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return inspect_run(tmp_path_factory.mktemp("lab") / "tiny")


@pytest.fixture
def runs(finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return shelf_of(finished_run, tmp_path, monkeypatch)


@pytest.fixture
def subject(runs: Path) -> Subject:
    """The fourth image of the records, in the lab."""
    (run,) = cache.list_runs()
    predictor = cache.predictor(run)
    seen = render(1_000_003).image
    return Subject("image", run, predictor, predictor.predict_seen(seen), 3)


def bench(page: AppTest) -> dict[str, Any]:
    (found,) = components(page, "bench")
    return found


def figure(page: AppTest) -> dict[str, Any]:
    (chart,) = page.get("plotly_chart")
    return json.loads(chart.proto.spec)


def typed(page: AppTest, text: str) -> AppTest:
    page.text_input(key="edit").set_value(text)
    return run_again(page)


def test_a_picture_as_it_is_waits_to_be_changed(runs: Path) -> None:
    page = opened(**LAB, record="3")
    assert "Change the picture" in headings(page)
    found = bench(page)
    assert [factor["name"] for factor in found["factors"]] == list(FACTORS)
    assert found["values"] == {name: factor.neutral for name, factor in FACTORS.items()}
    assert found["box"] is None
    assert found["said"] == ""
    assert "nothing changed yet" in found["pictures"][1]["caption"]
    assert (
        found["pictures"][0]["markup"].split("alt=")[0]
        == (found["pictures"][1]["markup"].split("alt=")[0])
    )
    assert "As changed" not in drawings(page)


def test_the_address_restores_factors_box_and_answer(runs: Path, subject: Subject) -> None:
    page = opened(**LAB, record="3", edit="blur 1.8 rotation -20 box 25 30 40 40")
    found = bench(page)
    assert found["values"]["blur"] == 1.8
    assert found["values"]["rotation"] == -20
    assert found["values"]["occlusion"] == 16
    assert found["box"] == [25, 30, 40, 40]
    edit = Edit(blur=1.8, rotation=-20, box=Box(0.25, 0.3, 0.4, 0.4))
    expected = subject.predictor.predict_seen(edited(render(1_000_003).image, edit, 3))
    said, chance = expected.top[0]
    assert f"<strong>{said}</strong>" in found["pictures"][1]["caption"]
    assert f"{100 * chance:.1f} %" in found["pictures"][1]["caption"]
    assert all("multiply-adds</div>" in each["caption"] for each in found["pictures"])
    assert f"As changed: {expected.loops} of 5 loops" in drawings(page)


def test_the_same_address_shows_the_same_noise(runs: Path) -> None:
    pictures = [bench(opened(**LAB, edit="noise 10"))["pictures"][1]["markup"] for _ in range(2)]
    assert pictures[0] == pictures[1]
    other = bench(opened(**LAB, edit="noise 10", sample="g1001686"))["pictures"][1]["markup"]
    assert other != pictures[0]


def test_what_the_lab_does_not_know_is_named_and_left_out(runs: Path) -> None:
    page = opened(**LAB, edit="blur 99 fog 3 noise 5", sweep="fog")
    (warning,) = page.warning
    assert "blur goes from 0 to 2.6, not to 99" in warning.value
    assert "'fog' is no change" in warning.value
    assert bench(page)["values"]["noise"] == 5
    assert bench(page)["values"]["blur"] == 0
    assert "blur, px" in json.dumps(figure(page))


def test_gates_that_change_their_mind_are_named(runs: Path, subject: Subject) -> None:
    page = opened(**LAB, record="3")
    texts = ["contrast 15", "brightness 45", "brightness -45", "noise 22", "blur 2.6", "scale 40"]
    flipped = 0
    for text in texts:
        typed(page, text)
        found = answer(subject, from_text(text)[0])
        both = subject.original.asked & found.asked
        otherwise = np.flatnonzero(both & (subject.original.ran != found.ran))
        flipped += len(otherwise)
        assert drawings(page).count("<li>block ") == len(otherwise)
        for step in otherwise:
            before, after = (each.prob[step] for each in (subject.original, found))
            now = "opens" if found.ran[step] else "closes"
            assert f"{digits(float(before))} → {digits(float(after))}, {now} now" in drawings(page)
        assert ("Every gate decides as before" in drawings(page)) == (len(otherwise) == 0)
    assert flipped, "the test needs a change that a gate answers to"


def test_saliency_lies_on_both_pictures_when_wanted(runs: Path) -> None:
    page = opened(**LAB, edit="blur 1")
    assert all("<img" in each["markup"] for each in bench(page)["pictures"])
    page.toggle(key="saliency").set_value(True)
    run_again(page)
    first, second = bench(page)["pictures"]
    assert "<svg" in first["markup"]
    assert "<svg" in second["markup"]
    assert first["markup"] != second["markup"]


def test_a_run_without_gates_says_that_only_its_answer_can_change(runs: Path) -> None:
    shutil.rmtree(runs / "tiny")
    inspect_run(runs / "plain", gated=False)
    page = opened(**LAB, edit="noise 22")
    assert "This network has no loops: only its answer can change." in drawings(page)
    assert "yaxis2" not in figure(page)["layout"]


def test_a_run_without_records_has_a_lab_too(runs: Path) -> None:
    shutil.rmtree(runs / "tiny" / "records")
    page = opened(**LAB, edit="blur 1")
    assert bench(page)["values"]["blur"] == 1
    assert any("drnn sweep" in each.value for each in page.code)


def test_a_sweep_of_the_picture_is_what_the_network_says(runs: Path, subject: Subject) -> None:
    page = opened(**LAB, record="3", sweep="Contrast", edit="noise 4")
    columns = [trace for trace in figure(page)["data"] if trace["type"] == "bar"]
    texts = columns[0]["hovertext"]
    assert len(texts) == 11
    for place, shown in ((0, 100), (4, 55), (10, 15)):
        seen = edited(render(1_000_003).image, Edit(contrast=shown / 100), 3)
        found = subject.predictor.predict_seen(seen)
        said, chance = found.top[0]
        answered = f"{said}, {percent(chance)}"
        assert texts[place] == f"<b>{shown} %</b><br>{answered}<br>{found.loops} loops"
    page.toggle(key="keep").set_value(True)
    run_again(page)
    seen = edited(render(1_000_003).image, Edit(contrast=0.15, noise=0.04), 3)
    said, chance = subject.predictor.predict_seen(seen).top[0]
    columns = [trace for trace in figure(page)["data"] if trace["type"] == "bar"]
    assert f"{said}, {percent(chance)}" in columns[0]["hovertext"][10]


def test_a_large_network_is_run_through_only_when_asked(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "SLOW_MACS", 0)
    page = opened(**LAB, edit="blur 1.5", sweep="Scale")
    assert not page.get("plotly_chart")
    captions = " ".join(each.value for each in page.caption)
    assert "the path follows a slider at that pace" in captions
    assert "11 answers of this network take about" in captions
    (button,) = [each for each in page.button if each.label == "Run through scale"]
    button.click()
    run_again(page)
    assert len(figure(page)["layout"]["images"]) == 11
    run_again(page)
    assert figure(page), "what was asked once is drawn at once"


def test_where_the_answer_flips_the_new_class_is_named(subject: Subject) -> None:
    edits = edits_along(subject, FACTORS["contrast"], Edit(), False)
    line = line_along(subject, FACTORS["contrast"], edits)
    names = [one.top[0][0] for one in line.found]
    stretches = segments(line)
    assert len(stretches) > 1, "the test needs a picture whose answer flips"
    rebuilt = [name for first, last, name in stretches for _ in range(first, last + 1)]
    assert rebuilt == names
    assert all(one[2] != other[2] for one, other in pairwise(stretches))


@pytest.mark.parametrize(
    ("edit", "strength"),
    [
        (Edit(), 0.0),
        (Edit(blur=1.2), 3.0),
        (Edit(blur=1.1), 2.75),
        (Edit(blur=1.2, noise=0.1), None),
    ],
)
def test_where_the_slider_stands(subject: Subject, edit: Edit, strength: float | None) -> None:
    factor = FACTORS["blur"]
    line = line_along(subject, factor, edits_along(subject, factor, edit, False))
    assert line.strength_of(edit) == pytest.approx(strength)


def test_the_other_way_of_a_factor_that_goes_both_ways(subject: Subject) -> None:
    factor = FACTORS["brightness"]
    darker = edits_along(subject, factor, Edit(brightness=-0.1), False)
    assert [factor.shown(edit.brightness) for edit in darker[:5]] == [0, -4, -8, -12, -16]
    line = line_along(subject, factor, darker)
    assert line.below
    assert line.strength_of(Edit(brightness=0.1)) is None
    assert line.strength_of(Edit(brightness=-0.08)) == pytest.approx(1)


def test_a_sweep_that_the_run_keeps_stands_beside_the_picture(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the run was recorded on the set's first images, and only a sweep of these may be kept
    monkeypatch.setitem(DEFAULT_COUNT, "test", RECORDS)
    command = ["sweep", str(runs / "tiny"), "--data", "generated", "--factor", "noise"]
    assert main([*command, "--limit", "4", "--strengths", "0", "5", "--keep"]) == 0
    page = opened(**LAB, sweep="Noise")
    assert any("mean of 4 test images" in each.proto.body for each in page.get("html"))
    dashed = [
        trace for trace in figure(page)["data"] if trace.get("line", {}).get("dash") == "dash"
    ]
    assert len(dashed) == 2
    assert not page.code
    (columns, _) = [trace for trace in figure(page)["data"] if trace["type"] == "bar"]
    assert ["test images" in words for words in columns["hovertext"]] == [True, *[False] * 9, True]
    kept = runs / "tiny" / "sweeps" / "noise.json"
    kept.write_bytes(kept.read_bytes()[:40])
    run_again(page)
    assert any("cannot be shown" in each.value for each in page.caption)


def test_the_table_of_a_sweep_holds_the_test_images_too(subject: Subject) -> None:
    factor = FACTORS["noise"]
    line = line_along(subject, factor, edits_along(subject, factor, Edit(), False))
    mean = (0.5, 0.25, 0.75)
    points = tuple(KeptPoint(s, s, (s, s, s), mean, mean, mean) for s in (0.0, 2.5, 4.9))
    table = line.frame(KeptSweep("noise", "", "", "", "", 20, 0, 0.95, points))
    assert len(table) == 12, "a strength that only the test images were asked at has a row too"
    assert table["loops"].dropna().tolist() == [one.loops for one in line.found]
    assert table.set_index("strength")["test_loops_mean"].dropna().to_dict() == {
        0.0: 0.0,
        2.5: 2.5,
        4.9: 4.9,
    }


def test_test_images_are_swept_in_the_background(runs: Path) -> None:
    page = opened(**LAB, sweep="JPEG")
    (button,) = [each for each in page.button if each.label.startswith("Or sweep")]
    button.click()
    run_again(page)
    (run,) = cache.list_runs()
    key = ("sweep", str(run.folder), cache.stamp_of(run.folder / "model.safetensors"), "jpeg")
    job = JOBS.wait(key, 60)
    assert (job.state, job.problem) == ("done", "")
    run_again(page)
    images = pictures_of(run, cache.table(run))
    assert isinstance(images, Pictures)
    assert run.info
    expected = summarise(
        sweep(cache.predictor(run).network, images.images, run.info.preprocessing, "jpeg", (0, 5))
    )
    assert job.result.images == min(IMAGES, RECORDS)
    assert job.result.points[-1].loops[0] == pytest.approx(expected.points[-1].loops.value)
    assert any(f"mean of {RECORDS} test images" in each.proto.body for each in page.get("html"))


def test_images_that_are_not_at_hand_are_named(runs: Path) -> None:
    shutil.rmtree(runs / "tiny" / "records")
    page = opened(**LAB)
    (button,) = [each for each in page.button if each.label.startswith("Or sweep")]
    button.click()
    run_again(page)
    (run,) = cache.list_runs()
    key = ("sweep", str(run.folder), cache.stamp_of(run.folder / "model.safetensors"), "blur")
    JOBS.wait(key, 60)
    run_again(page)
    assert any("could not be swept: expected records" in each.value for each in page.error)


def test_an_upload_has_noise_of_its_own() -> None:
    def picture(colour: int, **more: Any) -> Picture:
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8), (colour, 0, 0)).save(buffer, "PNG")
        return Picture(f"upload-{colour}", "x", buffer.getvalue(), **more)

    assert picture(1).number == picture(1).number
    assert picture(1).number != picture(2).number
    assert picture(1, index=7).number == 7
    assert picture(1, seed=1_000_007).number == 7, "the sample of a test image is that image"


def test_gates_before_and_after_as_a_table(subject: Subject) -> None:
    found = answer(subject, Edit(contrast=0.15))
    before = path_of(subject.predictor, subject.original)
    path = compared(path_of(subject.predictor, found), before)
    table = gate_table(path)
    assert len(table) == 5
    np.testing.assert_allclose(table["gate_before"].astype(float), subject.original.prob)
    np.testing.assert_allclose(table["gate_after"].astype(float), found.prob)
    assert (table["decision_after"] == "ran").tolist() == found.ran.tolist()
    total = sum(change.loops for change in changes(path))
    assert total == found.loops - subject.original.loops


_sides = st.integers(1, 60)


@given(
    st.dictionaries(st.sampled_from([n for n in FACTORS if n != "occlusion"]), st.floats(0, 1)),
    st.none() | st.tuples(_sides, _sides, st.floats(0, 1), st.floats(0, 1)),
)
def test_text_says_what_is_changed(
    shares: dict[str, float], box: tuple[int, int, float, float] | None
) -> None:
    edit = Edit()
    for name, share in shares.items():
        low, high = FACTORS[name].limits
        value = FACTORS[name].value(low + share * (high - low))
        edit = edit.with_value(name, value, usual_box(0))
    if box:
        width, height, across, down = box
        corner = round(across * (100 - width)) / 100, round(down * (100 - height)) / 100
        edit = replace(edit, box=Box(*corner, width / 100, height / 100))
    again, problems = from_text(to_text(edit))
    assert problems == []
    assert to_text(again) == to_text(edit)
    for name in FACTORS:
        assert again.value(name) == pytest.approx(edit.value(name))


@pytest.mark.parametrize(
    ("text", "left", "problem"),
    [
        ("blur", "", "blur needs a number"),
        ("noise nan blur 1", "blur 1", "noise needs a number"),
        ("box 1 2 3 blur 1", "blur 1", "box needs 4 numbers"),
        ("box 60 0 60 10", "", "the box leaves the picture"),
        ("box 33.3 33.3 66.7 66.8", "box 33.3 33.3 66.7 66.7", ""),
        ("occlusion 3", "", "'occlusion' is no change"),
        ("BLUR=1, Noise=2", "blur 1 noise 2", ""),
        ("rotation −20", "rotation -20", ""),
        ("<b>", "", "'<b>' is no change"),
    ],
)
def test_text_that_somebody_typed(text: str, left: str, problem: str) -> None:
    edit, problems = from_text(text)
    assert to_text(edit) == left
    assert problem in "; ".join(problems)
    assert bool(problems) == bool(problem)


def test_words_of_a_changed_gate(subject: Subject) -> None:
    path = path_of(subject.predictor, subject.original)
    assert changes(compared(path, path)) == []
    assert not re.search("before:", compared(path, path).in_words())
