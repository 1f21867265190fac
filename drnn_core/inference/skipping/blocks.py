"""The blocks of a compiled network, in three ways to treat their gates.

``SkippingBlock`` computes a loop for the images that run it. The other two exist to be compared
with, in the same folded and packed form: ``StaticBlock`` asks no gate and runs every loop of every
image, ``MaskedBlock`` asks, computes every image all the same, and selects.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from drnn_core.inference.skipping.gates import Asking
from drnn_core.inference.skipping.path import Path
from drnn_core.inference.skipping.rows import bring_forward


class Block(Protocol):
    """One block. Both ways may write into x, and return features (B, C', H', W')."""

    def many(self, x: Tensor, path: Path, told: Tensor | None) -> Tensor:
        """Run B images; ``told`` (S, B) are logits that overrule the gates'."""
        ...

    def one(self, x: Tensor, logits: list[float], told: Sequence[float] | None) -> Tensor:
        """Run one image and append the logit of each of the block's steps."""
        ...


class StaticBlock:
    """Programs one after another: a plain block, or all loops of a recursive one.

    Args:
        programs: each features -> features.
        steps: how many steps of the trace they are.
    """

    def __init__(self, programs: Sequence[Callable[[Tensor], Tensor]], steps: int = 0) -> None:
        self._programs = tuple(programs)
        self._certain = (float("inf"),) * steps

    def many(self, x: Tensor, path: Path, told: Tensor | None) -> Tensor:  # noqa: ARG002  # no gate
        """Run B images."""
        for program in self._programs:
            x = program(x)
        return x

    def one(self, x: Tensor, logits: list[float], told: Sequence[float] | None) -> Tensor:  # noqa: ARG002
        """Run one image."""
        for program in self._programs:
            x = program(x)
        logits += self._certain
        return x


class OpaqueBlock(StaticBlock):
    """A block without gates that has a forward of its own, run as it is on a copy."""

    def __init__(self, block: nn.Module, steps: int, dtype: torch.dtype) -> None:
        own = copy.deepcopy(block).eval().requires_grad_(False).to(dtype)
        super().__init__([lambda x: own(x).features], steps)


@dataclass(frozen=True)
class GatedParts:
    """A recursive block, compiled.

    Attributes:
        first_step: of the block among the network's.
        gates: the gate, for each loop; None where it is not asked.
        loops: for each loop, (x, beside) -> x + F_k(x) with what stands beside F_k for x, or
            x -> x + F_k(x) where there is no shortcut.
        shortcut: x -> what stands beside F; None where it is x.
        passed: what an image that does not run becomes, written into its argument, from what
            stands beside F.
    """

    first_step: int
    gates: tuple[Asking | None, ...]
    loops: tuple[Callable[..., Tensor], ...]
    shortcut: Callable[[Tensor], Tensor] | None
    passed: Callable[[Tensor], Tensor]


class SkippingBlock:
    """A recursive block that computes each loop for the images that run it, and no others."""

    def __init__(self, parts: GatedParts) -> None:
        self._parts = parts
        self._end = parts.first_step + len(parts.loops)

    def many(self, x: Tensor, path: Path, told: Tensor | None) -> Tensor:
        """Run B images; those that run lie first at each loop, see ``rows.py``."""
        parts = self._parts
        count = x.shape[0]
        for loop, (gate, advance) in enumerate(zip(parts.gates, parts.loops, strict=True)):
            if gate is not None:
                logits = gate(_first(x, count))
                if told is not None:
                    logits = told[parts.first_step + loop].index_select(0, path.who[:count])
                path.note(parts.first_step + loop, self._end, logits)
                count = bring_forward(x, path.who, logits > 0)
            if parts.shortcut is not None:
                return self._beside(x, count)
            if count == 0:
                break
            x = _store(x, count, advance(_first(x, count)))
        return x

    def _beside(self, x: Tensor, count: int) -> Tensor:
        """The single loop of a block whose shortcut always runs."""
        parts = self._parts
        result = cast("Callable[[Tensor], Tensor]", parts.shortcut)(x)
        if count:
            after = parts.loops[0](_first(x, count), _first(result, count))
            result = _store(result, count, after)
        if count < x.shape[0]:
            parts.passed(result[count:])
        return result

    def one(self, x: Tensor, logits: list[float], told: Sequence[float] | None) -> Tensor:
        """Run one image: a number and an ``if`` decide."""
        parts = self._parts
        for loop, (gate, advance) in enumerate(zip(parts.gates, parts.loops, strict=True)):
            logit = float("inf")
            if gate is not None:
                logit = gate(x).item()
                if told is not None:
                    logit = told[parts.first_step + loop]
            runs = logit > 0
            if parts.shortcut is not None:
                beside = parts.shortcut(x)
                x = advance(x, beside) if runs else parts.passed(beside)
            elif runs:
                x = advance(x)
            if not runs:
                logits += [logit] * (len(parts.loops) - loop)
                break
            logits.append(logit)
        return x


class MaskedBlock:
    """A recursive block that computes every loop of every image and selects by the gates."""

    def __init__(self, parts: GatedParts) -> None:
        self._parts = parts

    def many(self, x: Tensor, path: Path, told: Tensor | None) -> Tensor:
        """Run B images."""
        parts = self._parts
        inside = torch.ones(x.shape[0], dtype=torch.bool, device=x.device)
        for loop, (gate, advance) in enumerate(zip(parts.gates, parts.loops, strict=True)):
            if gate is not None:
                step = parts.first_step + loop
                logits = gate(x)
                # The gate says the same of an image that left: nothing has changed it since.
                logits = logits if told is None else told[step].index_select(0, path.who)
                path.note(step, step + 1, logits)
                inside = inside & (logits > 0)
            beside = x if parts.shortcut is None else parts.shortcut(x)
            after = advance(x) if parts.shortcut is None else advance(x, beside)
            left = beside if parts.shortcut is None else parts.passed(beside)
            x = torch.where(inside[:, None, None, None], after, left)
        return x

    def one(self, x: Tensor, logits: list[float], told: Sequence[float] | None) -> Tensor:
        """Run one image as a batch of one."""
        parts = self._parts
        end = parts.first_step + len(parts.loops)
        steps = torch.full((end, 1), float("inf"), device=x.device)
        overruled = None if told is None else torch.tensor(told, device=x.device)[:, None]
        x = self.many(x, Path(steps), overruled)
        logits += cast("list[float]", steps[parts.first_step :, 0].tolist())
        return x


def _first(x: Tensor, count: int) -> Tensor:
    return x if count == x.shape[0] else x[:count]


def _store(x: Tensor, count: int, after: Tensor) -> Tensor:
    """Put what the first images became in their place, where it does not stand there already."""
    if count == x.shape[0]:
        return after
    if after.data_ptr() != x.data_ptr():
        x[:count].copy_(after)
    return x
