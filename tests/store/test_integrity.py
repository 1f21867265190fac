"""verify_run: silent about a sound run, and never about any damage."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from drnn_core.evaluation import measure
from drnn_core.inference.recording import record_run
from drnn_core.store.integrity import Finding, verify_run
from drnn_core.store.records import RecordWriter, read_manifest, read_records_table
from drnn_core.store.runs import Metrics, RunMetrics, read_run
from drnn_core.store.sealed import read_sealed, write_sealed
from tests.tiny_runs import PREPROCESSING, paths_under, tiny_images, tiny_network, tiny_run

FILES = (
    "README.md",
    "model.safetensors",
    "records/manifest.json",
    "records/part-00000.parquet",
    "records/part-00001.parquet",
    "run.json",
)


def honest_run(folder: Path, **changes: Any) -> None:
    """A run whose figures are its network's, with records of 40 images in two shards."""
    images, network = tiny_images(40), tiny_network(**changes)
    found = measure(network, images, PREPROCESSING)
    plain = not found.gate_rates
    test = Metrics(
        target=None if plain else 0.7,
        gate_rates=tuple(found.gate_rates),
        **{
            field.name: getattr(found, field.name)
            for field in dataclasses.fields(found)
            if field.name != "gate_rates"
        },
    )
    args = {"blocks": [1, 2, 2], "widths": [8, 8, 8], "loops": [1, 2, 3], **changes}
    tiny_run(folder, network, metrics=RunMetrics(test), model_args=args)
    record_run(folder, images, shard_rows=20)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "run"
    honest_run(folder)
    return folder


@pytest.fixture
def run(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound, tmp_path / "run")
    return tmp_path / "run"


def check(findings: list[Finding], path: str) -> None:
    assert path in {found.path for found in findings}, findings
    for found in findings:
        assert found.level in ("error", "warning")
        assert 10 < len(found.message) < 500
        assert "\n" not in found.message


def test_a_sound_run_has_no_findings(sound: Path) -> None:
    assert [path.relative_to(sound).as_posix() for path in paths_under(sound)] == list(FILES)
    assert verify_run(sound) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"loops": [1, 1, 1]},
        {"gated": False},
        {"first_loop": "always"},
        {"norm": "naive"},
        {"gate_hidden": None},
    ],
    ids=str,
)
def test_every_kind_of_network_is_sound(tmp_path: Path, changes: dict[str, Any]) -> None:
    honest_run(tmp_path, **changes)
    assert verify_run(tmp_path) == []


def test_a_run_without_records_and_what_training_keeps_is_sound(run: Path) -> None:
    shutil.rmtree(run / "records")
    (run / "tensorboard").mkdir()
    (run / "tensorboard" / "events").touch()
    (run / "resume.safetensors").touch()
    assert verify_run(run) == []


@pytest.mark.parametrize("name", FILES)
def test_every_flipped_bit_is_found(run: Path, name: str) -> None:
    path = run / name
    data = path.read_bytes()
    generator = np.random.default_rng(len(data))
    # the ends of a file, where heads and footers are, and places at random: 6 x 45 flips
    places = [0, len(data) - 1, len(data) - 6, 8, *generator.integers(0, len(data), 41).tolist()]
    for place in places:
        changed = bytearray(data)
        changed[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(changed)
        assert verify_run(run), f"bit flip at {place} of {name} was not found"
    path.write_bytes(data)
    assert verify_run(run) == []


@pytest.mark.parametrize("name", FILES)
def test_truncated_lengthened_emptied_deleted(run: Path, name: str) -> None:
    path = run / name
    data = path.read_bytes()
    for changed in (
        data[:-1],
        data[: len(data) // 2],
        b"",
        data + b"\n",
        data + b"\0",
        b" " + data,
    ):
        path.write_bytes(changed)
        check(verify_run(run), name)
    path.unlink()
    check(verify_run(run), name)
    path.mkdir()
    check(verify_run(run), name)


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("records/part-00002.parquet", "error"),
        ("records/part-00000 (copy).parquet", "error"),
        ("records/notes.txt", "error"),
        ("model.pt", "warning"),
        (".run.json.0123.partial", "warning"),
        ("records/.part-00001.parquet.0123.partial", "warning"),
    ],
)
def test_added_files_are_found(run: Path, name: str, level: str) -> None:
    (run / name).write_bytes(b"?")
    findings = verify_run(run)
    check(findings, name)
    assert [found.level for found in findings] == [level]


def test_exchanged_shards_are_found(run: Path) -> None:
    first, second = run / FILES[3], run / FILES[4]
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)
    assert {found.path for found in verify_run(run)} == {FILES[3], FILES[4]}


def test_a_missing_records_manifest_leaves_no_doubt(run: Path) -> None:
    (run / "records" / "manifest.json").unlink()
    check(verify_run(run), "records/manifest.json")


def test_unfinished_records(run: Path) -> None:
    values = read_sealed(run / "records/manifest.json")
    values.update(complete=False, shards=values["shards"][:1])
    write_sealed(run / "records/manifest.json", values)
    (run / FILES[4]).unlink()
    (finding,) = verify_run(run)
    assert "unfinished: 20 of 40 rows" in finding.message


