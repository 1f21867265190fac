"""The Inspect page without a browser: what it shows, what stands in its address, and damage."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from app import cache
from app.inspection import sources
from app.inspection.components import data_uri
from drnn_core.data.generated import GeneratedSet, render
from drnn_core.inference.recording import record_run
from tests.app.inspect_pages import (
    as_read,
    components,
    drawings,
    headings,
    html,
    opened,
    png,
    run_again,
    shelf_of,
)
from tests.app.inspect_runs import IMAGES, inspect_run


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return inspect_run(tmp_path_factory.mktemp("inspect") / "tiny")


@pytest.fixture
def runs(finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runs folder of one sound run, which a test may damage."""
    return shelf_of(finished_run, tmp_path, monkeypatch)


def test_the_first_sample_is_shown_at_once(runs: Path) -> None:
    page = opened()
    assert headings(page)[0] == "bird-1"
    assert re.match(r"The path it took: \d of 5 loops", headings(page)[1])
    assert "Path of the image through the network, 32 by 32 pixels." in drawings(page)
    assert "Saliency: evidence of each pixel" in drawings(page)
    assert "of the evidence lies on the object" in html(page)
    assert re.search("right|wrong, it is bird", html(page))
    assert len(components(page, "picker")[0]["items"]) == 60
    assert "sample" not in page.query_params


def test_gates_stand_beside_those_of_the_run(runs: Path) -> None:
    record = cache.records(cache.list_runs()[0])
    prob = np.stack(record["gate_prob"].tolist())
    page = opened(record="3")
    (gates,) = [
        figure
        for figure in (json.loads(chart.proto.spec) for chart in page.get("plotly_chart"))
        if figure["layout"]["yaxis"]["title"]["text"] == "gate probability"
    ]
    run = gates["data"][0]
    assert run["name"] == "the run's images: median, 10 to 90 %"
    for column, (_, _, images, _, median, _) in zip(prob.T, run["customdata"], strict=True):
        asked = column[~np.isnan(column)]
        assert images == str(len(asked))
        assert float(median) == pytest.approx(np.median(asked), abs=1e-4)
    shutil.rmtree(runs / "tiny" / "records")
    specs = [chart.proto.spec for chart in opened().get("plotly_chart")]
    assert any("gate probability" in spec for spec in specs)
    assert not any("the run's images: median" in spec for spec in specs)


def test_figures_have_definitions_on_hover(runs: Path) -> None:
    shown = html(opened())
    defined = {term: why for why, term in re.findall(r'<abbr title="(.*?)">(.*?)</abbr>', shown)}
    assert {
        "Loops", "Multiply-adds", "blur", "rotation", "of the evidence lies on the object",
        "of the picture is the object",
    } <= set(defined)  # fmt: skip
    assert all(why.endswith(".") for why in defined.values())
    assert not re.search(r"<dt>(?!<abbr)", shown)


def test_an_address_names_a_sample_a_method_and_a_class(runs: Path) -> None:
    page = opened(sample="g1001686", method="Occlusion", target="boat")
    assert headings(page)[0] == "bird-2"
    assert "Occlusion: evidence of each pixel for boat" in drawings(page)
    assert page.query_params["sample"] == "g1001686"


def test_an_address_names_an_image_of_the_records(runs: Path) -> None:
    page = opened(record="3")
    assert headings(page)[0] == "image g1000003"
    (run,) = cache.list_runs()
    records = cache.records(run)
    assert run.info
    shown = re.search(r"<strong>(\w+)</strong>", html(page))
    assert shown
    assert shown[1] == run.info.classes[int(records["prediction"].iloc[3])]
    loops = int(records["loops"].iloc[3])
    assert headings(page)[1] == f"The path it took: {loops} of 5 loops"
    picture = sources.record_picture(run, 3)
    np.testing.assert_array_equal(np.asarray(picture.open(32)), render(1_000_003).image)


def test_another_address_names_another_image(runs: Path) -> None:
    page = opened(record="3")
    page.query_params["record"] = "5"
    run_again(page)
    assert headings(page)[0] == "image g1000005"
    assert page.query_params["record"] == "5"


