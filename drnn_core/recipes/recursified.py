"""Recipes of networks that ``recursify`` makes of foreign backbones.

Their blocks are the backbone's, so a recipe knows them once the network is built. A name says all
else: ``dr:torchvision/resnet50`` is torchvision's ResNet-50 with the blocks looped as
``create_model`` is asked to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from drnn_core.recipes.schema import NetworkRecipe

PREFIX = "dr:"

_RECURSIFIED = NetworkRecipe(
    name=PREFIX,
    title="",
    blocks=(),
    loops=(),
    widths=(),
    strides=(),
    plain=(),
    form="recursified",
    dataset="ImageNet",
    num_classes=1000,
    image_size=224,
    resize=256,
    most_loops=3,
    target=0.7,
    training="imagenet",
)


def recursified_recipe(
    backbone: str,
    most_loops: int | None = _RECURSIFIED.most_loops,
    gated: bool = True,
    **changes: Any,
) -> NetworkRecipe:
    """The recipe of a recursified backbone, its stages still empty.

    Args:
        backbone: for example "torchvision/resnet50".
        most_loops: l; None makes one recursive block of every group.
        gated: the blocks ask a gate.
        changes: of other fields.
    """
    loops = "all" if most_loops is None else most_loops
    return replace(
        _RECURSIFIED,
        name=f"{PREFIX}{backbone}",
        title=f"{'DR' if gated else 'R'} {backbone} (l = {loops})",
        backbone=backbone,
        most_loops=most_loops,
        gated=gated,
        target=_RECURSIFIED.target if gated else None,
        **changes,
    )
