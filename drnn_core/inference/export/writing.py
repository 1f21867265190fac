"""A whole network as an ONNX model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import NamedTuple, cast

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

from drnn_core.data.transforms import Preprocessing
from drnn_core.inference.export.describing import describe, describe_run
from drnn_core.inference.export.gating import GatedBlock
from drnn_core.inference.export.graph import Graph
from drnn_core.inference.export.tracing import write_empty_trace, write_thresholds, write_trace
from drnn_core.inference.export.translating import Value, translate
from drnn_core.inference.skipping.cutting import chain_of
from drnn_core.models.bodies import PlainBlock
from drnn_core.models.modes import in_mode
from drnn_core.models.network import Network, StagedNetwork
from drnn_core.models.recursify import RecursifiedNetwork
from drnn_core.models.recursive import RecursiveBlock
from drnn_core.store.runinfo import RunInfo
from drnn_core.trace import Trace

# Both of 2021, so that runtimes of the last years take them.
OPSET, IR_VERSION = 17, 8


def export_run(
    network: Network, info: RunInfo, pixels: bool = False, thresholds: bool = False
) -> onnx.ModelProto:
    """A trained run as an ONNX model, with its class names and preprocessing.

    Args:
        network, info: as ``load_network`` reads them.
        pixels: the model normalises by itself, see ``export_network``.
        thresholds: see ``export_network``.

    Raises:
        NotExportableError: the network has a part that cannot be written.
        NotAChainError: branches lead around its recursive blocks.
    """
    size = info.preprocessing.image_size
    preprocessing = info.preprocessing if pixels else None
    return export_network(network, size, preprocessing, thresholds, describe_run(info))


def export_network(
    network: Network,
    image_size: int | None = None,
    preprocessing: Preprocessing | None = None,
    thresholds: bool = False,
    properties: Mapping[str, str] | None = None,
) -> onnx.ModelProto:
    """A network as an ONNX model that executes the loops that its images run, and no others.

    Input: ``images`` (N, 3, H, W) float32, normalised, any N. Outputs: ``logits`` (N, classes), and
    ``prob``, ``asked`` and ``ran`` (N, S) as ``Trace`` has them.

    Args:
        network: is left as it is.
        image_size: H and W; by default the recipe's.
        preprocessing: if given, the model takes ``pixels`` (N, 3, H, W) uint8 instead of
            ``images`` and normalises them itself.
        thresholds: a network with gates takes ``thresholds`` (S,) float32, too: the probability of
            each step above which its gate opens (0: always, 0.5: as trained, 1: never).
        properties: more of them for the file, JSON by name.

    Raises:
        NotExportableError: the network has a part that cannot be written.
        NotAChainError: branches lead around its recursive blocks.
    """
    size = image_size or network.recipe.image_size
    with in_mode(network, training=False):
        graph = _Writer(network, size, preprocessing, thresholds).write()
        said = describe(network, size) | dict(properties or {})
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(
        graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="loopscope"
    )
    helper.set_model_props(model, said)
    return model


class _Part(NamedTuple):
    """A piece of a network: a block, or a function of features."""

    name: str
    module: nn.Module


def _parts(network: Network) -> Iterator[_Part]:
    """The pieces of a network in their order, the last of which returns logits."""
    if isinstance(network, StagedNetwork):
        # in a Sequential: of a module alone, the tracer would see the functions that it calls
        yield _Part("stem", nn.Sequential(network.stem))
        for stage, blocks in zip(network.stage_layouts, network.stages, strict=True):
            for block, module in zip(stage.blocks, cast(nn.Sequential, blocks), strict=True):
                yield _Part(block.name, module)
        yield _Part("classifier", _Classifier(network))
    elif isinstance(network, RecursifiedNetwork):
        names = {id(block): name for name, block in network.recursive_blocks()}
        for number, stage in enumerate(chain_of(network), 1):
            for module in stage:
                yield _Part(names.get(id(module), f"stage {number}"), module)
        yield _Part("head", network.head)
    else:
        raise TypeError(
            f"expected a network of stages or a recursified backbone, got {type(network).__name__}"
        )


class _Writer:
    """Writes the parts of a network one behind the other."""

    def __init__(
        self, network: Network, size: int, preprocessing: Preprocessing | None, thresholds: bool
    ) -> None:
        self.network = network
        self.size = size
        self.preprocessing = preprocessing
        self.given = "images" if preprocessing is None else "pixels"
        self.graph = Graph("input")
        self.asks = [
            block.is_gated(loop)
            for _, block in network.recursive_blocks()
            for loop in range(block.loops)
        ]
        self.asks_for_thresholds = thresholds and any(self.asks)
        self.count = self.graph.add("Shape", self.given, start=0, end=1)
        self.logits: list[tuple[str, ...]] = []  # by recursive block

    def write(self) -> onnx.GraphProto:
        """The whole graph."""
        graph = self.graph
        device = next(self.network.parameters()).device
        value = Value(self._images(), torch.zeros(1, 3, self.size, self.size, device=device))
        limits, single = self._limits()
        for name, module in _parts(self.network):
            graph.scope = name
            if not isinstance(module, RecursiveBlock):
                of_features = _Features(module) if isinstance(module, PlainBlock) else module
                value = translate(graph, of_features, value)
            elif module.gate is None:
                value = translate(graph, _Features(module), value)
                self.logits.append((self._certain(module.loops),))
            else:
                done = sum(block.loops for block in self.network.layout[: len(self.logits)])
                its_own = single[done : done + module.loops]
                found = GatedBlock(name, module, its_own, self._certain).write(graph, value)
                value = found.features
                self.logits.append(found.logits)
        graph.scope = "output"
        graph.add("Identity", value.name, result="logits")
        if self.asks:
            logits = graph.add("Concat", *chain.from_iterable(self.logits), axis=1)
            write_trace(graph, self.network.layout, self.asks, logits, limits)
        else:
            write_empty_trace(graph, self.count)
        return self._finished(value.example.shape[1])

    def _images(self) -> str:
        """The normalised images."""
        if self.preprocessing is None:
            return self.given
        floats = self.graph.add("Cast", self.given, to=TensorProto.FLOAT)
        mean, std = (
            self.graph.constant(torch.tensor(moments).mul(255)[:, None, None])
            for moments in (self.preprocessing.mean, self.preprocessing.std)
        )
        return self.graph.add("Div", self.graph.add("Sub", floats, mean), std)

    def _limits(self) -> tuple[str, list[str]]:
        """The logits above which gates open: (S,) or (1,), and (1,) of each step."""
        if self.asks_for_thresholds:
            limits = write_thresholds(self.graph, "thresholds")
            return limits, self.graph.split(limits, len(self.asks))
        if not self.asks:
            return "", []
        limits = self.graph.floats(0.0)
        return limits, [limits] * len(self.asks)

    def _certain(self, loops: int) -> str:
        """(N, loops) logits of loops that run unasked."""
        infinite = self.graph.constant(np.full((1, loops), np.inf, np.float32))
        shape = self.graph.add("Concat", self.count, self.graph.integers(1), axis=0)
        return self.graph.add("Expand", infinite, shape)

    def _finished(self, classes: int) -> onnx.GraphProto:
        kind = TensorProto.FLOAT if self.preprocessing is None else TensorProto.UINT8
        value = helper.make_tensor_value_info
        inputs = [value(self.given, kind, ["N", 3, self.size, self.size])]
        steps = len(self.asks)
        if self.asks_for_thresholds:
            inputs.append(value("thresholds", TensorProto.FLOAT, [steps]))
        types = {"prob": TensorProto.FLOAT, "asked": TensorProto.BOOL, "ran": TensorProto.BOOL}
        outputs = [
            value("logits", TensorProto.FLOAT, ["N", classes]),
            *(value(name, types[name], ["N", steps]) for name in Trace._fields),
        ]
        return self.graph.finished(self.network.recipe.name, inputs, outputs)


class _Features(nn.Module):
    """A block without gates as a function of features alone."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x).features


class _Classifier(nn.Module):
    """What follows the last stage: features -> logits."""

    def __init__(self, network: StagedNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor) -> Tensor:
        return self.network.classify(features)
