"""Packed weights lie as oneDNN wants them, or every call would lay them out anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from drnn_core.inference.skipping.convolution import _PackedWeights, fold, packs

MKLDNN = torch.ops.mkldnn


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.skipif(not packs(torch.float32), reason="no prepacked convolutions here")
@pytest.mark.parametrize("batch", [1, 2, 3, 8])
def test_a_weight_lies_as_the_batch_wants_it(threads: int, batch: int) -> None:
    """With two threads, one image wants another layout than more of them (AVX2)."""
    folded = fold(nn.Conv2d(64, 64, 3, padding=1))
    assert folded is not None
    weights = _PackedWeights(folded, torch.float32, (1, 64, 8, 8))
    wanted = MKLDNN._reorder_convolution_weight(
        folded.weight.float(), [1, 1], [1, 1], [1, 1], 1, [batch, 64, 8, 8]
    )
    found = weights.of(torch.empty(batch, 64, 8, 8))
    assert torch.equal(
        MKLDNN._get_mkldnn_serialized_md(found), MKLDNN._get_mkldnn_serialized_md(wanted)
    )


@pytest.mark.skipif(not packs(torch.float32), reason="no prepacked convolutions here")
def test_equal_layouts_share_their_memory(threads: int) -> None:
    folded = fold(nn.Conv2d(16, 16, 3, padding=1))
    assert folded is not None
    weights = _PackedWeights(folded, torch.float32, (1, 16, 32, 32))
    layouts = {
        MKLDNN._get_mkldnn_serialized_md(packed).numpy().tobytes() for packed in weights._by_bits
    }
    assert len({id(packed) for packed in weights._by_bits}) == len(layouts)
