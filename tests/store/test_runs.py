"""Runs: what is written comes back to the bit; anything else is a sentence and runs nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from drnn_core.models.registry import create_model
from drnn_core.store.card import model_card
from drnn_core.store.runs import (
    CurvePoint,
    RunError,
    RunInfo,
    RunMetrics,
    find_runs,
    load_network,
    read_run,
    write_run,
)
from drnn_core.store.sealed import read_sealed, write_sealed
from tests.hostile_pictures import Bomb
from tests.tiny_runs import PREPROCESSING, TINY, tiny_images, tiny_info, tiny_network, tiny_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    tiny_run(tmp_path / "run")
    return tmp_path / "run"


def rewrite(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change run.json as a hostile hand would: with a sound seal."""
    values = read_sealed(run / "run.json")
    change(values)
    write_sealed(run / "run.json", values)


def reweigh(run: Path, data: bytes) -> None:
    """Replace the weights, and their hash in run.json."""
    (run / "model.safetensors").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    rewrite(run, lambda values: values.update(weights_sha256=digest))


def sentence(run: Path) -> str:
    with pytest.raises(RunError) as caught:
        load_network(run)
    text = str(caught.value)
    assert "\n" not in text.replace("\n\t", "")
    assert str(run) in text
    return text


def test_a_run_comes_back_to_the_bit(tmp_path: Path) -> None:
    network, images = tiny_network(), tiny_images(20)
    written = write_run(tmp_path / "run", network.state_dict(), tiny_info())
    loaded, info = load_network(tmp_path / "run")
    assert info == written == read_run(tmp_path / "run")
    assert not loaded.training
    pixels = PREPROCESSING.normalise(images.pixels)
    with torch.inference_mode():
        mine, theirs = network(pixels), loaded(pixels)
    assert torch.equal(mine.logits, theirs.logits)
    assert all(torch.equal(a, b) for a, b in zip(mine.trace, theirs.trace, strict=True))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "README.md",
        "model.safetensors",
        "run.json",
    ]


def test_a_loaded_network_can_be_trained_further(run: Path) -> None:
    network, _ = load_network(run)
    network.train()(torch.rand(4, 3, 16, 16)).logits.sum().backward()
    assert all(p.requires_grad and p.grad is not None for p in network.parameters())


def test_channels_last_and_training_mode_make_no_difference(tmp_path: Path) -> None:
    network = tiny_network()
    plain = write_run(tmp_path / "a", network.state_dict(), tiny_info())
    network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    network.train()
    assert write_run(tmp_path / "b", network.state_dict(), tiny_info()) == plain


def test_loading_draws_no_random_numbers(run: Path) -> None:
    before = torch.random.get_rng_state()
    load_network(run)
    assert torch.equal(before, torch.random.get_rng_state())


def test_run_json_follows_the_design(run: Path) -> None:
    values = json.loads((run / "run.json").read_text())
    for key in (
        "format", "model", "model_args", "recipe", "dataset", "data_fingerprint", "classes",
        "preprocessing", "seed", "epochs", "commit", "versions", "device", "seconds",
        "weights_sha256",
    ):  # fmt: skip
        assert key in values
    assert set(values["metrics"]["test"]) >= {
        "n", "error", "loss", "loops_mean", "loops_std", "loops_max", "rate", "target", "macs_mean",
    }  # fmt: skip
    assert set(values["curve"][0]) >= {
        "epoch", "train_loss", "test_error", "rate", "lr", "seconds",
    }  # fmt: skip
    assert list(values)[-1] == "sha256"


def test_unknown_keys_are_kept(run: Path) -> None:
    rewrite(run, lambda values: values.update(comment={"by": "me"}))
    info = read_run(run)
    assert info.extra == {"comment": {"by": "me"}}
    write_run(run, tiny_network().state_dict(), info)
    assert read_run(run).extra == {"comment": {"by": "me"}}


