"""The nouns: traces count, split and join in network order."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.layout import BlockLayout
from drnn_core.trace import Trace, empty_trace, join_traces, ran_of


def trace_of(ran: torch.Tensor) -> Trace:
    return Trace(torch.rand(ran.shape), torch.ones_like(ran), ran)


@given(st.lists(st.integers(1, 5), max_size=6), st.integers(0, 8))
def test_block_loops_add_up_to_loops(sizes: list[int], batch: int) -> None:
    layout = [BlockLayout(f"2.{i}", loops, True) for i, loops in enumerate(sizes)]
    trace = trace_of(torch.rand(batch, sum(sizes)) > 0.4)
    by_block = trace.block_loops(layout)
    assert by_block.shape == (batch, len(sizes))
    assert by_block.dtype == torch.int64
    assert torch.equal(by_block.sum(dim=1), trace.loops)
    for image in range(batch):
        steps = iter(trace.ran[image].tolist())
        assert by_block[image].tolist() == [sum(next(steps) for _ in range(n)) for n in sizes]


def test_a_layout_of_another_network_is_refused_in_words() -> None:
    trace = trace_of(torch.ones(2, 5, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"trace of 4 steps for blocks of \[4\] loops, got 5"):
        trace.block_loops([BlockLayout("2.2", 4, True)])


@given(st.lists(st.integers(0, 4), max_size=5), st.integers(1, 4))
def test_joined_traces_keep_network_order(sizes: list[int], batch: int) -> None:
    parts = [trace_of(torch.rand(batch, size) > 0.5) for size in sizes]
    joined = join_traces(parts, batch)
    assert joined.ran.shape == (batch, sum(sizes))
    for field in range(3):
        expected = torch.cat([part[field] for part in parts] or [torch.zeros(batch, 0)], dim=1)
        assert torch.equal(joined[field], expected.to(joined[field].dtype))


def test_a_plain_network_has_no_steps() -> None:
    trace = empty_trace(3)
    assert [tuple(tensor.shape) for tensor in trace] == [(3, 0)] * 3
    assert [tensor.dtype for tensor in trace] == [torch.float32, torch.bool, torch.bool]
    assert trace.loops.tolist() == [0, 0, 0]
    assert trace.block_loops([]).shape == (3, 0)
    assert join_traces([], 3).ran.shape == (3, 0)


@given(st.lists(st.integers(1, 4), max_size=5), st.integers(0, 6))
def test_loops_of_blocks_say_which_steps_ran(sizes: list[int], batch: int) -> None:
    layout = [BlockLayout(f"2.{i}", loops, True) for i, loops in enumerate(sizes)]
    loops = torch.stack(
        [torch.randint(0, size + 1, (batch,)) for size in sizes] or [torch.zeros(batch)], dim=1
    )[:, : len(sizes)]
    ran = ran_of(loops, layout)
    assert ran.dtype == torch.bool
    literal = [
        [loop < count for size, count in zip(sizes, row, strict=True) for loop in range(size)]
        for row in loops.tolist()
    ]
    assert ran.tolist() == literal
    assert torch.equal(trace_of(ran).block_loops(layout), loops.long())


def test_loops_of_another_network_say_nothing() -> None:
    layout = [BlockLayout("2.2", 2, True), BlockLayout("3.2", 3, True)]
    for wrong in ([[1, 4]], [[1]], [[1, 2, 0]]):
        with pytest.raises(ValueError, match=r"at most \[2, 3\] loops of 2 blocks"):
            ran_of(torch.tensor(wrong), layout)
