"""Sweeps: the network's own answers, image by image, and intervals of the same images."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from drnn_core.analysis.corrupted import CorruptedSet
from drnn_core.analysis.corruptions import corrupt
from drnn_core.analysis.sampling import spread_sample
from drnn_core.analysis.sweep import Passes, Swept, summarise, sweep
from tests.tiny_runs import PREPROCESSING, tiny_images, tiny_network


def test_every_point_is_what_the_network_says_of_the_corrupted_images() -> None:
    network, images = tiny_network().train(), tiny_images(30)
    steps: list[tuple[int, int]] = []
    found = sweep(
        network, images, PREPROCESSING, "noise", (0, 2, 4.5), limit=10, seed=3,
        how=Passes(lambda *step: steps.append(step)),
    )  # fmt: skip
    keep = spread_sample(30, 10)
    assert found.ids == tuple(images.ids[index] for index in keep)
    assert found.values == pytest.approx((0, 0.06, 0.185))
    assert steps == [(10, 30), (20, 30), (30, 30)]
    assert network.training
    network.eval()
    for point, strength in enumerate((0, 2, 4.5)):
        pixels = corrupt(images.pixels[keep], "noise", strength, keep, seed=3)
        with torch.no_grad():
            output = network(PREPROCESSING.normalise(pixels))
        assert found.loops[point].tolist() == output.trace.loops.tolist()
        chances = output.logits.softmax(dim=1).max(dim=1)
        np.testing.assert_allclose(found.confidence[point], chances.values, rtol=1e-4)
        right = chances.indices.numpy() == images.labels[keep]
        assert found.correct[point].tolist() == right.tolist()
        assert found.predictions[point].tolist() == chances.indices.tolist()
    assert len(np.unique(found.loops)) > 2, "the test needs images that differ"


def test_a_corrupted_set_is_an_image_set() -> None:
    images, keep = tiny_images(20), np.array([3, 11, 4])
    made = CorruptedSet(images, keep, "blur", 2)
    assert len(made) == 3
    assert list(made.ids) == [images.ids[index] for index in keep]
    assert made.labels.tolist() == images.labels[keep].tolist()
    expected = corrupt(images.pixels[keep], "blur", 2)
    assert torch.equal(made.images(range(3)), expected)
    assert torch.equal(made.images([2]), expected[2:])
    assert np.asarray(made.picture(1)).transpose(2, 0, 1).tolist() == expected[1].tolist()
    assert made.masks([0]) is None
    prints = {
        CorruptedSet(images, keep, name, strength, seed).fingerprint
        for name, strength, seed in (
            ("blur", 2.0, 0),
            ("blur", 2.5, 0),
            ("noise", 2.0, 0),
            ("blur", 2.0, 1),
        )
    }
    assert len(prints) == 4


def swept(loops: list[list[int]], strengths: tuple[float, ...] = (0, 1, 2)) -> Swept:
    table = np.array(loops)
    return Swept(
        "blur", "px", strengths, strengths, tuple(f"i{n}" for n in range(table.shape[1])),
        table, table / 10, table < 3, table,
    )  # fmt: skip


def test_changes_are_of_the_same_images() -> None:
    # images differ by 8 loops, each gains exactly one a step
    start = np.arange(9)
    found = summarise(swept([(start + step).tolist() for step in range(3)]), resamples=200)
    assert found.n == 9
    assert [point.loops.value for point in found.points] == [4, 5, 6]
    assert [point.loops_change.value for point in found.points] == [0, 1, 2]
    assert [point.loops_change.low for point in found.points] == [0, 1, 2]
    assert found.points[0].loops.low < 3.5
    assert found.points[0].loops.high > 4.5
    assert (found.slope.value, found.slope.low, found.slope.high) == pytest.approx((1, 1, 1))
    assert [point.error.value for point in found.points] == pytest.approx(
        [600 / 9, 700 / 9, 800 / 9]
    )
    assert found.points[2].error_change.value == pytest.approx(200 / 9)
    assert found.points[1].confidence_change.value == pytest.approx(0.1)


def test_flipped_is_the_share_that_is_answered_otherwise_than_at_first() -> None:
    found = summarise(swept([[1, 1, 1, 1], [1, 2, 1, 1], [3, 3, 3, 1]]), resamples=100)
    assert [point.flipped.value for point in found.points] == [0, 25, 75]
    assert (found.points[0].flipped.low, found.points[0].flipped.high) == (0, 0)


def test_the_slope_is_that_of_straight_lines() -> None:
    random = np.random.default_rng(0)
    strengths = (0, 0.5, 3)
    table = random.integers(0, 9, (3, 20))
    found = summarise(swept(table.tolist(), strengths), resamples=100)
    slopes = [np.polyfit(strengths, table[:, image], 1)[0] for image in range(20)]
    assert found.slope.value == pytest.approx(np.mean(slopes))
    assert math.isnan(summarise(swept([[1, 2]], (2,)), resamples=3).slope.value)


def test_samples_are_spread() -> None:
    assert spread_sample(10, 4).tolist() == [0, 3, 6, 9]
    assert spread_sample(3, 9).tolist() == [0, 1, 2]
    assert spread_sample(5, None).tolist() == [0, 1, 2, 3, 4]
    assert len(set(spread_sample(5000, 300).tolist())) == 300
    with pytest.raises(ValueError, match="at least 1 image"):
        spread_sample(5, 0)


def test_what_cannot_be_swept() -> None:
    network, images = tiny_network(), tiny_images(4)
    with pytest.raises(ValueError, match="no corruption is called 'fog'"):
        sweep(network, images, PREPROCESSING, "fog")
    with pytest.raises(ValueError, match="at least one strength"):
        sweep(network, images, PREPROCESSING, "blur", ())
    with pytest.raises(ValueError, match="strength from 0 to 5, got 7"):
        sweep(network, images, PREPROCESSING, "blur", (0, 7))
    with pytest.raises(ValueError, match="tiny has none"):
        sweep(network, tiny_images(0), PREPROCESSING, "blur")