def test_figures_that_nobody_can_know_are_null(tmp_path: Path) -> None:
    nan = float("nan")
    test = dataclasses.replace(tiny_info().metrics.test, rate=nan, gate_rates=(nan, 0.5))
    curve = (CurvePoint(1, 1.0, nan, nan, 0.1, 3.0),)
    written = tiny_run(tmp_path, metrics=RunMetrics(test), curve=curve)
    assert written.metrics.test.rate is None
    assert written.metrics.test.gate_rates == (None, 0.5)
    assert read_run(tmp_path).curve[0].test_error is None


def test_a_run_that_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    test = dataclasses.replace(tiny_info().metrics.test, error=float("nan"))
    with pytest.raises(RunError, match="'error' to be a number, got nan"):
        tiny_run(tmp_path / "run", metrics=RunMetrics(test))
    assert not (tmp_path / "run").exists()


KEYS = sorted(set(tiny_info().to_dict()))
PATHS = [
    *((key,) for key in KEYS),
    *(("metrics", "test", key) for key in ("n", "error", "loss", "rate", "macs_mean")),
    ("metrics", "test"),
    *(("curve", 0, key) for key in ("epoch", "train_loss", "test_error", "rate", "lr")),
    *(("preprocessing", key) for key in PREPROCESSING.to_dict()),
    ("versions", "torch"),
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("wrong", ["missing", "mistyped"])
def test_every_missing_or_mistyped_key_is_named(path: tuple[Any, ...], wrong: str) -> None:
    values = tiny_info(weights_sha256="0" * 64, card_sha256="0" * 64).to_dict()
    RunInfo.from_dict(values, "here")
    holder: Any = values
    for key in path[:-1]:
        holder = holder[key]
    if wrong == "missing" and path != ("versions", "torch"):
        del holder[path[-1]]
        expected = "found none"
    else:
        holder[path[-1]] = [[]] if path[-1] not in ("curve", "classes") else {"a": 1}
        expected = "got"
    with pytest.raises(RunError, match=rf"^here.*'{path[-1]}'.*{expected}"):
        RunInfo.from_dict(values, "here")


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        ("format", 2, "a newer version of this program"),
        ("format", True, "whole number"),
        ("classes", [], "each class once"),
        ("classes", ["a", "a"], "each class once"),
        ("weights_sha256", "xyz", "64 hex digits"),
        ("seconds", 10**400, "a number"),
        ("epochs", -1, "from 0"),
        ("preprocessing", {**PREPROCESSING.to_dict(), "image_size": 10**9}, "1 to 4096"),
        ("preprocessing", {**PREPROCESSING.to_dict(), "std": [0, 1, 1]}, "other than 0"),
        ("preprocessing", {**PREPROCESSING.to_dict(), "mean": [0, 1]}, "three numbers"),
        ("preprocessing", {**PREPROCESSING.to_dict(), "resize": 3}, "from 16"),
    ],
)
def test_values_out_of_bounds(run: Path, key: str, value: Any, part: str) -> None:
    rewrite(run, lambda values: values.update({key: value}))
    with pytest.raises(RunError, match=part):
        read_run(run)


def test_a_changed_run_json_is_noticed(run: Path) -> None:
    text = (run / "run.json").read_text().replace('"ship"', '"shop"')
    (run / "run.json").write_text(text)
    assert "changed after it was written" in sentence(run)


