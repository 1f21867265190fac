"""A picture changed by hand: against the corruptions of sweeps, and against counts by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.analysis.corruptions import CORRUPTIONS, corrupt
from drnn_core.analysis.edits import (
    BOTH_WAYS,
    ORDER,
    Box,
    Edit,
    bounds,
    check,
    edited,
    usual_box,
    values_along,
)
from drnn_core.data.generated import render

PICTURE = render(7).image
shares = st.floats(0.02, 0.6)


def test_every_corruption_has_its_place() -> None:
    assert sorted(ORDER) == sorted(CORRUPTIONS)


@pytest.mark.parametrize("factor", CORRUPTIONS)
@pytest.mark.parametrize(("number", "strength"), [(0, 1.0), (17, 2.5), (4999, 5.0)])
def test_one_change_is_that_of_a_sweep(factor: str, number: int, strength: float) -> None:
    image = torch.from_numpy(PICTURE).permute(2, 0, 1)[None]
    swept = corrupt(image, factor, strength, [number], seed=3)[0].permute(1, 2, 0).numpy()
    value = CORRUPTIONS[factor].value_at(strength)
    ways = (value, -value) if factor == "rotation" else (value,)
    place = usual_box(number, seed=3)
    ours = [edited(PICTURE, Edit().with_value(factor, way, place), number, 3) for way in ways]
    assert sum(np.array_equal(one, swept) for one in ours) == 1


def test_nothing_changed_is_the_picture_itself() -> None:
    before = PICTURE.copy()
    np.testing.assert_array_equal(edited(PICTURE, Edit()), before)
    edited(PICTURE, Edit(noise=0.1, rotation=20, box=Box(0, 0, 0.5, 0.5)))
    np.testing.assert_array_equal(PICTURE, before)


def test_a_turn_above_0_is_clockwise() -> None:
    dot = np.zeros((33, 33, 3), np.uint8)
    dot[4, 16] = 255  # twelve o'clock
    assert edited(dot, Edit(rotation=90))[16, 28].tolist() == [255] * 3
    assert edited(dot, Edit(rotation=-90))[16, 4].tolist() == [255] * 3


def test_a_box_hides_its_pixels_alone() -> None:
    # 32 pixels: edges at 8 and 24 of the width, at 16 and 20 of the height
    seen = edited(PICTURE, Edit(box=Box(0.25, 0.5, 0.5, 0.125)))
    inside = np.zeros((32, 32), bool)
    inside[16:20, 8:24] = True
    mean = PICTURE.reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(seen[inside], np.broadcast_to(mean, (64, 3)), atol=0.51)
    np.testing.assert_array_equal(seen[~inside], PICTURE[~inside])


def test_changes_come_one_after_another() -> None:
    both = Edit(rotation=35, contrast=0.4, brightness=-0.16, noise=0.06, jpeg=35)
    step = PICTURE
    for one in (
        Edit(rotation=35),
        Edit(contrast=0.4),
        Edit(brightness=-0.16),
        Edit(noise=0.06),
        Edit(jpeg=35),
    ):
        step = edited(step, one, 5)
    np.testing.assert_array_equal(edited(PICTURE, both, 5), step)
    assert both.factors == ("rotation", "contrast", "brightness", "noise", "jpeg")
    assert both.without("rotation").without("jpeg").factors == ("contrast", "brightness", "noise")


def test_noise_is_the_image_s_own() -> None:
    grainy = Edit(noise=0.1)
    again = edited(PICTURE, grainy, 5)
    np.testing.assert_array_equal(edited(PICTURE, grainy, 5), again)
    assert not np.array_equal(edited(PICTURE, grainy, 6), again)
    assert not np.array_equal(edited(PICTURE, grainy, 5, seed=1), again)


@given(shares, shares, st.floats(0, 1), st.floats(0, 1), st.floats(0.001, 1))
def test_a_box_grows_about_its_place(
    width: float, height: float, across: float, down: float, share: float
) -> None:
    box = Box(across * (1 - width), down * (1 - height), width, height)
    grown = box.grown(share)
    assert grown is not None
    check(Edit(box=grown))
    assert grown.share == pytest.approx(share)
    if max(grown[2:]) < 1:
        assert grown.place == pytest.approx((across, down), abs=1e-6)
        assert grown.width / grown.height == pytest.approx(width / height)
    assert box.grown(0) is None


def test_a_box_that_fills_the_picture_has_a_place_too() -> None:
    assert Box(0, 0.2, 1, 0.5).place == (0.5, 0.4)
    assert Box(0, 0, 1, 1).grown(0.25) == Box(0.25, 0.25, 0.5, 0.5)


@pytest.mark.parametrize("factor", CORRUPTIONS)
def test_values_run_from_no_change_to_the_fifth_severity(factor: str) -> None:
    values = values_along(factor, 11)
    assert values[0] == CORRUPTIONS[factor].unchanged
    assert values[2::2] == pytest.approx(CORRUPTIONS[factor].severities)
    low, high = bounds(factor)
    assert {low, high} >= {values[-1]}
    other = values_along(factor, 11, below=True)
    assert other == (tuple(-v for v in values) if factor in BOTH_WAYS else values)
    for value in (*values, *other):
        check(Edit().with_value(factor, value, usual_box(0)))


@pytest.mark.parametrize(
    "edit",
    [
        Edit(blur=-0.1),
        Edit(blur=9),
        Edit(jpeg=0),
        Edit(contrast=float("nan")),
        Edit(box=Box(0.5, 0, 0.6, 0.1)),
        Edit(box=Box(0, 0, 0, 0.1)),
        Edit(box=Box(-0.1, 0, 0.3, 0.1)),
        Edit(box=Box(float("nan"), 0, 0.3, 0.1)),
    ],
)
def test_what_no_picture_can_be_changed_by(edit: Edit) -> None:
    with pytest.raises(ValueError, match=r"expected (blur|jpeg|contrast|a box)"):
        edited(PICTURE, edit)


def test_what_is_no_picture() -> None:
    with pytest.raises(ValueError, match=r"uint8 pixels of shape \(H, W, 3\)"):
        edited(PICTURE[..., :2], Edit())
    wrong: Any = PICTURE.astype(np.float32)
    with pytest.raises(ValueError, match="got float32"):
        edited(wrong, Edit(blur=1))
