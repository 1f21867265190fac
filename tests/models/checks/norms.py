"""LoopNorm against ``nn.BatchNorm2d`` run on exactly the images that it should see."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close

from tests.models.checks.core import Core

KINDS = ("naive", "lvbn", "ilvbn", "ilvbn_joint")
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Case:
    """One call of a LoopNorm: ``executed`` of ``batch`` images execute loop ``loop``."""

    kind: str
    loops: int = 3
    loop: int = 1
    batch: int = 6
    executed: int | None = 4
    channels: int = 3
    height: int = 4
    width: int = 5
    seed: int = 0


# (loop, batch, executed, height and width): all, some, none, one; planes of one pixel, where
# one image is not enough for a variance.
_SHAPES = (
    (0, 6, None, 4),
    (1, 6, 4, 4),
    (2, 6, 0, 3),
    (1, 6, 1, 3),
    (2, 6, 5, 3),
    (0, 6, 6, 3),
    (1, 5, 0, 1),
    (1, 5, 1, 1),
    (1, 5, 4, 1),
    (2, 1, 1, 1),
    (2, 1, 0, 1),
    (0, 2, 1, 1),
)
EXAMPLES = tuple(
    Case(kind, loop=loop, batch=batch, executed=executed, height=size, width=size, seed=seed)
    for seed, (loop, batch, executed, size) in enumerate(_SHAPES)
    for kind in KINDS
)


def make_norm(core: Core, case: Case) -> Any:
    """A LoopNorm whose loops all differ, in every parameter and statistic."""
    norm = core.norm.LoopNorm(case.channels, case.loops, case.kind, eps=1e-3, momentum=0.3)
    generator = torch.Generator().manual_seed(1000 + case.seed)
    with torch.no_grad():
        for single in norm.norms:
            for tensor in (single.weight, single.bias, single.running_mean):
                tensor.copy_(torch.randn(tensor.shape, generator=generator))
            single.running_var.copy_(0.5 + torch.rand(case.channels, generator=generator))
            single.num_batches_tracked.fill_(7)
    return norm


def make_input(case: Case) -> Tensor:
    """(batch, channels, height, width); executed images look different from the others."""
    generator = torch.Generator().manual_seed(case.seed)
    shape = (case.batch, case.channels, case.height, case.width)
    x = torch.randn(shape, generator=generator)
    if case.executed is not None:
        x[case.executed :] = 2 * x[case.executed :] + 1
    return x


def reference(norm: nn.BatchNorm2d, x: Tensor, case: Case) -> Tensor:
    """What the module's table promises, by BatchNorm2d on each group; changes its statistics.

    A group without a variance takes the population's, as they are once the executed images
    have been counted.
    """
    executed = case.batch if case.executed is None else case.executed
    if case.kind in ("naive", "lvbn"):
        executed = case.batch
    inside, outside = x[:executed], x[executed:]
    parts = [_on_group(norm, inside)]
    if case.kind == "ilvbn":
        apart = deepcopy(norm)
        # The parameters are shared, the statistics are thrown away.
        apart.weight, apart.bias = norm.weight, norm.bias
        parts.append(_on_group(apart, outside))
    elif _has_variance(inside):
        mean = inside.mean(dim=(0, 2, 3))
        var = inside.var(dim=(0, 2, 3), correction=0)
        shape = (1, -1, 1, 1)
        apart = (outside - mean.view(shape)) / (var + norm.eps).sqrt().view(shape)
        parts.append(apart * norm.weight.view(shape) + norm.bias.view(shape))
    else:
        parts.append(_by_population(norm, outside))
    return torch.cat(parts)


def _has_variance(x: Tensor) -> bool:
    return x.shape[0] * x.shape[2] * x.shape[3] > 1


def _on_group(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    return norm(x) if _has_variance(x) else _by_population(norm, x)


def _by_population(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    mean, var = norm.running_mean.clone(), norm.running_var.clone()
    return F.batch_norm(x, mean, var, norm.weight, norm.bias, False, eps=norm.eps)


def check_training(core: Core, case: Case) -> None:
    """Outputs, running statistics and gradients of one training step."""
    norm, twin = make_norm(core, case).train(), make_norm(core, case).train()
    x = make_input(case).requires_grad_()
    copy = x.detach().clone().requires_grad_()
    own = 0 if case.kind == "naive" else case.loop
    got = norm(x, case.loop, case.executed)
    expected = reference(twin.norms[own], copy, case)
    assert_close(got, expected, rtol=TOLERANCE, atol=TOLERANCE)
    for index, (single, other) in enumerate(zip(norm.norms, twin.norms, strict=True)):
        exact = TOLERANCE if index == own else 0.0  # the other loops' norms are left alone
        assert_close(single.running_mean, other.running_mean, rtol=exact, atol=exact)
        assert_close(single.running_var, other.running_var, rtol=exact, atol=exact)
        assert_close(single.num_batches_tracked, other.num_batches_tracked, rtol=0, atol=0)
    weights = torch.randn(got.shape, generator=torch.Generator().manual_seed(5))
    (got * weights).sum().backward()
    (expected * weights).sum().backward()
    assert_close(x.grad, copy.grad, rtol=1e-4, atol=1e-5)
    for index, (single, other) in enumerate(zip(norm.norms, twin.norms, strict=True)):
        if index != own:
            assert single.weight.grad is None
            assert single.bias.grad is None
        else:
            assert_close(single.weight.grad, other.weight.grad, rtol=1e-4, atol=1e-5)
            assert_close(single.bias.grad, other.bias.grad, rtol=1e-4, atol=1e-5)


def check_evaluation(core: Core, case: Case) -> None:
    """In evaluation every kind is BatchNorm2d of its loop in evaluation, and learns nothing."""
    norm = make_norm(core, case).eval()
    before = deepcopy(norm.state_dict())
    own = 0 if case.kind == "naive" else case.loop
    x = make_input(case)
    twin = deepcopy(norm.norms[own])
    assert_close(norm(x, case.loop, case.executed), twin(x), rtol=0, atol=0)
    for name, tensor in norm.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def check_others_do_not_matter(core: Core, case: Case) -> None:
    """I-LVBN: what an image that left looks like changes nothing for those that execute."""
    assert case.executed is not None
    x, changed = make_input(case), make_input(case)
    changed[case.executed :] = 100 * changed[case.executed :] - 30
    first, second = make_norm(core, case).train(), make_norm(core, case).train()
    outputs = first(x, case.loop, case.executed), second(changed, case.loop, case.executed)
    assert torch.equal(outputs[0][: case.executed], outputs[1][: case.executed])
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name
