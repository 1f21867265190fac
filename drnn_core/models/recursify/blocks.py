"""Which modules of a backbone are residual blocks that could loop, and why others are not.

A block that can loop maps features (B, C, H, W) to features of the same shape and adds something
to its input. The sum must be its own: a stage, too, maps features to features and adds to its
input, but by its first block. Of two such blocks inside of each other the outer one counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import fx, nn

from drnn_core.models.recursify.norms import why_no_loop_norm
from drnn_core.models.recursify.shapes import (
    LARGE,
    SMALL,
    Call,
    dry_run,
    keeps_features,
    modules_of,
)
from drnn_core.models.recursify.tracing import is_residual, trace_block

# Modules that only differ in what they drop at random, or drop nothing, repeat each other.
_DROPPING = frozenset({"Identity", "Dropout", "Dropout2d", "StochasticDepth", "DropPath"})
_NOT_CALLED = "it is not called once with one tensor"


@dataclass(frozen=True)
class Block:
    """A residual block that can loop.

    Attributes:
        path: in the backbone.
        module: the block.
        graph: of its forward, traced down to its norms.
        kind: equal for blocks that repeat each other, see ``likeness``.
    """

    path: str
    module: nn.Module
    graph: fx.Graph
    kind: tuple[Any, ...]


@dataclass(frozen=True)
class Survey:
    """What is known of a backbone before anything is changed.

    Attributes:
        calls: shapes by path of the modules that are called once, with images of 448 pixels.
        blocks: those that can loop, by path.
        classes: width of the logits.
    """

    calls: dict[str, Call]
    blocks: dict[str, Block]
    classes: int

    def relatives(self, model: nn.Module) -> list[str]:
        """Paths of all residual blocks: those that can loop, and others of the same classes.

        The others change the shape of their input, as a stage's first block does.
        """
        kinds = {type(block.module) for block in self.blocks.values()}
        found: list[str] = []
        for path, module in modules_of(model):
            inside = any(path.startswith(f"{other}.") for other in found)
            around = any(block.startswith(f"{path}.") for block in self.blocks)
            if type(module) in kinds and path in self.calls and not inside and not around:
                found.append(path)
        return found


def survey(model: nn.Module) -> Survey:
    """Run a backbone on "meta" and look at all of its modules.

    Args:
        model: in evaluation mode; left as it is.

    Raises:
        ValueError: it is no classifier of images, or no block of it could loop; says why.
    """
    small = dry_run(model, SMALL)
    out = small.get("")
    if out is None or len(out.after) != 2:
        raise ValueError(
            "expected a classifier that returns logits (B, classes), got "
            f"{'something else than a tensor' if out is None else out.after}"
        )
    hopeful: list[str] = []
    refused: dict[str, str] = {}
    for path, _ in _modules(model):
        reason = keeps_features(small[path], None) if path in small else _NOT_CALLED
        if reason is None:
            hopeful.append(path)
        else:
            refused[path] = reason
    large = dry_run(model, LARGE) if hopeful else {}
    blocks: dict[str, Block] = {}
    for path in reversed(hopeful):  # children come after their parents, so innermost first
        inner = [other for other in blocks if other.startswith(f"{path}.")]
        leaves = [blocks[other].module for other in inner]
        block = _block(path, model.get_submodule(path), small[path], large.get(path), leaves)
        if isinstance(block, Block):
            blocks = {other: blocks[other] for other in blocks if other not in inner}
            blocks[path] = block
        else:
            refused[path] = block
    if not blocks:
        raise ValueError(_nothing_loops(model, refused))
    return Survey(large, dict(reversed(blocks.items())), out.after[1])


def _modules(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Every module with parameters inside the model, parents first."""
    for path, module in modules_of(model):
        if path and next(module.parameters(), None) is not None:
            yield path, module


def _block(
    path: str, module: nn.Module, small: Call, large: Call | None, inner: Sequence[nn.Module]
) -> Block | str:
    """The module as a block that can loop, or why it is none; ``inner`` blocks it contains."""
    reason = _NOT_CALLED if large is None else keeps_features(small, large)
    if reason is not None:
        return reason
    # A layer of torch.nn is a part of residual blocks and never one itself.
    if not type(module).__module__.startswith("torch.nn."):
        try:
            graph = trace_block(module)
            own = is_residual(module, trace_block(module, inner) if inner else graph)
        except ValueError as error:
            return str(error)
        if own:
            kind = (str(graph), *likeness(module))
            return why_no_loop_norm(module) or Block(path, module, graph, kind)
    return "it does not add to its input, so it is not residual"


def likeness(module: nn.Module) -> tuple[Any, ...]:
    """Equal for modules of the same classes, parameter shapes and settings, names included."""
    shapes = tuple((name, tuple(p.shape)) for name, p in module.named_parameters())
    return shapes, tuple((name, _settings(part)) for name, part in modules_of(module))


def _settings(module: nn.Module) -> tuple[Any, ...]:
    kind = type(module)
    if kind.__name__ in _DROPPING:
        return ("drops",)
    # torch prints the settings of its layers: strides, groups, eps and so on.
    own = next(module.parameters(recurse=False), None) is not None
    return (kind, module.extra_repr() if own else "")


def _nothing_loops(model: nn.Module, refused: dict[str, str]) -> str:
    """Why no module can loop, told of those that repeat each other."""
    told: list[str] = []
    for path, count in _repeated(model):
        if any(path.startswith(f"{other.split(':')[0]}.") for other in told):
            continue  # a part of what was told of already
        told.append(f"{path}: {refused.get(path, _NOT_CALLED)}")
        told[-1] += f" ({count} alike)"
    if not told:
        return (
            "nothing repeats; expected consecutive blocks of one class with parameters of equal "
            "shapes, as the stages of a ResNet have them"
        )
    more = f"; and {len(told) - 3} more" if len(told) > 3 else ""
    return f"of the blocks that repeat, none could loop: {'; '.join(told[:3])}{more}"


def _repeated(model: nn.Module) -> Iterator[tuple[str, int]]:
    """Path of the first of every run of children that are alike, and how many there are."""
    for path, container in modules_of(model):
        run: list[str] = []
        kind: Any = None
        for name, child in [*container.named_children(), ("", nn.Identity())]:
            found = likeness(child) if next(child.parameters(), None) is not None else None
            if found is not None and found == kind:
                run.append(name)
                continue
            if len(run) > 1:
                yield f"{path}.{run[0]}".lstrip("."), len(run)
            run, kind = [name], found
