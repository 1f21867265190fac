"""What pictures are drawn with: draws, outlines and their coverage, blur, textures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.data.generated import degrade, hiding, paint, raster
from drnn_core.data.generated.classes import BUILDERS
from drnn_core.data.generated.draws import Draws


def area(outlines: list[np.ndarray], side: int = 64) -> float:
    layer = raster.cover([raster.oriented(outline) for outline in outlines], side)
    return 0.0 if layer is None else float(layer.alpha.sum()) / side**2


def test_draws_are_a_function_of_seed_and_stream() -> None:
    assert Draws(3, 1).unit() == Draws(3, 1).unit()
    assert len({Draws(seed, stream).unit() for seed in range(5) for stream in range(5)}) == 25


def test_draws_are_uniform_and_bells_are_normal() -> None:
    draws = Draws(1, 2)
    units = np.array([draws.unit() for _ in range(4000)])
    assert 0 <= units.min() < units.max() < 1
    assert units.mean() == pytest.approx(0.5, abs=0.02)
    wholes = [draws.whole(2, 4) for _ in range(300)]
    assert set(wholes) == {2, 3, 4}
    bells = draws.bell(200, 200)
    assert bells.mean() == pytest.approx(0, abs=0.02)
    assert bells.std() == pytest.approx(1, abs=0.02)
    assert (np.abs(bells) < 1).mean() == pytest.approx(0.683, abs=0.01)


def test_our_cosine_is_the_cosine() -> None:
    turns = np.linspace(-3, 3, 2001)
    assert np.abs(raster.cosine(turns) - np.cos(2 * np.pi * turns)).max() < 1e-9
    assert np.abs(raster.sine(turns) - np.sin(2 * np.pi * turns)).max() < 1e-9


@given(st.lists(st.tuples(st.floats(0.05, 0.95), st.floats(0.05, 0.95)), min_size=3, max_size=3))
def test_coverage_of_a_triangle_is_its_area(corners: list[tuple[float, float]]) -> None:
    (ax, ay), (bx, by), (cx, cy) = corners
    exact = abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2
    # two scan lines a row: half a scan line at most is lost at each corner
    assert area([raster.polygon(*corners)]) == pytest.approx(exact, abs=1.2e-2)


def test_coverage_is_exact_along_x_and_of_unions() -> None:
    assert area([raster.box(0.25, 0.25, 0.5001, 0.5)]) == pytest.approx(0.2501 * 0.25, abs=1e-6)
    twice = [raster.box(0.1, 0.1, 0.5, 0.5), raster.box(0.3, 0.3, 0.7, 0.7)[::-1]]
    assert area(twice) == pytest.approx(0.16 + 0.16 - 0.04, abs=2e-3)
    assert area([raster.ellipse(0.5, 0.5, 0.4, 0.2)]) == pytest.approx(math.pi * 0.08, rel=0.02)


def test_what_leaves_the_canvas_is_cut_off() -> None:
    assert area([raster.box(-1, -1, 0.5, 2)]) == pytest.approx(0.5, abs=1e-6)
    assert area([raster.box(1.2, 0, 1.5, 1)]) == 0
    assert area([raster.box(-0.5, 0, -0.1, 1)]) == 0
    whole = raster.cover([raster.box(-3, -3, 4, 4)], 32)
    assert whole is not None
    assert whole.alpha.shape == (32, 32)
    assert (whole.alpha == 1).all()


@pytest.mark.parametrize("name", BUILDERS)
def test_every_object_has_outlines_and_colours_of_the_palette(name: str) -> None:
    roles = set(paint_roles())
    for seed in range(60):
        parts = BUILDERS[name](Draws(seed, 1))
        assert any(part.role == "body" for part in parts)
        for part in parts:
            assert part.role in roles
            assert part.outlines
            for outline in part.outlines:
                assert outline.ndim == 2
                assert outline.shape[1] == 2
                assert len(outline) >= 3
                assert np.isfinite(outline).all()
                assert np.abs(outline).max() < 3


def paint_roles() -> list[str]:
    from drnn_core.data.generated.scene import palette

    return list(palette(Draws(0, 2), (0.5, 0.5, 0.5)))


def test_a_body_stands_out_from_its_ground() -> None:
    from drnn_core.data.generated.scene import palette

    gaps: list[float] = []
    for seed in range(300):
        draws = Draws(seed, 2)
        ground = paint.colour(draws.unit(), draws.unit(), draws.unit())
        gaps.append(paint.distance(palette(draws, ground)["body"], ground))
    assert np.percentile(gaps, 2) > 0.3


@pytest.mark.parametrize(
    ("hue", "expected"),
    [(0, (1, 0, 0)), (1 / 3, (0, 1, 0)), (2 / 3, (0, 0, 1)), (1 / 6, (1, 1, 0))],
)
def test_hues(hue: float, expected: tuple[float, float, float]) -> None:
    assert paint.colour(hue, 1.0, 1.0) == pytest.approx(expected, abs=1e-9)
    assert paint.colour(hue, 0.0, 0.4) == pytest.approx((0.4, 0.4, 0.4))


def test_textures_stay_in_range_and_look_the_same_at_every_size() -> None:
    for seed in range(30):
        small, fine = paint.texture(Draws(seed, 5), 64), paint.texture(Draws(seed, 5), 128)
        assert np.abs(fine).max() <= 1 + 1e-6
        if fine.size > 1:
            coarse = fine.reshape(64, 2, 64, 2).mean(axis=(1, 3))
            assert np.abs(coarse - small).mean() < 0.12


@pytest.mark.parametrize("sigma", [0.4, 1.0, 1.9])
def test_blur_is_the_gaussian(sigma: float) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    picture = np.random.default_rng(0).random((3, 32, 32)).astype(np.float32)
    expected = ndimage.gaussian_filter(picture, (0, sigma, sigma), mode="nearest", truncate=3.0)
    assert np.abs(degrade.gaussian(picture, sigma) - expected).max() < 0.01
    assert degrade.gaussian(picture, 0.0) is picture


def test_shrinking_takes_means_of_blocks() -> None:
    canvas = np.random.default_rng(1).random((3, 24, 24)).astype(np.float32)
    expected = canvas.reshape(3, 6, 4, 6, 4).mean(axis=(2, 4))
    assert degrade.shrink(canvas, 4) == pytest.approx(expected, abs=1e-6)


def test_bytes_are_clipped_and_rounded() -> None:
    levels = np.array([-1.0, 0.0, 0.5, 254.6 / 255, 1.0, 7.0], dtype=np.float32)
    picture = np.broadcast_to(levels, (3, 1, 6))
    assert degrade.to_bytes(picture)[0, :, 0].tolist() == [0, 0, 128, 255, 255, 255]


@given(seed=st.integers(0, 2**32), fraction=st.floats(0.02, 0.6))
def test_an_occluder_hides_the_fraction_that_it_was_asked_for(seed: int, fraction: float) -> None:
    x, y = paint.axes(64)
    alpha = ((x - 0.5) ** 2 + (y - 0.45) ** 2 < 0.1).astype(np.float32)
    shape = hiding.hider(Draws(seed, 6), 64)
    level = hiding.hiding_level(shape, alpha, fraction)
    cover = hiding.hidden_alpha(shape, level, 64)
    assert hiding.hidden_fraction(alpha, cover) == pytest.approx(fraction, abs=0.04)
