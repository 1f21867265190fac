"""Figure 9: what separates easy from hard images of a class, and their contact sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.easy_hard.sheet import Column, Tile, contact_sheet
from benchmarks.results.shipped import Shipped
from benchmarks.results.tables import estimate, number, table
from drnn_core.analysis.effects import SIZES, Effect, size_of
from drnn_core.analysis.galleries import (
    ByCount,
    ClassGallery,
    galleries,
    pooled,
    separation,
    to_show,
)
from drnn_core.data.datasets import load_split
from drnn_core.data.generated import FACTORS
from drnn_core.data.sets import ImageSet
from drnn_core.store.files import atomic_write_bytes

# Share of each class at either end that counts as easy and as hard.
_ENDS = 0.05
_SHOWN = 3  # easy and hard images of each class on the contact sheet
_PRINTED = ("generated_dr_resnet32_l4",)  # runs whose contact sheet stands beside the page

# What the paper calls its hard images, or the opposite of its easy ones; a column that measures
# it, and whether hard images should have more of it.
_CLAIMS = (
    ("blurred", "blur", 1),
    ("blurred", "image_sharpness", -1),
    ("blurred", "image_edge_density", -1),
    ("occluded", "occlusion", 1),
    ("not clear", "contrast", -1),
    ("not clear", "image_contrast", -1),
    ("not clear", "noise", 1),
    ("not iconic", "scale", -1),
    ("not iconic", "clutter", 1),
    ("not iconic", "rotation", 1),
)


def figure_9(run: Shipped, folder: Path) -> str:
    """Every column's effect within classes, and the paper's words beside them.

    Args:
        run: whose images differ in their loops.
        folder: of the page; the contact sheet is written into it.
    """
    rule, found = _ends(run)
    effects = separation(run.records, found)
    easy, hard = (run.records.iloc[rows] for rows in pooled(found))
    sheet = ""
    if run.folder.name in _PRINTED:
        name = f"easy_hard_{run.folder.name}.png"
        write_contact_sheet(run, load_split("generated", "test"), folder / name)
        sheet = f"\n\n![Easy images over hard ones, one class a column]({name})"
    return (
        f"Figure 9. Easy: the {rule.images} images of each class with the fewest loops, and all "
        f"that loop as often as the last of them ({easy['loops'].mean():.2f} on average, n = "
        f"{len(easy):,}); hard: those with the most likewise ({hard['loops'].mean():.2f}, n = "
        f"{len(hard):,}).{sheet}\n\n"
        "Cliff's δ within classes: over pairs of a hard and an easy image of one class, the share "
        "in which the hard one has more less the share in which it has less, mean of the classes "
        "weighted by nm / (n + m) of n easy and m hard images. "
        "In words by size: negligible below 0.147, small below 0.33, medium below 0.474, else "
        f"large.\n\n{_all(effects, run)}\n\n{_paper(effects, len(found))}"
    )


def _ends(run: Shipped) -> tuple[ByCount, list[ClassGallery]]:
    counts = np.bincount(run.records["label"])
    rule = ByCount(max(1, int(_ENDS * counts[counts > 0].min())), with_ties=True)
    return rule, galleries(run.records, rule)


def _all(effects: Sequence[Effect], run: Shipped) -> str:
    columns = (
        "column", "of", "easy, mean", "hard, mean", "δ within classes", "hard one has more in",
        "size", "δ over all classes", "Cohen's d",
    )  # fmt: skip
    rows = [
        [
            f"`{one.column}`",
            _source(one.column, run),
            number(one.easy_mean),
            number(one.hard_mean),
            estimate(one.within, "+.3f"),
            f"{50 * (1 + one.within.value):.0f} %",
            size_of(one.within.value),
            estimate(one.delta, "+.3f"),
            estimate(one.d, "+.3f"),
        ]
        for one in effects
        if not math.isnan(one.within.value)
    ]
    return table(columns, rows)


def _source(column: str, run: Shipped) -> str:
    if run.generated and column in FACTORS:
        return "picture, known"
    return "picture" if column.startswith("image_") else "the network's own"


def _paper(effects: Sequence[Effect], classes: int) -> str:
    """Whether each word of the paper holds."""
    by_name = {one.column: one for one in effects}
    rows = [
        [word, f"`{name}`", "more" if sign > 0 else "less", _verdict(by_name[name], sign)]
        for word, name, sign in _CLAIMS
        if name in by_name
    ]
    columns = ("the paper's hard images are", "measured by", "so they should have", "found")
    return (
        "The paper calls its easy images clear and iconic, its hard ones blurred and occluded, by "
        f"looking at them. Measured, over {classes} classes; what stands for which word is our "
        f"reading:\n\n{table(columns, rows)}"
    )


def _verdict(one: Effect, sign: int) -> str:
    found = one.within
    size = size_of(found.value)
    if found.low <= 0 <= found.high or size == SIZES[0][0]:
        return f"no clear difference (δ = {found.value:+.2f})"
    agrees = (found.value > 0) == (sign > 0)
    return f"{'so it is' if agrees else 'the opposite'}: {size} (δ = {found.value:+.2f})"


def write_contact_sheet(run: Shipped, images: ImageSet, path: Path) -> None:
    """Draw the easiest and hardest images of each class into a PNG.

    Args:
        run: whose images differ in their loops.
        images: that its records are of.
        path: of the picture.
    """
    rule, found = _ends(run)
    lines = [
        f"{run.info.title} on {images.name}: {len(images):,} images",
        f"Easy: the {rule.images} images of each class with the fewest loops, and their ties",
        f"Hard: those with the most likewise. {_SHOWN} of each are shown, the easiest and hardest",
    ]
    loops: NDArray[np.int64] = run.records["loops"].to_numpy().astype(np.int64)
    columns = [
        Column(
            images.classes[each.label],
            _tiles(run, images, to_show(each.easy, loops, _SHOWN).tolist()),
            _tiles(run, images, to_show(each.hard, loops, _SHOWN).tolist()),
        )
        for each in found
    ]
    note = (
        f"Below each picture: its executed loops, of at most {run.facts.loops_max}; × and a frame: "
        "answered wrong."
    )
    png = contact_sheet("Easy and hard images", lines, columns, note)
    atomic_write_bytes(path, png)


def _tiles(run: Shipped, images: ImageSet, rows: Sequence[int]) -> list[Tile]:
    part = run.records.iloc[list(rows)]
    pixels = images.images(part["index"].to_numpy()).numpy().transpose(0, 2, 3, 1)
    answers = [
        "" if correct else images.classes[prediction]
        for correct, prediction in zip(part["correct"], part["prediction"], strict=True)
    ]
    return [
        Tile(np.ascontiguousarray(picture), int(loops), answer)
        for picture, loops, answer in zip(pixels, part["loops"], answers, strict=True)
    ]
