"""How many blocks stand for how many, which groups are taken, and which weights are kept."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor, nn

from drnn_core.counting import count_params
from drnn_core.models.gate import Gate
from drnn_core.models.recursify import GateForm, RecursifiedNetwork, recursify
from drnn_core.models.recursify.body import Keep
from drnn_core.models.recursify.plan import block_count, parts_of
from drnn_core.models.registry import create_model
from tests.models.recursify.backbones import backbone, images, randomise_norms, skeleton

# The paper's recursive blocks of a stage (tables 1 and 2): l = 2, 3, 4, 5.
PAPER = {22: (11, 7, 5, 4), 17: (8, 6, 4, 3), 8: (4, None, 2, None)}


@pytest.mark.parametrize("blocks", PAPER)
def test_the_papers_counts(blocks: int) -> None:
    for loops, printed in enumerate(PAPER[blocks], 2):
        assert printed is None or block_count(blocks, loops) == printed


@given(blocks=st.integers(1, 200), loops=st.integers(1, 50))
@example(blocks=1, loops=1)
def test_the_count_is_the_nearest(blocks: int, loops: int) -> None:
    count, exact = block_count(blocks, loops), Fraction(blocks, loops)
    assert count >= 1
    # the nearest whole number; of two equally near ones, the lower
    assert count == 1 or -Fraction(1, 2) <= exact - count
    assert exact - count <= Fraction(1, 2)
    assert count == 1 or count - exact != Fraction(1, 2)


@given(blocks=st.integers(1, 60), loops=st.none() | st.integers(1, 12))
def test_parts_divide_a_group_evenly_and_in_order(blocks: int, loops: int | None) -> None:
    group = [f"layer.{place}" for place in range(blocks)]
    parts = parts_of(group, loops)
    assert [path for part in parts for path in part.paths] == group
    sizes = [len(part.paths) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)
    assert {part.loops for part in parts} == {min(loops or blocks, blocks)}
    if loops is None:
        assert len(parts) == 1


@pytest.mark.parametrize(
    ("loops", "expected"),
    [
        (1, [("1.1", 1), ("1.2", 1), ("2.2", 1), ("3.2", 1), ("4.2", 1)]),
        (2, [("1.1", 2)]),
        (9, [("1.1", 2)]),
        (None, [("1.1", 2)]),
    ],
)
def test_single_blocks_stay_plain(loops: int | None, expected: list[tuple[str, int]]) -> None:
    network = recursify(skeleton("resnet18"), loops=loops)
    assert [(block.name, block.loops) for block in network.layout] == expected


@pytest.mark.parametrize(
    ("name", "asked", "params"),
    [
        ("dr_resnet65_l2", ("resnet101", 2, "layer[34]*", True), 28_050_868),
        ("dr_resnet53_l3", ("resnet101", 3, "layer[34]*", True), 23_525_680),
        ("dr_resnet47_l4", ("resnet101", 4, "layer[34]*", True), 21_261_550),
        ("dr_resnet44_l5", ("resnet101", 5, "layer[34]*", True), 20_131_021),
        ("dr_mobilenetv2", ("mobilenet_v2", 3, "*", GateForm(hidden=None)), 2_954_380),
    ],
)
def test_the_papers_networks_come_out(name: str, asked: tuple[Any, ...], params: int) -> None:
    """Table 2 from torchvision's ResNet-101 and MobileNetV2: its blocks, loops and parameters.

    torchvision's ResNets have their stride on another convolution, of equal shape.
    """
    backbone_name, loops, where, gate = asked
    with torch.device("meta"):
        ours = create_model(name)
        network = recursify(backbone(backbone_name, 1000), loops, gate, where)
    assert [block.loops for block in network.layout] == [block.loops for block in ours.layout]
    assert count_params(network) == count_params(ours) == params
    if backbone_name == "resnet101":
        assert network.layout == ours.layout
        for field in ("blocks", "loops", "widths", "strides"):
            assert getattr(network.recipe, field) == getattr(ours.recipe, field)


def test_a_pattern_chooses_groups() -> None:
    network = recursify(skeleton("resnet50"), where="layer3*")
    assert [block.name for block in network.layout] == ["3.2", "3.3"]
    assert network.recipe.where == "layer3*"
    with pytest.raises(ValueError, match=r"where='stage\*'.*layer1\.1 \(2\).*layer3\.1 \(5\)"):
        recursify(skeleton("resnet50"), where="stage*")


def test_blocks_of_other_settings_are_no_repetition() -> None:
    """Dilation 2 after a block of dilation 1: equal parameters, another function."""
    model: Any = skeleton("resnet50")
    assert [block.loops for block in recursify(model, loops=2).layout][-1] == 2
    model.layer4[2].conv2.dilation = model.layer4[2].conv2.padding = (2, 2)
    network = recursify(model, loops=2)
    assert all(block.name[0] != "4" for block in network.layout)


def weights_of(network: RecursifiedNetwork, name: str) -> tuple[Any, str]:
    block: Any = dict(network.recursive_blocks())[name]
    return block.body, network._paths[name]


def ordered(model: nn.Module, *paths: str) -> list[Any]:
    return [model.get_submodule(path) for path in paths]


@pytest.fixture(scope="module")
def pretrained() -> nn.Module:
    """As if trained: every tensor of every block is its own."""
    torch.manual_seed(2)
    model = backbone("resnet50")
    randomise_norms(model)
    return model.eval()


def test_the_first_blocks_weights_are_kept(pretrained: nn.Module) -> None:
    body, path = weights_of(recursify(pretrained, loops=3, where="layer3*"), "3.2")
    assert path == "layer3.1"
    (first,) = ordered(pretrained, "layer3.1")
    assert torch.equal(body.conv2.weight, first.conv2.weight)
    for norm in body.bn1.norms:
        for key, tensor in first.bn1.state_dict().items():
            assert torch.equal(norm.state_dict()[key], tensor)
    # the second recursive block begins with the fourth of the five blocks
    body, path = weights_of(recursify(pretrained, loops=3, where="layer3*"), "3.3")
    assert path == "layer3.4"
    assert torch.equal(body.conv2.weight, ordered(pretrained, "layer3.4")[0].conv2.weight)


def test_the_mean_of_the_blocks_is_kept_with_each_ones_norms(pretrained: nn.Module) -> None:
    network = recursify(pretrained, loops=3, where="layer3*", keep="mean")
    body, _ = weights_of(network, "3.2")
    blocks = ordered(pretrained, "layer3.1", "layer3.2", "layer3.3")
    expected = sum(block.conv2.weight for block in blocks) / 3
    torch.testing.assert_close(body.conv2.weight, expected)
    for norm, block in zip(body.bn2.norms, blocks, strict=True):
        assert torch.equal(norm.weight, block.bn2.weight)
        assert torch.equal(norm.running_var, block.bn2.running_var)
    # two blocks for three loops: the third begins as the second
    body, _ = weights_of(network, "3.3")
    assert torch.equal(body.bn1.norms[2].bias, ordered(pretrained, "layer3.5")[0].bn1.bias)


def test_none_of_the_weights_are_kept(pretrained: nn.Module) -> None:
    body, _ = weights_of(recursify(pretrained, loops=3, where="layer3*", keep="none"), "3.2")
    (first,) = ordered(pretrained, "layer3.1")
    assert not torch.equal(body.conv2.weight, first.conv2.weight)
    assert all(bool((norm.running_mean == 0).all()) for norm in body.bn1.norms)


@pytest.mark.parametrize("keep", ["first", "mean", "none"])
def test_everything_else_keeps_its_weights(pretrained: nn.Module, keep: str) -> None:
    network = recursify(pretrained, loops=3, where="layer3*", keep=cast(Keep, keep))
    state, before = network.state_dict(), pretrained.state_dict()
    kept = [name for name in before if not name.startswith("layer3.") or "layer3.0" in name]
    assert len(kept) > 200
    for name in kept:
        ours = f"head.{name}" if name.startswith("fc.") else f"body.{name}"
        assert torch.equal(state[ours], before[name]), name


def test_blocks_that_are_not_folded_keep_theirs_whatever_keep_says(pretrained: nn.Module) -> None:
    network = recursify(pretrained, loops=1, keep="none")
    body, path = weights_of(network, "3.4")
    assert torch.equal(body.conv1.weight, ordered(pretrained, path)[0].conv1.weight)


def test_what_cannot_be_drawn_anew_is_named() -> None:
    with pytest.raises(ValueError, match=r"layer_scale anew.*keep='first'"):
        recursify(skeleton("convnext_tiny"), keep="none")


def test_the_backbone_is_left_as_it_is(pretrained: nn.Module) -> None:
    before = {name: tensor.clone() for name, tensor in pretrained.state_dict().items()}
    with torch.no_grad():
        logits = pretrained(images())
        recursify(pretrained, keep="mean").train()(images())
        assert torch.equal(pretrained(images()), logits)
    assert all(torch.equal(pretrained.state_dict()[name], t) for name, t in before.items())
    assert not pretrained.training


def test_gates() -> None:
    model = backbone("resnet18")

    def gate_of(gate: Any) -> Gate | None:
        return recursify(model, loops=2, gate=gate).recursive_blocks()[0][1].gate

    def rate(gate: Gate) -> float:
        with torch.no_grad():
            return float(torch.sigmoid(gate.logits(torch.zeros(1, 64, 4, 4))).mean())

    assert gate_of(None) is None
    assert gate_of(False) is None
    single = gate_of(GateForm(hidden=None, initial_rate=0.6))
    for gate, width in ((gate_of(True), 16), (gate_of(32), 32), (single, 1)):
        assert gate is not None
        assert next(gate.parameters()).shape == (width, 64)
    assert single is not None
    assert rate(single) == pytest.approx(0.6, abs=0.01)
    with pytest.raises(ValueError, match="at least 1 hidden unit"):
        gate_of(0)
    always = recursify(model, loops=2, gate=GateForm(first_loop="always"))
    assert not always.recursive_blocks()[0][1].is_gated(0)


def test_gates_that_are_never_asked_are_refused() -> None:
    always = GateForm(first_loop="always")
    with pytest.raises(ValueError, match="got loops=1 with first_loop='always'"):
        recursify(skeleton("resnet18"), loops=1, gate=always)
    with pytest.raises(ValueError, match="got loops=1 with first_loop='always'"):
        create_model("dr:torchvision/resnet18", loops=1, first_loop="always")
    assert recursify(skeleton("resnet18"), loops=1, gate=None).recursive_blocks()
    gated = recursify(skeleton("resnet18"), loops=1).recursive_blocks()
    assert all(block.is_gated(0) for _, block in gated)


def test_without_gates_every_loop_runs() -> None:
    network = recursify(backbone("resnet18"), loops=2, gate=None).eval()
    trace = network(images()).trace
    assert bool(trace.ran.all())
    assert not bool(trace.asked.any())
    assert (network.recipe.target, network.recipe.gated) == (None, False)
    with pytest.raises(ValueError, match="no target rate"):
        recursify(skeleton("resnet18"), loops=2, gate=None, target=0.5)


def test_kinds_of_norms() -> None:
    sets: dict[str, int] = {}
    for kind in ("naive", "lvbn", "ilvbn_joint"):
        network = recursify(skeleton("resnet18"), loops=2, norm=cast(Any, kind))
        body: Any = network.recursive_blocks()[0][1].body
        assert body.bn1.kind == network.recipe.norm == kind
        sets[kind] = len(body.bn1.norms)
    assert sets == {"naive": 1, "lvbn": 2, "ilvbn_joint": 2}
    naive = recursify(backbone("convnext_tiny"), norm="naive")
    copies: Any = naive.recursive_blocks()[0][1].body.get_submodule("block.2")
    assert len(copies.copies) == 1
    output: Tensor = naive.eval()(images()).logits
    assert bool(output.isfinite().all())