def test_no_run(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(pickle.dumps(1))
    assert "no run.json" in sentence(tmp_path)
    assert "there is no folder" in sentence(tmp_path / "none")
    assert "never from a pickle or .pt file" in sentence(tmp_path / "model.pt")


def test_missing_weights(run: Path) -> None:
    (run / "model.safetensors").rename(run / "model.pt")
    assert "such as .pt, are never loaded" in sentence(run)


def test_a_flipped_bit_in_the_weights(run: Path) -> None:
    data = bytearray((run / "model.safetensors").read_bytes())
    data[-100] ^= 1
    (run / "model.safetensors").write_bytes(data)
    assert "damaged or of another run" in sentence(run)


@pytest.mark.parametrize("part", [0, 1, 7, 8, 9, 500, -1])
@pytest.mark.parametrize("hash_too", [False, True])
def test_truncated_weights(run: Path, part: int, hash_too: bool) -> None:
    data = (run / "model.safetensors").read_bytes()[:part]
    (run / "model.safetensors").write_bytes(data)
    if hash_too:
        reweigh(run, data)
    assert "expected" in sentence(run)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_named_safetensors_is_never_opened(
    run: Path, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bomb, "path", str(tmp_path / "owned"))
    reweigh(run, pickle.dumps(Bomb(), protocol))
    text = sentence(run)
    assert "it was not opened" in text
    assert not (tmp_path / "owned").exists()


def test_torch_save_named_safetensors_is_never_opened(run: Path) -> None:
    torch.save(tiny_network().state_dict(), run / "other.pt")
    reweigh(run, (run / "other.pt").read_bytes())
    assert "a zip archive, such as torch.save writes" in sentence(run)


def header(text: bytes, body: bytes = b"") -> bytes:
    return len(text).to_bytes(8, "little") + text + body


@pytest.mark.parametrize(
    "data",
    [
        header(b"{}"),
        header(b"{" + b"x" * 99),
        header(b'{"a":{"dtype":"F32","shape":[9999999,9999999],"data_offsets":[0,4]}}', b"\0" * 4),
        header(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,999]}}', b"\0" * 4),
        header(b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', b"\0" * 4),
        header(b'{"a":{"dtype":"EVIL","shape":[1],"data_offsets":[0,4]}}', b"\0" * 4),
        header(b"{" + b'"a":{' * 5000),
        (2**63).to_bytes(8, "little") + b"{}",
        b"\xff" * 4096,
    ],
)
def test_hostile_safetensors(run: Path, data: bytes) -> None:
    reweigh(run, data)
    assert "expected" in sentence(run)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda state: state.pop("classifier.bias"), "lacks classifier.bias"),
        (lambda state: state.update(extra=torch.zeros(1)), "has an unknown extra"),
        (
            lambda state: state.update({"classifier.bias": torch.zeros(9)}),
            r"classifier.bias as \(9,\) torch.float32 instead of \(4,\)",
        ),
        (
            lambda state: state.update({"classifier.bias": torch.zeros(4).half()}),
            "torch.float16 instead of",
        ),
        (
            lambda state: [state.update({f"module.{k}": state.pop(k)}) for k in list(state)],
            "more differences",
        ),
    ],
)
def test_weights_of_another_network(run: Path, change: Any, part: str) -> None:
    state = tiny_network().state_dict()
    change(state)
    reweigh(run, safetensors.torch.save(dict(state)))
    with pytest.raises(RunError, match=part):
        load_network(run)
    assert "dr_resnet16_l2" in sentence(run)


@pytest.mark.parametrize(
    "args",
    [
        {"blocks": [10**9, 1, 1]},
        {"blocks": 10**12},
        {"loops": [1, 10**9, 2]},
        {"widths": [10**7, 10**7, 10**7]},
        {"widths": [8, 8]},
        {"widths": ["a", "b", "c"]},
        {"blocks": "abc"},
        {"blocks": None},
        {"gate_hidden": "many"},
        {"norm": "other"},
        {"num_classes": 3},
        {"name": "resnet20"},
        {"unknown": 1},
        {"gate_initial_rate": 7},
    ],
)
def test_hostile_model_arguments(run: Path, args: dict[str, Any]) -> None:
    rewrite(run, lambda values: values.update(model_args={**TINY, **args}))
    assert "expected" in sentence(run) or "cannot build" in sentence(run)


def test_an_unknown_network(run: Path) -> None:
    rewrite(run, lambda values: values.update(model="os.system"))
    assert "cannot build network 'os.system'" in sentence(run)


def test_an_interrupted_replacement_is_noticed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace
    calls: list[Path] = []

    def fail_later(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 3:  # weights, card, then run.json
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_later)
    with pytest.raises(KeyboardInterrupt):
        tiny_run(run, tiny_network(seed=5))
    assert [path.name for path in calls][-1] == "run.json"
    assert "damaged or of another run" in sentence(run)
    monkeypatch.undo()
    tiny_run(run, tiny_network(seed=5))
    load_network(run)


