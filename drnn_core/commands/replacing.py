"""Figures that a run holds, of more images than those that would take their place."""

from __future__ import annotations


def check_replaced(what: str, there: int, images: int) -> None:
    """Refuse to put a small trial in the place of what took long to measure.

    Args:
        what: is held by which run, for the message: "runs/a holds statistics of norms".
        there: of how many images; 0 where the run holds none that count.
        images: that are about to be measured.

    Raises:
        ValueError: fewer than there are.
    """
    if images < there:
        raise ValueError(
            f"{what} of {there:,} images, which {images:,} would replace; measure as many "
            f"(--limit {there}; 0 for all), or add --replace to give them up"
        )
