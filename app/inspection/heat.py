"""Evidence as a picture: laid over what the network saw, with the object's outline where known."""

from __future__ import annotations

from html import escape

import numpy as np
from numpy.typing import NDArray

from app.inspection.components import data_uri

# Apart for every common form of colour blindness, on grey, light or dark.
FOR = (232, 89, 12)
AGAINST = (66, 99, 235)
_FULL_AT = 99.5  # this percentile of the evidence, and all above, is drawn at full strength


def heat(evidence: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(H, W) evidence as (H, W, 4) uint8: the colour says for or against, alpha how much."""
    size = np.abs(evidence.astype(np.float64))
    full = float(np.percentile(size, _FULL_AT)) or float(size.max()) or 1.0
    pixels = np.empty((*evidence.shape, 4), np.uint8)
    pixels[..., :3] = np.where((evidence >= 0)[..., None], FOR, AGAINST)
    pixels[..., 3] = np.round(255 * np.clip(size / full, 0, 1))
    return pixels


def outline(mask: NDArray[np.bool_]) -> str:
    """SVG path along the edges of the mask's pixels, one unit a pixel."""
    padded = np.pad(mask, 1)
    steps: list[str] = []
    across = padded[1:, 1:-1] != padded[:-1, 1:-1]  # between a row and the one above it
    for y, x in np.argwhere(across):
        steps.append(f"M{x},{y}h1")
    down = padded[1:-1, 1:] != padded[1:-1, :-1]
    for y, x in np.argwhere(down):
        steps.append(f"M{x},{y}v1")
    return "".join(steps)


def evidence_svg(
    seen: NDArray[np.uint8],
    evidence: NDArray[np.float32],
    strength: float,
    words: str,
    mask: NDArray[np.bool_] | None = None,
) -> str:
    """The overlay.

    Args:
        seen: (H, W, 3) what the network saw.
        evidence: (H, W) as ``drnn_core.analysis.saliency`` returns it.
        strength: 0 shows the picture alone, 1 the evidence over a faint grey picture.
        words: the accessible name.
        mask: (H, W) bool, the object, to be outlined.
    """
    height, width = evidence.shape
    place = f'width="{width}" height="{height}"'
    drawn = [
        _layer(seen, place, f"filter:grayscale({strength:.2f});opacity:{1 - 0.5 * strength:.2f}"),
        _layer(heat(evidence), place, f"opacity:{strength:.2f}"),
    ]
    if mask is not None:
        path = outline(mask)
        for colour, thickness in (("#000", 3.2), ("#fff", 1.4)):
            drawn.append(
                f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{thickness}" '
                f'stroke-linecap="square" vector-effect="non-scaling-stroke"/>'
            )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(words, quote=True)}">{"".join(drawn)}</svg>'
    )


def _layer(pixels: NDArray[np.uint8], place: str, style: str) -> str:
    return f'<image {place} href="{data_uri(pixels)}" style="image-rendering:pixelated;{style}"/>'


def scale(signed: bool) -> str:
    """What the colours mean."""
    ends = [_ramp(FOR, "to right")]
    labels = ["none", "most evidence"]
    if signed:
        ends = [_ramp(AGAINST, "to left"), *ends]
        labels = ["against", "for the class"]
    return (
        f'<div class="ls-scale"><span>{labels[0]}</span>{"".join(ends)}'
        f"<span>{labels[1]}</span></div>"
    )


def _ramp(colour: tuple[int, int, int], direction: str) -> str:
    red, green, blue = colour
    faint, full = f"rgb({red} {green} {blue} / 0%)", f"rgb({red} {green} {blue})"
    return f'<i style="background:linear-gradient({direction},{faint},{full})"></i>'
