"""Frozen decisions: the reference's logits to the bit, and no gate consulted."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.inference.frozen import FrozenNetwork, freeze, freeze_recorded
from drnn_core.inference.predictor import Predictor
from drnn_core.models.gate import Gate
from drnn_core.models.network import Network
from drnn_core.models.registry import create_model
from tests.tiny_runs import PREPROCESSING, tiny_images, tiny_network, tiny_run


def batch(count: int = 40) -> torch.Tensor:
    images = tiny_images(count)
    return PREPROCESSING.normalise(images.images(range(count)))


def forbid_gates(network: Network) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a gate was asked")

    for module in network.modules():
        if isinstance(module, Gate):
            module.register_forward_pre_hook(refuse)


def test_replays_the_reference_to_the_bit_without_asking_a_gate() -> None:
    network, images = tiny_network(), batch()
    with torch.no_grad():
        reference = network(images)
        assert len(set(reference.trace.loops.tolist())) > 2, "images must differ in their loops"
        forbid_gates(network)
        frozen = freeze(network, reference.trace.ran)(images)
    torch.testing.assert_close(frozen, reference.logits, rtol=0, atol=0)


@pytest.mark.parametrize(
    "changes",
    [{"gated": False}, {"first_loop": "always"}, {"norm": "naive"}, {"loops": [1, 1, 1]}],
    ids=str,
)
def test_every_form_of_network_replays(changes: dict[str, Any]) -> None:
    network, images = tiny_network(**changes), batch(12)
    with torch.no_grad():
        reference = network(images)
        frozen = freeze(network, reference.trace.ran)(images)
    torch.testing.assert_close(frozen, reference.logits, rtol=0, atol=0)


@given(loops=st.lists(st.integers(0, 3), min_size=2, max_size=2))
def test_the_given_decisions_are_followed_whatever_the_image(loops: list[int]) -> None:
    """Against the loops written out: block after block, so many times its body."""
    network: Any = tiny_network(loops=[1, 3, 3])
    images = batch(3)
    ran = torch.tensor([[k < count for count in loops for k in range(3)]]).repeat(3, 1)
    with torch.no_grad():
        x = network.stem(images)
        recursive = [block for _, block in network.recursive_blocks()]
        by_block: dict[Any, int] = dict(zip(recursive, loops, strict=True))
        for blocks in network.stages:
            for block in blocks.children():
                if block not in by_block:
                    x = block(x).features
                    continue
                for loop in range(by_block[block]):
                    x = torch.relu(x + block.body(x, loop))
        expected = network.classifier(x.mean(dim=(2, 3)))
        torch.testing.assert_close(freeze(network, ran)(images), expected)


def test_a_network_without_gates_can_be_told_to_stop() -> None:
    network, images = tiny_network(gated=False), batch(2)
    with torch.no_grad():
        every = freeze(network, torch.ones(2, 5, dtype=torch.bool))(images)
        none = freeze(network, torch.zeros(2, 5, dtype=torch.bool))(images)
    assert not torch.allclose(every, none)


def test_variants_keep_the_decisions_of_their_image() -> None:
    network, images = tiny_network(), batch(2)
    ran = torch.tensor([[True, True, True, True, True], [False] * 5])
    with torch.no_grad():
        frozen = freeze(network, ran)
        once = frozen(images)
        torch.testing.assert_close(frozen(images.repeat(3, 1, 1, 1)), once.repeat(3, 1))
        torch.testing.assert_close(freeze(network, ran[0])(images[:1]), once[:1])
    with pytest.raises(ValueError, match=r"multiple of 2 images.*got 3"):
        frozen(images.repeat(2, 1, 1, 1)[:3])


def test_the_features_pass_the_place_for_hooks() -> None:
    network, images = tiny_network(), batch(2)
    frozen = freeze(network, network(images).trace.ran)
    seen: list[torch.Size] = []
    frozen.last_features.register_forward_hook(lambda _, __, out: seen.append(out.shape))
    frozen(images)
    assert seen == [(2, 8, 4, 4)]


def test_wrong_decisions_are_refused() -> None:
    network = tiny_network()
    with pytest.raises(ValueError, match=r"shape \(images, 5\), got \(2, 4\)"):
        freeze(network, torch.ones(2, 4, dtype=torch.bool))
    with pytest.raises(ValueError, match="evaluation mode"):
        FrozenNetwork(network.train(), torch.ones(1, 5, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"expected decisions of shape \(2, 5\).*got \(1, 5\)"):
        network(batch(2), torch.ones(1, 5, dtype=torch.bool))


def test_replay_leaves_the_network_and_its_gradients_alone() -> None:
    network = tiny_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    images = batch(2).requires_grad_(True)
    freeze(network, torch.ones(2, 5, dtype=torch.bool))(images).sum().backward()
    assert images.grad is not None
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_replay_in_training_tells_the_executed_images_apart() -> None:
    """The running statistics of a loop count the images that the replay sends through it."""
    network = create_model("dr_resnet16_l2", num_classes=4).train()
    images = torch.randn(4, 3, 16, 16)
    ran = torch.zeros(4, 4, dtype=torch.bool)
    ran[:2, 0] = True
    trace = network(images, ran).trace
    assert torch.equal(trace.ran, ran)
    assert not trace.asked.any()
    first, second = (cast(Any, block) for _, block in network.recursive_blocks())
    assert first.body.norm1.of_loop(0).num_batches_tracked == 1
    assert first.body.norm1.of_loop(1).num_batches_tracked == 0
    assert second.body.norm1.of_loop(0).num_batches_tracked == 0


def test_recorded_images_take_their_recorded_paths(tmp_path: Path) -> None:
    tiny_run(tmp_path)
    predictor = Predictor(tmp_path)
    pixels = tiny_images(12).images(range(12))
    with torch.no_grad():
        reference = predictor.network(PREPROCESSING.normalise(pixels))
    block_loops = reference.trace.block_loops(predictor.layout).numpy().astype(np.int8)
    forbid_gates(predictor.network)
    seen = pixels.permute(0, 2, 3, 1).numpy()
    frozen = freeze_recorded(predictor, seen, block_loops)
    assert torch.equal(frozen.network.ran, reference.trace.ran)
    with torch.no_grad():
        torch.testing.assert_close(frozen.network(frozen.images), reference.logits)
    with pytest.raises(ValueError, match="expected at most"):
        freeze_recorded(predictor, seen, block_loops[:, :1])
