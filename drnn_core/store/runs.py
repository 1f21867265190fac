"""A run on disk: one folder with model.safetensors, run.json, README.md and records/.

Weights are read from safetensors only, which cannot hold code, and only if their SHA-256 is the
one in run.json. Nothing here ever unpickles. Only ``weights.py`` needs torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from drnn_core.store.building import count_run
from drnn_core.store.card import model_card
from drnn_core.store.files import atomic_write_bytes, is_temporary, sha256_of
from drnn_core.store.runinfo import CurvePoint, Metrics, RunError, RunInfo, RunMetrics
from drnn_core.store.sealed import SealError, read_sealed, write_sealed

if TYPE_CHECKING:
    from torch import Tensor

    from drnn_core.models.network import Network

__all__ = [
    "CurvePoint",
    "Metrics",
    "RunError",
    "RunInfo",
    "RunMetrics",
    "add_network",
    "find_runs",
    "is_unwritten",
    "load_network",
    "read_run",
    "write_run",
]

WEIGHTS = "model.safetensors"
INFO = "run.json"
CARD = "README.md"


def write_run(folder: Path, network_state: Mapping[str, Tensor], info: RunInfo) -> RunInfo:
    """Write weights, model card and run.json.

    run.json comes last: a new run exists once it is whole. A kill while an old run is replaced
    leaves hashes that do not match, which ``load_network`` and ``drnn verify`` say.

    Args:
        folder: of the run, created if need be.
        network_state: the network's ``state_dict()``, on any device.
        info: ``network``, ``weights_sha256`` and ``card_sha256`` are filled in here.

    Returns:
        ``info`` as ``read_run`` will give it.

    Raises:
        RunError: ``info`` holds what run.json cannot, such as a loss that is NaN, or names a
            network that cannot be built.
        OSError: the disk is full, or the folder may not be written.
    """
    from drnn_core.store.weights import packed

    folder = Path(folder)
    weights = packed(network_state)
    digest = hashlib.sha256(weights).hexdigest()
    info = replace(info, network=count_run(info), weights_sha256=digest)
    card = model_card(info).encode()
    info = replace(info, card_sha256=hashlib.sha256(card).hexdigest())
    values = info.to_dict()
    info = RunInfo.from_dict(values, f"the run for {folder}")  # never write what cannot be read
    atomic_write_bytes(folder / WEIGHTS, weights)
    atomic_write_bytes(folder / CARD, card)
    write_sealed(folder / INFO, values)
    return info


def is_unwritten(folder: Path, network_state: Mapping[str, Tensor]) -> bool:
    """Whether a folder holds nothing but what ``write_run``, killed, may have left of this network.

    That is no folder, an empty one, temporary files, or these very weights, with their card or
    without: another network's README.md and model.safetensors are somebody's.

    Args:
        folder: of the run that is to be written.
        network_state: as of ``write_run``.

    Raises:
        OSError: the folder cannot be read.
    """
    from drnn_core.store.weights import packed

    folder = Path(folder)
    if not folder.is_dir():
        return not folder.exists()
    left = {path.name for path in folder.iterdir() if not is_temporary(path)}
    if WEIGHTS not in left:
        return not left
    digest = hashlib.sha256(packed(network_state)).hexdigest()
    return left <= {WEIGHTS, CARD} and sha256_of(folder / WEIGHTS) == digest


def add_network(folder: Path) -> RunInfo:
    """Write the counted network into the run.json of a run from before there was this key.

    Nothing else of the run changes.

    Raises:
        RunError: no run, one that is damaged, or a network that cannot be built.
    """
    info = read_run(folder)
    info = replace(info, network=count_run(info))
    write_sealed(Path(folder) / INFO, info.to_dict())
    return info


def read_run(folder: Path) -> RunInfo:
    """Read run.json, whose own checksum must match.

    Raises:
        RunError: no run, or one that is damaged; the message says where and how.
    """
    folder = Path(folder)
    if not (folder / INFO).is_file():
        raise RunError(_no_run(folder))
    try:
        values = read_sealed(folder / INFO)
    except SealError as error:
        raise RunError(str(error)) from error
    return RunInfo.from_dict(values, str(folder / INFO))


def load_network(folder: Path) -> tuple[Network, RunInfo]:
    """Read a run's network, in evaluation mode on the CPU.

    Raises:
        RunError: no run, or weights that are missing, damaged, foreign or of another network.
    """
    from drnn_core.store.weights import read_network

    folder = Path(folder)
    info = read_run(folder)
    return read_network(folder, info), info


def find_runs(folder: Path) -> list[Path]:
    """Sub-folders that hold a run, sorted by name; none where there is no such folder."""
    folder = Path(folder)
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if (entry / INFO).is_file())


def _no_run(folder: Path) -> str:
    if folder.is_file():
        return (
            f"expected the folder of a run, got the file {folder}; weights are read from "
            f"{WEIGHTS} beside its {INFO} only, never from a pickle or .pt file"
        )
    if not folder.is_dir():
        return f"expected the folder of a run, but there is no folder {folder}"
    return f"expected a run in {folder}, but it holds no {INFO}"
