"""``recursify``: the repeated residual blocks of any backbone, made dynamic recursive ones."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from torch import fx, nn

from drnn_core.layout import BlockLayout, StageLayout
from drnn_core.models.gate import Gate
from drnn_core.models.norm import NORM_KINDS, NormKind
from drnn_core.models.recursify.blocks import Survey, survey
from drnn_core.models.recursify.body import KEEPS, Keep, RecursifiedBlock, looped_body
from drnn_core.models.recursify.network import RecursifiedNetwork
from drnn_core.models.recursify.norms import split_norms
from drnn_core.models.recursify.plan import Part, Stage, groups_of, plan, stages_of
from drnn_core.models.recursify.shapes import modules_of
from drnn_core.models.recursify.surgery import cut, insert_blocks
from drnn_core.models.recursify.tracing import trace
from drnn_core.models.recursive import FirstLoop
from drnn_core.recipes import NetworkRecipe, recursified_recipe


@dataclass(frozen=True)
class GateForm:
    """The gates to put before the loops, see ``Gate`` and ``RecursiveBlock``.

    Attributes:
        hidden: d; None for a single fully connected layer.
        initial_rate: opening rate at initialisation.
        first_loop: whether the gate is asked before the first loop.
    """

    hidden: int | None = 16
    initial_rate: float = 0.85
    first_loop: FirstLoop = "gated"


def recursify(
    model: nn.Module,
    loops: int | None = 3,
    gate: GateForm | int | bool | None = True,
    where: str = "*",
    keep: Keep = "first",
    norm: NormKind = "ilvbn",
    target: float | None = None,
    name: str = "",
) -> RecursifiedNetwork:
    """Make a dynamic recursive network of a residual one (docs/paper.md, "Other backbones").

    Consecutive residual blocks that repeat each other (one class, parameters of equal shapes,
    equal settings, features (B, C, H, W) in and out) become recursive blocks: one block's
    weights, looped, with a norm for each loop. Everything else stays as it is, weights included.

    Args:
        model: a classifier of (B, 3, H, W) images, for example torchvision's; left as it is.
        loops: l, the most loops of a recursive block. n blocks that repeat each other become
            n / l recursive ones, to the nearest, halves down; where n < l, one of n loops. None
            makes one of each group. 1 folds nothing and gates every block (ConvNet-AIG), which
            needs gates that are asked before the first loop.
        gate: True for the paper's gate (16 hidden units), a number for so many hidden units, a
            ``GateForm``; None or False runs every loop (the R- networks of table 3).
        where: shell pattern of the groups to take, for example "layer3*" or "layer[34]*". A group
            is called as its first block.
        keep: weights of a recursive block that is made of several: of the "first", their "mean",
            or "none" (drawn anew).
        norm: kind of LoopNorm in place of BatchNorm.
        target: t, the opening rate that training aims at; by default .7.
        name: of the backbone, for example "torchvision/resnet50".

    Raises:
        ValueError: the backbone cannot be made recursive, or an argument does not fit; says why.
    """
    recipe = _recipe(name or type(model).__name__, loops, where, norm, _gate_form(gate), target)
    if keep not in KEEPS:
        raise ValueError(f"expected keep to be one of {KEEPS}, got {keep!r}")
    try:
        network = _convert(copy.deepcopy(model).eval(), recipe, keep)
    except ValueError as error:
        raise ValueError(f"cannot recursify {recipe.backbone}: {error}") from error
    return network.train(model.training)


def _convert(model: nn.Module, recipe: NetworkRecipe, keep: Keep) -> RecursifiedNetwork:
    """The network of a backbone that may be taken to pieces."""
    split_norms(model)
    found = survey(model)
    graph, nodes = _calls_of_blocks(model, found)
    parts = plan(groups_of(found, nodes), recipe.most_loops, recipe.where)
    stages = stages_of(found.calls, list(nodes))
    for part in parts:
        _replace(model, found, part, recipe, keep)
    features, traces = insert_blocks(graph, nodes, [part.paths for part in parts])
    layouts, blocks = _layouts(stages, parts, features, recipe.gated)
    last = [[features[p] for p in stage.paths if p in features][-1] for stage in stages]
    body, head = cut(model, graph, last, traces)
    recipe = _with_stages(replace(recipe, num_classes=found.classes), stages, layouts)
    return RecursifiedNetwork(recipe, found.classes, body, head, layouts, blocks)


def _recipe(
    backbone: str,
    loops: int | None,
    where: str,
    norm: NormKind,
    form: GateForm | None,
    target: float | None,
) -> NetworkRecipe:
    """What was asked for; the stages are not known yet."""
    if norm not in NORM_KINDS:
        raise ValueError(f"expected a norm kind of {NORM_KINDS}, got {norm!r}")
    recipe = recursified_recipe(backbone, loops, form is not None, where=where, norm=norm)
    if form is None:
        if target is not None:
            raise ValueError(f"expected no target rate for a network without gates, got {target}")
        return recipe
    if loops == 1 and form.first_loop == "always":
        # never asked, such gates learn nothing and have no logits to calibrate
        raise ValueError(
            "expected gates that are asked, got loops=1 with first_loop='always', where the only "
            "loop always runs; take first_loop='gated', more loops, or gate=None for no gates"
        )
    return replace(
        recipe,
        gate_hidden=form.hidden,
        gate_initial_rate=form.initial_rate,
        first_loop=form.first_loop,
        target=recipe.target if target is None else target,
    )


def _gate_form(gate: GateForm | int | bool | None) -> GateForm | None:
    if gate is None or gate is False:
        return None
    if gate is True:
        return GateForm()
    if isinstance(gate, GateForm):
        return gate
    if gate < 1:
        raise ValueError(
            f"expected at least 1 hidden unit of a gate, got {gate}; "
            "GateForm(hidden=None) is a single fully connected layer, None is no gate"
        )
    return GateForm(gate)


def _calls_of_blocks(model: nn.Module, found: Survey) -> tuple[fx.Graph, dict[str, fx.Node]]:
    """The graph of the model, and the call of each of its residual blocks, in network order."""
    paths = found.relatives(model)
    around = [
        module
        for path, module in modules_of(model)
        if any(block.startswith(f"{path}." if path else "") for block in paths)
    ]
    leaves = {model.get_submodule(path) for path in paths}
    graph = trace(model, [module for module in around if module not in leaves])
    called = {str(node.target): node for node in graph.nodes if node.op == "call_module"}
    return graph, {path: node for path, node in called.items() if path in paths}


def _replace(
    model: nn.Module, found: Survey, part: Part, recipe: NetworkRecipe, keep: Keep
) -> None:
    """Put a recursive block in the place of the first block of those that it is made of."""
    blocks = [found.blocks[path] for path in part.paths]
    modules = [block.module for block in blocks]
    device = next(modules[0].parameters()).device
    body = looped_body(modules, blocks[0].graph, part.loops, recipe.norm, keep)
    gate = None
    if recipe.gated:
        channels = found.calls[part.paths[0]].before[1]
        gate = Gate(channels, recipe.gate_hidden, recipe.gate_initial_rate).to(device)
    looped = RecursifiedBlock(body, part.loops, gate, recipe.first_loop)
    model.set_submodule(part.paths[0], looped)


def _layouts(
    stages: Sequence[Stage],
    parts: Sequence[Part],
    features: Mapping[str, fx.Node],
    gated: bool,
) -> tuple[list[StageLayout], dict[str, str]]:
    """The stages with their blocks, and the path of each recursive block by its name."""
    loops = {part.paths[0]: part.loops for part in parts}
    layouts: list[StageLayout] = []
    named: dict[str, str] = {}
    for number, stage in enumerate(stages, 1):
        blocks: list[BlockLayout] = []
        for place, path in enumerate([p for p in stage.paths if p in features], 1):
            name = f"{number}.{place}"
            blocks.append(BlockLayout(name, loops.get(path, 0), gated and path in loops))
            if path in loops:
                named[name] = path
        layouts.append(StageLayout(f"stage{number}", stage.channels, stage.stride, tuple(blocks)))
    return layouts, named


def _with_stages(
    recipe: NetworkRecipe, stages: Sequence[Stage], layouts: Sequence[StageLayout]
) -> NetworkRecipe:
    """The recipe with what was found of the stages."""
    loops = [[block.loops for block in layout.blocks] for layout in layouts]
    strides = [layout.stride for layout in layouts]
    shrinks = [after // before for before, after in pairwise(strides)]
    return replace(
        recipe,
        blocks=tuple(len(counts) for counts in loops),
        loops=tuple(max(1, *counts) for counts in loops),
        widths=tuple(layout.channels for layout in layouts),
        strides=(stages[0].first_stride, *shrinks),
        plain=tuple(
            next((place for place, count in enumerate(counts) if count), len(counts))
            for counts in loops
        ),
    )
