"""The check by random weights: what it randomises, and what it makes of methods known to fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage

from drnn_core.analysis import saliency_sanity
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.saliency import attribute
from drnn_core.analysis.saliency_sanity import (
    SanityCheck,
    SanityLevel,
    randomise,
    sanity_check,
    weight_parts,
)
from drnn_core.inference.frozen import freeze
from drnn_core.models.gate import Gate
from drnn_core.models.network import Network
from drnn_core.models.registry import create_model
from tests.tiny_runs import PREPROCESSING, tiny_images, tiny_network

PARTS = ["classifier", "stages.2", "stages.1", "stages.0", "stem"]
IMAGES = PREPROCESSING.normalise(tiny_images(8).images(range(8)))


def edges(_: Network) -> np.ndarray:
    """An edge detector: what it draws has nothing to do with the network."""
    grey = IMAGES.mean(dim=1).numpy()
    return np.hypot(ndimage.sobel(grey, axis=1), ndimage.sobel(grey, axis=2))


def gradients(network: Network) -> Any:
    """``explain`` by the gradient on the paths of the given network."""
    with torch.no_grad():
        output = network(IMAGES)
    target = output.logits.argmax(dim=1)
    return lambda of: attribute(freeze(of, output.trace.ran), IMAGES, target, "saliency")


def state_of(network: Network) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def changed(before: dict[str, torch.Tensor], network: Network) -> set[str]:
    return {
        name
        for name, tensor in network.state_dict().items()
        if not torch.equal(before[name], tensor)
    }


def norms(module: torch.nn.Module) -> list[Any]:
    return [each for each in module.modules() if isinstance(each, torch.nn.BatchNorm2d)]


def test_an_edge_detector_is_flagged() -> None:
    found = sanity_check(tiny_network(), edges, draws=2)
    assert found.verdict == "ignores the weights"
    assert [level.part for level in found.levels] == ["", *PARTS]
    for level in found.levels:
        assert level.rank.value == level.rank.low == pytest.approx(1)
        assert level.ssim.value == pytest.approx(1)


def test_a_mixture_with_edges_is_flagged_and_the_gradient_is_not() -> None:
    """Guided methods draw mostly edges; a little of the network does not save them."""
    network = tiny_network()
    gradient = gradients(network)

    def mostly_edges(of: Network) -> np.ndarray:
        map_, edge = gradient(of), edges(of)
        return 0.1 * map_ / map_.max() + edge / edge.max()

    assert sanity_check(network, mostly_edges, draws=2).verdict == "ignores the weights"
    found = sanity_check(network, gradient, draws=2)
    assert found.verdict == "depends on the weights"
    assert found.levels[0].rank.value == pytest.approx(1)
    assert found.levels[-1].rank.value < found.levels[1].rank.value
    assert found.levels[0].rank.n == found.strangers.n == 8


def test_identical_weights_give_one(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny_network()
    monkeypatch.setattr(saliency_sanity, "randomise", lambda *_: None)
    found = sanity_check(network, gradients(network), draws=1)
    for level in found.levels:
        assert level.rank.value == level.ssim.value == pytest.approx(1)
        np.testing.assert_array_equal(level.maps, found.levels[0].maps)


def test_no_gate_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny_network()
    explain = gradients(network)

    def refuse(*_: Any) -> None:
        raise AssertionError("a gate was asked")

    monkeypatch.setattr(Gate, "forward", refuse)
    sanity_check(network, explain, draws=1)


def test_parts_become_random_one_after_another() -> None:
    network = tiny_network()
    before = state_of(network)
    seen: list[set[str]] = []

    def note(of: Network) -> np.ndarray:
        seen.append(changed(before, of))
        return edges(of)

    assert weight_parts(network) == PARTS
    sanity_check(network, note, draws=1)
    assert seen[0] == changed(before, network) == set()
    for place, part in enumerate(PARTS, 1):
        new = seen[place] - seen[place - 1]
        assert new
        assert all(name.startswith(f"{part}.") for name in new)
    convolutions = {name for name, tensor in before.items() if tensor.ndim == 4}
    assert convolutions < seen[-1], "nothing may stay as it was trained"
    seen.clear()
    sanity_check(network, note, draws=3, levels="whole")
    assert len(seen) == 4
    assert seen[1] >= convolutions


def test_norms_are_as_before_training_and_chance_is_of_the_seed() -> None:
    networks = [tiny_network() for _ in range(3)]
    for number, network in enumerate(networks):
        for norm in norms(network):
            norm.running_mean.fill_(3.0)
            norm.weight.data.fill_(0.5)
        torch.manual_seed(min(number, 1))
        randomise(network, "stages.1")
    stage: Any = networks[0].get_submodule("stages.1")
    for norm in norms(stage):
        assert (norm.running_mean == 0).all()
        assert (norm.weight == 1).all()
    one, other, same = (state_of(n)["stages.1.0.body.conv2.weight"] for n in networks)
    assert torch.equal(other, same)
    assert not torch.equal(one, other)
    assert float(one.std()) == pytest.approx((2 / (9 * 8)) ** 0.5, rel=0.15)


def test_the_chance_of_the_process_is_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    network = tiny_network()
    torch.manual_seed(5)
    first = sanity_check(network, gradients(network), draws=1, seed=3)
    assert torch.equal(torch.rand(3), expected)
    again = sanity_check(network, gradients(network), draws=1, seed=3)
    np.testing.assert_array_equal(first.levels[-1].maps, again.levels[-1].maps)
    other = sanity_check(network, gradients(network), draws=1, seed=4)
    assert (first.levels[-1].maps != other.levels[-1].maps).any()


@pytest.mark.parametrize("name", ["dr_mobilenetv2", "rcnn160"])
def test_networks_of_every_form_have_parts(name: str) -> None:
    network = create_model(name, num_classes=4)
    parts = weight_parts(network)
    weights = {path for path, _ in network.named_parameters()}
    assert len(parts) > 2
    assert {
        path for path in weights if path.startswith(tuple(f"{part}." for part in parts))
    } == weights
    before = state_of(network)
    for part in parts:
        randomise(network, part)
    drawn = {path for path, tensor in before.items() if tensor.ndim >= 2}
    assert drawn <= changed(before, network)


def test_a_converted_backbone_is_taken_apart_by_its_own_stages() -> None:
    """As ``recursify`` names them: everything in body and head, some weights in neither part."""
    network = torch.nn.Module()
    network.body = torch.nn.Module()
    network.body.conv1 = torch.nn.Conv2d(3, 4, 3)
    network.body.layer1 = torch.nn.Sequential(torch.nn.Conv2d(4, 4, 3), torch.nn.LayerNorm(4))
    network.body.token = torch.nn.Parameter(torch.zeros(4))
    network.head = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2))
    assert weight_parts(network) == ["head", "body.layer1", "body.conv1"]


def test_weights_of_no_known_module_are_shuffled() -> None:
    network = torch.nn.Module()
    network.scale = torch.nn.Module()
    network.scale.gamma = torch.nn.Parameter(torch.arange(50.0))
    randomise(network, "scale")
    assert sorted(network.scale.gamma.tolist()) == list(range(50))
    assert network.scale.gamma.tolist() != list(range(50))


def test_the_verdict_is_of_the_interval() -> None:
    def with_rank(low: float, high: float) -> SanityCheck:
        rank = Estimate((low + high) / 2, low, high, 8, 0.95)
        return SanityCheck((SanityLevel("all", rank, rank, edges(tiny_network())),), rank, 1)

    assert with_rank(0.55, 0.9).verdict == "ignores the weights"
    assert with_rank(0.1, 0.45).verdict == "depends on the weights"
    assert with_rank(0.4, 0.6).verdict == "unclear"
    assert with_rank(float("nan"), float("nan")).verdict == "unclear"


def test_maps_without_evidence_do_not_count() -> None:
    def some_empty(_: Network) -> np.ndarray:
        maps = edges(_)
        maps[:3] = 0
        return maps

    found = sanity_check(tiny_network(), some_empty, draws=1)
    assert {level.rank.n for level in found.levels} == {5}
    assert np.isnan(sanity_check(tiny_network(), lambda _: 0 * edges(_)).levels[-1].rank.value)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 draw"):
        sanity_check(tiny_network(), edges, draws=0)
    with pytest.raises(ValueError, match="at least 2 images"):
        sanity_check(tiny_network(), lambda _: edges(_)[:1])
    steps: list[tuple[int, int]] = []
    sanity_check(tiny_network(), edges, 2, progress=lambda *step: steps.append(step))
    assert steps == [(done, 11) for done in range(1, 12)]
