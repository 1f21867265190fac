"""``drnn population``: both errors of a run, measured and kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drnn_core.cli import main
from drnn_core.commands.population import measure_population
from drnn_core.evaluation import measure
from drnn_core.store.integrity import verify_run
from drnn_core.store.population import POPULATION, read_population, write_population
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