def test_records_of_other_images_bring_their_own_answer(runs: Path) -> None:
    """What was kept of the image that had the same place before is not shown for it."""
    page = opened(record="3")
    before = html(page), drawings(page)
    images = GeneratedSet("train", IMAGES)
    shutil.rmtree(runs / "tiny" / "records")
    record_run(runs / "tiny", images, split="train")
    run_again(page)
    assert headings(page)[0] == f"image {images.ids[3]}"
    seen = np.ascontiguousarray(images.arrays([3])[0].transpose(1, 2, 0))
    assert data_uri(seen) in html(page)
    assert data_uri(seen) not in before[0]
    drawn, old = (
        re.findall(r'href="([^"]+)"', each.partition("ls-evidence")[2])
        for each in (drawings(page), before[1])
    )
    assert len(drawn) == len(old) == 2, "the picture, and the evidence over it"
    assert not set(drawn) & set(old)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"sample": "g1"}, "There is no sample called g1."),
        ({"record": "999"}, f"There is no image 999 in the records .* 0 to {IMAGES - 1}"),
        ({"record": "-1"}, "There is no image '-1'"),
        ({"record": "9" * 40}, "There is no image '999"),
    ],
    ids=str,
)
def test_an_address_of_nothing_gets_a_sentence(
    runs: Path, params: dict[str, str], sentence: str
) -> None:
    page = opened(**params)
    assert any(re.search(sentence, as_read(each.value)) for each in page.warning)
    assert headings(page)[0] == "bird-1"


def test_foreign_values_in_the_address_are_dropped(runs: Path) -> None:
    page = opened(method="telepathy", target="unicorn", overlay="900")
    assert page.selectbox(key="method").value == "saliency"
    assert page.selectbox(key="target").value == "predicted"
    assert page.slider(key="overlay").value == 75


@pytest.mark.parametrize(
    "method", ["input_x_gradient", "integrated_gradients", "grad_cam", "occlusion"]
)
def test_every_method_draws(runs: Path, method: str) -> None:
    page = opened()
    before = drawings(page)
    page.selectbox(key="method").set_value(method)
    run_again(page)
    assert drawings(page) != before
    assert any("decisions are frozen" in each.value for each in page.caption)


def test_a_damaged_network_is_named_with_what_to_do(runs: Path) -> None:
    weights = runs / "tiny" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100] + b"x" * 100)
    page = opened()
    (error,) = page.error
    assert error.value.startswith("The network of tiny cannot be loaded:")
    assert "drnn verify" in error.value


def test_no_runs_at_all(runs: Path) -> None:
    shutil.rmtree(runs / "tiny")
    page = opened()
    assert page.info[0].value.startswith("There is no run in")


def test_a_run_without_records_says_how_to_get_them(runs: Path) -> None:
    shutil.rmtree(runs / "tiny" / "records")
    page = opened()
    assert any("no records to compare with" in each.value for each in page.caption)
    assert any("drnn records" in each.value for each in page.code)
    assert headings(page)[0] == "bird-1"


def test_damaged_records_do_not_take_the_page_down(runs: Path) -> None:
    (runs / "tiny" / "records" / "part-00000.parquet").write_bytes(b"PAR1")
    page = opened(record="2")
    sentences = [as_read(each.value) for each in page.warning]
    assert any("Image 2 cannot be opened:" in each for each in sentences)
    assert any("records cannot be read:" in each for each in sentences)
    assert headings(page)[0] == "bird-1"


def test_without_samples_the_page_asks_for_a_picture(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "SAMPLES_FOLDER", tmp_path / "nowhere")
    page = opened()
    assert "sample pictures cannot be shown" in page.warning[0].value
    assert "Drop a picture" in page.info[0].value
    page.file_uploader[0].upload("red.png", png())
    run_again(page)
    assert headings(page)[0] == "red.png"


def test_a_label_that_the_run_does_not_know(runs: Path) -> None:
    classes = tuple(f"thing {number}" for number in range(10))
    inspect_run(runs / "foreign", records=False, classes=classes)
    page = opened(run="foreign")
    assert "is a bird, which this run does not know" in html(page)
