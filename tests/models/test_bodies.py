"""Residual bodies, the parameter-free shortcut and the plain block."""

from __future__ import annotations

import torch
from torch import nn

from drnn_core.models.bodies import BasicBody, PadShortcut, PlainBlock


def test_basic_body_is_conv_norm_relu_conv_norm() -> None:
    body = BasicBody(4, 6, stride=2, loops=3).eval()
    with torch.no_grad():
        for buffer in body.buffers():
            if buffer.is_floating_point():
                buffer.uniform_(0.5, 1.5)
    x = torch.randn(2, 4, 8, 8)
    first, second = body.norm1.of_loop(2), body.norm2.of_loop(2)
    expected = second(body.conv2(torch.relu(first(body.conv1(x)))))
    assert torch.equal(body(x, 2), expected)
    assert not torch.allclose(body(x, 1), expected)
    assert expected.shape == (2, 6, 4, 4)
    assert body.conv1.bias is None
    assert body.conv2.bias is None


def test_pad_shortcut_subsamples_and_pads_with_zeros() -> None:
    x = torch.randn(2, 4, 6, 6)
    out = PadShortcut(2, 3)(x)
    assert out.shape == (2, 7, 3, 3)
    assert torch.equal(out[:, 1:5], x[:, :, ::2, ::2])
    assert not bool(out[:, :1].any())
    assert not bool(out[:, 5:].any())
    assert not list(PadShortcut(2, 3).parameters())


def test_plain_block_adds_and_contributes_no_steps() -> None:
    block = PlainBlock(BasicBody(3, 3), nn.Identity()).eval()
    x = torch.randn(2, 3, 4, 4)
    out = block(x)
    assert torch.equal(out.features, torch.relu(x + block.body(x)))
    assert out.trace.ran.shape == (2, 0)
