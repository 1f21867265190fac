"""``verify_run``: finds any damage in a run, be it a flipped bit or figures that disagree.

====================  ==========================================================================
file                  is compared with
====================  ==========================================================================
run.json              its own checksum (``store/sealed.py``), to the byte
model.safetensors     ``weights_sha256`` of run.json, and the network that run.json names
README.md             ``card_sha256`` of run.json
manifest.json         its own checksum, to the byte
part-*.parquet        the manifest's SHA-256 and sizes, its pages' checksums, the schema
records together      one another and run.json: row counts, loops, error, mean and deviation
anything else         nothing; it is reported, but for what a training keeps beside its run
====================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from drnn_core.models.network import Network
from drnn_core.store.agreement import disagreements
from drnn_core.store.files import is_temporary, sha256_of
from drnn_core.store.manifest import MANIFEST, RECORDS, Manifest, RecordsError, read_manifest
from drnn_core.store.records import read_records_table, read_shard
from drnn_core.store.runs import CARD, INFO, WEIGHTS, RunError, RunInfo, load_network, read_run
from drnn_core.store.sealed import SealError, is_as_written

# What training keeps beside its run: the state to go on from, curves, logs.
_BESIDE = ("resume.safetensors", "tensorboard", "training.log")


@dataclass(frozen=True)
class Finding:
    """Something wrong in a run.

    Attributes:
        level: "error" where data are lost or false, "warning" where something is only untidy.
        path: the file, relative to the run.
        message: one sentence.
    """

    level: Literal["error", "warning"]
    path: str
    message: str


def verify_run(folder: Path) -> list[Finding]:
    """Check every file of a run and whether they agree.

    Returns:
        Nothing where the run is sound; otherwise what was found, file by file.
    """
    folder = Path(folder)
    try:
        info = read_run(folder)
    except RunError as error:
        return [Finding("error", INFO, str(error)), *_strangers(folder)]
    findings = list(_as_written(folder, INFO))
    network = None
    try:
        network, _ = load_network(folder)
    except RunError as error:
        findings.append(Finding("error", WEIGHTS, str(error)))
    findings += [*_card(folder, info), *_records(folder, info, network), *_strangers(folder)]
    return findings


def _card(folder: Path, info: RunInfo) -> Iterator[Finding]:
    try:
        if sha256_of(folder / CARD) == info.card_sha256:
            return
        message = "is not the model card that was written with the run: edited, or damaged"
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
    yield Finding("error", CARD, f"{CARD} {message}")


def _records(folder: Path, info: RunInfo, network: Network | None) -> Iterator[Finding]:
    if not (folder / RECORDS).exists():
        return
    name = f"{RECORDS}/{MANIFEST}"
    try:
        manifest = read_manifest(folder)
    except RecordsError as error:
        yield Finding("error", name, str(error))
        return
    yield from _as_written(folder, name)
    damage = list(_shards(folder / RECORDS, manifest))
    yield from damage
    yield from _unknown_shards(folder / RECORDS, manifest)
    if manifest.header.weights_sha256 != info.weights_sha256:
        yield Finding(
            "error", name, "the records are of other weights than the run's; write them anew"
        )
    elif damage:
        return  # what is damaged need not agree
    elif not manifest.complete:
        rows = sum(shard.rows for shard in manifest.shards)
        yield Finding(
            "error",
            name,
            f"the records are unfinished: {rows:,} of {manifest.header.rows:,} rows",
        )
    elif network is not None:
        table = read_records_table(folder)
        for message in disagreements(table, manifest.header, info, network):
            yield Finding("error", RECORDS, message)


def _shards(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    for shard in manifest.shards:
        try:
            read_shard(folder, manifest.header, shard)
        except RecordsError as error:
            yield Finding("error", f"{RECORDS}/{shard.file}", str(error))


def _unknown_shards(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    known = {MANIFEST, *(shard.file for shard in manifest.shards)}
    for path in sorted(folder.iterdir()):
        if path.name not in known and not is_temporary(path):
            yield Finding(
                "error",
                f"{RECORDS}/{path.name}",
                f"the manifest does not name {path.name}; it does not belong to the records",
            )


def _strangers(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        if is_temporary(path):
            name = path.relative_to(folder).as_posix()
            yield Finding("warning", name, "an interrupted write left this file; delete it")
    known = {INFO, WEIGHTS, CARD, RECORDS, *_BESIDE}
    for path in sorted(folder.iterdir()):
        if path.name not in known and not is_temporary(path):
            yield Finding("warning", path.name, f"{path.name} does not belong to a run")


def _as_written(folder: Path, name: str) -> Iterator[Finding]:
    try:
        if is_as_written(folder / name):
            return
    except SealError as error:
        yield Finding("error", name, str(error))
        return
    yield Finding(
        "error",
        name,
        f"{name} was reformatted or damaged after it was written, though its values are the same",
    )
