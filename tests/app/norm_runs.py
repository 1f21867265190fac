"""Statistics of norms for the tests of the app: real files by the store's writer, invented figures.

Executed and skipped images differ the more the deeper the norm is, and running statistics are off
by what is asked for, so that a test knows what the page is to say.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from drnn_core.models.norm import LoopNorm
from drnn_core.store.norms import (
    NormedBlock,
    NormLayout,
    NormsHeader,
    StoredNorms,
    part_sizes,
    write_norms,
)
from drnn_core.store.runs import load_network


def fake_norms(
    folder: Path,
    images: int = 400,
    off: float = 0.0,
    stay: float = 0.7,
    fingerprint: str = "ab" * 32,
    seed: int = 0,
) -> StoredNorms:
    """Write statistics into a run.

    Args:
        folder: of the run.
        images: that passed.
        off: how far true means are from the running ones, in running standard deviations.
        stay: share of the images that execute the first loop, of these the second, and so on.
        fingerprint: of the images.
        seed: of the noise.
    """
    network, info = load_network(folder)
    random = np.random.default_rng(seed)
    blocks: list[NormedBlock] = []
    norms: dict[str, LoopNorm] = {}
    for name, block in network.recursive_blocks():
        body: Any = block.body
        own = {each: norm for each, norm in body.named_modules() if isinstance(norm, LoopNorm)}
        norms |= {f"{name}/{each}": norm for each, norm in own.items()}
        layouts = [
            NormLayout(each, norm.kind, norm.of_loop(0).num_features, 64)
            for each, norm in own.items()
        ]
        blocks.append(NormedBlock(name, block.loops, tuple(layouts)))
    header = NormsHeader(
        "test", "generated (test)", fingerprint, 2 * images, images, 10, 0, info.weights_sha256,
        tuple(blocks),
    )  # fmt: skip
    arrays: dict[str, Any] = {}
    for number, block in enumerate(blocks):
        ran = np.round(np.outer(part_sizes(header), stay ** np.arange(1, block.loops + 1)))
        arrays[f"{block.name}/executed"] = ran.astype(np.int64)
        for norm in block.norms:
            place = f"{block.name}/{norm.name}"
            arrays |= _moments(norms[place], place, (number + 1) / len(blocks), off, random)
    stored = StoredNorms(header, arrays)
    _forget_empty(stored)
    write_norms(folder, stored)
    return stored


def _moments(
    norm: LoopNorm, place: str, gap: float, off: float, random: np.random.Generator
) -> dict[str, Any]:
    loops = [norm.of_loop(loop) for loop in range(norm.loops)]
    mean, var = (
        np.stack([getattr(each, buffer).numpy() for each in loops])
        for buffer in ("running_mean", "running_var")
    )
    shape = (10, *mean.shape)
    tilt = random.normal(0, 1, mean.shape[1])  # so that channels differ
    executed = mean + tilt + off * np.sqrt(var)
    found = {
        "population_mean": mean + tilt,
        "population_var": var,
        "executed_mean": executed + random.normal(0, 0.01, shape),
        "executed_var": var * np.exp(random.normal(0, 0.01, shape)),
        "skipped_mean": executed + gap + random.normal(0, 0.01, shape),
        "skipped_var": var * np.exp(gap + random.normal(0, 0.01, shape)),
    }
    for group in ("executed", "skipped"):
        found[f"shuffled_{group}_mean"] = executed + random.normal(0, 0.01, mean.shape)
        found[f"shuffled_{group}_var"] = var * np.exp(random.normal(0, 0.01, mean.shape))
    return {f"{place}/{name}": values.astype(np.float32) for name, values in found.items()}


def _forget_empty(stored: StoredNorms) -> None:
    """NaN where a part has no image of a group."""
    sizes = part_sizes(stored.header)[:, None]
    for block in stored.header.blocks:
        executed = stored.arrays[f"{block.name}/executed"]
        for norm in block.norms:
            for group, count in (("executed", executed), ("skipped", sizes - executed)):
                for moment in ("mean", "var"):
                    values = stored.arrays[f"{block.name}/{norm.name}/{group}_{moment}"]
                    values[count == 0] = np.nan
                    whole = f"{block.name}/{norm.name}/shuffled_{group}_{moment}"
                    stored.arrays[whole][count.sum(axis=0) == 0] = np.nan
