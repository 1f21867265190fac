"""How hard an image is: seven known numbers, drawn apart from its class and from each other."""

from __future__ import annotations

from typing import NamedTuple

from drnn_core.data.generated.draws import Draws

FACTORS: tuple[str, ...] = (
    "blur",
    "occlusion",
    "noise",
    "contrast",
    "clutter",
    "scale",
    "rotation",
)


class Factors(NamedTuple):
    """What is known of an image. Small values are easy, except for contrast and scale.

    Attributes:
        blur: standard deviation of the Gaussian, in pixels of the 32 x 32 picture; 0 .. 1.3.
        occlusion: fraction of the object's pixels hidden by what stands before it; 0 .. 0.55.
        noise: standard deviation before clipping, as a fraction of the full range; 0 .. 0.1.
        contrast: of the whole scene against a veil of even grey; 0.3 .. 1 (1: no veil).
        clutter: distractors behind the object, 1 stands for twelve of them; 0 .. 1.
        scale: longer side of the object as drawn, as a fraction of the picture; 0.52 .. 0.94.
        rotation: angle from upright, either way, in degrees; 0 .. 50.
    """

    blur: float
    occlusion: float
    noise: float
    contrast: float
    clutter: float
    scale: float
    rotation: float


def draw_factors(draws: Draws) -> Factors:
    """Factors as wished; the scene measures the occlusion that it really reached.

    Each severity is a uniform number squared (or cubed), so that easy values are common and
    hard ones exist for every factor.
    """

    def squared() -> float:
        unit = draws.unit()
        return unit * unit

    def cubed() -> float:
        unit = draws.unit()
        return unit * unit * unit

    return Factors(
        blur=1.3 * squared(),
        occlusion=max(0.0, draws.between(-0.6, 1.0)) * 0.55 * draws.unit(),
        noise=0.1 * squared(),
        contrast=1.0 - 0.7 * squared(),
        clutter=squared(),
        scale=0.94 - 0.42 * cubed(),
        rotation=50.0 * cubed(),
    )
