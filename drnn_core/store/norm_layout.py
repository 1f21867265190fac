"""Of what the statistics of a run's norms are: weights, images, blocks and their norms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drnn_core.store.fields import Fields

NORMS_FORMAT = 1

_MOST_IMAGES = 2**31 - 1
_MOST = 100_000  # channels of a norm, loops, parts
_GROUPS = ("executed", "skipped")


class NormsError(ValueError):
    """Statistics that are missing, damaged or of something else; one sentence."""


@dataclass(frozen=True)
class NormLayout:
    """One norm of a block: name in the body, kind, channels, and values an image gives to one."""

    name: str
    kind: str
    channels: int
    pixels: int


@dataclass(frozen=True)
class NormedBlock:
    """A recursive block: its loops, and its norms in the order of execution."""

    name: str
    loops: int
    norms: tuple[NormLayout, ...]


@dataclass(frozen=True)
class NormsHeader:
    """What the statistics are of.

    Attributes:
        split: "train" or "test".
        dataset, data_fingerprint, rows: of the whole ``ImageSet``.
        images: that were looked at, at even distances in the set.
        parts: into which they were dealt out.
        seed: of the shuffled decisions.
        weights_sha256: of the network.
        blocks: recursive blocks with norms, in network order.
    """

    split: str
    dataset: str
    data_fingerprint: str
    rows: int
    images: int
    parts: int
    seed: int
    weights_sha256: str
    blocks: tuple[NormedBlock, ...]


def shapes_of(header: NormsHeader) -> dict[str, tuple[int, ...]]:
    """Name and shape of every array."""
    shapes: dict[str, tuple[int, ...]] = {}
    for block in header.blocks:
        shapes[f"{block.name}/executed"] = (header.parts, block.loops)
        for norm in block.norms:
            start = f"{block.name}/{norm.name}"
            whole = (block.loops, norm.channels)
            for moment in ("mean", "var"):
                for group in _GROUPS:
                    shapes[f"{start}/{group}_{moment}"] = (header.parts, *whole)
                    shapes[f"{start}/shuffled_{group}_{moment}"] = whole
                shapes[f"{start}/population_{moment}"] = whole
    return shapes


def part_sizes(header: NormsHeader) -> NDArray[np.int64]:
    """(P,) images of each part: dealt out one by one."""
    return np.bincount(np.arange(header.images) % header.parts, minlength=header.parts)


def read_header(read: Fields) -> NormsHeader:
    """A header as it comes back from JSON.

    Raises:
        NormsError: a key is missing or mistyped, or a newer version wrote it.
    """
    version = read.integer("format", least=1)
    if version > NORMS_FORMAT:
        raise NormsError(
            f"{read.where}: expected format {NORMS_FORMAT}, got {version}; a newer version of "
            "this program wrote it: update to read it"
        )
    rows = read.integer("rows", least=1, most=_MOST_IMAGES)
    return NormsHeader(
        split=read.text("split"),
        dataset=read.text("dataset"),
        data_fingerprint=read.text("data_fingerprint"),
        rows=rows,
        images=read.integer("images", least=1, most=rows),
        parts=read.integer("parts", least=1, most=_MOST),
        seed=read.integer("seed", least=0),
        weights_sha256=read.text("weights_sha256"),
        blocks=tuple(_block(block) for block in read.objects("blocks")),
    )


def _block(read: Fields) -> NormedBlock:
    norms = tuple(
        NormLayout(
            norm.text("name"),
            norm.text("kind"),
            norm.integer("channels", least=1, most=_MOST),
            norm.integer("pixels", least=1, most=_MOST_IMAGES),
        )
        for norm in read.objects("norms")
    )
    return NormedBlock(read.text("name"), read.integer("loops", least=1, most=_MOST), norms)
