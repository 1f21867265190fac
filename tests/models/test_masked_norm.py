"""Groups told apart by a mask are normalised as groups told apart by their place."""

from __future__ import annotations

import copy
from typing import Any, cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from drnn_core.models.norm import LoopNorm
from drnn_core.models.recursive import permute_images

KINDS = ("naive", "lvbn", "ilvbn", "ilvbn_joint")


def by_order(norm: LoopNorm, x: Tensor, executed: Tensor) -> Tensor:
    order = torch.argsort(executed.logical_not(), stable=True)
    inverse = torch.argsort(order)
    done = norm(permute_images(x, order, inverse), 1, int(executed.sum()))
    return permute_images(done, inverse, order)


def norm_of(kind: str) -> LoopNorm:
    norm = LoopNorm(3, 2, cast(Any, kind))
    with torch.no_grad():
        for each in norm.norms:
            torch.nn.init.uniform_(cast(Tensor, each.weight), 0.5, 2)
            torch.nn.init.uniform_(cast(Tensor, each.bias), -1, 1)
            cast(Tensor, each.running_mean).uniform_(-1, 1)
            cast(Tensor, each.running_var).uniform_(0.5, 2)
    return norm


@given(
    executed=st.lists(st.booleans(), min_size=2, max_size=7),
    kind=st.sampled_from(KINDS),
    side=st.sampled_from([1, 2, 3]),
    shift=st.sampled_from([0.0, 30.0]),
    seed=st.integers(0, 999),
)
@settings(max_examples=150, deadline=None)
def test_a_mask_says_what_the_order_says(
    executed: list[bool], kind: str, side: int, shift: float, seed: int
) -> None:
    torch.manual_seed(seed)
    one = norm_of(kind)
    other = copy.deepcopy(one)
    told = torch.tensor(executed)
    x = torch.randn(len(executed), 3, side, side) * 2 + shift
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    weights = torch.randn(x.shape)
    first, second = by_order(one, a, told), other(b, 1, told)
    tolerance: dict[str, Any] = {"rtol": 1e-3, "atol": 2e-3 if shift else 2e-4}
    torch.testing.assert_close(second, first, **tolerance)
    (first * weights).sum().backward()
    (second * weights).sum().backward()
    torch.testing.assert_close(b.grad, a.grad, rtol=1e-3, atol=5e-3)
    for name, value in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value, rtol=1e-4, atol=1e-4)
    for mine, its in zip(other.parameters(), one.parameters(), strict=True):
        if its.grad is None:
            assert mine.grad is None
        else:
            torch.testing.assert_close(mine.grad, its.grad, rtol=1e-3, atol=5e-3)


@pytest.mark.parametrize("joint", ["ilvbn", "ilvbn_joint"])
def test_nobody_executes_and_the_population_stays(joint: str) -> None:
    norm = norm_of(joint)
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    norm(torch.randn(4, 3, 2, 2), 1, torch.zeros(4, dtype=torch.bool))
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())
