"""The plain networks that a network is set beside: the paper's, and its own blocks run once."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from drnn_core.recipes import NETWORKS, NetworkRecipe


@cache
def without_loops(network: str | None) -> NetworkRecipe | None:
    """The registered plain network of the same blocks, each run once and none asked for.

    It has a looped network's convolutions and none of its loops, so that against it one sees what
    loops add to parameters that are there anyway; the paper has no such network. None of a
    network without loops, and where no such network is registered.
    """
    recipe = NETWORKS.get(network or "")
    if recipe is None or max(recipe.loops) == 1:
        return None
    return next((plain for plain in NETWORKS.values() if _once(recipe, plain)), None)


def _once(recipe: NetworkRecipe, plain: NetworkRecipe) -> bool:
    if max(plain.loops) > 1 or plain.target is not None or plain.survival < 1:
        return False
    kept = {key: getattr(recipe, key) for key in ("blocks", "widths", "strides", "form", "dataset")}
    return replace(plain, **kept) == plain


@cache
def plain_beside(network: str | None) -> tuple[str, ...]:
    """Names of the plain networks beside which a registered network is judged.

    First its counterpart, the one that the paper sets it beside and that multiplies about as much;
    then ``without_loops``. Empty for networks that are neither registered nor set beside any.
    """
    recipe = NETWORKS.get(network or "")
    once = without_loops(network)
    names = (recipe and recipe.counterpart, once and once.name)
    return tuple(dict.fromkeys(name for name in names if name))
