"""Modules lowered to programs: what is fused is, and nothing outside is touched."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from drnn_core.inference.skipping.lowering import Target, lower
from tests.inference.skipping.checks import check_foreign
from tests.inference.skipping.engine import real_engine
from tests.inference.skipping.foreign import KINDS, Block, OddConvolutions


@pytest.mark.parametrize("kind", KINDS)
def test_lowered_modules_compute_the_same(kind: type[nn.Module]) -> None:
    check_foreign(real_engine(), kind)


def test_a_residual_block_is_two_steps_and_writes_into_its_input() -> None:
    """What makes it fast: convolution, norm, sum and activation in one, no new memory."""

    class TwoConvolutions(Block):
        def forward(self, x: Tensor) -> Tensor:
            return self.act(x + self.norm(self.conv(torch.relu(self.norm(self.conv(x))))))

    example = torch.randn(1, 4, 6, 6).contiguous(memory_format=torch.channels_last)
    lowered = lower(TwoConvolutions().eval(), Target(), example, may_overwrite=True)
    assert len(lowered.program._steps) == 2
    assert not lowered.program.keeps_input
    x = example.clone()
    with torch.no_grad():
        assert lowered.program(x) is x


def test_modules_are_left_as_they_are() -> None:
    module = OddConvolutions().eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    example = torch.randn(1, 4, 6, 6)
    program = lower(module, Target(), example).program
    with torch.no_grad():
        expected = program(example)
        for tensor in module.state_dict().values():
            tensor.zero_()
        assert torch.equal(program(example), expected)
    module.load_state_dict(before)
