"""Convolutions with everything folded in that can be, packed ahead for the processor.

A BatchNorm behind a convolution is a scale and a shift of each of its channels, and so becomes part
of the weights: a shared convolution gets one folded copy for each loop of its block. On the CPU
the copy is reordered once into the layout that oneDNN computes in, and the activation and the
residual sum are done by the convolution itself while its result is still in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Activation = Literal["relu", "relu6", "silu", "hardswish"]
# Where the residual sum goes: there is none, into a new tensor, into the tensor beside.
Sum = Literal["none", "new", "in place"]

_ONEDNN: dict[Activation | None, tuple[str, list[float]]] = {
    None: ("none", []),
    "relu": ("relu", []),
    "relu6": ("hardtanh", [0.0, 6.0]),
    "silu": ("swish", []),
    "hardswish": ("hardswish", []),
}
_IN_PLACE: dict[Activation, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu_,
    "relu6": lambda x: x.clamp_(0.0, 6.0),
    "silu": lambda x: F.silu(x, inplace=True),
    "hardswish": lambda x: F.hardswish(x, inplace=True),
}


@dataclass(frozen=True)
class FoldedConvolution:
    """A convolution with the affine maps behind it folded in.

    Attributes:
        weight: (C_out, C_in / groups, height, width) float64.
        bias: (C_out,) float64.
        stride, padding, dilation, groups: as in ``nn.Conv2d``.
    """

    weight: Tensor
    bias: Tensor
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int

    def then_norm(self, norm: nn.BatchNorm2d) -> FoldedConvolution:
        """With a BatchNorm behind it, in evaluation mode."""
        scale, shift = scale_and_shift(norm)
        weight = self.weight * scale[:, None, None, None]
        return replace(self, weight=weight, bias=self.bias * scale + shift)

    def then_scale(self, factor: float) -> FoldedConvolution:
        """With its result multiplied by a number."""
        return replace(self, weight=self.weight * factor, bias=self.bias * factor)


def fold(convolution: nn.Module) -> FoldedConvolution | None:
    """A convolution ready for folding; None where it is of a kind that cannot be."""
    if type(convolution) is not nn.Conv2d or convolution.padding_mode != "zeros":
        return None
    if isinstance(convolution.padding, str):
        return None
    weight = convolution.weight.detach().double()
    bias = convolution.bias
    return FoldedConvolution(
        weight,
        weight.new_zeros(weight.shape[0]) if bias is None else bias.detach().double(),
        tuple(convolution.stride),
        tuple(convolution.padding),
        tuple(convolution.dilation),
        convolution.groups,
    )


def scale_and_shift(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """(C,) float64 each: what a BatchNorm with population statistics multiplies by and adds."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = torch.rsqrt(norm.running_var.double() + norm.eps)
    if norm.weight is not None:  # pyright: ignore[reportUnnecessaryComparison]  # affine=False
        scale = scale * norm.weight.detach().double()
    shift = -norm.running_mean.double() * scale
    if norm.bias is not None:  # pyright: ignore[reportUnnecessaryComparison]
        shift = shift + norm.bias.detach().double()
    return scale, shift


@cache
def packs(dtype: torch.dtype) -> bool:
    """Whether this PyTorch and processor have oneDNN's prepacked convolutions in ``dtype``."""
    operators = getattr(torch.ops, "mkldnn", None)
    needed = (
        *("_convolution_pointwise", "_convolution_pointwise_", "_reorder_convolution_weight"),
        "_get_mkldnn_serialized_md",
    )
    if not torch.backends.mkldnn.is_available() or not all(
        hasattr(operators, name) for name in needed
    ):
        return False
    weight = torch.zeros(1, 1, 1, 1)
    trial = FoldedConvolution(weight, weight[0, 0, 0], (1, 1), (0, 0), (1, 1), 1)
    try:  # processors without the instructions for bfloat16 refuse it
        _PackedWeights(trial, dtype, (1, 1, 1, 1))
    except RuntimeError:
        return False
    return True


