"""Small networks of every kind, compiled: the same decisions and logits, and only the work run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from drnn_core.inference.skipping import compile_for_inference, static_execution
from drnn_core.models.network import Network
from tests.inference.skipping.checks import (
    CASES,
    CHECKS,
    assert_same,
    possible,
    reference,
    told,
)
from tests.inference.skipping.engine import real_engine
from tests.inference.skipping.lively import lively, small_network


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_check(check: Any, case: str) -> None:
    check(real_engine(), case)


@given(
    st.integers(0, 7).flatmap(
        lambda batch: st.lists(
            st.lists(st.booleans(), min_size=5, max_size=5), min_size=batch, max_size=batch
        )
    )
)
@example([[False] * 5] * 7)
@example([[True] * 5] * 7)
@example([[True] * 5])
@example([[False] * 5])
def test_any_decisions_of_any_batch(rows: list[list[bool]]) -> None:
    """From no image to seven, whoever leaves when."""
    network, x = small_network("basic")
    decisions = torch.tensor(rows, dtype=torch.bool).reshape(len(rows), 5)
    compiled = compile_for_inference(network, 16)
    told(network, compiled, x[: len(rows)], possible(network, decisions))


@pytest.mark.parametrize("logit", [-50.0, 50.0])
@pytest.mark.parametrize("case", ["basic", "AIG", "first loop always", "inverted residual"])
def test_gates_that_say_the_same_of_everybody(case: str, logit: float) -> None:
    network, x = small_network(case)
    with torch.no_grad():
        for _, block in network.recursive_blocks():
            assert block.gate is not None
            *_, weight, bias = block.gate.parameters()
            weight.zero_()
            bias.fill_(logit)
    compiled = compile_for_inference(network, 16)
    for part in (x, x[:1]):
        assert_same(compiled(part), reference(network, part))


def test_decisions_part_the_images() -> None:
    """What the other tests stand on: the small networks' images do not all run the same loops."""
    for case in ("basic", "AIG", "bottleneck", "inverted residual"):
        network, x = small_network(case)
        trace = reference(network, x).trace
        assert len(trace.loops.unique()) > 2
        assert bool((trace.ran.sum(dim=0) > 0).any())
        assert bool((trace.ran.sum(dim=0) < len(x)).any())


def test_without_packed_convolutions(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, or where PyTorch has no oneDNN."""
    monkeypatch.setattr("drnn_core.inference.skipping.convolution.packs", lambda dtype: False)
    for case in CASES:
        network, x = small_network(case)
        compiled = compile_for_inference(network, 16)
        for part in (x, x[:1]):
            assert_same(compiled(part), reference(network, part))


@pytest.mark.parametrize("case", ["basic", "AIG", "bottleneck", "pre-activation"])
def test_half_precision(case: str) -> None:
    """Features in bfloat16; decisions and logits float32, and near those in full precision."""
    network, x = small_network(case)
    decisions = reference(network, x).trace.ran
    full, half = (
        compile_for_inference(network, 16, kind)(x, decisions)
        for kind in (torch.float32, torch.bfloat16)
    )
    assert half.logits.dtype == half.trace.prob.dtype == torch.float32
    assert torch.equal(half.trace.ran, full.trace.ran)
    scale = float(full.logits.abs().max())
    torch.testing.assert_close(half.logits, full.logits, rtol=0, atol=0.1 * scale)
    asked = compile_for_inference(network, 16, torch.bfloat16)(x).trace
    prob = reference(network, x).trace.prob
    if prob.numel():
        torch.testing.assert_close(asked.prob[:, 0], prob[:, 0], rtol=0, atol=0.05)


def test_wrong_decisions_are_refused() -> None:
    network, x = small_network("basic")
    compiled = compile_for_inference(network, 16)
    with pytest.raises(ValueError, match=r"expected decisions of shape \(7, 5\).*got \(7, 4\)"):
        compiled(x, torch.ones(7, 4, dtype=torch.bool))


def test_threads_share_a_network() -> None:
    network, x = small_network("basic")
    compiled = compile_for_inference(network, 16)
    parts = [x, x[:1], x.flip(0), x[2:6]] * 8
    expected = [compiled(part) for part in parts]
    with ThreadPoolExecutor(4) as pool:
        for found, same in zip(pool.map(compiled, parts), expected, strict=True):
            assert torch.equal(found.logits, same.logits)
            assert torch.equal(found.trace.ran, same.trace.ran)


def test_a_static_trace_says_that_everything_ran_unasked() -> None:
    network, x = small_network("basic")
    trace = static_execution(network, 16)(x).trace
    assert bool(trace.ran.all())
    assert not bool(trace.asked.any())
    assert bool((trace.prob == 1).all())


def test_unknown_networks_are_named() -> None:
    class Other(Network):
        @property
        def stage_layouts(self) -> Any:
            return ()

        def recursive_blocks(self) -> Any:
            return []

        def run_stages(self, x: Any, replay: Any = None) -> Any:
            raise NotImplementedError

        def classify(self, features: Any) -> Any:
            raise NotImplementedError

    network, _ = lively("dr_resnet16_l2", 16, 3, widths=(4, 4, 4))
    other = Other(network.recipe, 10)
    other.layer = torch.nn.Linear(1, 1)
    with pytest.raises(TypeError, match="got Other"):
        compile_for_inference(other)
