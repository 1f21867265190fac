"""What a compiled network owes to its network; each check is a function of the compiler."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from drnn_core.models.network import Network
from drnn_core.trace import Output
from tests.inference.skipping.lively import SMALL, small_network

LOGITS = 1e-4


def assert_same(found: Output, expected: Output) -> None:
    """Logits within 1e-4 of their size, decisions equal, probabilities close, even of the left."""
    scale = float(expected.logits.abs().max()) if expected.logits.numel() else 1.0
    torch.testing.assert_close(found.logits, expected.logits, rtol=0, atol=LOGITS * scale)
    assert torch.equal(found.trace.ran, expected.trace.ran)
    assert torch.equal(found.trace.asked, expected.trace.asked)
    torch.testing.assert_close(found.trace.prob, expected.trace.prob, rtol=0, atol=1e-4)


def reference(network: Network, x: Tensor, replay: Tensor | None = None) -> Output:
    """The network's own forward."""
    with torch.no_grad():
        return network(x, replay)


def check_reference(engine: Any, case: str) -> None:
    """The decisions and logits of the reference, in batches and alone."""
    network, x = small_network(case)
    compiled = engine.network.compile_for_inference(network, 16)
    for part in (x, x[:1], x[3:4], x[2:4]):
        assert_same(compiled(part), reference(network, part))


def check_other_sizes(engine: Any, case: str) -> None:
    """Images of another size than it was packed for, larger and smaller."""
    network, x = small_network(case)
    for size in (8, 32):
        compiled = engine.network.compile_for_inference(network, size)
        for part in (x, x[:1]):
            assert_same(compiled(part), reference(network, part))


def check_masked_and_static(engine: Any, case: str) -> None:
    """The two forms to compare with compute the same, or all loops of everybody."""
    network, x = small_network(case)
    masked = engine.network.masked_execution(network, 16)
    static = engine.network.static_execution(network, 16)
    for part in (x, x[:1]):
        assert_same(masked(part), reference(network, part))
        everything = torch.ones(len(part), static(part).trace.ran.shape[1], dtype=torch.bool)
        found, expected = static(part), reference(network, part, everything)
        assert_same(found, expected)


def told(network: Network, compiled: Any, x: Tensor, decisions: Tensor) -> None:
    """Decisions (B, S) from outside are kept to, and leave what the reference's replay leaves."""
    replayed, found = reference(network, x, decisions), compiled(x, decisions)
    assert torch.equal(found.trace.ran, replayed.trace.ran)
    scale = float(replayed.logits.abs().max()) if len(x) else 1.0
    torch.testing.assert_close(found.logits, replayed.logits, rtol=0, atol=LOGITS * scale)


def possible(network: Network, decisions: Tensor) -> Tensor:
    """(B, S) decisions made such that a closed gate is final, and what asks no gate runs."""
    parts: list[Tensor] = []
    for (_, block), part in zip(
        network.recursive_blocks(),
        decisions.split([block.loops for _, block in network.recursive_blocks()], dim=1),
        strict=True,
    ):
        ungated = torch.tensor([not block.is_gated(loop) for loop in range(block.loops)])
        parts.append((part | ungated).int().cumprod(dim=1).bool())
    return torch.cat(parts, dim=1) if parts else decisions


def check_told(engine: Any, case: str) -> None:
    """Mixed decisions, everybody stays, everybody leaves, one stays, one leaves."""
    network, x = small_network(case)
    steps = sum(block.loops for block in network.layout)
    generator = torch.Generator().manual_seed(1)
    mixed = torch.rand(len(x), steps, generator=generator) < 0.7
    one = torch.zeros(len(x), steps, dtype=torch.bool)
    one[4] = True
    make = engine.network
    for compiled in (make.compile_for_inference(network, 16), make.masked_execution(network, 16)):
        for decisions in (mixed, torch.ones_like(one), torch.zeros_like(one), one, ~one, mixed[:1]):
            told(network, compiled, x[: len(decisions)], possible(network, decisions))


def check_work(engine: Any, case: str) -> None:
    """Each loop is computed for as many images as run it, each gate for as many as ask it."""
    network, x = small_network(case)
    compiled = engine.network.compile_for_inference(network, 16)
    for part in (x, x[:1]):
        ran, asked = _counted(compiled, part)
        trace = reference(network, part).trace
        gated = [
            block.gate is not None for _, block in network.recursive_blocks()
            for _ in range(block.loops)
        ]  # fmt: skip
        assert ran == trace.ran[:, gated].sum(dim=0).tolist()
        assert asked == trace.asked[:, gated].sum(dim=0).tolist()