class _PackedWeights:
    """A convolution's weight in the layouts that oneDNN wants of it, by the size of the batch.

    Fewer images than threads want another layout than many, and a weight that lies otherwise is
    laid out anew in every call, which may cost more than the convolution: 2.5 ms before 1.9 ms, of
    64 channels at 8 x 8 in a batch of 64. So there is one for each power of two up to the first
    that gives every thread an image; equal ones share their memory.
    """

    __slots__ = ("_by_bits", "_most")

    def __init__(
        self, folded: FoldedConvolution, dtype: torch.dtype, input_shape: Sequence[int]
    ) -> None:
        operators = cast(Any, torch.ops.mkldnn)
        weight = folded.weight.to(dtype).contiguous()
        padding, stride = list(folded.padding), list(folded.stride)
        found: dict[bytes, Tensor] = {}
        by_bits: list[Tensor] = []
        for bits in range((torch.get_num_threads() - 1).bit_length() + 1):
            packed = operators._reorder_convolution_weight(
                weight, padding, stride, list(folded.dilation), folded.groups,
                [1 << bits, *input_shape[1:]],
            )  # fmt: skip
            layout = operators._get_mkldnn_serialized_md(packed).numpy().tobytes()
            by_bits.append(found.setdefault(layout, packed))
        self._by_bits = (by_bits[0], *by_bits)  # no image, 1, 2 to 3, 4 to 7 ...
        self._most = len(by_bits)

    def of(self, x: Tensor) -> Tensor:
        """For features x (B, C, H, W)."""
        return self._by_bits[min(len(x).bit_length(), self._most)]


def convolution(
    folded: FoldedConvolution,
    activation: Activation | None,
    total: Sum,
    input_shape: Sequence[int],
    dtype: torch.dtype,
    packed: bool = True,
) -> Callable[..., Tensor]:
    """A function of x, and of what is added to the convolution of x where there is a sum.

    Args:
        folded: the convolution.
        activation: of the result, or of the sum where there is one.
        total: where the sum goes. "in place" overwrites the second argument and returns it.
        input_shape: (1, C, H, W) to pack for; others are computed as well.
        dtype: of features and weights.
        packed: use oneDNN's prepacked convolutions, where there are any.
    """
    if packed and folded.weight.device.type == "cpu" and packs(dtype):
        return _packed(folded, dtype, activation, total, input_shape)
    return _plain(folded, dtype, activation, total)


def _packed(
    folded: FoldedConvolution,
    dtype: torch.dtype,
    activation: Activation | None,
    total: Sum,
    input_shape: Sequence[int],
) -> Callable[..., Tensor]:
    operators = cast(Any, torch.ops.mkldnn)
    stride, padding = list(folded.stride), list(folded.padding)
    dilation, groups = list(folded.dilation), folded.groups
    with torch.no_grad():
        weights = _PackedWeights(folded, dtype, input_shape).of
    bias = folded.bias.to(dtype)
    attribute, scalars = _ONEDNN[activation]
    if total == "none":
        plain = operators._convolution_pointwise.default

        def alone(x: Tensor) -> Tensor:
            return plain(
                x, weights(x), bias, padding, stride, dilation, groups, attribute, scalars, ""
            )

        return alone
    after = None if activation is None else attribute
    if total == "new":
        binary = operators._convolution_pointwise.binary

        def summed(x: Tensor, beside: Tensor) -> Tensor:
            return binary(
                x, beside, weights(x), bias, padding, stride, dilation, groups,
                "add", 1.0, after, scalars, None,
            )  # fmt: skip

        return summed
    into = operators._convolution_pointwise_.binary

    def summed_in_place(x: Tensor, beside: Tensor) -> Tensor:
        into(
            beside, x, weights(x), bias, padding, stride, dilation, groups,
            "add", 1.0, after, scalars, None,
        )  # fmt: skip
        return beside

    return summed_in_place


def _plain(
    folded: FoldedConvolution, dtype: torch.dtype, activation: Activation | None, total: Sum
) -> Callable[..., Tensor]:
    weight = folded.weight.to(dtype, memory_format=torch.channels_last)
    bias = folded.bias.to(dtype)
    stride, padding, dilation = list(folded.stride), list(folded.padding), list(folded.dilation)
    groups = folded.groups
    act = activate_in_place(activation)

    def alone(x: Tensor) -> Tensor:
        return act(torch.conv2d(x, weight, bias, stride, padding, dilation, groups))

    def summed(x: Tensor, beside: Tensor) -> Tensor:
        return act(torch.conv2d(x, weight, bias, stride, padding, dilation, groups).add_(beside))

    def summed_in_place(x: Tensor, beside: Tensor) -> Tensor:
        y = torch.conv2d(x, weight, bias, stride, padding, dilation, groups)
        return act(beside.add_(y))

    return {"none": alone, "new": summed, "in place": summed_in_place}[total]


def activate_in_place(activation: Activation | None) -> Callable[[Tensor], Tensor]:
    """The activation, written into its argument."""
    return (lambda x: x) if activation is None else _IN_PLACE[activation]
