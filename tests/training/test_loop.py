"""The loop's promises: bit-identical resume, determinism, sound stops."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from drnn_core.trace import Trace
from drnn_core.training import loop
from drnn_core.training.loop import Trainer
from drnn_core.training.losses import rate_loss
from drnn_core.training.machine import source_commit
from drnn_core.training.outcome import run_info
from drnn_core.training.resume import RESUME_FILE, ResumeError
from drnn_core.training.settings import TrainingError
from tests.training.small import Silent, image_set, trainer


def state_of(trained: Trainer) -> dict[str, Tensor]:
    momentum = {
        f"momentum.{name}": trained.optimizer.state[parameter]["momentum_buffer"]
        for name, parameter in trained.network.named_parameters()
    }
    return {**trained.network.state_dict(), **momentum}


def assert_same(first: Trainer, second: Trainer) -> None:
    one, other = state_of(first), state_of(second)
    assert one.keys() == other.keys()
    differing = [name for name in one if not torch.equal(one[name], other[name])]
    assert not differing


def strip(curve: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{k: v for k, v in point.items() if k != "seconds"} for point in curve]


def test_equal_seeds_train_equal_networks_and_other_seeds_others(tmp_path: Path) -> None:
    runs = [trainer(tmp_path / str(i), seed) for i, seed in enumerate((3, 3, 4))]
    results = [run.run(Silent()) for run in runs]
    assert_same(runs[0], runs[1])
    assert strip(results[0].curve) == strip(results[1].curve)
    assert strip(results[0].curve) != strip(results[2].curve)


@pytest.mark.parametrize("stops", [(1,), (4,), (5,), (7,), (2, 3, 8), tuple(range(1, 10))])
def test_resume_is_bit_identical(tmp_path: Path, stops: tuple[int, ...]) -> None:
    """Stopped after the steps named (5 an epoch: mid-epoch, at its end, after each)."""
    whole = trainer(tmp_path / "whole")
    expected = whole.run(Silent())
    losses: list[float] = []
    part, result = whole, expected
    for stop in (*stops, 99):
        part = trainer(tmp_path / "parts")
        assert part.resume() == bool(losses)
        report = Silent()
        result = part.run(report, lambda: part.position.step >= stop)  # noqa: B023
        losses += report.losses
        assert result.finished == (stop == 99)
    assert_same(whole, part)
    assert strip(result.curve) == strip(expected.curve)
    assert len(losses) == 10


def test_the_program_that_trained_is_named_and_not_the_one_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named: list[str] = []
    for stop, commit in ((3, "first"), (5, "first"), (99, "second")):
        monkeypatch.setattr(loop, "source_commit", lambda commit=commit: commit)
        part = trainer(tmp_path)
        part.resume()
        result = part.run(Silent(), lambda: part.position.step >= stop)  # noqa: B023
        monkeypatch.setattr(loop, "source_commit", lambda: "checked out meanwhile")
        named = part.position.commits
    assert named == ["first", "second"]
    assert result.measures is not None
    assert run_info(part, result, result.measures).commit == "first, then second"


def test_a_state_that_named_no_program_says_so(tmp_path: Path) -> None:
    part = trainer(tmp_path)
    part.run(Silent(), lambda: part.position.step >= 3)
    part.position.commits.clear()
    part.run(Silent())
    assert part.position.commits == ["unknown", source_commit()]


def test_what_the_state_holds_is_needed(tmp_path: Path) -> None:
    """Without its momentum the resumed training differs: the test above can fail."""
    whole = trainer(tmp_path / "whole")
    whole.run(Silent())
    part = trainer(tmp_path / "parts")
    part.run(Silent(), lambda: part.position.step >= 3)
    rest = trainer(tmp_path / "parts")
    rest.resume()
    rest.optimizer.state.clear()
    rest.run(Silent())
    with pytest.raises(AssertionError):
        assert_same(whole, rest)


def test_a_time_limit_stops_with_the_state_saved(tmp_path: Path) -> None:
    limited = trainer(tmp_path)
    object.__setattr__(limited.settings, "minutes", 0.0)
    result = limited.run(Silent())
    assert not result.finished
    assert result.measures is None
    assert (tmp_path / RESUME_FILE).exists()
    assert limited.position.step == 1


def test_a_non_finite_loss_stops_before_the_update(tmp_path: Path) -> None:
    broken = trainer(tmp_path)
    broken.run(Silent(), lambda: broken.position.step >= 3)
    saved = (tmp_path / RESUME_FILE).read_bytes()
    before = {name: p.detach().clone() for name, p in broken.network.named_parameters()}
    with torch.no_grad():
        cast(Any, broken.network).classifier.bias.fill_(float("nan"))
        before["classifier.bias"].fill_(float("nan"))
    with pytest.raises(TrainingError, match=r"step 3 .*no update was made.*lower learning rate"):
        broken.run(Silent())
    for name, parameter in broken.network.named_parameters():
        assert torch.equal(parameter.nan_to_num(), before[name].nan_to_num())
    assert (tmp_path / RESUME_FILE).read_bytes() == saved


@pytest.mark.parametrize("fixed", [False, True])
def test_a_saved_state_is_spoken_of_where_there_is_one(
    tmp_path: Path, fixed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_EPOCH_SAVED", 1e9)  # however slow the machine is

    def failing(folder: Path, save_seconds: float) -> str:
        of = trainer(folder)
        settings = replace(of.settings, save_seconds=save_seconds, fixed_shapes=fixed)
        sets = (of.train_set, of.test_set)
        broken = Trainer(of.network, of.recipe, *sets, of.preprocessing, settings)

        def stop() -> bool:
            with torch.no_grad():
                cast(Any, broken.network).classifier.bias[0] = float("nan")
            return False

        with pytest.raises(TrainingError) as caught:
            broken.run(Silent(), stop)
        assert broken.position.step > 0
        assert (folder / RESUME_FILE).exists() == (save_seconds == 0)
        return str(caught.value)

    assert failing(tmp_path / "saved", 0).endswith("; the last saved state is kept")
    assert "saved state" not in failing(tmp_path / "unsaved", 1e9)


def test_a_state_of_another_training_is_refused(tmp_path: Path) -> None:
    first = trainer(tmp_path)
    first.run(Silent(), lambda: True)
    with pytest.raises(ResumeError, match="its seed is 0, not 1"):
        trainer(tmp_path, seed=1).resume()
    with pytest.raises(ResumeError, match=r"its weight_decay is 0\.0005, not 0\.1; resume"):
        trainer(tmp_path, weight_decay=0.1).resume()


def test_a_state_from_before_a_setting_existed_goes_on(tmp_path: Path) -> None:
    """It had the setting's default then, and is another training where it is set by now."""
    first = trainer(tmp_path)
    identity = first.position.identity
    for recipe in (identity["recipe"]["training"], identity["recipe"]["network"]):
        recipe.pop("target_falls", None)
        recipe.pop("first_loop", None)
    del identity["network"]["first_loop"]
    first.run(Silent(), lambda: True)
    again = trainer(tmp_path)
    assert again.resume()
    assert again.run(Silent()).finished
    first.run(Silent(), lambda: True)
    with pytest.raises(ResumeError, match="its target_falls is None, not"):
        trainer(tmp_path, target_falls=(0.0, 0.5)).resume()


