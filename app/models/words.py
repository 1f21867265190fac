"""What the page says of a network in sentences."""

from __future__ import annotations

from app.models.tables import Model, counts_right
from app.units import macs_text


def described(model: Model) -> str:
    """What a network is, in a sentence."""
    recipe = model.recipe
    looped = [str(number) for number, loops in enumerate(recipe.loops, 1) if loops > 1]
    if recipe.gate_every_block:
        return (
            f"ConvNet-AIG: a gate before each of its {sum(recipe.blocks)} blocks lets an image "
            f"through or past it; {model.loops_expected:.1f} blocks expected at its target."
        )
    if looped:
        where = f"stage{'s' if len(looped) > 1 else ''} {_listed(looped)}"
        if not recipe.gated:
            return (
                f"The blocks of {where} run {model.loops_max} loops in all, the same for every "
                "image: no gate asks."
            )
        return (
            f"Gates in {where} let an image run up to {model.loops_max} loops; "
            f"{model.loops_expected:.2f} are expected at its target t = {recipe.target:g}."
        )
    if recipe.survival < 1:
        return "Every image runs every block; only training leaves blocks out, at random."
    return "Plain: every image runs every block, once."


def compared(model: Model, other: Model) -> str:
    """A network against its plain counterpart, in what it costs and what the paper says of it."""
    parts = [
        f"{_share(model.params, other.params)} parameters",
        f"{_share(model.macs_expected, other.macs_expected)} multiply-adds",
    ]
    if model.printed is not None and other.printed is not None:
        gain = model.printed - other.printed
        what = "accuracy" if counts_right(model.recipe.dataset) else "error"
        size = f"{abs(gain):.2f} points"
        parts.append(
            f"in the paper {'the same ' + what if not gain else f'{size} {_more(gain)} {what}'}"
        )
    return f"Against {other.recipe.title}: {', '.join(parts)}."


def implied(model: Model, rate: float | None) -> str:
    """The opening rate at which a printed cost would be expected; empty where there is none."""
    target, flops = model.recipe.target, model.paper.flops
    if rate is None or target is None or flops is None or abs(rate - target) < 0.015:
        return ""
    return (
        f"The printed {macs_text(flops * 1e9)} is what gates that open at {rate:.2f} would cost; "
        f"the target is {target:g}."
    )


def untrained(model: Model) -> str:
    """That there is no run of it, and how to get one, in Markdown."""
    return (
        f"Not trained here on {model.recipe.dataset}. This trains it: "
        f"`drnn train {model.name}_short --data FOLDER --out RUN`"
    )


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _share(value: float, other: float) -> str:
    change = value / other - 1
    if abs(change) < 0.001:
        return "as many"
    size = f"{abs(change):.0%}" if abs(change) >= 0.01 else f"{abs(change):.1%}"
    return f"{size} {'more' if change > 0 else 'fewer'}"


def _more(gain: float) -> str:
    return "more" if gain > 0 else "less"
