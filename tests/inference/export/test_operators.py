"""Single modules in onnxruntime beside themselves: every operation that is written, or refused."""

from __future__ import annotations

from typing import Any

import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn
from torch.nn import functional as F

from drnn_core.inference.export import NotExportableError
from drnn_core.inference.export.graph import Graph
from drnn_core.inference.export.translating import Value, translate
from tests.inference.skipping import foreign

# Their convolutions pad otherwise, or branch on values.
REFUSED = {foreign.OddConvolutions: "got Conv2d", foreign.Scaled: "got _Branching"}


class InvertedBlock(nn.Module):
    """As ConvNeXt's: channels last, LayerNorm, GELU, a scale of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4, eps=1e-3)
        self.wide = nn.Linear(4, 8)
        self.act = nn.GELU()
        self.narrow = nn.Linear(8, 4, bias=False)
        self.scale = nn.Parameter(torch.rand(4, 1, 1))
        nn.init.uniform_(self.norm.weight)
        nn.init.uniform_(self.norm.bias)

    def forward(self, x: Tensor) -> Tensor:
        y = self.narrow(self.act(self.wide(self.norm(x.permute(0, 2, 3, 1)))))
        return x + self.scale * torch.permute(y, (0, 3, 1, 2))


class LayerNormOfFeatures(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(4))
        self.bias = nn.Parameter(torch.rand(4))

    def forward(self, x: Tensor) -> Tensor:
        x = F.layer_norm(x.permute(0, 2, 3, 1), (4,), self.weight, self.bias, 1e-2)
        return F.gelu(x).permute(0, 3, 1, 2)


class Pooling(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.most = nn.MaxPool2d(3, stride=2, padding=1)
        self.mean = nn.AvgPool2d(2, stride=1, padding=1, count_include_pad=False)
        self.one = nn.AdaptiveAvgPool2d((1, 1))
        self.last = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.mean(self.most(x)) - F.avg_pool2d(F.max_pool2d(x, 2, 1), 3, 2, 1).amax(
            (2, 3), keepdim=True
        )
        largest = torch.amax(y, dim=(2, 3)) - y.mean((2, 3))
        return self.last(torch.flatten(self.one(y), 1) / 3 + largest)


class Padding(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = F.pad(x[:, 1:, ::2, -3:], (0, 2, 1, 0, 1, 2), value=0.5)
        return y.clone().contiguous() * 2 - F.hardsigmoid(y)


class Normalising(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LocalResponseNorm(3, alpha=0.5, beta=0.75, k=2.0)
        self.bare = nn.BatchNorm2d(4, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.bare(self.norm(x))


OWN = (InvertedBlock, LayerNormOfFeatures, Pooling, Padding, Normalising)


def in_onnxruntime(module: nn.Module, x: Tensor) -> Tensor:
    graph = Graph("module")
    written = translate(graph, module, Value("x", x[:1]))
    graph.add("Identity", written.name, result="y")
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy"]
    model = helper.make_model(
        graph.finished("module", values[:1], values[1:]),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    session: Any = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return torch.from_numpy(session.run(None, {"x": x.numpy()})[0])


@pytest.mark.parametrize("kind", [*foreign.KINDS, *OWN], ids=lambda kind: kind.__name__)
def test_a_module_is_met(kind: type[nn.Module]) -> None:
    torch.manual_seed(1)
    module, x = kind().eval(), torch.randn(3, 4, 9, 10)
    if kind in REFUSED:
        with pytest.raises(NotExportableError, match=f"{REFUSED[kind]}.* in module"):
            in_onnxruntime(module, x)
        return
    with torch.no_grad():
        expected = module(x.clone())
    torch.testing.assert_close(in_onnxruntime(module, x), expected, rtol=1e-5, atol=1e-5)


class Refused(nn.Module):
    """Runs one operation with settings that have no form here."""

    def __init__(self, run: Any) -> None:
        super().__init__()
        self.run = run

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x)


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (nn.AdaptiveAvgPool2d(2), "AdaptiveAvgPool2d to 2 places"),
        (nn.AvgPool2d(2, ceil_mode=True), "AvgPool2d with a divisor of its own or ceil_mode"),
        (nn.LocalResponseNorm(2), "LocalResponseNorm over an even number of channels, 2"),
        (nn.GELU("tanh"), "GELU in its approximate form"),
        (nn.LayerNorm(10, elementwise_affine=False), "LayerNorm without a scale"),
        (nn.Flatten(2), "Flatten from dimension 2"),
        (lambda x: x.mean(), "mean over all dimensions"),
        (lambda x: x[1:], "getitem of some images only"),
        (lambda x: x[0], "getitem with"),
        (lambda x: F.pad(x, (1, 1, 0, 0), mode="reflect"), "pad in another mode"),
        (lambda x: torch.cumsum(x, 1), "cumsum"),
    ],
)  # fmt: skip
def test_settings_without_a_form_are_refused(run: Any, why: str) -> None:
    with pytest.raises(NotExportableError, match=f"got {why}"):
        in_onnxruntime(Refused(run), torch.randn(1, 4, 9, 10))
