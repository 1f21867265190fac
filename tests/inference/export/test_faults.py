"""Faults that the comparison with the reference, or the count of work, must find."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from drnn_core.inference.export import (
    DisagreementError,
    ExportedNetwork,
    compare,
    drawn_pictures,
    export_network,
    gating,
    tracing,
)
from tests.inference.export.exporting import exported, output, profiled, small
from tests.inference.skipping.checks import assert_same, reference
from tests.tiny_runs import PREPROCESSING, tiny_network

_REAL_LOOP, _REAL_STAYING = gating._Loop, gating._Staying


class _Everybody(gating._Staying):
    """Computes the loop for all images and keeps the result of all."""

    def take(self, graph: Any, x: str) -> str:
        return graph.add("Identity", x)

    def put_back(self, graph: Any, x: str, rows: str) -> str:
        return graph.add("Identity", rows)


class _NobodyIsPutBack(gating._Staying):
    def put_back(self, graph: Any, x: str, rows: str) -> str:
        return graph.add("Identity", x)


class _ComputesTheFirst(gating._Staying):
    """The right number of images, but the wrong ones."""

    def take(self, graph: Any, x: str) -> str:
        count = graph.add("Shape", self.rows, start=0, end=1)
        zero, axis = graph.integers(0), graph.integers(0)
        return graph.add("Slice", x, zero, count, axis)


FAULTS: dict[str, tuple[Any, str, Any]] = {
    "every loop has the first loop's norm": (
        gating,
        "_Loop",
        lambda block, loop: _REAL_LOOP(block, 0),
    ),
    "everybody runs": (gating, "_Staying", _Everybody),
    "nobody is changed": (gating, "_Staying", _NobodyIsPutBack),
    "others run": (gating, "_Staying", _ComputesTheFirst),
    "a gate is counted for the blocks behind it": (
        tracing,
        "_same_block",
        lambda layout: tracing.np.triu(
            tracing.np.ones((2, sum(b.loops for b in layout), sum(b.loops for b in layout)), "f4")
        ),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, x = small("basic")
    monkeypatch.setattr(*FAULTS[name])
    with pytest.raises(AssertionError):
        assert_same(output(exported(network)(x.numpy())), reference(network, x))


def test_computing_everybody_and_selecting_is_found_by_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right results, and no time saved."""

    class Selects(gating._Staying):
        def take(self, graph: Any, x: str) -> str:
            return graph.add("Identity", x)

        def put_back(self, graph: Any, x: str, rows: str) -> str:
            return graph.add("ScatterND", x, self.rows, graph.add("GatherND", rows, self.rows))

    network, x = small("AIG")
    expected = reference(network, x)
    sound, _, images = profiled(network, x, tmp_path)
    monkeypatch.setattr(gating, "_Staying", Selects)
    found, _, wasted = profiled(network, x, tmp_path)
    for results in (sound, found):
        assert_same(output(results), expected)
    scopes = [f"{name} loop 1" for name, _ in network.recursive_blocks()]
    runs = expected.trace.ran.sum(dim=0).tolist()
    assert [images[scope] for scope in scopes] == runs
    assert [wasted[scope] for scope in scopes] != runs


def _other_weights(network: Any) -> None:
    network.classifier.weight[0, 0] += 0.01


def _not_a_number(network: Any) -> None:
    network.classifier.bias[0] = torch.nan


def _other_gate(network: Any) -> None:
    network.recursive_blocks()[0][1].gate.fc[-1].bias.sub_(100)


@pytest.mark.parametrize("change", [_other_weights, _not_a_number, _other_gate])
def test_the_comparison_finds_another_network(change: Callable[[Any], None]) -> None:
    network = tiny_network()
    pictures = drawn_pictures(6, PREPROCESSING)
    run = ExportedNetwork(export_network(network, 16), threads=1)
    agreement = compare(run, network, PREPROCESSING, pictures)
    assert agreement.pictures == 6
    assert agreement.logits < 1e-5
    assert 0 < agreement.loops < agreement.steps == 6 * 5
    with torch.no_grad():
        change(network)
    with pytest.raises(DisagreementError, match="nothing was written"):
        compare(run, network, PREPROCESSING, pictures)
