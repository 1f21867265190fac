"""A recursified backbone by name: trained, written, read again, predicted with."""

from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from drnn_core.data.measuring import measure_preprocessing
from drnn_core.data.sets import MemorySet
from drnn_core.inference.facts import network_facts
from drnn_core.inference.frozen import freeze
from drnn_core.inference.predictor import Predictor
from drnn_core.models.recursify import RecursifiedNetwork, recursify
from drnn_core.models.registry import create_model, list_models
from drnn_core.recipes import get_recipe
from drnn_core.store.runs import load_network, write_run
from drnn_core.training.loop import Trainer
from drnn_core.training.outcome import network_arguments, run_info
from drnn_core.training.settings import Settings
from tests.models.recursify.backbones import backbone, images
from tests.training.small import Silent

NAME = "dr:torchvision/mobilenet_v3_small"
CLASSES = ("dark", "bright", "red")


def image_set(count: int, seed: int, side: int = 32) -> MemorySet:
    """Three kinds of pictures that colour alone tells apart."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, len(CLASSES), count)
    pixels = random.integers(0, 90, (count, 3, side, side))
    pixels[labels == 1] += 120
    pixels[labels == 2, 0] += 120
    ids = [f"{seed}/{index}" for index in range(count)]
    tensor = torch.from_numpy(pixels.astype(np.uint8))
    return MemorySet("small", CLASSES, ids, labels.astype(np.int64), f"{seed:064x}", tensor)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RecursifiedNetwork]:
    """The run of a short training, and the network that was trained."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("run")
    network = create_model(NAME, num_classes=len(CLASSES), loops=2, where="features.[45]*")
    recipe = get_recipe(f"{NAME}_short")
    training = dataclasses.replace(recipe.training, batch=8, lr=0.02)
    recipe = dataclasses.replace(recipe, network=network.recipe, training=training)
    train_set, test_set = image_set(32, 1), image_set(16, 2)
    preprocessing = measure_preprocessing(train_set)
    settings = Settings(folder, epochs=2)
    trainer = Trainer(network, recipe, train_set, test_set, preprocessing, settings)
    result = trainer.run(Silent())
    assert result.measures is not None
    write_run(folder, network.state_dict(), run_info(trainer, result, result.measures))
    assert isinstance(network, RecursifiedNetwork)
    return folder, network.eval()


def test_a_run_is_read_again(run: tuple[Path, RecursifiedNetwork]) -> None:
    folder, trained = run
    network, info = load_network(folder)
    assert isinstance(network, RecursifiedNetwork)
    assert network.recipe == trained.recipe
    assert network.layout == trained.layout
    assert info.model == NAME
    assert info.model_args["loops"] == 2
    assert info.model_args["where"] == "features.[45]*"
    assert info.recipe_name == f"{NAME}_short"
    assert info.recipe["network"]["blocks"] == list(trained.recipe.blocks)
    assert info.metrics.test.target == 0.7
    with torch.no_grad():
        found, expected = network(images(side=32)), trained(images(side=32))
    torch.testing.assert_close(found.logits, expected.logits, rtol=1e-4, atol=1e-5)
    assert torch.equal(found.trace.ran, expected.trace.ran)


def test_facts_and_predictions(run: tuple[Path, RecursifiedNetwork]) -> None:
    folder, trained = run
    _, info = load_network(folder)
    before = torch.random.get_rng_state()
    facts = network_facts(info)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert facts.layout == trained.layout
    assert facts.block_names() == ("stage 3 · block 2",)
    assert facts.expected_loops == pytest.approx(0.7 + 0.49)
    prediction = Predictor(folder).predict(Image.new("RGB", (40, 30), (200, 40, 40)))
    assert prediction.probabilities.shape == (len(CLASSES),)
    assert prediction.ran.shape == (2,)
    assert facts.cost.fixed_macs < prediction.macs <= facts.cost.macs_max


def test_decisions_can_be_frozen(run: tuple[Path, RecursifiedNetwork]) -> None:
    _, trained = run
    with torch.no_grad():
        output = trained(images(side=32))
        frozen = freeze(trained, output.trace.ran)(images(side=32))
    torch.testing.assert_close(frozen, output.logits)


def test_a_network_is_its_arguments() -> None:
    """What run.json keeps builds the same network, whatever was asked for."""
    asked: list[dict[str, Any]] = [
        {"loops": None, "gated": False, "norm": "lvbn"},
        {"loops": 1, "gate_hidden": None, "gate_initial_rate": 0.6},
        {"loops": 2, "first_loop": "always"},
        {"loops": 2, "where": "*1*", "gate_hidden": 4},
    ]
    for changes in asked:
        with torch.device("meta"):
            network = create_model("dr:torchvision/resnet18", 7, **changes)
            arguments = json.loads(json.dumps(network_arguments(network.recipe)))
            again = create_model(network.recipe.name, 7, **arguments)
        assert again.recipe == network.recipe
        assert again.layout == network.layout
        shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
        assert {name: t.shape for name, t in again.state_dict().items()} == shapes


def test_names_and_titles() -> None:
    with torch.device("meta"):
        network = create_model("dr:torchvision/resnet18", loops=2, gated=False, image_size=64)
    assert network.recipe.title == "R torchvision/resnet18 (l = 2)"
    assert network.recipe.image_size == 64
    assert network.num_classes == 1000
    recipe = get_recipe("dr:torchvision/mobilenet_v2_paper")
    assert recipe.network.backbone == "torchvision/mobilenet_v2"
    assert recipe.training.epochs == 100
    assert not any(name.startswith("dr:") for name in list_models())
    with pytest.raises(ValueError, match="no recipe is called 'dr:torchvision/resnet18'"):
        get_recipe("dr:torchvision/resnet18")


def test_the_same_seed_gives_the_same_weights() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(11)
        states.append(create_model("dr:torchvision/mobilenet_v3_small", 10).state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_meta_takes_no_memory_and_no_random_numbers() -> None:
    """Of a RegNet, too, which works its widths out with tensors."""
    before = torch.random.get_rng_state()
    with torch.device("meta"):
        network = create_model("dr:torchvision/regnet_y_400mf", 10)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert {tensor.device.type for tensor in network.state_dict().values()} == {"meta"}


def test_training_steps_reduce_the_loss() -> None:
    network = recursify(backbone("resnet18", 3), loops=2)
    data = image_set(12, 5)
    inputs = measure_preprocessing(data).normalise(data.images(torch.arange(12)))
    labels = torch.from_numpy(data.labels)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    losses: list[float] = []
    for _ in range(6):
        loss = torch.nn.functional.cross_entropy(network(inputs).logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_a_network_can_be_pickled() -> None:
    """For worker processes; runs are stored as safetensors only."""
    network = recursify(backbone("resnet18"), loops=2).eval()
    other = pickle.loads(pickle.dumps(network))
    with torch.no_grad():
        assert torch.equal(other(images()).logits, network(images()).logits)
