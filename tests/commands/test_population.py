"""``drnn population``: both errors of a run, measured and kept."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.resume import write_images
from drnn_core.analysis.batch_statistics import batch_normalised, batch_statistics, mixed
from drnn_core.cli import main
from drnn_core.commands import population
from drnn_core.commands.population import measure_population
from drnn_core.data import datasets
from drnn_core.data.datasets import load_split
from drnn_core.evaluation import measure
from drnn_core.inference.recording import record_run
from drnn_core.store.integrity import verify_run
from drnn_core.store.population import (
    POPULATION,
    has_population,
    read_population,
    write_population,
)
from drnn_core.store.records import RecordsError
from tests.tiny_runs import PREPROCESSING, TINY, tiny_images, tiny_network, tiny_run


@pytest.mark.parametrize("norm", ["naive", "ilvbn"])
def test_what_is_measured(tmp_path: Path, norm: str) -> None:
    network, images = tiny_network(norm=norm), tiny_images(60)
    tiny_run(tmp_path, network, model_args=TINY | {"norm": norm})
    stored = measure_population(tmp_path, images, batch=20)
    expected = measure(network, images, PREPROCESSING)
    assert stored.population.error == expected.error
    assert stored.population.loss == pytest.approx(expected.loss)
    assert stored.population.loops == expected.loops_mean
    assert stored.batches != stored.population
    assert (stored.kind, stored.images, stored.batch) == (norm, 60, 20)
    assert len(stored.block) == 2 * (2 + 3)
    assert measure_population(tmp_path, images, batch=20, limit=30).images == 30
    write_population(tmp_path, stored)
    assert POPULATION not in {found.path for found in verify_run(tmp_path)}
    (tmp_path / POPULATION).write_text("{}")
    assert POPULATION in {found.path for found in verify_run(tmp_path)}


def test_plain_networks_have_nothing_to_measure(tmp_path: Path) -> None:
    tiny_run(tmp_path, tiny_network(loops=[1, 1, 1]), model_args=TINY | {"loops": [1, 1, 1]})
    with pytest.raises(ValueError, match="nothing to measure"):
        measure_population(tmp_path, tiny_images(20), batch=10)


def test_a_batch_larger_than_the_images_is_refused(tmp_path: Path) -> None:
    tiny_run(tmp_path)
    for batch, limit in ((61, 0), (31, 30)):
        with pytest.raises(ValueError, match=f"at most the {batch - 1} images .*, got {batch}"):
            measure_population(tmp_path, tiny_images(60), batch, limit)
    assert measure_population(tmp_path, tiny_images(60), 30, 30).biases["mean_bias"]


def test_a_smaller_last_batch_is_evaluated_and_left_out_of_the_biases(tmp_path: Path) -> None:
    """The 20 images beyond a whole batch are in the errors; no mean counts them as a batch."""
    tiny_run(tmp_path)
    stored = measure_population(tmp_path, tiny_images(60), batch=40)
    assert (stored.images, stored.batch) == (60, 40)
    network, images = tiny_network(), mixed(tiny_images(60))
    only = batch_statistics(network, [PREPROCESSING.normalise(images.images(range(40)))])
    assert stored.biases["mean_bias"] == pytest.approx(only["mean_bias"].tolist(), rel=1e-4)
    every = measure(network, images, PREPROCESSING, 40, forward=batch_normalised(network))
    assert stored.batches.loss == pytest.approx(every.loss)


def test_other_images_than_those_of_the_records_are_refused(tmp_path: Path) -> None:
    images, others = tiny_images(60), tiny_images(60, seed=1)
    tiny_run(tmp_path)
    assert measure_population(tmp_path, others, batch=20).images == 60, "nothing contradicts"
    record_run(tmp_path, images)
    with pytest.raises(RecordsError, match=r"of other images .*; pass the data set that was"):
        measure_population(tmp_path, others, batch=20)
    assert measure_population(tmp_path, images, batch=20, limit=30).images == 30
    (tmp_path / "records" / "manifest.json").write_text("{}")
    with pytest.raises(RecordsError, match="the images of the run's records are not known"):
        measure_population(tmp_path, images, batch=20)


def test_each_run_is_measured_at_its_own_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(tmp_path / "data", train=1, test=12)
    data = str(tmp_path / "data")
    sizes = {"small": 16, "large": 24, "cropped": 16}
    folders = [str(tmp_path / name) for name in sizes]
    for name, size in sizes.items():
        resize = 20 if name == "cropped" else size
        sizing = dataclasses.replace(PREPROCESSING, image_size=size, resize=resize)
        classes = load_split(data, "test", size, sizing=sizing).classes
        network = tiny_network(len(classes))
        tiny_run(tmp_path / name, network, classes=classes, preprocessing=sizing)
    options = ["--data", data, "--batch", "6", "--json"]
    assert main(["population", *folders, *options]) == 0
    together = json.loads(capsys.readouterr().out)
    for folder, found in zip(folders, together, strict=True):
        assert main(["population", folder, *options]) == 0
        assert found == json.loads(capsys.readouterr().out), folder
    assert len({found["population"]["loss"] for found in together}) == len(sizes)


def test_a_smaller_trial_takes_the_place_of_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(tmp_path / "data", train=1, test=12)
    data = str(tmp_path / "data")
    classes = load_split(data, "test", 16, sizing=PREPROCESSING).classes
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        tiny_run(folder, tiny_network(len(classes)), classes=classes)
    options = ["--data", data, "--batch", "4"]
    assert main(["population", str(second), *options, "--limit", "8"]) == 0
    before = (second / POPULATION).read_bytes()
    capsys.readouterr()
    assert main(["population", str(first), str(second), *options, "--limit", "5"]) == 1
    said = capsys.readouterr().err
    assert f"{second} holds figures of population of 8 images, which 5 would replace" in said
    assert "measure as many (--limit 8; 0 for all), or add --replace" in said
    assert not has_population(first), "refused before the first run"
    assert (second / POPULATION).read_bytes() == before
    assert main(["population", str(second), *options]) == 0
    assert read_population(second).images == 12
    assert main(["population", str(second), *options, "--limit", "5", "--replace"]) == 0
    assert read_population(second).images == 5
    tiny_run(second, tiny_network(len(classes), seed=2), classes=classes)
    assert main(["population", str(second), *options, "--limit", "4"]) == 0, "of other weights"


def test_progress_is_told_of_all_three_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_run(tmp_path)
    seen: list[tuple[int, int]] = []

    @contextmanager
    def bar(_: str) -> Generator[Callable[[int, int], None]]:
        yield lambda done, total: seen.append((done, total))

    monkeypatch.setattr(population, "progress_bar", bar)
    monkeypatch.setattr(datasets, "load_split", lambda *_, **__: tiny_images(60))
    assert main(["population", str(tmp_path), "--data", "tiny", "--batch", "25"]) == 0
    passes = [25, 50, 60, 85, 110, 120, 145, 170]
    assert seen == [(done, 170) for done in passes], "the last without the smaller batch"


def test_without_a_gpu_cuda_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    tiny_run(tmp_path)
    assert main(["population", str(tmp_path), "--data", "generated", "--device", "cuda"]) == 1
    said = capsys.readouterr().err
    assert "expected a CUDA GPU for --device cuda, found none; use --device cpu" in said
    assert said.count("\n") == 1
    assert not has_population(tmp_path)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = "checkpoints/generated_r_resnet32_l4_naive"
    copy = tmp_path / "run"
    copy.mkdir()
    for name in ("run.json", "model.safetensors", "README.md"):
        (copy / name).write_bytes((Path(run) / name).read_bytes())
    arguments = ["population", str(copy), "--data", "generated", "--limit", "100"]
    assert main([*arguments, "--batch", "50", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["population"]["error"] == read_population(copy).population.error
    assert main([*arguments, "--batch", "50"]) == 0
    assert "running statistics   error" in capsys.readouterr().out
    assert main([*arguments, "--batch", "1"]) == 1
