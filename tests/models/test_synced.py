"""Modules whose batch is spread over two processes, beside the local ones on the whole batch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from drnn_core._torchvision import torchvision
from drnn_core.models.gate import Gate
from drnn_core.models.norm import NORM_KINDS, LoopNorm
from drnn_core.models.registry import create_model
from drnn_core.models.synced import SyncedDrop, SyncedGate, synchronise
from drnn_core.models.synced_norm import SyncedLoopNorm
from drnn_core.models.world import World
from drnn_core.trace import Trace
from drnn_core.training.losses import rate_loss
from tests.training.processes import in_processes


@dataclass(frozen=True)
class Case:
    """A norm's call: on each process, ``executed`` of ``images`` of so many pixels run loop 1."""

    kind: str
    executed: tuple[int, int] | None
    images: int = 4
    side: int = 3


_GROUPS = (None, (2, 3), (4, 4), (0, 3), (4, 0), (0, 0), (1, 0), (0, 1), (1, 1))
CASES = [
    *(Case(kind, executed) for kind in NORM_KINDS for executed in _GROUPS),
    # planes of one pixel: one image is not enough for a variance, one on each process is
    *(Case(kind, executed, side=1) for kind in NORM_KINDS for executed in _GROUPS),
    *(Case(kind, executed, 1, 1) for kind in NORM_KINDS for executed in (None, (1, 0), (0, 0))),
]
CHANNELS = 3


def norm_of(case: Case) -> LoopNorm:
    norm = LoopNorm(CHANNELS, 3, case.kind, eps=1e-3, momentum=0.3)  # type: ignore[arg-type]
    draw = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for single in norm.norms:
            assert isinstance(single, nn.BatchNorm2d)
            for tensor in (single.weight, single.bias, single.running_mean):
                assert tensor is not None
                tensor.copy_(torch.randn(CHANNELS, generator=draw))
    return norm.train()


def groups(case: Case) -> tuple[list[Tensor], list[Tensor]]:
    """(executed, others) of each process; far from zero, so that careless sums would show."""
    inside, outside = [], []
    for rank in range(2):
        draw = torch.Generator().manual_seed(100 + rank)
        x = 5 + torch.randn((case.images, CHANNELS, case.side, case.side), generator=draw)
        count = case.images if case.executed is None else case.executed[rank]
        inside.append(x[:count] * (1 + rank))
        outside.append(2 * x[count:] - 30)
    return inside, outside


def upstream(shape: torch.Size) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


def facts(norm: nn.Module, output: Tensor, x: Tensor) -> dict[str, Tensor]:
    """Everything that a training step leaves behind."""
    assert x.grad is not None
    grads = {f"grad of {n}": p.grad for n, p in norm.named_parameters() if p.grad is not None}
    buffers = {name: buffer.clone() for name, buffer in norm.named_buffers()}
    return {"output": output.detach(), "grad": x.grad, **buffers, **grads}


def local(case: Case) -> dict[str, Tensor]:
    """The whole batch in one process, executed images first."""
    inside, outside = groups(case)
    x = torch.cat([*inside, *outside]).requires_grad_()
    norm = norm_of(case)
    executed = None if case.executed is None else sum(case.executed)
    output = norm(x, 1, executed)
    (output * upstream(output.shape)).sum().backward()
    return facts(norm, output, x)


def spread(case: Case, world: World) -> dict[str, Tensor]:
    inside, outside = groups(case)
    x = torch.cat([inside[world.rank], outside[world.rank]]).requires_grad_()
    norm = SyncedLoopNorm(norm_of(case), world).train()
    output = norm(x, 1, None if case.executed is None else case.executed[world.rank])
    # the slices of the whole batch's upstream gradient that belong to this process
    counts = [len(part) for part in (*inside, *outside)]
    parts = upstream(torch.Size([sum(counts), *x.shape[1:]])).split(counts)
    (output * torch.cat([parts[world.rank], parts[2 + world.rank]])).sum().backward()
    return facts(norm, output, x)