def test_records_of_other_weights(run: Path) -> None:
    info = read_run(run)
    tiny_run(run, tiny_network(seed=4), metrics=info.metrics)
    (finding,) = verify_run(run)
    assert "of other weights" in finding.message


def test_no_run_at_all(tmp_path: Path) -> None:
    check(verify_run(tmp_path), "run.json")
    check(verify_run(tmp_path / "none"), "run.json")


def forge(run: Path, name: str, change: Callable[[Any], Any]) -> list[str]:
    """Rewrite a column of the records with sound hashes; what verify_run then says."""
    table = read_records_table(run)
    header = read_manifest(run).header
    place = table.schema.names.index(name)
    kind = table.schema.field(name)
    column = pa.chunked_array([pa.array(change(table[name].to_pylist()), kind.type)])
    table = table.set_column(place, kind, column)
    shutil.rmtree(run / "records")
    with RecordWriter(run, header) as writer:
        for first, rows in writer.missing():
            writer.write(first, table.slice(first, rows))
    return [found.message for found in verify_run(run)]


def with_first(value: Any) -> Callable[[list[Any]], list[Any]]:
    return lambda values: [value, *values[1:]]


def asked_first(values: list[list[float]]) -> list[list[float]]:
    """The first gate of the first image, which is always asked, without a chance."""
    return [[float("nan"), *values[0][1:]], *values[1:]]


@pytest.mark.parametrize(
    ("name", "change", "part"),
    [
        ("id", with_first("test/0001"), "every 'id' once"),
        ("id", with_first(None), "found empty ones"),
        ("label", with_first(4), "'label' from 0 to 3"),
        ("prediction", with_first(-1), "'prediction' from 0 to 3"),
        ("correct", lambda v: [not v[0], *v[1:]], "whether 'prediction' is 'label'"),
        ("confidence", with_first(1.5), "'confidence' above 0"),
        ("confidence", with_first(float("nan")), "'confidence' above 0"),
        ("loss", with_first(-1.0), "'loss' and 'entropy'"),
        ("entropy", with_first(float("nan")), "'loss' and 'entropy'"),
        ("loops", lambda v: [v[0] + 1, *v[1:]], "'loops' to be the sum"),
        ("block_loops", with_first([1]), "lists of 2 'block_loops' and 5 'gate_prob'"),
        ("block_loops", with_first([9, 9]), "'block_loops' of at most [2, 3]"),
        ("gate_prob", with_first([0.5] * 6), "lists of 2 'block_loops'"),
        ("gate_prob", asked_first, "exactly where a gate was asked"),
        ("gate_prob", lambda v: [[1 - p for p in v[0]], *v[1:]], "whose 'gate_prob' is above"),
        ("macs", lambda v: [v[0] + 1, *v[1:]], "'macs' to be what"),
        ("loss", lambda v: [value + 1 for value in v], "run.json says loss"),
    ],
)
def test_records_that_contradict_themselves(
    run: Path, name: str, change: Callable[[Any], Any], part: str
) -> None:
    messages = forge(run, name, change)
    assert any(part in message for message in messages), messages


@pytest.mark.parametrize("trained_on", ["tiny (train)", "tiny (train), 1,000 of 50,000"])
def test_the_figures_of_a_set_whose_halves_have_names_are_compared_too(
    tmp_path: Path, trained_on: str
) -> None:
    """run.json names the images of the training, the records those of the test."""
    honest_run(tmp_path)
    info = read_run(tmp_path)
    shutil.rmtree(tmp_path / "records")
    tested = dataclasses.replace(tiny_images(40), name="tiny (test)")
    for error, problems in ((info.metrics.test.error, 0), (12.0, 1)):
        test = dataclasses.replace(info.metrics.test, error=error)
        changes: dict[str, Any] = {"model_args": info.model_args, "dataset": trained_on}
        tiny_run(tmp_path, metrics=RunMetrics(test), **changes)
        record_run(tmp_path, tested)
        assert len(verify_run(tmp_path)) == problems


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"error": 12.0}, "an error of 12.000 %"),
        ({"loops_mean": 1.0}, "loops_mean 1,"),
        ({"loops_std": 0.0}, "loops_std 0,"),
        ({"macs_mean": 1.0}, "macs_mean 1,"),
        ({"n": 41}, "measured 41 images"),
    ],
)
def test_figures_that_the_records_contradict(run: Path, changes: dict[str, Any], part: str) -> None:
    info = read_run(run)
    test = dataclasses.replace(info.metrics.test, **changes)
    tiny_run(run, metrics=RunMetrics(test), model_args=info.model_args)
    messages = [found.message for found in verify_run(run)]
    assert len(messages) == 1
    assert part in messages[0]


def test_figures_of_other_images_are_not_compared(run: Path) -> None:
    info = read_run(run)
    test = dataclasses.replace(info.metrics.test, error=12.0)
    tiny_run(run, metrics=RunMetrics(test), dataset="other", model_args=info.model_args)
    assert verify_run(run) == []


def test_the_shards_checksums_are_on_every_page(run: Path) -> None:
    """Arrow itself, without our SHA-256, refuses a page whose bits changed."""
    path = run / FILES[3]
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 16
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(pa.BufferReader(bytes(data)), page_checksum_verification=True)
    assert pc.sum(read_records_table(run)["loops"]).as_py() > 0
