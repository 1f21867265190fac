"""The paper's ImageNet recipes at 224 pixels: they train, save and resume on a real folder."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from drnn_core.cli import main
from drnn_core.data.datasets import load_split
from drnn_core.data.generated import render
from drnn_core.data.measuring import measure_preprocessing
from drnn_core.data.transforms import Preprocessing
from drnn_core.models.gate import Gate
from drnn_core.models.registry import create_model
from drnn_core.models.synced import synchronise
from drnn_core.models.world import World
from drnn_core.recipes import get_recipe
from drnn_core.recipes.training import PAPER_TRAININGS
from drnn_core.training.loop import Trainer
from drnn_core.training.seeds import derived_seed
from drnn_core.training.settings import Settings
from tests.training.small import Silent
from tests.training.test_loop import state_of

_PICTURES = {"train": 16, "val": 3}


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ImageFolder of 1000 classes, with large pictures in a few of them."""
    root = tmp_path_factory.mktemp("imagenet")
    for split, count in _PICTURES.items():
        folders = [root / split / f"n{number:08d}" for number in range(1000)]
        for folder in folders:
            folder.mkdir(parents=True)
        for index in range(count):
            picture = Image.fromarray(render(index, 32).image)
            sized = picture.resize((320 + index, 250), Image.Resampling.BICUBIC)
            sized.save(folders[60 * index] / f"{index}.JPEG", quality=90)
    return root


def trainer(network: str, data: Path, folder: Path) -> Trainer:
    """The paper's recipe as it is, but for a batch of 2 in one epoch of 8 steps."""
    recipe = get_recipe(f"{network}_paper")
    recipe = dataclasses.replace(recipe, training=dataclasses.replace(recipe.training, batch=2))
    assert (recipe.training.augment, recipe.training.photometric) == ("scale", 0.4)
    sizing = Preprocessing.of_network(recipe.network)
    train_set = load_split(str(data), "train", sizing=sizing, originals=True)
    test_set = load_split(str(data), "test", sizing=sizing)
    torch.manual_seed(derived_seed(0, "weights"))
    model = create_model(network, num_classes=len(train_set.classes))
    preprocessing = measure_preprocessing(train_set, sizing)
    settings = Settings(folder, epochs=1, save_seconds=1e9)
    return Trainer(model, recipe, train_set, test_set, preprocessing, settings)


@pytest.mark.imagenet
@pytest.mark.parametrize("network", ["dr_resnet53_l3", "dr_mobilenetv2"])
def test_eight_steps_at_224_pixels_resume_to_the_bit(
    network: str, photographs: Path, tmp_path: Path
) -> None:
    whole, report = trainer(network, photographs, tmp_path / "whole"), Silent()
    before = {name: value.clone() for name, value in whole.network.state_dict().items()}
    assert whole.preprocessing.resize == 256
    assert whole.network.num_classes == 1000
    first = whole.run(report, lambda: whole.position.step == 4)
    assert not first.finished
    shutil.copytree(tmp_path / "whole", tmp_path / "resumed")
    result = whole.run(report)  # goes on with what it has in memory
    assert result.finished
    assert result.measures is not None
    assert result.measures.n == _PICTURES["val"]
    assert len(report.losses) == 8
    assert all(math.isfinite(loss) for loss in report.losses)

    resumed, rest = trainer(network, photographs, tmp_path / "resumed"), Silent()
    assert resumed.resume()
    assert resumed.position.step == 4
    assert resumed.run(rest).finished
    assert rest.losses == report.losses[4:]
    one, other = state_of(whole), state_of(resumed)
    assert [name for name in one if not torch.equal(one[name], other[name])] == []
    untouched = [name for name, value in before.items() if torch.equal(one[name], value)]
    assert untouched == [], "every weight and statistic takes part"


@pytest.mark.imagenet
def test_the_command_line_trains_and_evaluates_at_224_pixels(
    photographs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    paper = PAPER_TRAININGS["imagenet_mobile"]
    monkeypatch.setitem(PAPER_TRAININGS, "imagenet_mobile", dataclasses.replace(paper, batch=8))
    run, data = tmp_path / "run", str(photographs)
    command = ["train", "dr_mobilenetv2_paper", "--data", data, "--out", str(run), "--json"]
    assert main([*command, "--epochs", "1"]) == 0
    trained = json.loads(capsys.readouterr().out)
    assert trained["steps"] == 2
    preprocessing = json.loads((run / "run.json").read_text())["preprocessing"]
    assert preprocessing["image_size"] == 224
    assert preprocessing["resize"] == 256
    assert preprocessing["keep_aspect"] is False
    assert main(["evaluate", str(run), "--data", data, "--json"]) == 0
    evaluated = json.loads(capsys.readouterr().out)
    for name in ("n", "error", "loss", "loops_mean", "macs_mean"):
        assert evaluated[name] == trained["measures"][name]
    assert main(["verify", str(run)]) == 0


@pytest.mark.parametrize("spread", [False, True], ids=["local", "synced"])
@pytest.mark.parametrize("network", ["dr_resnet53_l3", "dr_mobilenetv2"])
def test_bfloat16_and_channels_last_reach_every_convolution(network: str, spread: bool) -> None:
    """And no gate: its logits, chances and decisions are float32."""
    model: Any = create_model(network, gate_initial_rate=0.5).train()
    model.to(memory_format=torch.channels_last)
    if spread:
        synchronise(model, World())
    wrong: list[str] = []
    gates: set[torch.dtype] = set()

    def convolution(name: str) -> Any:
        def look(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            is_stem = inputs[0].shape[1] == 3
            # a group of no image has no layout
            if len(inputs[0]) and not inputs[0].is_contiguous(memory_format=torch.channels_last):
                wrong.append(f"{name}: {inputs[0].stride()}")
            if inputs[0].dtype != (torch.float32 if is_stem else torch.bfloat16):
                wrong.append(f"{name}: {inputs[0].dtype}")

        return look

    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_pre_hook(convolution(name))
        if isinstance(module, Gate):
            module.register_forward_hook(
                lambda _, __, d: gates.update((d.open.dtype, d.prob.dtype))
            )
    x = torch.randn(4, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = model(x)
    output.logits.float().square().mean().backward()
    assert wrong == []
    assert gates == {torch.float32}
    assert output.trace.prob.dtype == torch.float32
    ran = output.trace.ran.float().mean()
    assert 0.1 < ran < 0.9, "groups of both kinds"
    assert all(p.dtype == torch.float32 and p.grad.isfinite().all() for p in model.parameters())
