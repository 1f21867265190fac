"""Statistics of norms on disk: what comes back, and that no damage passes."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from drnn_core.commands.norm_measuring import measure_norms
from drnn_core.inference.recording import record_run
from drnn_core.querying.norms import read_statistics
from drnn_core.store.files import is_temporary
from drnn_core.store.integrity import verify_run
from drnn_core.store.norm_agreement import norm_problems
from drnn_core.store.norms import (
    NORMS,
    NormsError,
    StoredNorms,
    has_norms,
    norms_as_written,
    read_norms,
    write_norms,
)
from drnn_core.store.runs import read_run
from drnn_core.store.sealed import seal_of
from tests.tiny_runs import tiny_images, tiny_network, tiny_run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with statistics of 30 of its 40 images."""
    folder = tmp_path_factory.mktemp("norms") / "run"
    tiny_run(folder)
    measure_norms(folder, tiny_images(40), limit=30, batch=7)
    return folder


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "run")
    return tmp_path / "run"


def stored_in(run: Path) -> StoredNorms:
    return read_norms(run, read_run(run).weights_sha256)


def of_norms(run: Path) -> list[str]:
    return [found.message for found in verify_run(run) if found.path == NORMS]


def test_what_was_written_comes_back(run: Path) -> None:
    stored = stored_in(run)
    assert (stored.header.images, stored.header.rows, stored.header.dataset) == (30, 40, "tiny")
    assert [(block.name, block.loops) for block in stored.header.blocks] == [("2.2", 2), ("3.2", 3)]
    assert stored.arrays["3.2/norm2/executed_mean"].shape == (10, 3, 8)
    assert norms_as_written(run)
    before = (run / NORMS).read_bytes()
    write_norms(run, stored)
    assert (run / NORMS).read_bytes() == before, "the same values are the same bytes"
    assert verify_run(run) == []


def test_it_opens_without_us(run: Path) -> None:
    """One line of safetensors gives plain arrays, for those who have only the file."""
    arrays = safetensors.numpy.load_file(run / NORMS)
    assert arrays["2.2/norm1/population_var"].shape == (2, 8)
    assert int(arrays["2.2/executed"].sum(axis=0)[0]) <= 30


def test_any_flipped_bit_is_noticed(run: Path) -> None:
    data, info = (run / NORMS).read_bytes(), read_run(run)
    places = np.random.default_rng(0).integers(0, len(data), 120)
    for place in [*range(8), *range(8, 400, 13), *places.tolist()]:
        broken = bytearray(data)
        broken[place] ^= 1 << (place % 8)
        (run / NORMS).write_bytes(broken)
        assert list(norm_problems(run, info, None)), f"byte {place}"


@pytest.mark.parametrize("length", [0, 7, 8, 100, 5000])
def test_half_a_file_is_refused_with_a_sentence(run: Path, length: int) -> None:
    (run / NORMS).write_bytes((run / NORMS).read_bytes()[:length])
    with pytest.raises(NormsError, match="damaged, or drnn norms did not write it"):
        stored_in(run)
    assert len(of_norms(run)) == 1


def resealed(run: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """A change on purpose, under a seal of its own."""
    from drnn_core.store.norms import _digest

    path = run / NORMS
    data = path.read_bytes()
    arrays = dict(safetensors.numpy.load(data))
    length = int.from_bytes(data[:8], "little")
    values = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["norms"])
    del values["sha256"]
    change(values, arrays)
    values["arrays_sha256"] = _digest(arrays)
    text = json.dumps({**values, "sha256": seal_of(values)})
    path.write_bytes(safetensors.numpy.save(arrays, metadata={"norms": text}))


def _fewer_images(values: dict[str, Any], arrays: dict[str, Any]) -> None:
    values["images"] = 5  # of which 30 executed a loop


def _negative(values: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["2.2/norm1/executed_var"] = -np.abs(arrays["2.2/norm1/executed_var"]) - 1


def _reopened(values: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["2.2/executed"] = arrays["2.2/executed"][:, ::-1].copy()
    arrays["2.2/executed"][:, 0] = 0


def _another_shape(values: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["2.2/norm1/skipped_mean"] = arrays["2.2/norm1/skipped_mean"][:, :, :4].copy()


def _newer(values: dict[str, Any], arrays: dict[str, Any]) -> None:
    values["format"] = 99


def _huge(values: dict[str, Any], arrays: dict[str, Any]) -> None:
    values["blocks"][0]["loops"] = 10**12


@pytest.mark.parametrize(
    "change", [_fewer_images, _negative, _reopened, _another_shape, _newer, _huge]
)
def test_what_cannot_be_is_refused_whoever_sealed_it(run: Path, change: Any) -> None:
    resealed(run, change)
    (message,) = of_norms(run)
    assert 20 < len(message) < 400
    assert "expected" in message


def test_statistics_of_other_weights_are_refused(run: Path, tmp_path: Path) -> None:
    tiny_run(tmp_path / "other", tiny_network(seed=1))
    shutil.copy(run / NORMS, tmp_path / "other" / NORMS)
    with pytest.raises(NormsError, match="of other weights"):
        read_statistics(tmp_path / "other")
    assert of_norms(tmp_path / "other")


def test_verify_compares_with_the_network_and_the_records(run: Path) -> None:
    record_run(run, tiny_images(40))
    assert of_norms(run) == []
    resealed(run, lambda values, arrays: values.update(data_fingerprint="cd" * 32))
    assert "other images" in of_norms(run)[0]

    def other(values: dict[str, Any], arrays: dict[str, Any]) -> None:
        values.update(data_fingerprint=tiny_images(40).fingerprint)
        arrays["3.2/norm2/population_mean"] = arrays["3.2/norm2/population_mean"] + np.float32(1)

    resealed(run, other)
    assert "running statistics of 3.2/norm2" in of_norms(run)[0]
    resealed(run, lambda values, arrays: values["blocks"][0]["norms"][0].update(kind="lvbn"))
    assert "other blocks, loops or norms" in of_norms(run)[0]


def test_records_of_other_images_are_not_mixed_with_it(run: Path) -> None:
    record_run(run, tiny_images(40))
    with pytest.raises(NormsError, match="pass the data set that was recorded"):
        measure_norms(run, tiny_images(40, seed=5))


def test_a_stop_leaves_the_old_file(run: Path) -> None:
    before = (run / NORMS).read_bytes()

    def stop(done: int, total: int) -> None:
        if done >= 14:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_norms(run, tiny_images(40), batch=7, progress=stop)
    assert (run / NORMS).read_bytes() == before
    assert not any(is_temporary(path) for path in run.iterdir())


def test_without_norms_of_loops_there_is_nothing_to_measure(tmp_path: Path) -> None:
    args: dict[str, Any] = {"blocks": [1, 1, 1], "loops": [1, 1, 1]}
    args |= {"widths": [8, 8, 8], "gated": False}
    tiny_run(tmp_path / "plain", tiny_network(**args), model_args=args)
    with pytest.raises(NormsError, match="no recursive blocks"):
        measure_norms(tmp_path / "plain", tiny_images(5))
    assert not has_norms(tmp_path / "plain")


def test_arrays_that_are_not_the_headers_are_not_written(run: Path) -> None:
    stored = stored_in(run)
    arrays = {**stored.arrays, "2.2/norm1/more": np.zeros(2, np.float32)}
    with pytest.raises(NormsError, match=r"2\.2/norm1/more"):
        write_norms(run, dataclasses.replace(stored, arrays=arrays))
