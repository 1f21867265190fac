"""``render``: an image as a pure function of its seed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drnn_core.data.generated import degrade, hiding, scene
from drnn_core.data.generated.classes import BUILDERS
from drnn_core.data.generated.draws import Draws, labels_of
from drnn_core.data.generated.factors import Factors, draw_factors
from drnn_core.data.generated.paint import colour
from drnn_core.data.generated.raster import Field

# Changes whenever any rendered byte changes; it enters the fingerprint of the set.
GENERATED_VERSION = "1"

GENERATED_CLASSES: tuple[str, ...] = tuple(BUILDERS)
_BUILDERS = tuple(BUILDERS.values())

# The canvas is this many times finer than the picture. Occlusion is always set and measured
# on the canvas of the 32 x 32 picture, so an image's factors do not depend on its size.
_FINER = 4
_REFERENCE_SIZE = 32
SIZES = (16, 512)  # smallest and largest height and width in pixels

_FACTORS, _SHAPE, _PLACE, _GROUND, _CLUTTER, _LIGHT, _HIDER, _HIDER_PAINT, _VEIL, _NOISE = range(10)


class Rendered(NamedTuple):
    """One generated image.

    Attributes:
        image: (size, size, 3) uint8.
        label: position in ``GENERATED_CLASSES``.
        mask: (size, size) bool, where at least half of the pixel shows the object.
        factors: name (of ``FACTORS``) -> value, the same at every size; units: see ``Factors``.
    """

    image: NDArray[np.uint8]
    label: int
    mask: NDArray[np.bool_]
    factors: dict[str, float]


class _Drawn(NamedTuple):
    canvas: Field
    alpha: Field


def render(seed: int, size: int = 32) -> Rendered:
    """Draw the image of a seed.

    The same bytes on every machine: only Philox's raw output, IEEE additions, multiplications,
    divisions and square roots enter. Other sizes show the same scene, finer or coarser.

    Args:
        seed: 0 <= seed < 2**63.
        size: height and width in pixels, 16..512.

    Raises:
        ValueError: seed or size out of range.
    """
    if not 0 <= seed < 2**63:
        raise ValueError(f"expected a seed between 0 and 2**63 - 1, got {seed}")
    if not SIZES[0] <= size <= SIZES[1]:
        raise ValueError(f"expected a size between {SIZES[0]} and {SIZES[1]} pixels, got {size}")
    label = int(labels_of(np.array([seed], dtype=np.int64))[0])
    return render_with(seed, label, draw_factors(Draws(seed, _FACTORS)), size)


def render_with(seed: int, label: int, wished: Factors, size: int = 32) -> Rendered:
    """The scene of a seed with a class and factors of one's own, to vary one thing at a time."""
    reference = _draw(seed, label, wished, _REFERENCE_SIZE * _FINER)
    fine = reference
    if size != _REFERENCE_SIZE:
        fine = _draw(seed, label, wished, size * _FINER)
    side = fine.alpha.shape[0]
    visible = fine.alpha
    measured = 0.0
    if wished.occlusion > 0.005:
        shape = hiding.hider(Draws(seed, _HIDER), _REFERENCE_SIZE * _FINER)
        level = hiding.hiding_level(shape, reference.alpha, wished.occlusion)
        cover = hiding.hidden_alpha(shape, level, _REFERENCE_SIZE * _FINER)
        measured = hiding.hidden_fraction(reference.alpha, cover)
        if fine is not reference:
            cover = hiding.hidden_alpha(hiding.hider(Draws(seed, _HIDER), side), level, side)
        hiding.paint_hider(Draws(seed, _HIDER_PAINT), fine.canvas, cover)
        visible = visible * (np.float32(1.0) - cover)
    factors = wished._replace(occlusion=measured)
    mask = degrade.shrink(visible, _FINER) >= 0.5
    return Rendered(_picture(seed, fine.canvas, factors, size), label, mask, factors._asdict())


def _draw(seed: int, label: int, wished: Factors, side: int) -> _Drawn:
    canvas, ground = scene.background(Draws(seed, _GROUND), side)
    scene.distractors(Draws(seed, _CLUTTER), canvas, wished.clutter, _BUILDERS)
    parts = _BUILDERS[label](Draws(seed, _SHAPE))
    placed = scene.placed_object(Draws(seed, _PLACE), parts, wished, ground)
    return _Drawn(canvas, scene.paint_object(Draws(seed, _LIGHT), canvas, placed))


def _picture(seed: int, canvas: Field, factors: Factors, size: int) -> NDArray[np.uint8]:
    small = degrade.shrink(canvas, _FINER)
    small = degrade.gaussian(small, factors.blur * size / _REFERENCE_SIZE)
    draws = Draws(seed, _VEIL)
    grey = colour(draws.unit(), draws.between(0.0, 0.15), draws.between(0.35, 0.75))
    small = degrade.veil(small, factors.contrast, grey)
    if factors.noise > 0:
        small = small + degrade.grain(Draws(seed, _NOISE), size) * np.float32(factors.noise)
    return degrade.to_bytes(small)
