"""The blocks of a compiled network, in three ways to treat their gates.

``SkippingBlock`` computes a loop for the images that run it. The other two exist to be compared
with, in the same folded and packed form: ``StaticBlock`` asks no gate and runs every loop of every
image, ``MaskedBlock`` asks, computes every image all the same, and selects.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from drnn_core.inference.skipping.gates import Asking
from drnn_core.inference.skipping.path import Path
from drnn_core.inference.skipping.rows import Window, bring_together

# The logit of a loop that runs unasked.
_CERTAIN = float("inf")


class Block(Protocol):
    """One block. Both ways may write into x, and return features (B, C', H', W')."""

    def many(self, x: Tensor, path: Path) -> Tensor:
        """Run B images, and note in ``path`` what the gates say."""
        ...

    def one(self, x: Tensor, logits: list[float], told: Sequence[float] | None) -> Tensor:
        """Run one image and append the logit of each of the block's steps.

        ``told`` are S logits that overrule the gates'.
        """
        ...


class StaticBlock:
    """Programs one after another: a plain block, or all loops of a recursive one.

    Args:
        programs: each features -> features.
        steps: how many steps of the trace they are.
    """

    def __init__(self, programs: Sequence[Callable[[Tensor], Tensor]], steps: int = 0) -> None:
        self._programs = tuple(programs)
        self._certain = (_CERTAIN,) * steps

    def many(self, x: Tensor, path: Path) -> Tensor:  # noqa: ARG002  # no gate
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

    def many(self, x: Tensor, path: Path) -> Tensor:
        """Run B images; those that run lie together at each loop, see ``rows.py``."""
        parts = self._parts
        active, step, window = x, parts.first_step, Window(0, len(x))
        for gate, advance in zip(parts.gates, parts.loops, strict=True):
            if gate is not None:
                logits = path.ask(step, window.start, gate.many(active))
                asked, window = window, bring_together(x, path.who, window, logits)
                if window != asked:
                    active = x[window.start : window.stop]
            if parts.shortcut is not None:
                return self._beside(active, parts.shortcut(x), window)
            if not window.size:
                break
            after = advance(active)
            if active is x:
                x = after
            elif after is not active:
                after = active.copy_(after)
            active, step = after, step + 1
        return x

    def _beside(self, active: Tensor, result: Tensor, window: Window) -> Tensor:
        """The single loop of a block whose shortcut, ``result``, always runs."""
        start, stop = window
        if window.size == len(result):
            return self._parts.loops[0](active, result)
        if window.size:
            beside = result[start:stop]
            after = self._parts.loops[0](active, beside)
            if after is not beside:
                beside.copy_(after)
        for left in (result[:start], result[stop:]):
            if len(left):
                self._parts.passed(left)
        return result

    def one(self, x: Tensor, logits: list[float], told: Sequence[float] | None) -> Tensor:
        """Run one image: a number and an ``if`` decide."""
        parts = self._parts
        for loop, (gate, advance) in enumerate(zip(parts.gates, parts.loops, strict=True)):
            logit = _CERTAIN if gate is None else gate.one(x)
            if gate is not None and told is not None:
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

    def many(self, x: Tensor, path: Path) -> Tensor:
        """Run B images."""
        parts = self._parts
        inside = np.ones(len(x), dtype=np.bool_)
        for loop, (gate, advance) in enumerate(zip(parts.gates, parts.loops, strict=True)):
            if gate is not None:
                # The gate says the same of an image that left: nothing has changed it since.
                logits = path.ask(parts.first_step + loop, 0, gate.many(x))
                inside &= np.asarray(logits) > 0
            beside = x if parts.shortcut is None else parts.shortcut(x)
            after = advance(x) if parts.shortcut is None else advance(x, beside)
            left = beside if parts.shortcut is None else parts.passed(beside)
            chosen = torch.from_numpy(inside.copy()).to(x.device)
            x = torch.where(chosen[:, None, None, None], after, left)
            x = x.contiguous(memory_format=torch.channels_last)
        return x

    def one(self, x: Tensor, logits: list[float], told: Sequence[float] | None) -> Tensor:
        """Run one image as a batch of one."""
        first, count = self._parts.first_step, len(self._parts.loops)
        path = Path([0], None if told is None else [[logit] for logit in told], [])
        x = self.many(x, path)
        said = {step: float(values[0]) for step, _, values in path.notes}
        logits += [said.get(step, _CERTAIN) for step in range(first, first + count)]
        return x