def whole(case: Case, found: list[dict[str, Tensor]], name: str) -> Tensor:
    """Both processes' values in the order of the whole batch."""
    counts = [len(part) for part in groups(case)[0]]
    inside = [found[rank][name][: counts[rank]] for rank in range(2)]
    outside = [found[rank][name][counts[rank] :] for rank in range(2)]
    return torch.cat([*inside, *outside])


def trace_of(seed: int) -> Trace:
    draw = torch.Generator().manual_seed(seed)
    prob = torch.rand((8, 3), generator=draw).requires_grad_()
    ran = (torch.rand((8, 3), generator=draw) < 0.5).cumprod(dim=1).bool()
    # the last gate is asked on one process only
    asked = torch.cat([torch.ones(8, 1, dtype=torch.bool), ran[:, :2]], dim=1)
    asked[:4, 2] = False
    return Trace(prob, asked, ran & asked)


def gates_and_losses(world: World) -> dict[str, Any]:
    own = world.part(8)
    gate = SyncedGate(gate_of(), world).train()
    torch.manual_seed(3)
    decision = gate(features()[own])
    dropped = [SyncedDrop(drop, world).train()(features()[own]) for drop in drops()]
    trace = trace_of(1)
    part = Trace(*(each.detach()[own] for each in trace))
    part.prob.requires_grad_()
    loss = rate_loss(part, 0.7, "both", world)
    loss.backward()
    return {
        "open": decision.open.detach(),
        "prob": decision.prob.detach(),
        "dropped": dropped,
        "rate loss": float(loss.detach()),
        "rate grad": part.prob.grad,
        "cut": cut_and_gradients(SyncedGate(gate_of(), world), own),
        "any": [world.any(flag) for flag in (False, world.rank == 1, True)],
    }


def cut_and_gradients(gate: Gate, own: slice) -> dict[str, Tensor]:
    """Two questions to a gate that cuts its batch, the second at the first one's cut."""
    gate.train().share = 0.6
    torch.manual_seed(3)
    first = gate(features()[own])
    second = gate(features()[own] * 1.5, first.cut)
    weights = torch.linspace(-1, 2, 8)[own]
    ((first.open + 2 * second.open) * weights).sum().backward()
    found = {name: p.grad for name, p in gate.named_parameters() if p.grad is not None}
    assert first.cut is not None
    return {
        **found,
        "open": torch.stack([first.open, second.open]).detach(),
        "at": first.cut.at.detach(),
    }


def gate_of() -> Gate:
    torch.manual_seed(1)
    gate = Gate(5, 4, initial_rate=0.6)
    gate.noise = 0.8
    return gate


def drops() -> list[nn.Module]:
    return [nn.Dropout(0.4), nn.Dropout2d(0.4), torchvision.ops.StochasticDepth(0.5, "row")]


def features() -> Tensor:
    return torch.randn((8, 5, 2, 2), generator=torch.Generator().manual_seed(2))


def work(world: World, folder: Path) -> dict[str, Any]:
    norms = {str(case): spread(case, world) for case in CASES}
    return {**norms, **gates_and_losses(world)}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the two processes found; they are started once."""
    return in_processes(2, work, tmp_path_factory.mktemp("processes"))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_norms_equal_the_local_norm_on_the_whole_batch(
    case: Case, both: list[dict[str, Any]]
) -> None:
    found, expected = [each[str(case)] for each in both], local(case)
    for name, value in expected.items():
        if name in ("output", "grad"):
            assert_close(whole(case, found, name), value, rtol=1e-4, atol=2e-5)
        elif name.startswith("grad of"):
            assert_close(found[0][name] + found[1][name], value, rtol=1e-4, atol=1e-4)
        else:
            assert torch.equal(found[0][name], found[1][name]), "statistics differ by process"
            assert_close(found[0][name], value, rtol=1e-5, atol=1e-5)
    assert found[0].keys() == found[1].keys() == expected.keys()


def test_gates_draw_the_whole_batchs_noise(both: list[dict[str, Any]]) -> None:
    gate = gate_of().train()
    torch.manual_seed(3)
    expected = gate(features())
    assert torch.equal(torch.cat([each["open"] for each in both]), expected.open)
    assert_close(torch.cat([each["prob"] for each in both]), expected.prob)
    assert 0 < float(expected.open.detach().mean()) < 1


def test_gates_cut_the_whole_batch(both: list[dict[str, Any]]) -> None:
    """Their gradients, summed over the processes, are those of the whole batch's cut, too."""
    expected = cut_and_gradients(gate_of(), slice(0, 8))
    one, other = (each["cut"] for each in both)
    assert torch.equal(torch.cat([one["open"], other["open"]], dim=1), expected["open"])
    assert int(expected["open"][0].sum()) == 5
    assert_close(one["at"], expected["at"])
    for name, grad in expected.items():
        if name not in ("open", "at"):
            assert_close(one[name] + other[name], grad, rtol=1e-4, atol=1e-5)
            assert float(grad.abs().max()) > 0 or name.endswith("bias")