def _counted(compiled: Any, x: Tensor) -> tuple[list[int], list[int]]:
    """Images that pass each loop and each gate of the blocks that skip."""
    ran: list[int] = []
    asked: list[int] = []
    undo: list[tuple[Any, dict[str, Any]]] = []

    def counting(function: Callable[..., Any], counts: list[int], place: int) -> Any:
        def count(*inputs: Tensor) -> Any:
            counts[place] += len(inputs[0])
            return function(*inputs)

        return count

    for segment in compiled._pieces.segments:
        for block in segment.blocks:
            if not hasattr(block, "_parts"):
                continue
            parts = block._parts
            undo.append((parts, {"loops": parts.loops, "gates": parts.gates}))
            loops: list[Any] = []
            gates: list[Any] = []
            for loop, gate in zip(parts.loops, parts.gates, strict=True):
                ran.append(0)
                asked.append(0)
                place = len(ran) - 1
                loops.append(counting(loop, ran, place))
                counted = gate and type(gate)(*(counting(each, asked, place) for each in gate))
                gates.append(counted)
            object.__setattr__(parts, "loops", tuple(loops))
            object.__setattr__(parts, "gates", tuple(gates))
    compiled(x)
    for parts, before in undo:
        for name, value in before.items():
            object.__setattr__(parts, name, value)
    return ran, asked


def check_shares(engine: Any, case: str) -> None:
    """However many images go through a segment at a time, the result is that of all at once."""
    network, x = small_network(case)
    before = engine.building._BYTES
    expected = reference(network, x)
    try:
        for size in (1, 20_000):
            engine.building._BYTES = size
            compiled = engine.network.compile_for_inference(network, 16)
            assert_same(compiled(x), expected)
    finally:
        engine.building._BYTES = before


def check_images_left_alone(engine: Any, case: str) -> None:
    """The images are not written to, in either memory format."""
    network, x = small_network(case)
    compiled = engine.network.compile_for_inference(network, 16)
    for part in (x, x[:1], x.contiguous(memory_format=torch.channels_last)):
        before = part.clone()
        compiled(part)
        assert torch.equal(part, before)


def check_nothing_kept(engine: Any, case: str) -> None:
    """Calls do not reach into each other, nor do later changes of the network."""
    network, x = small_network(case)
    compiled = engine.network.compile_for_inference(network, 16)
    first, alone = compiled(x), compiled(x[:1])
    kept = Output(first.logits.clone(), first.trace)
    compiled(x.flip(0) * 3)
    compiled(x[1:2])
    assert torch.equal(first.logits, kept.logits)
    with torch.no_grad():
        for tensor in [*network.parameters(), *network.buffers()]:
            tensor.zero_()
    for again, before in ((compiled(x), kept), (compiled(x[:1]), alone)):
        assert torch.equal(again.logits, before.logits)
        assert all(torch.equal(a, b) for a, b in zip(again.trace, before.trace, strict=True))


def check_network_left_alone(engine: Any, case: str) -> None:
    """Compiling changes neither a network's tensors nor its mode."""
    network, x = small_network(case)
    state = copy.deepcopy(network.state_dict())
    network.train()
    engine.network.compile_for_inference(network, 16)(x)
    assert all(module.training for module in network.modules())
    after = network.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in state.items())


def check_foreign(engine: Any, kind: type[nn.Module]) -> None:
    """A lowered module computes what the module does, and keeps what it says that it keeps."""
    torch.manual_seed(0)
    module = kind().eval()
    example = torch.randn(1, 4, 6, 6).contiguous(memory_format=torch.channels_last)
    for packed in (True, False):
        for may_overwrite in (True, False):
            target = engine.lowering.Target(packed=packed)
            lowered = engine.lowering.lower(module, target, example, may_overwrite=may_overwrite)
            for batch in (1, 3):
                x = torch.randn(batch, 4, 6, 6).contiguous(memory_format=torch.channels_last)
                before = x.clone()
                with torch.no_grad():
                    expected = module(x.clone())
                    found = lowered.program(x)
                torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
                assert torch.equal(x, before) or not lowered.program.keeps_input
            assert lowered.program.keeps_input or may_overwrite


CHECKS = (
    check_reference,
    check_other_sizes,
    check_masked_and_static,
    check_told,
    check_work,
    check_shares,
    check_images_left_alone,
    check_nothing_kept,
    check_network_left_alone,
)
CASES = tuple(SMALL)