@pytest.mark.parametrize("damage", ["truncated", "empty", "garbage"])
def test_a_damaged_state_is_a_sentence(tmp_path: Path, damage: str) -> None:
    trainer(tmp_path).run(Silent(), lambda: True)
    file = tmp_path / RESUME_FILE
    whole = file.read_bytes()
    file.write_bytes({"truncated": whole[:-9], "empty": b"", "garbage": b"\x80" * 500}[damage])
    with pytest.raises(ResumeError, match=r"is damaged .* remove it to start the training over"):
        trainer(tmp_path).resume()


@pytest.mark.parametrize("place", ["weights", "momentum", "position"])
def test_a_flipped_bit_of_a_state_is_found(tmp_path: Path, place: str) -> None:
    """Each of these would be read without a word, and train on to another network."""
    part = trainer(tmp_path)
    part.run(Silent(), lambda: True)
    file = tmp_path / RESUME_FILE
    data = bytearray(file.read_bytes())
    state = state_of(part)
    found = {
        "weights": state["classifier.weight"].numpy().tobytes(),
        "momentum": state["momentum.classifier.weight"].numpy().tobytes(),
        "position": rb"\"step\": 1,",
    }[place]
    assert data.count(found) == 1
    data[data.index(found) + len(found) - 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(ResumeError, match="checksum does not match its content"):
        trainer(tmp_path).resume()


def rewritten(file: Path, position: str) -> None:
    """Give a state another position, and no checksum, as states had none once."""
    save_file(load_file(file), file, metadata={"position": position})


def test_a_state_of_before_there_was_a_checksum_goes_on(tmp_path: Path) -> None:
    whole, part = trainer(tmp_path / "whole"), trainer(tmp_path / "part")
    whole.run(Silent())
    part.run(Silent(), lambda: part.position.step >= 3)
    rewritten(tmp_path / "part" / RESUME_FILE, json.dumps(asdict(part.position)))
    again = trainer(tmp_path / "part")
    assert again.resume()
    again.run(Silent())
    assert_same(whole, again)


@pytest.mark.parametrize(
    ("position", "message"),
    [
        ('{"identity": []}', "expected identity as dict, got"),
        ('{"identity": {"recipe": [1]}}', "belongs to another training"),
        ('{"identity": {"recipe": {"network": [1], "training": 2}}}', "belongs to another"),
        ('{"identity": {"network": "x"}}', "belongs to another training"),
        ('{"identity": {}, "step": "3"}', "expected step as int, got '3'"),
        ('{"identity": {}, "curve": null}', "expected curve as list, got None"),
        ("[1]", "is damaged"),
        ("[" * 100_000, "is damaged"),
    ],
)
def test_a_position_of_another_form_is_a_sentence(
    tmp_path: Path, position: str, message: str
) -> None:
    trainer(tmp_path).run(Silent(), lambda: True)
    rewritten(tmp_path / RESUME_FILE, position)
    with pytest.raises(ResumeError, match=message):
        trainer(tmp_path).resume()


def test_too_few_images_are_a_sentence(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    with pytest.raises(ValueError, match="at least one batch of 8 training images, got 5"):
        Trainer(
            run.network, run.recipe, image_set(5, 1), run.test_set, run.preprocessing, run.settings
        )


def test_it_learns(tmp_path: Path) -> None:
    report = Silent()
    result = trainer(tmp_path, epochs=12).run(report)
    assert result.measures is not None
    assert result.measures.error < 35, "three trivial classes: chance is 67 %"


def test_the_gates_noise_follows_the_recipe(tmp_path: Path) -> None:
    seen: list[float] = []
    fading = trainer(tmp_path, noise_until=0.5)

    def stop() -> bool:
        seen.extend({float(gate.noise) for gate in fading.steering.gates})
        return False

    fading.run(Silent(), stop)
    assert seen == pytest.approx([1, 0.8, 0.6, 0.4, 0.2, 0, 0, 0, 0, 0])


def test_the_rate_losss_target_follows_the_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    def noted(trace: Trace, target: float, *others: Any) -> Tensor:
        seen.append(target)
        return rate_loss(trace, target, *others)

    monkeypatch.setattr("drnn_core.training.losses.rate_loss", noted)
    trainer(tmp_path, target_falls=(0.2, 0.6)).run(Silent())
    assert seen == pytest.approx([1, 1, 1, 0.925, 0.85, 0.775, 0.7, 0.7, 0.7, 0.7])
