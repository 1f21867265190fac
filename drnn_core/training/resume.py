"""The state of an unfinished training, in one safetensors file that is replaced atomically.

Weights, BatchNorm buffers and momentum are tensors; the position (steps taken, the sums of the
epoch under way, the curve so far) is JSON in the file's metadata, beside a SHA-256 of all of it.
Random state needs no place: every draw is a function of seed and step (``training/seeds.py``), and
so is the learning rate.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from drnn_core.recipes import NetworkRecipe, TrainingRecipe, completed
from drnn_core.store.files import atomic_write_bytes

RESUME_FILE = "resume.safetensors"
_POSITION, _DIGEST = "position", "sha256"


class ResumeError(ValueError):
    """A state that does not fit the training that was asked for."""


@dataclass
class Position:
    """Where a training stands.

    Attributes:
        identity: what must be equal for the state to fit: recipe, data, seed, epochs, precision.
        step: updates made.
        seconds: of computing so far.
        loss_sum: sum of this epoch's losses so far.
        opened, asked: of each gate step in this epoch so far, images.
        curve: one row for each finished epoch.
        devices: that computed, in turn.
        commits: of the programs that trained, in turn.
    """

    identity: dict[str, Any]
    step: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0
    opened: list[int] = field(default_factory=list[int])
    asked: list[int] = field(default_factory=list[int])
    curve: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    devices: list[str] = field(default_factory=list[str])
    commits: list[str] = field(default_factory=list[str])

    def count(self, loss: float, opened: list[int], asked: list[int], updates: int = 1) -> None:
        """Count one update, or several with the sums of their figures."""
        self.step += updates
        self.loss_sum += loss
        self.opened = _added(self.opened, opened)
        self.asked = _added(self.asked, asked)

    @property
    def sampled_rate(self) -> float:
        """Mean over gates of the opening rate while training, this epoch so far; NaN if none."""
        pairs = zip(self.opened, self.asked, strict=True)
        rates = [opened / asked for opened, asked in pairs if asked]
        return sum(rates) / len(rates) if rates else math.nan

    def end_epoch(self, point: dict[str, Any]) -> None:
        """Add a finished epoch's row to the curve and begin the next."""
        self.curve.append(point)
        self.loss_sum, self.opened, self.asked = 0.0, [], []


def _added(total: list[int], more: list[int]) -> list[int]:
    return [a + b for a, b in zip(total or [0] * len(more), more, strict=True)]


def save_state(
    folder: Path, network: nn.Module, optimizer: torch.optim.Optimizer, position: Position
) -> None:
    """Write the state into a run's folder; a kill at any moment leaves the old one or the new."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    names: dict[Tensor, str] = {p: name for name, p in network.named_parameters()}
    for parameter, state in optimizer.state.items():
        if state.get("momentum_buffer") is not None:
            tensors[f"momentum.{names[parameter]}"] = state["momentum_buffer"]
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    text = json.dumps(asdict(position))
    data = save(plain, metadata={_POSITION: text, _DIGEST: _digest(text, plain)})
    atomic_write_bytes(folder / RESUME_FILE, data)


def has_state(folder: Path) -> bool:
    """Whether a run's folder holds a saved state (it may still be damaged)."""
    return (folder / RESUME_FILE).is_file()


def _digest(position: str, tensors: dict[str, Tensor]) -> str:
    """SHA-256 (hex) of the position, and of the tensors' names, types, shapes and values."""
    whole = hashlib.sha256(position.encode())
    for name in sorted(tensors):
        value = tensors[name]
        whole.update(repr((name, str(value.dtype), tuple(value.shape))).encode())
        whole.update(value.flatten().view(torch.uint8).numpy().data)
    return whole.hexdigest()


def load_state(
    folder: Path, network: nn.Module, optimizer: torch.optim.Optimizer, identity: dict[str, Any]
) -> Position | None:
    """Put a saved state into network and optimizer.

    Returns:
        Where the training stood, or None where the folder holds no state.

    Raises:
        ResumeError: the state is damaged or belongs to another training.
    """
    file = folder / RESUME_FILE
    if not file.exists():
        return None
    try:
        position, tensors = _read(file)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ResumeError(
            f"{file} is damaged ({error}); remove it to start the training over"
        ) from error
    _check_identity(file, position.identity, identity)
    network.load_state_dict(_under("network.", tensors))
    momentum = _under("momentum.", tensors)
    for name, parameter in network.named_parameters():
        if name in momentum:
            buffer = torch.empty_like(parameter)  # keeps the parameter's memory format
            optimizer.state[parameter]["momentum_buffer"] = buffer.copy_(momentum[name])
    return position


def _read(file: Path) -> tuple[Position, dict[str, Tensor]]:
    """The parts of a state; any of several errors where it is none, or not as it was written."""
    with cast(Any, safe_open(file, framework="pt")) as stored:
        metadata: dict[str, str] = stored.metadata()
        names: list[str] = stored.keys()
        tensors: dict[str, Tensor] = {name: stored.get_tensor(name) for name in names}
    text = metadata[_POSITION]
    # a state of before there was a checksum has none
    if metadata.get(_DIGEST, found := _digest(text, tensors)) != found:
        raise ValueError("its checksum does not match its content")
    position = Position(**json.loads(text))
    for name, like in vars(Position({})).items():
        if not isinstance(value := getattr(position, name), type(like)):
            raise TypeError(f"expected {name} as {type(like).__name__}, got {value!r:.60}")
    return position, tensors


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _check_identity(file: Path, found: dict[str, Any], expected: dict[str, Any]) -> None:
    plain, saved = json.loads(json.dumps(expected)), _as_of_now(found)
    if differing := [part for key in plain for part in _differing(key, saved.get(key), plain[key])]:
        raise ResumeError(
            f"{file} belongs to another training: its {', its '.join(differing[:3])}; resume with "
            "the old settings or choose another --out"
        )


def _differing(name: str, saved: Any, asked: Any) -> list[str]:
    """Where two values of an identity differ, down to the single setting: "lr is 0.2, not 0.1"."""
    if isinstance(saved, dict) and isinstance(asked, dict):
        own, other = cast("dict[str, Any]", saved), cast("dict[str, Any]", asked)
        parts = [_differing(key, own.get(key), other.get(key)) for key in {**own, **other}]
        return [part for found in parts for part in found]
    return [] if saved == asked else [f"{name} is {saved!r}, not {asked!r}"]


def _as_of_now(found: dict[str, Any]) -> dict[str, Any]:
    """An identity with the settings that recipes have got since it was saved."""
    recipe = _part(found, "recipe")
    saved = {
        **found,
        "recipe": {
            **recipe,
            "network": completed(NetworkRecipe, _part(recipe, "network")),
            "training": completed(TrainingRecipe, _part(recipe, "training")),
        },
        "network": completed(NetworkRecipe, _part(found, "network")),
    }
    return json.loads(json.dumps(saved))  # as JSON has them: a tuple is a list there


def _part(found: dict[str, Any], key: str) -> dict[str, Any]:
    """The settings under a key; none where something else stands there, which then differs."""
    value = found.get(key)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
