"""A run's weights: read from safetensors only, and only if their SHA-256 is the one in run.json."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from drnn_core.models.network import Network
from drnn_core.models.registry import create_model
from drnn_core.store.runinfo import RunError, RunInfo
from drnn_core.store.runs import INFO, WEIGHTS

_FOREIGN = {
    b"PK\x03\x04": "a zip archive, such as torch.save writes,",
    b"\x80": "a pickle",
}


def read_network(folder: Path, info: RunInfo) -> Network:
    """The network of a run, in evaluation mode on the CPU.

    Raises:
        RunError: weights that are missing, damaged, foreign or of another network.
    """
    state = _read_weights(folder / WEIGHTS, info.weights_sha256)
    network = _empty_network(info, state, folder)
    _check_state(network, state, info, folder / WEIGHTS)
    network.load_state_dict(state, assign=True)
    return network.eval()


def packed(network_state: Mapping[str, Tensor]) -> bytes:
    """A ``state_dict()``, on any device, as the bytes of model.safetensors."""
    state = {
        name: tensor.detach().cpu().contiguous().clone() for name, tensor in network_state.items()
    }
    return safetensors.torch.save(state, metadata={"format": "pt"})


def _read_weights(path: Path, expected: str) -> dict[str, Tensor]:
    """The state dict in a file, whose very bytes were hashed."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise RunError(
            f"expected the weights in {path}, found no such file; restore it from where the "
            "run came (other formats, such as .pt, are never loaded)"
        ) from error
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from error
    if not _looks_like_safetensors(data):
        kind = next((kind for magic, kind in _FOREIGN.items() if data.startswith(magic)), "")
        raise RunError(
            f"expected safetensors in {path}, got {kind or 'something else'} "
            f"({len(data):,} bytes); it was not opened"
        )
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise RunError(
            f"expected {path} to have the SHA-256 {expected[:12]}... that {INFO} names, got "
            f"{found[:12]}... ({len(data):,} bytes); the file is damaged or of another run"
        )
    try:
        return {name: tensor.clone() for name, tensor in safetensors.torch.load(data).items()}
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"expected safetensors in {path}, got something else: {error}") from error


def _looks_like_safetensors(data: bytes) -> bool:
    """Eight bytes of header length, then a header of that length, which is a JSON object."""
    length = int.from_bytes(data[:8], "little")
    return len(data) > 8 and data[8:9] == b"{" and 8 + length <= len(data)


def _empty_network(info: RunInfo, state: Mapping[str, Tensor], folder: Path) -> Network:
    """The run's network without memory for weights, and without touching the random state."""
    _check_size(info, state, folder)
    try:
        with torch.device("meta"):
            return create_model(info.model, num_classes=len(info.classes), **info.model_args)
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
        raise RunError(f"{folder / INFO}: cannot build network {info.model!r}: {error}") from error


def _check_size(info: RunInfo, state: Mapping[str, Tensor], folder: Path) -> None:
    """Refuse a run.json that asks for more blocks than the weights can fill, before building."""
    for key in ("blocks", "loops"):
        numbers = info.model_args.get(key)
        listed = cast(list[Any], numbers) if isinstance(numbers, list) else [numbers]
        if any(isinstance(number, int) and number > len(state) for number in listed):
            raise RunError(
                f"{folder / INFO}: expected 'model_args' that fit the {len(state)} tensors of "
                f"{WEIGHTS}, got {key} = {numbers}"
            )


def _check_state(network: Network, state: Mapping[str, Tensor], info: RunInfo, path: Path) -> None:
    wanted = network.state_dict()
    problems = [
        *(f"lacks {name}" for name in wanted if name not in state),
        *(f"has an unknown {name}" for name in state if name not in wanted),
        *(
            f"has {name} as {tuple(state[name].shape)} {state[name].dtype} "
            f"instead of {tuple(tensor.shape)} {tensor.dtype}"
            for name, tensor in wanted.items()
            if name in state
            and (state[name].shape != tensor.shape or state[name].dtype != tensor.dtype)
        ),
    ]
    if problems:
        more = f" and {len(problems) - 3} more differences" if len(problems) > 3 else ""
        raise RunError(
            f"expected in {path} the weights of {info.model!r} with {len(info.classes)} classes, "
            f"but the file {'; '.join(problems[:3])}{more}"
        )
