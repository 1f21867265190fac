"""Weights of torchvision's networks for our plain ones, where the form is the same.

torchvision's ResNets are of the form "v1.5": the stride of a stage stands on the 3x3 convolution,
so they fit ``create_model("resnet50", stride_on="3x3")``, not the paper's original form, though the
shapes of all tensors are equal. MobileNetV2 is the same in both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from torch import Tensor, nn

from drnn_core.models.bodies import InvertedResidualBody, PlainBlock, ProjectionShortcut
from drnn_core.models.mobilenet import MobileNetV2
from drnn_core.models.network import Network, StagedNetwork
from drnn_core.models.resnet import ImageNetResNet


def load_torchvision_weights(network: Network, weights: Mapping[str, Tensor]) -> None:
    """Copy the state dict of a torchvision ResNet or MobileNetV2 into a plain network of ours.

    Args:
        network: ``resnet50`` or ``resnet101`` with ``stride_on="3x3"``, or ``mobilenetv2``, of
            as many classes as the weights.
        weights: of the torchvision network of the same depth.

    Raises:
        ValueError: the network is of a form that torchvision does not have, or the weights are
            not those of its counterpart; nothing was copied.
    """
    names = _names(network)
    own = network.state_dict()
    if set(weights) != set(names.values()):
        raise ValueError(
            f"expected the {len(names)} tensors of the torchvision network that corresponds to "
            f"{network.recipe.name}, got {len(weights)} with other names; pass its state_dict()"
        )
    for ours, theirs in names.items():
        if own[ours].shape != weights[theirs].shape:
            raise ValueError(
                f"expected {theirs} of shape {tuple(own[ours].shape)}, got "
                f"{tuple(weights[theirs].shape)}; build the network with as many classes"
            )
    network.load_state_dict({ours: weights[theirs] for ours, theirs in names.items()})


def _names(network: Network) -> dict[str, str]:
    """Our name of every tensor -> torchvision's."""
    if isinstance(network, StagedNetwork) and network.layout:
        raise ValueError(
            f"expected a plain network, got {network.recipe.name}, whose blocks loop: "
            "torchvision has no such weights; see recursify for turning its networks into "
            "recursive ones"
        )
    if isinstance(network, ImageNetResNet):
        if network.recipe.stride_on != "3x3":
            raise ValueError(
                "expected a ResNet with stride_on='3x3', which is torchvision's form, got "
                f"{network.recipe.stride_on!r}; build it with create_model(..., stride_on='3x3')"
            )
        modules = dict(_resnet_modules(network))
    elif isinstance(network, MobileNetV2):
        modules = dict(_mobilenet_modules(network))
    else:
        raise ValueError(
            f"no torchvision network has the form of {network.recipe.name}; expected resnet50, "
            "resnet101 or mobilenetv2"
        )
    found: dict[str, str] = {}
    for name in network.state_dict():
        module, _, tensor = name.rpartition(".")
        found[name] = f"{modules[module]}.{tensor}"
    return found


def _blocks(network: StagedNetwork) -> Iterator[tuple[int, int, PlainBlock]]:
    for stage, blocks in enumerate(network.stages):
        for place, block in enumerate(cast(nn.Sequential, blocks)):
            yield stage, place, cast(PlainBlock, block)


def _resnet_modules(network: ImageNetResNet) -> Iterator[tuple[str, str]]:
    yield from (("stem.0", "conv1"), ("stem.1", "bn1"), ("classifier", "fc"))
    for stage, place, block in _blocks(network):
        ours, theirs = f"stages.{stage}.{place}", f"layer{stage + 1}.{place}"
        for number in (1, 2, 3):
            yield f"{ours}.body.conv{number}", f"{theirs}.conv{number}"
            yield f"{ours}.body.norm{number}.norms.0", f"{theirs}.bn{number}"
        if isinstance(block.shortcut, ProjectionShortcut):
            yield f"{ours}.shortcut.0", f"{theirs}.downsample.0"
            yield f"{ours}.shortcut.1", f"{theirs}.downsample.1"


def _mobilenet_modules(network: MobileNetV2) -> Iterator[tuple[str, str]]:
    last = sum(network.recipe.blocks) + 1
    yield from (("stem.0", "features.0.0"), ("stem.1", "features.0.1"))
    yield from (("neck.0", f"features.{last}.0"), ("neck.1", f"features.{last}.1"))
    yield "classifier", "classifier.1"
    for number, (stage, place, block) in enumerate(_blocks(network), 1):
        ours, theirs = f"stages.{stage}.{place}.body", f"features.{number}.conv"
        # torchvision nests each convolution with its norm but for the last, linear one
        first = 1 if cast(InvertedResidualBody, block.body).expands else 0
        if first:
            yield f"{ours}.conv1", f"{theirs}.0.0"
            yield f"{ours}.norm1.norms.0", f"{theirs}.0.1"
        yield f"{ours}.conv2", f"{theirs}.{first}.0"
        yield f"{ours}.norm2.norms.0", f"{theirs}.{first}.1"
        yield f"{ours}.conv3", f"{theirs}.{first + 1}"
        yield f"{ours}.norm3.norms.0", f"{theirs}.{first + 2}"
