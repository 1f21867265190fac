"""``drnn norms`` from the command line, and that what it stores is what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.resume import write_images
from drnn_core.analysis.moments import Moments, NormStatistics
from drnn_core.analysis.norm_bias import bias_table
from drnn_core.analysis.norm_discrepancy import discrepancy_table
from drnn_core.analysis.norm_statistics import norm_statistics
from drnn_core.analysis.sampling import spread_sample
from drnn_core.cli import main
from drnn_core.data.datasets import load_split
from drnn_core.querying.norms import read_statistics
from drnn_core.store.norms import NORMS, has_norms
from drnn_core.store.runs import load_network, read_run
from tests.tiny_runs import PREPROCESSING, tiny_network, tiny_run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_images(tmp_path / "data", train=1, test=30)
    return tmp_path / "data"


@pytest.fixture
def run(tmp_path: Path, data: Path) -> Path:
    classes = load_split(str(data), "test", 16, sizing=PREPROCESSING).classes
    tiny_run(tmp_path / "run", tiny_network(len(classes)), classes=classes)
    return tmp_path / "run"


def test_it_stores_what_norm_statistics_measures(
    run: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["norms", str(run), "--data", str(data), "--limit", "20", "--batch", "8"]
    assert main([*command, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    header, found = read_statistics(run)
    assert said["images"] == header.images == 20
    network, _ = load_network(run)
    images = load_split(str(data), "test", 16, sizing=PREPROCESSING)
    keep = spread_sample(len(images), 20)
    parts = [keep[first : first + 8] for first in range(0, 20, 8)]
    batches = [PREPROCESSING.normalise(images.images(part)) for part in parts]
    wanted = norm_statistics(network, batches)
    assert [(one.block, one.norm, one.loop, one.depth, one.kind) for one in found] == [
        (one.block, one.norm, one.loop, one.depth, one.kind) for one in wanted
    ]
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one.executed_parts.images, other.executed_parts.images)
        np.testing.assert_array_equal(one.skipped_parts.images, other.skipped_parts.images)
        for mine, its in zip(_groups(one), _groups(other), strict=True):
            assert mine.images == its.images
            np.testing.assert_allclose(mine.mean, its.mean, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(mine.var, its.var, rtol=1e-5, atol=1e-9)
    table = discrepancy_table(found).join(bias_table(found)[["mean_bias"]])
    rows = said["norms"]
    assert [row["mean_bias"] for row in rows] == table["mean_bias"].tolist()
    wanted_divergence = [None if np.isnan(value) else value for value in table["divergence"]]
    assert [row["divergence"] for row in rows] == wanted_divergence


def _groups(one: NormStatistics) -> list[Moments]:
    return [one.executed, one.skipped, one.population, *one.shuffled]


def test_a_table_for_people(run: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["norms", str(run), "--data", str(data), "--limit", "0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "norms on 30 of 30 images" in lines[0]
    assert len(lines) == 2 + 10 + 1, "two norms of five loops"
    assert lines[2].split()[:3] == ["2.2", "1", "norm1"]


def test_a_smaller_trial_takes_the_place_of_nothing(
    run: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["norms", str(run), "--data", str(data)]
    assert main([*command, "--limit", "20"]) == 0
    before = (run / NORMS).read_bytes()
    capsys.readouterr()
    assert main([*command, "--limit", "5"]) == 1
    said = capsys.readouterr().err
    assert "holds statistics of norms of 20 images, which 5 would replace" in said
    assert "measure as many (--limit 20; 0 for all), or add --replace" in said
    assert (run / NORMS).read_bytes() == before
    for limit, images in (("20", 20), ("0", 30)):
        assert main([*command, "--limit", limit, "--seed", "1"]) == 0
        assert read_statistics(run)[0].images == images
    assert main([*command, "--limit", "5", "--replace"]) == 0
    assert read_statistics(run)[0].images == 5


def test_statistics_that_count_no_more_are_replaced(run: Path, data: Path) -> None:
    command = ["norms", str(run), "--data", str(data)]
    assert main([*command, "--limit", "20"]) == 0
    info = read_run(run)
    tiny_run(run, tiny_network(len(info.classes), seed=2), classes=info.classes)
    assert main([*command, "--limit", "6"]) == 0, "they were of other weights"
    (run / NORMS).write_bytes(b"damaged")
    assert main([*command, "--limit", "5"]) == 0
    assert read_statistics(run)[0].images == 5


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--limit", "-1"], "--limit of 0 or more"),
        (["--batch", "0"], "--batch of at least 1"),
        (["--data", "nowhere"], "nowhere"),
        (["--data", "generated"], "expected generated to have the run's"),
        (["--device", "cuda"], "expected a CUDA GPU for --device cuda, found none"),
    ],
)
def test_failures_are_one_line(
    run: Path,
    data: Path,
    more: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main(["norms", str(run), "--data", str(data), *more]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert message in said
    assert not has_norms(run)


def test_devices_are_those_that_are_listed(
    run: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["norms", str(run), "--data", str(data), "--device", "foo"])
    assert caught.value.code == 2
    assert "invalid choice 'foo'" in capsys.readouterr().err
