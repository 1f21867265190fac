"""Whether an exported network does what the network does that it was made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
import torch
from onnx import checker
from PIL import Image

from drnn_core.data.generated import FIRST_SEED, render
from drnn_core.data.transforms import Preprocessing
from drnn_core.inference.export.running import ExportedNetwork
from drnn_core.models.network import Network

# Gates nearer to their threshold could fall either way by rounding.
_MARGIN = 1e-5
_LOGITS = 1e-4
_SIDE = 128


class DisagreementError(RuntimeError):
    """An exported network that computes something else than its network."""


@dataclass(frozen=True)
class Agreement:
    """How an exported network did on pictures.

    Attributes:
        pictures: that were compared.
        loops: of the steps of all pictures, how many ran.
        steps: how many there were.
        logits: the largest difference of two logits, in parts of the largest logit.
        runtime: that ran it.
    """

    pictures: int
    loops: int
    steps: int
    logits: float
    runtime: str


def checked_bytes(model: onnx.ModelProto) -> bytes:
    """What is written to a file, once onnx's own checker has passed it.

    Raises:
        ValueError: it is larger than the 2 GB that an ONNX file of one piece can hold.
    """
    if model.ByteSize() > checker.MAXIMUM_PROTOBUF:
        raise ValueError(
            f"expected a network that fits into an ONNX file of 2 GB, got {model.ByteSize():,} "
            "bytes: every loop has folded weights of its own"
        )
    checker.check_model(model, full_check=True)
    return model.SerializeToString()


def drawn_pictures(count: int, preprocessing: Preprocessing) -> torch.Tensor:
    """(count, 3, H, W) uint8: the first test pictures of ``generated``, brought to size."""
    seeds = range(FIRST_SEED["test"], FIRST_SEED["test"] + count)
    pictures = [Image.fromarray(render(seed, _SIDE).image) for seed in seeds]
    return torch.stack([preprocessing.prepare(picture) for picture in pictures])


def compare(
    exported: ExportedNetwork, network: Network, preprocessing: Preprocessing, pixels: torch.Tensor
) -> Agreement:
    """Run both on the same pictures, all at once and one by one.

    Pictures of which a gate is within rounding of its threshold are left out.

    Args:
        exported: what was made of
        network: in evaluation mode.
        preprocessing: of both.
        pixels: (B, 3, H, W) uint8.

    Raises:
        DisagreementError: other decisions, or logits that differ by more than 1e-4 of the largest.
    """
    images = preprocessing.normalise(pixels)
    with torch.inference_mode():
        expected = network(images)
    near = expected.trace.asked & ((expected.trace.prob - 0.5).abs() < _MARGIN)
    kept = (~near.any(dim=1)).nonzero().flatten()
    given = (pixels if exported.takes_pixels else images).contiguous().numpy()
    logits, ran = expected.logits.numpy(), expected.trace.ran.numpy()
    largest = float(np.abs(logits).max(initial=0.0)) or 1.0
    worst = 0.0
    for rows in (kept.numpy(), *kept.numpy()[:, None]):
        found = exported(given[rows])
        apart = float(np.abs(found.logits - logits[rows]).max(initial=0.0)) / largest
        # not "apart > ...": what is no number is no agreement
        if not np.array_equal(found.ran, ran[rows]) or not apart <= _LOGITS:
            raise DisagreementError(_disagreement(len(rows), apart))
        worst = max(worst, apart)
    return Agreement(len(kept), int(ran[kept].sum()), ran[kept].size, worst, exported.runtime)


def _disagreement(count: int, apart: float) -> str:
    return (
        f"expected the exported network to agree with its run on {count} drawn pictures, but "
        f"decisions differ, or logits by {apart:.1e} of the largest; nothing was written. Please "
        "report this with the run"
    )