@pytest.mark.parametrize("loss", [float("inf"), float("nan")])
def test_a_network_that_diverged_is_a_run_all_the_same(tmp_path: Path, loss: float) -> None:
    test = dataclasses.replace(tiny_info().metrics.test, loss=loss)
    tiny_run(tmp_path, metrics=RunMetrics(test))
    assert math.isnan(read_run(tmp_path).metrics.test.loss)
    assert json.loads((tmp_path / "run.json").read_text())["metrics"]["test"]["loss"] is None
    assert "| Cross-entropy | not finite |" in (tmp_path / "README.md").read_text()


def test_find_runs(tmp_path: Path) -> None:
    for name in ("b", "a"):
        tiny_run(tmp_path / name)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    assert [path.name for path in find_runs(tmp_path)] == ["a", "b"]
    assert find_runs(tmp_path / "none") == []


def test_a_plain_network(tmp_path: Path) -> None:
    args = {"blocks": [1, 1, 1], "widths": [8, 8, 8]}
    network = create_model("resnet20", num_classes=4, **args)
    test = dataclasses.replace(
        tiny_info().metrics.test,
        loops_mean=0.0,
        loops_std=0.0,
        loops_max=0,
        rate=None,
        target=None,
        gate_rates=(),
    )
    write_run(
        tmp_path,
        network.state_dict(),
        tiny_info(model="resnet20", model_args=args, metrics=RunMetrics(test)),
    )
    loaded, info = load_network(tmp_path)
    assert loaded.layout == ()
    assert info.metrics.test.rate is None
    assert "plain residual network" in (tmp_path / "README.md").read_text()


class TestModelCard:
    def card(self, tmp_path: Path, **changes: Any) -> str:
        tiny_run(tmp_path, **changes)
        return (tmp_path / "README.md").read_text(encoding="utf-8")

    def test_it_says_what_a_reader_asks(self, tmp_path: Path) -> None:
        card = self.card(tmp_path)
        for part in (
            "# Tiny DR-Res, trained on tiny",
            "cat, dog, ship, tree",
            "| Error | 75.00 % |",
            "2.50 ± 1.25 of 5",
            "0.660 (target 0.7)",
            "`dr_resnet16_l2_short`",
            "commit `0123abc`",
            "torch 2.13.0",
            read_run(tmp_path).weights_sha256,
            "drnn predict",
            "## Limits",
        ):
            assert part in card

    def test_it_admits_a_short_training_and_a_missed_rate(self, tmp_path: Path) -> None:
        test = dataclasses.replace(tiny_info().metrics.test, rate=0.81)
        card = self.card(tmp_path, epochs=3, metrics=RunMetrics(test))
        assert "trained for 3 epochs where its recipe says 20" in card
        assert "not the 0.7 that training aimed at" in card

    def test_it_sets_the_papers_figure_beside_ours(self, tmp_path: Path) -> None:
        assert "says nothing about tiny" in model_card(tiny_info(model_args={}))
        ten = tuple("abcdefghij")
        of_cifar = tiny_info(model_args={}, dataset="cifar10 (image Parquet)", classes=ten)
        card = model_card(of_cifar)
        assert "The paper prints 8.14 % (table 1) for this network on CIFAR-10; this" in card
        assert "gave 75.00 % on cifar10 (image Parquet)" in card
        hundred = tuple(map(str, range(100)))
        card = model_card(tiny_info(model_args={}, dataset="CIFAR-100", classes=hundred))
        assert "says nothing about CIFAR-100" in card

    def test_it_says_what_was_set_of_the_recipe_and_then_not_what_the_paper_prints(self) -> None:
        info = tiny_info(model_args={"norm": "lvbn"})
        info.recipe["training"]["lr"] = 0.05
        card = model_card(info)
        assert "It is not what its recipe's name says: norm = lvbn, lr=0.05." in card
        assert "The paper prints" not in card

    def test_words_are_no_markup(self, tmp_path: Path) -> None:
        card = self.card(tmp_path, title="a|b\n<script>", classes=("`x`", "<b>", "c", "d"))
        assert "<script>" not in card
        assert "<b>" not in card
        assert "a\\|b &lt;script&gt;, trained on" in card
