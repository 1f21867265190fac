"""Images that stay are brought forward; no image is lost, doubled or taken for another."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.inference.skipping.rows import bring_forward, images_as_rows

LAYOUTS = [torch.contiguous_format, torch.channels_last]


@given(
    st.lists(st.booleans(), min_size=1, max_size=12),
    st.integers(0, 4),
    st.sampled_from(LAYOUTS),
    st.sampled_from([torch.float32, torch.bfloat16]),
)
def test_who_stays_lies_first(
    stays: list[bool], behind: int, layout: torch.memory_format, dtype: torch.dtype
) -> None:
    batch = len(stays) + behind
    names = torch.arange(batch)
    x = names[:, None, None, None].expand(batch, 3, 2, 2).to(dtype, memory_format=layout)
    x = x + torch.arange(3)[:, None, None] / 4
    before = x.clone()
    who = names + 100
    count = bring_forward(x, who, torch.tensor(stays))
    assert count == sum(stays)
    place = who - 100
    assert sorted(place.tolist()) == names.tolist()
    assert torch.equal(x, before[place])
    assert set(place[:count].tolist()) == {n for n, stay in enumerate(stays) if stay}
    # those who were not asked lie where they lay
    assert torch.equal(place[len(stays) :], names[len(stays) :])


def test_nobody_moves_who_lies_right() -> None:
    x, who = torch.randn(5, 2, 3, 3), torch.arange(5)
    assert bring_forward(x, who, torch.tensor([True, True, True, False, False])) == 3
    assert who.tolist() == [0, 1, 2, 3, 4]


def test_a_slice_of_a_batch_is_moved_inside_of_itself() -> None:
    x = torch.arange(6.0)[:, None, None, None].expand(6, 2, 2, 2).clone()
    who = torch.arange(6)
    assert bring_forward(x[2:5], who[2:5], torch.tensor([False, False, True])) == 1
    assert who.tolist() == [0, 1, 4, 3, 2, 5]
    assert x[:, 0, 0, 0].tolist() == [0, 1, 4, 3, 2, 5]


def test_features_in_pieces_are_refused() -> None:
    with pytest.raises(ValueError, match="expected features that lie densely"):
        images_as_rows(torch.randn(2, 4, 6, 6)[:, :, ::2])
