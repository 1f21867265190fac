"""Networks that are a row of the paper read otherwise, and the error that it prints of the row."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

from drnn_core.recipes import NETWORKS, NetworkRecipe

MARK = "*"  # behind a printed figure that is of the row, not of the reading


@cache
def row_of(network: str | None) -> NetworkRecipe | None:
    """The paper's row that a network is, perhaps read otherwise; None of what it does not have.

    Another reading differs from its row of table 1 in what the paper's words leave open alone: in
    how I-LVBN counts and in whether the first loop is asked for (docs/paper.md).
    """
    recipe = NETWORKS.get(network or "")
    if recipe is None or recipe.paper is not None:
        return recipe
    if recipe.norm not in ("ilvbn", "ilvbn_joint"):
        return None
    return next((row for row in NETWORKS.values() if _reads(recipe, row)), None)


def _reads(recipe: NetworkRecipe, row: NetworkRecipe) -> bool:
    if row.paper is None or row.paper.source != "table 1":
        return False
    named = replace(recipe, name=row.name, title=row.title, paper=row.paper)
    return named == replace(row, norm=recipe.norm, first_loop=recipe.first_loop)


def read_otherwise(network: str | None) -> bool:
    """Whether a network is another reading of a row of the paper."""
    row = row_of(network)
    return row is not None and row.name != network


def printed_error(network: str | None) -> float:
    """The paper's error in %, also of a row that is read otherwise; NaN where it prints none."""
    row = row_of(network)
    if row is None or row.paper is None or row.paper.error is None:
        return math.nan
    return row.paper.error


def source_of(network: str | None) -> str:
    """Where a printed error stands, and of which row it is if the network reads it otherwise."""
    row = row_of(network)
    if row is None or row.paper is None:
        return ""
    if row.name == network:
        return f"{row.paper.source} of the paper"
    return f"of {row.title}, {row.paper.source} of the paper; this is another reading of that row"


def mark_of(network: str | None) -> str:
    """What stands behind a printed figure: a mark if it is that of a row read otherwise."""
    return MARK if read_otherwise(network) else ""
