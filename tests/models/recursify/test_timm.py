"""timm's backbones, where timm is installed: it is no requirement of the project."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import drnn_core._torchvision  # before timm, which imports torchvision
from drnn_core.counting import network_cost
from drnn_core.models.norm import LoopNorm
from drnn_core.models.recursify import recursify
from drnn_core.models.registry import create_model
from tests.models.recursify.backbones import images, randomise_norms, scatter_gates, set_gates

assert drnn_core._torchvision.torchvision
timm: Any = pytest.importorskip("timm")

BACKBONES = (
    *("resnet18", "resnetv2_50", "seresnet50", "resnext50_32x4d", "skresnet18"),
    *("convnext_atto", "convnextv2_atto", "regnety_002", "efficientnet_b0"),
    *("mobilenetv3_small_050", "mobilenetv4_conv_small", "poolformer_s12"),
)


@pytest.mark.parametrize("name", BACKBONES)
def test_open_gates_give_the_backbones_logits(name: str) -> None:
    model = timm.create_model(name, num_classes=10).eval()
    randomise_norms(model)
    network = recursify(model, loops=1)
    set_gates(network, 50.0)
    with torch.no_grad():
        torch.testing.assert_close(network(images()).logits, model(images()), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", BACKBONES)
def test_by_name(name: str) -> None:
    network = create_model(f"dr:timm/{name}", num_classes=10).eval()
    with torch.device("meta"):
        other = create_model(f"dr:timm/{name}", num_classes=10)
    scatter_gates(network)
    other.load_state_dict(network.state_dict(), assign=True)
    with torch.no_grad():
        found, expected = other.eval()(images()), network(images())
    assert torch.equal(found.logits, expected.logits)
    assert torch.equal(found.trace.ran, expected.trace.ran)
    assert any(block.loops > 1 for block in network.layout)
    set_gates(network, 50.0)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(images(batch=1))
    counted = counter.get_total_flops() / 2
    assert network_cost(network, 64).macs_max == pytest.approx(counted, rel=0.01)
    network.train()(images()).logits.logsumexp(dim=1).sum().backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name


def test_norms_that_activate_are_taken_apart() -> None:
    """Nothing is left that is a BatchNorm2d and does more than that."""
    network = create_model("dr:timm/efficientnet_b0", num_classes=10)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert {type(norm) for norm in norms} == {nn.BatchNorm2d}
    block: Any = network.recursive_blocks()[0][1]
    assert sum(isinstance(module, LoopNorm) for module in block.body.modules()) == 3


def test_a_drop_rate_of_the_classifier_is_kept() -> None:
    model = timm.create_model("efficientnet_b0", num_classes=10, drop_rate=0.2, drop_path_rate=0.2)
    network = recursify(model)
    assert any(isinstance(m, nn.Dropout) and m.p == 0.2 for m in network.head.modules())
    with torch.no_grad():
        assert bool(network.train()(images()).logits.isfinite().all())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("vit_tiny_patch16_224", r"not \(B, C, H, W\)"),
        ("repvgg_a0", "not residual"),
        ("hrnet_w18_small", "reads its features only"),
        ("resnet18.a1_in1k", "timm has no image classifier called"),
        ("hf-hub:timm/resnet18", "timm has no image classifier called"),
    ],
)
def test_refusals(name: str, reason: str) -> None:
    with torch.device("meta"), pytest.raises(ValueError, match=reason):
        create_model(f"dr:timm/{name}")
