"""Updates of fixed shapes train the network that the ordinary ones do. Here they run uncaptured."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from drnn_core.data.sets import MemorySet
from drnn_core.models.registry import create_model
from drnn_core.recipes import Recipe
from drnn_core.training.fixed_shapes import can_have_fixed_shapes
from drnn_core.training.fusing import fuse_blocks, unfused
from drnn_core.training.loop import Trainer
from drnn_core.training.resume import RESUME_FILE
from drnn_core.training.seeds import derived_seed
from drnn_core.training.settings import TrainingError, TrainingResult
from drnn_core.training.side_by_side import train_side_by_side
from tests.training.small import CLASSES, Silent, image_set, trainer, training

NETWORKS: list[dict[str, Any]] = [
    {"name": "dr_resnet16_l2"},
    {"name": "dr_resnet16_l2", "first_loop": "always"},
    {"name": "dr_resnet16_l2", "norm": "ilvbn_joint"},
    {"name": "dr_resnet16_l2", "norm": "lvbn"},
    {"name": "dr_resnet16_l2", "gated": False, "norm": "naive"},
    {"name": "resnet20"},
]


def other(of: Trainer, folder: Path, fixed: bool = True, **network: Any) -> Trainer:
    """A training like ``of``, of another network if one is named, with updates of fixed shapes."""
    torch.manual_seed(derived_seed(of.settings.seed, "weights"))
    shape: dict[str, Any] = {"blocks": (1, 2, 2), "widths": (4, 8, 8), "image_size": 8}
    built = create_model(num_classes=len(CLASSES), **{"name": "dr_resnet16_l2", **shape, **network})
    recipe = Recipe("small", built.recipe, of.recipe.training)
    settings = dataclasses.replace(of.settings, folder=folder, fixed_shapes=fixed)
    return Trainer(built, recipe, of.train_set, of.test_set, of.preprocessing, settings)


def assert_close(one: Trainer, two: Trainer) -> None:
    values, others = one.network.state_dict(), two.network.state_dict()
    for name, value in values.items():
        torch.testing.assert_close(others[name], value, rtol=1e-3, atol=1e-4)
    for name, parameter in one.network.named_parameters():
        mine = dict(two.network.named_parameters())[name]
        momenta = (each.optimizer.state[p] for each, p in ((one, parameter), (two, mine)))
        first, second = (each["momentum_buffer"] for each in momenta)
        torch.testing.assert_close(second, first, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda each: "-".join(map(str, each.values())))
def test_they_train_the_same_network(network: dict[str, Any], tmp_path: Path) -> None:
    of = trainer(tmp_path, noise_until=0.8, rate_loss="both", target_falls=(0.1, 0.7))
    plain = other(of, tmp_path / "plain", False, **network)
    fixed = other(of, tmp_path / "fixed", **network)
    assert plain.fixed is None
    assert fixed.fixed is not None
    ordinary, report = Silent(), Silent()
    expected, result = plain.run(ordinary), fixed.run(report)
    assert_close(plain, fixed)
    means = [sum(ordinary.losses[at : at + 5]) / 5 for at in (0, 5)]
    assert report.losses == pytest.approx(means, rel=1e-4)  # an update a call, an epoch a call
    for mine, its in zip(result.curve, expected.curve, strict=True):
        assert mine["sampled_rate"] == its["sampled_rate"]
        assert mine["test_error"] == its["test_error"]


def test_gates_that_cut_their_batches_train_the_same_network(tmp_path: Path) -> None:
    of = trainer(tmp_path, noise_until=0.8, rate_loss="batch", target_falls=(0.1, 0.7))
    plain, fixed = (other(of, tmp_path / str(fix), fix) for fix in (False, True))
    for each in (plain, fixed):
        each.run(Silent())
        assert all(gate.share is None for gate in each.steering.gates) == (each.fixed is not None)
    assert_close(plain, fixed)


def test_it_goes_on_where_it_stood_also_with_ordinary_updates(tmp_path: Path) -> None:
    of = trainer(tmp_path)
    whole, part = other(of, tmp_path / "whole"), other(of, tmp_path / "part")
    whole.run(Silent())
    assert not part.run(Silent(), lambda: True).finished
    rest = other(of, tmp_path / "part", fixed=False)
    assert rest.resume()
    assert rest.position.step == 5
    rest.run(Silent())
    assert_close(whole, rest)


def test_a_value_that_is_not_finite_ends_it_before_the_update(tmp_path: Path) -> None:
    broken = other(trainer(tmp_path), tmp_path / "broken")
    broken.run(Silent(), lambda: True)
    saved = (tmp_path / "broken" / RESUME_FILE).read_bytes()
    with torch.no_grad():
        cast(Any, broken.network).classifier.bias[0] = float("nan")
    before = [p.detach().clone() for p in broken.network.parameters()]
    with pytest.raises(TrainingError, match=r"between steps 5 and 10 \(epoch 2\); no update"):
        broken.run(Silent())
    for parameter, value in zip(broken.network.parameters(), before, strict=True):
        assert torch.equal(parameter.nan_to_num(), value.nan_to_num())
    assert (tmp_path / "broken" / RESUME_FILE).read_bytes() == saved


def test_side_by_side_each_gives_what_it_gives_alone_and_one_may_fail(tmp_path: Path) -> None:
    of = trainer(tmp_path)
    alone = other(of, tmp_path / "alone")
    expected = alone.run(Silent())
    group = [other(of, tmp_path / name) for name in ("one", "broken", "two")]
    with torch.no_grad():
        cast(Any, group[1].network).classifier.bias[0] = float("nan")
    done: list[tuple[Trainer, TrainingResult]] = []
    starts = [partial(lambda each: (each, Silent()), each) for each in group]
    failed = train_side_by_side(starts, 2, lambda *each: done.append(each), lambda: False)
    assert [str(error).startswith("the loss or a gradient") for error in failed] == [True]
    assert {id(trained) for trained, _ in done} == {id(group[0]), id(group[2])}
    for trained, result in done:
        assert result.measures == expected.measures
        assert_close(alone, trained)


def test_side_by_side_those_that_draw_from_one_generator_take_turns(tmp_path: Path) -> None:
    of = trainer(tmp_path)
    alone = other(of, tmp_path / "alone", False)
    alone.run(Silent())
    group = [other(of, tmp_path / name, False) for name in ("one", "two", "three")]
    starts = [partial(lambda each: (each, Silent()), each) for each in group]
    assert train_side_by_side(starts, 3, lambda *_: None, lambda: False) == []
    for trained in group:
        for name, value in alone.network.state_dict().items():
            assert torch.equal(trained.network.state_dict()[name], value)


@pytest.mark.filterwarnings("default")  # the compiler asks tensors for what warns
def test_blocks_compiled_are_the_blocks(tmp_path: Path) -> None:
    """By the compiler's front end alone, which is what could go wrong: no kernels are made."""
    for network in NETWORKS[:4]:
        of = trainer(tmp_path)
        plain, fused = (other(of, tmp_path / name, **network) for name in ("plain", "fused"))
        fuse_blocks(fused.network, backend="aot_eager")
        images = torch.randn(6, 3, 8, 8)
        losses: list[Tensor] = []
        for each in (plain, fused):
            torch.manual_seed(0)
            losses.append(each.network.train()(images).logits.square().sum())
            losses[-1].backward()
        torch.testing.assert_close(losses[1], losses[0])
        pairs = zip(plain.network.parameters(), fused.network.parameters(), strict=True)
        for one, two in pairs:
            torch.testing.assert_close(two.grad, one.grad, rtol=1e-3, atol=1e-4)
        with unfused(fused.network):
            assert not any("loop_once" in each.__dict__ for each in fused.network.modules())
        assert any("loop_once" in each.__dict__ for each in fused.network.modules())


def test_what_cannot_be_captured_is_trained_as_before() -> None:
    images = image_set(40, 1)
    small: dict[str, Any] = {
        "num_classes": 3,
        "blocks": (1, 2, 2),
        "widths": (4, 8, 8),
        "image_size": 8,
    }
    drops = create_model("sd_resnet110", **small)
    plain = create_model("resnet20", **small)
    large = MemorySet("l", CLASSES, [], images.labels.repeat(300_000), "f", images.pixels)
    assert can_have_fixed_shapes(plain, images, training())
    assert not can_have_fixed_shapes(drops, images, training())
    assert not can_have_fixed_shapes(plain, images, training(augment="scale"))
    assert not can_have_fixed_shapes(plain, large, training())
