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
columns/NAME/         as the records; and that they are of the same weights and images
budget.json           its own checksum, to the byte; its counts; the run's weights, the records
norms.safetensors     its own checksum, to the byte; the weights, the network, the records
sweeps/FACTOR.json    its own checksum, to the byte; the run's weights, the records' images
gradients.json        its own checksum, to the byte; the run's training and blocks
population.json       its own checksum, to the byte; the run's weights, the records' images
anything else         nothing; it is reported, but for what a training keeps beside its run
====================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from drnn_core.models.network import Network
from drnn_core.store.agreement import budget_disagreements, disagreements
from drnn_core.store.budget import BUDGET, BudgetError, read_budget
from drnn_core.store.columns import COLUMNS, column_table, column_tables, read_columns
from drnn_core.store.counted import count
from drnn_core.store.files import is_temporary, sha256_of
from drnn_core.store.gradients import GRADIENTS, gradient_problems, has_gradients
from drnn_core.store.manifest import MANIFEST, RECORDS, Manifest, RecordsError, read_manifest
from drnn_core.store.norm_agreement import norm_problems
from drnn_core.store.norms import NORMS, has_norms
from drnn_core.store.population import POPULATION, has_population, population_problems
from drnn_core.store.records import RECORDS_TABLE, read_records, read_records_table
from drnn_core.store.runs import CARD, INFO, WEIGHTS, RunError, RunInfo, load_network, read_run
from drnn_core.store.sealed import SealError, is_as_written
from drnn_core.store.shards import TableKind, read_shard
from drnn_core.store.sweeps import SWEEPS, sweep_problems

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
    if network is not None:
        findings += _counts(info, network)
    findings += [*_card(folder, info), *_records(folder, info, network)]
    findings += [*_columns(folder), *_budget(folder, info)]
    if has_norms(folder):
        problems = norm_problems(folder, info, network)
        findings += [Finding("error", NORMS, message) for message in problems]
    if has_gradients(folder):
        problems = gradient_problems(folder, info, None if network is None else network.layout)
        findings += [Finding("error", GRADIENTS, message) for message in problems]
    if has_population(folder):
        problems = population_problems(folder, info.weights_sha256)
        findings += [Finding("error", POPULATION, message) for message in problems]
    problems = sweep_problems(folder, info.weights_sha256)
    findings += [Finding("error", name, message) for name, message in problems]
    findings += _strangers(folder)
    return findings


def _counts(info: RunInfo, network: Network) -> Iterator[Finding]:
    if info.network not in (None, count(network, info.preprocessing.image_size)):
        message = "expected 'network' to be the stages and the cost of the run's network, counted"
        yield Finding("error", INFO, message)


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
    damage = list(_shards(folder, RECORDS_TABLE, manifest))
    yield from damage
    yield from _unnamed(folder, RECORDS_TABLE, manifest)
    if manifest.header.weights_sha256 != info.weights_sha256:
        yield Finding(
            "error", name, "the records are of other weights than the run's; write them anew"
        )
    elif damage:
        return  # what is damaged need not agree
    elif not manifest.complete:
        yield _unfinished(name, "the records", manifest)
    elif network is not None:
        table = read_records_table(folder)
        for message in disagreements(table, manifest.header, info, network):
            yield Finding("error", RECORDS, message)


def _columns(folder: Path) -> Iterator[Finding]:
    """Every table of columns by itself, beside the records and beside the other tables."""
    seen: dict[str, str] = {}
    for table in column_tables(folder):
        kind = column_table(table)
        name = f"{kind.folder}/{MANIFEST}"
        try:
            manifest = kind.manifest(folder)
            records = RECORDS_TABLE.manifest(folder).header
        except RecordsError as error:
            yield Finding("error", name, str(error))
            continue
        yield from _as_written(folder, name)
        damage = list(_shards(folder, kind, manifest))
        yield from damage
        yield from _unnamed(folder, kind, manifest)
        if not manifest.complete:
            yield _unfinished(name, "the columns", manifest)
        elif not damage:
            yield from _readable(folder, table, name)
        for column in sorted(set(manifest.header.columns) - {"index"}):
            owner = "the records" if column in records.columns else seen.setdefault(column, table)
            if owner != table:
                yield Finding("error", name, f"{owner} has a column {column} already")


def _budget(folder: Path, info: RunInfo) -> Iterator[Finding]:
    try:
        curve = read_budget(folder)
    except BudgetError as error:
        yield Finding("error", BUDGET, str(error))
        return
    if curve is None:
        return
    yield from _as_written(folder, BUDGET)
    if curve.weights_sha256 != info.weights_sha256:
        message = f"{BUDGET} is of other weights than the run's; delete it and measure it anew"
        yield Finding("error", BUDGET, message)
        return
    try:
        records = read_records(folder, ["label", "correct", "loops", "macs"])
        header = read_manifest(folder).header
    except RecordsError:
        return  # missing, or said above
    for message in budget_disagreements(curve, header, records, len(info.classes)):
        yield Finding("error", BUDGET, message)


def _readable(folder: Path, table: str, name: str) -> Iterator[Finding]:
    try:
        read_columns(folder, table)
    except RecordsError as error:
        yield Finding("error", name, str(error))


def _shards(folder: Path, kind: TableKind, manifest: Manifest) -> Iterator[Finding]:
    for shard in manifest.shards:
        try:
            read_shard(kind, folder / kind.folder, manifest.header, shard)
        except RecordsError as error:
            yield Finding("error", f"{kind.folder}/{shard.file}", str(error))


def _unnamed(folder: Path, kind: TableKind, manifest: Manifest) -> Iterator[Finding]:
    known = {MANIFEST, *(shard.file for shard in manifest.shards)}
    for path in sorted((folder / kind.folder).iterdir()):
        if path.name not in known and not is_temporary(path):
            yield Finding(
                "error",
                f"{kind.folder}/{path.name}",
                f"the manifest does not name {path.name}; it does not belong to the records",
            )


def _unfinished(name: str, what: str, manifest: Manifest) -> Finding:
    rows = sum(shard.rows for shard in manifest.shards)
    message = f"{what} are unfinished: {rows:,} of {manifest.header.rows:,} rows"
    return Finding("error", name, message)


def _strangers(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        if is_temporary(path):
            name = path.relative_to(folder).as_posix()
            yield Finding("warning", name, "an interrupted write left this file; delete it")
    known = {INFO, WEIGHTS, CARD, RECORDS, COLUMNS, BUDGET, GRADIENTS, NORMS, POPULATION, SWEEPS}
    known |= {*_BESIDE}
    tables = {f"{COLUMNS}/{table}" for table in column_tables(folder)}
    there = [*folder.iterdir(), *(folder / COLUMNS).glob("*")]
    for path in sorted(there):
        name = path.relative_to(folder).as_posix()
        if name not in known | tables and not is_temporary(path):
            yield Finding("warning", name, f"{name} does not belong to a run")


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
