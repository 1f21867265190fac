"""The counted network in run.json: as it is, read strictly, and checked against the network."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drnn_core.counting import network_cost
from drnn_core.inference.facts import network_facts, run_shape
from drnn_core.store import building
from drnn_core.store.counted import Counted
from drnn_core.store.integrity import verify_run
from drnn_core.store.runs import RunError, RunInfo, add_network, find_runs, read_run
from drnn_core.store.sealed import read_sealed, write_sealed
from tests.tiny_runs import tiny_info, tiny_network, tiny_run

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    tiny_run(tmp_path / "run")
    return tmp_path / "run"


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    values = read_sealed(folder / "run.json")
    change(values)
    write_sealed(folder / "run.json", values)


def test_a_run_says_what_its_network_is(run: Path) -> None:
    network, found = tiny_network(), read_run(run).network
    assert found == Counted(network.stage_layouts, network_cost(network, 16))
    assert found is not None
    assert found.cost.layout == network.layout
    assert verify_run(run) == []


def test_who_reads_it_builds_nothing(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = network_facts(tiny_info()), run_shape(tiny_info())
    monkeypatch.setattr(building, "count_run", None)
    info = read_run(run)
    assert (network_facts(info), run_shape(info)) == built


def test_the_counts_of_another_network_are_found(run: Path) -> None:
    changed(run, lambda values: values["network"].update(params=1))
    (finding,) = verify_run(run)
    assert (finding.level, finding.path) == ("error", "run.json")
    assert "expected 'network' to be the stages and the cost" in finding.message


def test_a_run_from_before_is_read_and_can_be_brought_up_to_date(run: Path) -> None:
    whole = (run / "run.json").read_bytes()
    changed(run, lambda values: values.pop("network"))
    info = read_run(run)
    assert info.network is None
    assert "network" not in info.to_dict()
    assert network_facts(info) == network_facts(tiny_info())
    assert verify_run(run) == []
    add_network(run)
    assert (run / "run.json").read_bytes() == whole


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda network: network.pop("params"), "expected a key 'params'"),
        (lambda network: network.update(fixed_macs=-1), "'fixed_macs' to be a whole number from 0"),
        (lambda network: network.update(step_macs=[1]), "each of the 5 loops of its blocks, got 1"),
        (lambda network: network.update(gate_macs=[1.5] * 5), "'gate_macs' to be a list of whole"),
        (lambda network: network.update(gate_macs=None), "'gate_macs' to be a list of whole"),
        (lambda network: network["stages"][1].update(channels=0), "'channels' to be a whole"),
        (lambda network: network["stages"][1]["blocks"][1].update(loops=10**9), "from 0 to 1000"),
        (lambda network: network["stages"][1]["blocks"][1].update(gated=1), "true or false"),
        (lambda network: network.update(stages={}), "'stages' to be a list of objects"),
    ],
)
def test_what_is_no_network_is_a_sentence(
    run: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    changed(run, lambda values: change(values["network"]))
    with pytest.raises(RunError, match=message):
        read_run(run)


def test_plain_values_come_back(run: Path) -> None:
    info = read_run(run)
    again = RunInfo.from_dict(json.loads(json.dumps(info.to_dict())), "here")
    assert again == info
    assert again != dataclasses.replace(info, network=None)


@pytest.mark.parametrize("folder", find_runs(CHECKPOINTS), ids=lambda folder: folder.name)
def test_the_shipped_runs_have_it(folder: Path) -> None:
    """If not: drnn_core.store.runs.add_network(folder)."""
    assert read_run(folder).network is not None


def test_reading_a_run_needs_no_torch() -> None:
    """This process has imported it, so another one has to tell."""
    script = f"""
import sys
from pathlib import Path
from drnn_core.inference.facts import network_facts, network_shape
from drnn_core.store.runs import find_runs, read_run
for run in find_runs(Path({str(CHECKPOINTS)!r})):
    network_facts(read_run(run))
network_shape("dr_resnet53_l3")
sys.exit("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=CHECKPOINTS.parent, check=False)
    assert done.returncode == 0
