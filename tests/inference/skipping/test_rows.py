"""Images that stay are brought together; no image is lost, doubled or taken for another."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.inference.skipping.rows import Window, bring_together, images_as_rows

LAYOUTS = [torch.contiguous_format, torch.channels_last]


@given(
    st.lists(st.booleans(), min_size=1, max_size=12),
    st.lists(st.booleans(), min_size=12, max_size=12),
    st.sampled_from(LAYOUTS),
    st.sampled_from([torch.float32, torch.bfloat16]),
)
def test_who_stays_lies_together(
    first: list[bool], second: list[bool], layout: torch.memory_format, dtype: torch.dtype
) -> None:
    """In two loops, of which the second asks only those that the first one left."""
    batch = len(first)
    x = torch.arange(batch)[:, None, None, None].expand(batch, 3, 2, 2)
    x = x.to(dtype, memory_format=layout) + torch.arange(3)[:, None, None] / 4
    before = x.clone()
    who = list(range(batch))
    window = Window(0, batch)
    expected = set(range(batch))
    for stays in (first, second):
        places = range(*window)
        logits = [1.0 if stays[who[place]] else -1.0 for place in places]
        outside = [place for place in range(batch) if place not in places]
        left_before = {who[place] for place in outside}
        window = bring_together(x, who, window, logits)
        expected &= {image for image in range(batch) if stays[image]}
        assert {who[place] for place in range(*window)} == expected
        assert window.size == len(expected)
        assert 0 <= window.start <= window.stop <= batch
        assert left_before <= {who[place] for place in outside}  # they lie where they lay
    assert sorted(who) == list(range(batch))
    assert torch.equal(x, before[who])


def test_who_stays_in_the_middle_is_not_moved() -> None:
    x, who = torch.randn(6, 2, 3, 3), list(range(6))
    before = x.clone()
    assert bring_together(x, who, Window(0, 6), [-1, 1, 1, 1, 1, -1]) == Window(1, 5)
    assert who == list(range(6))
    assert torch.equal(x, before)


def test_only_who_lies_in_the_way_changes_places() -> None:
    """Whoever leaves goes to the end that is nearer: each half keeps its own images."""
    x, who = torch.arange(6.0)[:, None, None, None].expand(6, 2, 2, 2).clone(), list("abcdef")
    found = bring_together(x, [], Window(0, 6), [1, 1, 1, 1, 1, 1])
    assert found == Window(0, 6)
    places = list(range(6))
    found = bring_together(x, places, Window(0, 6), [1, -1, 1, -1, 1, 1])
    assert found == Window(1, 5)
    assert [who[place] for place in places] == list("bacfed")
    assert x[:, 0, 0, 0].tolist() == places


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_long_rows_are_moved_alike(dtype: torch.dtype) -> None:
    x = torch.arange(4)[:, None, None, None].expand(4, 64, 32, 32).to(dtype).clone()
    who = list(range(4))
    assert bring_together(x, who, Window(0, 4), [1, -1, -1, 1]) == Window(1, 3)
    assert who == [1, 0, 3, 2]
    assert all(bool((features == image).all()) for features, image in zip(x, who, strict=True))


def test_nobody_stays() -> None:
    x, who = torch.randn(4, 2, 3, 3), list(range(4))
    before = x.clone()
    assert bring_together(x, who, Window(0, 4), [-1, -1, -1, -1]).size == 0
    assert who == list(range(4))
    assert torch.equal(x, before)


def test_a_slice_of_a_batch_is_moved_inside_of_itself() -> None:
    x = torch.arange(6.0)[:, None, None, None].expand(6, 2, 2, 2).clone()
    who = list(range(3))
    found = bring_together(x[2:5], who, Window(0, 3), [-1, -1, 1])
    assert found == Window(1, 2)
    assert who == [0, 2, 1]
    assert x[:, 0, 0, 0].tolist() == [0, 1, 2, 4, 3, 5]


def test_features_in_pieces_are_refused() -> None:
    with pytest.raises(ValueError, match="expected features that lie densely"):
        images_as_rows(torch.randn(2, 4, 6, 6)[:, :, ::2])
