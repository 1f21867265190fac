"""Whether the statistics of a run's norms agree with its weights and its records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from drnn_core.models.network import Network
from drnn_core.models.norm import LoopNorm
from drnn_core.store.manifest import RecordsError, read_manifest
from drnn_core.store.norms import NormsError, StoredNorms, norms_as_written, read_norms
from drnn_core.store.records import has_records
from drnn_core.store.runinfo import RunInfo


def norm_problems(folder: Path, info: RunInfo, network: Network | None) -> Iterator[str]:
    """What is wrong with the statistics of a run that has some, a sentence each.

    Args:
        folder: of the run.
        info: its run.json.
        network: with its weights; None where they could not be read.
    """
    try:
        stored = read_norms(folder, info.weights_sha256)
        if not norms_as_written(folder):
            yield "the file was rewritten or damaged, though its values are the same"
    except NormsError as error:
        yield str(error)
        return
    if network is not None:
        yield from _of_network(stored, network)
    header = stored.header
    if has_records(folder):
        try:
            records = read_manifest(folder).header
        except RecordsError:
            return  # said of the records
        if (records.split, records.data_fingerprint) != (header.split, header.data_fingerprint):
            yield (
                f"the statistics are of other images ({header.dataset}, {header.rows:,}) than the "
                f"records ({records.dataset}, {records.rows:,}); write them anew with drnn norms"
            )


def _of_network(stored: StoredNorms, network: Network) -> Iterator[str]:
    """The blocks, loops and running statistics are the network's own."""
    own: dict[str, LoopNorm] = {}
    for block, module in network.recursive_blocks():
        body: Any = module.body
        modules: list[tuple[str, nn.Module]] = list(body.named_modules())
        own |= {f"{block}/{name}": norm for name, norm in modules if isinstance(norm, LoopNorm)}
    listed = {
        f"{block.name}/{norm.name}": (block.loops, norm.kind)
        for block in stored.header.blocks
        for norm in block.norms
    }
    if listed != {place: (norm.loops, norm.kind) for place, norm in own.items()}:
        yield "the statistics are of other blocks, loops or norms than the network has"
        return
    for place, norm in own.items():
        loops = [norm.of_loop(loop) for loop in range(norm.loops)]
        for moment, buffer in (("mean", "running_mean"), ("var", "running_var")):
            running = np.stack([getattr(each, buffer).float().cpu().numpy() for each in loops])
            if not np.array_equal(stored.arrays[f"{place}/population_{moment}"], running):
                yield f"the running statistics of {place} are not those of the weights"
                return
