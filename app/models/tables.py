"""The paper's tables as data: which networks stand in which, in which order, and our counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from drnn_core.recipes import NETWORKS, NetworkRecipe, PaperNumbers

View = Literal["cifar10", "imagenet", "ablation"]
Kind = Literal["plain", "other", "recursive", "dynamic"]

VIEWS: dict[View, str] = {
    "cifar10": "Table 1 · CIFAR-10",
    "imagenet": "Table 2 · ImageNet",
    "ablation": "Table 3 · Ablation",
}
_DATA_SETS: dict[View, str] = {"cifar10": "CIFAR-10", "imagenet": "ImageNet"}
# Table 3 as printed, and the same steps at the size of table 1, of which the paper has none.
_ABLATIONS: dict[str, tuple[str, ...]] = {
    "ImageNet": (
        "resnet101",
        "r_resnet53_l3_naive",
        "r_resnet53_l3",
        "dr_resnet53_l3_lvbn",
        "dr_resnet53_l3",
        "r_resnet53_l3_slow",
    ),
    "CIFAR-10, at the size of table 1": (
        "resnet56",
        "r_resnet32_l4_naive",
        "r_resnet32_l4",
        "dr_resnet32_l4_lvbn",
        "dr_resnet32_l4",
    ),
    "CIFAR-10, smaller still": (
        "resnet20",
        "r_resnet16_l2",
        "dr_resnet16_l2_lvbn",
        "dr_resnet16_l2",
        "dr_resnet16_l2_joint",
    ),
}
_KINDS: tuple[Kind, ...] = ("plain", "other", "recursive", "dynamic")


@dataclass(frozen=True)
class Model:
    """A network with what is counted of it; MACs and parameters are counts, not millions.

    Attributes:
        recipe: what it is, and what the paper prints.
        params: ours.
        params_as_paper: counted as the paper counts, see ``drnn_core.counting.paper_params``.
        macs_max, macs_expected: of one image, every gate open and at the target.
        loops_max, loops_expected: likewise; 0 for plain networks.
    """

    recipe: NetworkRecipe
    params: int
    params_as_paper: int
    macs_max: int
    macs_expected: int
    loops_max: int
    loops_expected: float

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Model:
        """From ``drnn_core.commands.models.model_row``'s result."""
        return cls(
            NETWORKS[row["name"]],
            row["params"],
            row["params_paper_accounting"],
            row["macs_max"],
            row["macs_expected"],
            row["loops_max"],
            row["loops_expected"],
        )

    @property
    def name(self) -> str:
        """As ``create_model`` takes it."""
        return self.recipe.name

    @property
    def paper(self) -> PaperNumbers:
        """What the paper prints; nothing where it does not have the network."""
        return self.recipe.paper or PaperNumbers("")

    @property
    def kind(self) -> Kind:
        """Plain; dynamic recursive; recursive without gates; or another baseline."""
        return kind_of(self.recipe)

    @property
    def printed(self) -> float | None:
        """The paper's measure: error in % on CIFAR-10, top-1 accuracy in % on ImageNet."""
        return measured(self.recipe.dataset, self.paper.error, self.paper.top1)


def measured(data_set: str, error: float | None, top1: float | None) -> float | None:
    """Of an error and an accuracy the one that is shown of a data set."""
    return top1 if counts_right(data_set) else error


def counts_right(data_set: str) -> bool:
    """Whether right answers are counted on it, as the paper does on ImageNet, or wrong ones."""
    return data_set == "ImageNet"


def measure_name(data_set: str) -> str:
    """What is shown of a data set: for axes and headings."""
    return "top-1 accuracy, %" if counts_right(data_set) else "test error, %"


def kind_of(recipe: NetworkRecipe) -> Kind:
    """Plain; dynamic recursive; recursive without gates; or another baseline."""
    if max(recipe.loops) > 1:
        return "dynamic" if recipe.gated else "recursive"
    other = NETWORKS.get(recipe.counterpart or "", recipe)
    asked = recipe.target is not None or recipe.survival < 1
    return "other" if asked or recipe.form != other.form else "plain"


def groups_of(view: View) -> dict[str, tuple[str, ...]]:
    """Names of a table's networks by group, as they stand on the page.

    A group is a plain network and those that the paper sets beside it, the largest first; of the
    ablation, a data set.
    """
    if view == "ablation":
        return _ABLATIONS
    there = [
        recipe
        for recipe in NETWORKS.values()
        if recipe.dataset == _DATA_SETS[view]
        and (recipe.paper is None or recipe.paper.source != "table 3")
        and recipe.name not in _only_ablations()
    ]
    groups: dict[str, list[NetworkRecipe]] = {}
    for recipe in there:
        groups.setdefault(recipe.counterpart or recipe.name, []).append(recipe)
    # The size of a group is that of its plain network's printed parameters.
    order = sorted(groups, key=lambda name: -_printed_params(NETWORKS[name]))
    return {
        NETWORKS[name].title: tuple(recipe.name for recipe in sorted(groups[name], key=_place))
        for name in order
    }


def _place(recipe: NetworkRecipe) -> int:
    return _KINDS.index(kind_of(recipe))


def _only_ablations() -> set[str]:
    listed = {name for names in _ABLATIONS.values() for name in names}
    return {name for name in listed if NETWORKS[name].paper is None}


def _printed_params(recipe: NetworkRecipe) -> float:
    return (recipe.paper.params if recipe.paper else None) or 0.0


def names_of(view: View) -> tuple[str, ...]:
    """Names of a table's networks, in the order of the page."""
    return tuple(name for names in groups_of(view).values() for name in names)


def view_of(name: str) -> View | None:
    """The first table that has a network."""
    return next((view for view in VIEWS if name in names_of(view)), None)


def short_title(title: str) -> str:
    """A title short enough to stand beside a point: "DR 53, t .65" for a DR-ResNet 53."""
    title = title.replace("Stochastic Depth ", "SD-").replace("DR-ResNet", "DR")
    title = title.replace("DR-Res ", "DR ").replace("R-ResNet ", "R ").replace("R-Res ", "R ")
    title = title.replace(", first loop unasked", " unasked").replace(", I-LVBN read", "")
    title = re.sub(r" \(l = \d+\)", "", title)
    return re.sub(r" \(l = \d+, t = 0(\.\d+)\)", r", t \1", title)
