"""What an exported network executes: the loops that somebody runs, for those who run them."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest
import torch
from hypothesis import strategies as st

from drnn_core.inference.export import export_network
from drnn_core.inference.thresholds import with_thresholds
from drnn_core.models.network import Network
from tests.inference.export.exporting import profiled, small
from tests.inference.skipping.checks import reference
from tests.inference.skipping.lively import lively


def scopes(network: Network) -> list[str]:
    """Of the branches in which the gated steps are written; "" where a step is not gated."""
    return [
        f"{name} loop {loop + 1}" if block.is_gated(loop) else ""
        for name, block in network.recursive_blocks()
        for loop in range(block.loops)
    ]


@pytest.mark.parametrize(
    ("case", "convolutions"),
    [("basic", 2), ("first loop always", 2), ("AIG", 2), ("bottleneck", 3), ("AIG bottleneck", 3)],
)
def test_a_loop_is_computed_for_the_images_that_run_it(
    case: str, convolutions: int, tmp_path: Path
) -> None:
    network, x = small(case)
    for part in (x, x[:1], x[1:3]):
        _, calls, images = profiled(network, part, tmp_path)
        runs = reference(network, part).trace.ran.sum(dim=0).tolist()
        for scope, count in zip(scopes(network), runs, strict=True):
            if scope:
                assert images.get(scope, 0) == count
                assert calls[scope] == (convolutions if count else 0)


@pytest.mark.parametrize("batch", [1, 7])
def test_shut_gates_leave_only_what_is_always_computed(batch: int, tmp_path: Path) -> None:
    network, x = small("basic")
    steps = len(scopes(network))
    _, shut, _ = profiled(network, x[:batch], tmp_path, [1.0] * steps)
    _, half, _ = profiled(network, x[:batch], tmp_path, [0.0, 1.0] + [1.0] * (steps - 2))
    _, opened, _ = profiled(network, x[:batch], tmp_path, [0.0] * steps)
    # stem, and two convolutions of each plain block: one in the first stage, one in the others
    assert shut.total() == 1 + 3 * 2
    assert half.total() == shut.total() + 2
    assert opened.total() == shut.total() + 2 * steps


@hypothesis.settings(max_examples=20)
@hypothesis.given(
    thresholds=st.lists(st.floats(0, 1, width=32), min_size=2, max_size=2),
    images=st.lists(st.integers(0, 6), min_size=0, max_size=9),
)
@hypothesis.example(thresholds=[0.0, 1.0], images=[3])
@hypothesis.example(thresholds=[1.0, 0.0], images=[0, 0, 5])
def test_thresholds_move_decisions_and_work(
    thresholds: list[float], images: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As moving the gates' biases does, at any threshold and any batch."""
    network, x = small("basic")
    x = x[images]
    moved = reference(with_thresholds(network, thresholds), x)
    near = moved.trace.asked & ((moved.trace.prob - 0.5).abs() < 1e-5)
    hypothesis.assume(not bool(near.any()))
    limits = [t for t, block in zip(thresholds, network.layout, strict=True)
              for _ in range(block.loops)]  # fmt: skip
    found, calls, counts = profiled(network, x, tmp_path_factory.mktemp("work"), limits)
    assert torch.equal(torch.from_numpy(found.ran), moved.trace.ran)
    assert torch.equal(torch.from_numpy(found.asked), moved.trace.asked)
    scale = float(moved.logits.abs().max()) if images else 1.0
    logits = torch.from_numpy(found.logits)
    torch.testing.assert_close(logits, moved.logits, rtol=0, atol=1e-4 * scale)
    for scope, count in zip(scopes(network), moved.trace.ran.sum(dim=0).tolist(), strict=True):
        assert counts.get(scope, 0) == count
        assert calls[scope] == (2 if count else 0)


def test_weights_that_loops_share_are_kept_once() -> None:
    """Without a gate and with one norm all loops are the same function."""

    def size(loops: int, norm: str) -> int:
        loops_by_stage = (1, loops, loops)
        network, _ = lively("r_resnet16_l2", 16, 2, loops=loops_by_stage, norm=norm)
        return sum(len(each.raw_data) for each in export_network(network, 16).graph.initializer)

    once = size(2, "naive")
    assert size(4, "naive") == pytest.approx(once, rel=0.01)
    assert size(4, "lvbn") > 2 * once