def test_dropout_drops_what_the_whole_batch_would(both: list[dict[str, Any]]) -> None:
    gate = gate_of().train()
    torch.manual_seed(3)
    gate(features())
    for place, drop in enumerate(drops()):
        expected = drop.train()(features())
        assert_close(torch.cat([each["dropped"][place] for each in both]), expected)
        assert not expected.all()


def test_rate_loss_counts_everybody(both: list[dict[str, Any]]) -> None:
    """Its value is the whole batch's; its gradient, summed over two losses, twice as large."""
    trace = trace_of(1)
    loss = rate_loss(trace, 0.7, "both")
    loss.backward()
    assert trace.prob.grad is not None
    for each in both:
        assert each["rate loss"] == pytest.approx(float(loss.detach()), rel=1e-6)
    assert_close(torch.cat([each["rate grad"] for each in both]) / 2, trace.prob.grad)


def test_one_process_is_enough_to_say_so(both: list[dict[str, Any]]) -> None:
    assert [each["any"] for each in both] == [[False, True, True]] * 2


@pytest.mark.parametrize(
    "name",
    [
        "dr_resnet16_l2",
        "rcnn160",
        "dr_mobilenetv2",
        "sd_resnet50",
        "dr:torchvision/efficientnet_b0",
    ],
)
def test_a_synchronised_network_has_the_same_weights_and_evaluates_the_same(name: str) -> None:
    network = create_model(name, num_classes=7).eval()
    x = torch.randn(2, 3, 32, 32)
    before, expected = network.state_dict(), network(x)
    parameters = list(network.parameters())
    synchronise(network, World(0, 2))
    assert [id(p) for p in network.parameters()] == [id(p) for p in parameters]
    after = network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(after[key], before[key]) for key in after)
    found = network(x)
    assert torch.equal(found.logits, expected.logits)
    assert torch.equal(found.trace.ran, expected.trace.ran)
    assert not {type(module) for module in network.modules()} & {LoopNorm, Gate}
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            assert isinstance(owner_of(module, network), SyncedLoopNorm)
        if not isinstance(module, SyncedDrop):
            assert not any(isinstance(child, nn.Dropout) for child in module.children())


def test_a_norm_that_would_see_half_a_batch_is_a_sentence() -> None:
    for norm in (nn.BatchNorm1d(3), nn.BatchNorm2d(3, affine=False), nn.SyncBatchNorm(3)):
        with pytest.raises(ValueError, match=r"expected plain BatchNorm2d .*in one process"):
            synchronise(nn.Sequential(norm), World(0, 2))


def owner_of(norm: nn.Module, network: nn.Module) -> nn.Module | None:
    """The module two levels above a norm: that of its list."""
    return next(
        (each for each in network.modules() if norm in getattr(each, "norms", nn.ModuleList())),
        None,
    )


def test_a_batch_that_cannot_be_shared_is_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"3 processes can share evenly, got 256"):
        World(0, 3).part(256)
