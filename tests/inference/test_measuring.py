"""Columns beside the records: of the recorded path, resumable anywhere, the same to the bit."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from drnn_core.analysis.image_statistics import image_statistics
from drnn_core.analysis.saliency import attribute
from drnn_core.analysis.saliency_statistics import saliency_statistics
from drnn_core.commands.measurements import measurements
from drnn_core.data.sets import Indices, MemorySet
from drnn_core.inference.frozen import freeze
from drnn_core.inference.measuring import Measured, Measurement, measure_run
from drnn_core.inference.recording import record_run
from drnn_core.models.gate import Gate
from drnn_core.store.columns import read_columns, rounded
from drnn_core.store.integrity import verify_run
from drnn_core.store.records import RecordsError, read_records
from tests.tiny_runs import PREPROCESSING, paths_under, tiny_images, tiny_network, tiny_run


class Masked(MemorySet):
    """Tiny images whose object is the left half."""

    def masks(self, indices: Indices) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride]
        mask = np.zeros((len(indices), 16, 16), dtype=bool)
        mask[:, :, :8] = True
        return mask


def images(**changes: Any) -> MemorySet:
    made = tiny_images(**changes)
    return Masked(**{field.name: getattr(made, field.name) for field in dataclasses.fields(made)})


def recorded(folder: Path) -> Path:
    tiny_run(folder)
    record_run(folder, images(), shard_rows=20)
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return recorded(tmp_path / "run")


def contents(run: Path) -> dict[str, bytes]:
    return {str(path.relative_to(run)): path.read_bytes() for path in paths_under(run / "columns")}


def test_columns_are_those_of_each_image_by_itself(run: Path) -> None:
    steps: list[tuple[int, int]] = []
    tables = measurements("saliency", masks=True)
    measured = measure_run(
        run, images(), tables, batch=12, progress=lambda *step: steps.append(step)
    )
    assert measured == 60
    assert steps == [(done, 60) for done in (12, 20, 32, 40, 52, 60)]
    found = read_columns(run, "saliency")
    network, pixels = tiny_network(), images().pixels
    mask = np.zeros((60, 16, 16), dtype=bool)
    mask[:, :, :8] = True
    for row in (0, 7, 31, 59):
        normalised = PREPROCESSING.normalise(pixels[row : row + 1])
        with torch.no_grad():
            output = network(normalised)
        evidence = attribute(
            freeze(network, output.trace.ran), normalised, int(output.logits.argmax()), "saliency"
        )
        for name, value in saliency_statistics(evidence, mask[row : row + 1]).items():
            assert found[f"saliency_{name}"][row] == pytest.approx(float(value[0]), rel=1e-3)
        chances = F.softmax(output.logits[0], dim=0).sort(descending=True).values
        margin = read_columns(run, "outputs")["margin"][row]
        assert margin == pytest.approx(float(chances[0] - chances[1]), rel=1e-3, abs=1e-6)
    of_images = read_columns(run, "image")
    for name, values in image_statistics(pixels).items():
        np.testing.assert_array_equal(of_images[f"image_{name}"], rounded(values))
    assert found["saliency_on_object"].between(0.2, 0.8).all()


def test_no_gate_is_asked_and_the_records_say_what_ran(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a gate was asked")

    monkeypatch.setattr(Gate, "forward", refuse)
    seen: list[torch.Tensor] = []

    def measure(batch: Measured) -> dict[str, np.ndarray]:
        seen.append(batch.network.ran.clone())
        assert batch.predictions.dtype == torch.int64
        assert not any(weight.requires_grad for weight in batch.network.parameters())
        logits = batch.network(batch.images)
        return {"first": logits[:, 0].numpy()}

    measure_run(run, images(), [Measurement("mine", ("first",), measure)], batch=20)
    ran = torch.cat(seen)
    assert ran.sum(dim=1).tolist() == read_records(run)["loops"].tolist()
    with torch.no_grad():
        frozen = freeze(tiny_network(), ran)(PREPROCESSING.normalise(images().pixels))
    np.testing.assert_allclose(read_columns(run, "mine")["first"], frozen[:, 0], rtol=1e-3)


class Stop(BaseException):
    """A kill, as far as a test in one process can make one."""


def test_interrupted_anywhere_it_ends_the_same_to_the_bit(tmp_path: Path) -> None:
    tables = measurements("saliency", masks=True)
    whole = recorded(tmp_path / "whole")
    measure_run(whole, images(), tables, batch=10)
    for at in range(1, 7):
        run = recorded(tmp_path / f"run{at}")
        batches = 0

        def tick(*_: Any, at: int = at) -> None:
            nonlocal batches
            batches += 1
            if batches == at:
                raise Stop

        with pytest.raises(Stop):
            measure_run(run, images(), tables, batch=10, progress=tick)
        left = measure_run(run, images(), tables, batch=10)
        assert left == 60 - 20 * ((at - 1) // 2)
        assert contents(run) == contents(whole)
    assert verify_run(whole) == verify_run(tmp_path / "run3")


def test_only_what_is_missing_is_measured(run: Path) -> None:
    image, outputs, evidence = measurements("saliency", masks=True)
    assert measure_run(run, images(), [image]) == 60
    before = contents(run)
    (run / "columns/image/part-00001.parquet").unlink()
    calls = {"image": 0, "outputs": 0}

    def counting(one: Measurement) -> Measurement:
        def measure(batch: Measured) -> dict[str, np.ndarray]:
            calls[one.name] += len(batch.pixels)
            return one.measure(batch)

        return dataclasses.replace(one, measure=measure)

    assert measure_run(run, images(), [counting(image), counting(outputs)]) == 60
    assert calls == {"image": 20, "outputs": 60}
    assert before.items() <= contents(run).items()
    assert measure_run(run, images(), [image, outputs]) == 0
    assert measure_run(run, images(), [evidence]) == 60


def test_some_images_are_measured_and_the_others_stay_empty(run: Path) -> None:
    tables = measurements("saliency", masks=True)
    keep = np.array([3, 19, 20, 44])
    steps: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        steps.append((done, total))
        if len(steps) == 2:
            raise Stop

    with pytest.raises(Stop):
        measure_run(run, images(), tables, progress=stop, keep=keep, shard_rows=15)
    assert measure_run(run, images(), tables, keep=keep, shard_rows=15) == 3
    assert steps == [(1, 4), (3, 4)]
    whole = recorded(run.parent / "whole")
    measure_run(whole, images(), tables)
    for name in ("image", "outputs", "saliency"):
        some, every = read_columns(run, name), read_columns(whole, name)
        assert np.flatnonzero(some.iloc[:, 1].notna()).tolist() == keep.tolist()
        np.testing.assert_allclose(some.iloc[keep], every.iloc[keep], rtol=1e-3, atol=1e-6)
    assert verify_run(run) == verify_run(whole)
    with pytest.raises(RecordsError, match="images measured 4 instead of all"):
        measure_run(run, images(), tables, shard_rows=15)
    assert measure_run(run, images(), tables, keep=keep, shard_rows=15) == 0


def test_other_images_other_weights_or_no_records(run: Path, tmp_path: Path) -> None:
    tables = measurements("saliency", masks=False)
    with pytest.raises(RecordsError, match=r"of other images \(tiny, 60\) than tiny \(60\)"):
        measure_run(run, images(seed=3), tables)
    tiny_run(run, tiny_network(seed=9))
    with pytest.raises(RecordsError, match="of other weights than the run's"):
        measure_run(run, images(), tables)
    tiny_run(tmp_path / "new")
    with pytest.raises(RecordsError, match="expected records in"):
        measure_run(tmp_path / "new", images(), tables)
    assert not (run / "columns").exists()


def test_a_plain_network_has_evidence_too(tmp_path: Path) -> None:
    tiny_run(
        tmp_path,
        tiny_network(loops=[1, 1, 1], gated=False),
        model_args={"blocks": [1, 2, 2], "widths": [8, 8, 8], "loops": [1, 1, 1], "gated": False},
    )
    record_run(tmp_path, tiny_images(20))
    assert measure_run(tmp_path, tiny_images(20), measurements("saliency", masks=False)) == 20
    assert list(read_columns(tmp_path, "saliency")) == [
        "index",
        *(f"saliency_{name}" for name in
          ("entropy", "concentration", "area", "spread", "off_centre")),
    ]  # fmt: skip
