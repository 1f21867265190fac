"""The recursive block: one residual body, run up to l times (paper, section 3; docs/paper.md).

    for k in 1..l:   g_k = gate(x)            0/1 per image
                     if not g_k: leave the block for good
                     x = relu(x + F_k(x))     F_k: shared convolutions, BatchNorm number k

This forward is the reference: it computes every image in every loop and selects by mask, which
is what training needs (an image that left still carries gradient to the gate that sent it
away) and what every fast path is tested against.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn

from drnn_core.models.gate import Cut, Decision, Gate
from drnn_core.trace import Trace

FirstLoop = Literal["gated", "always"]


class LoopedBody(Protocol):
    """F_k: what a recursive block repeats. Convolutions shared, norms by loop.

    A body may have an attribute ``groups_apart``, true where no image meets one of the other group:
    nothing in it sees more than an image but norms of the kind "ilvbn", and nothing is random.
    """

    def __call__(self, x: Tensor, loop: int = 0, executed: int | Tensor | None = None) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W), before the residual sum; ``executed`` as in LoopNorm."""
        ...


class BlockOutput(NamedTuple):
    """What a block returns: features (B, C, H, W) and the decisions of its loops."""

    features: Tensor
    trace: Trace


class RecursiveBlock(nn.Module):
    """A residual body that an image runs through 0 to ``loops`` times.

    Args:
        body: F, a module called as ``body(x, loop, executed)``.
        loops: l, the most loops.
        gate: decides before every loop; None runs every loop of every image (R- networks).
        first_loop: "gated" asks before the first loop too, as the paper's expectation of
            11.921 loops demands; "always" runs it unasked.
        activation: apply relu after the residual sum; False for linear bottlenecks.
        shortcut: what stands beside the body where they change the shape of the features, as in
            the downsampling blocks of ConvNet-AIG; it always runs. Such a block cannot loop.

    Attributes:
        fixed_shapes: train without an operation whose shape depends on the decisions, so that a
            step can be captured as a CUDA graph; the same to rounding. The training sets it.

    Raises:
        ValueError: fewer than one loop, or a shortcut in a block that loops.
    """

    def __init__(
        self,
        body: nn.Module,
        loops: int,
        gate: Gate | None,
        first_loop: FirstLoop = "gated",
        activation: bool = True,
        shortcut: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if loops < 1:
            raise ValueError(f"expected at least 1 loop, got {loops}")
        if shortcut is not None and loops > 1:
            raise ValueError(f"expected 1 loop of a block with a shortcut, got {loops}")
        self.body = body
        self.groups_apart = bool(getattr(body, "groups_apart", False))
        self.loops = loops
        self.gate = gate
        self.first_loop: FirstLoop = first_loop
        self.activation = activation
        self.shortcut = shortcut
        self.fixed_shapes = False

    def forward(self, x: Tensor, replay: Tensor | None = None) -> BlockOutput:
        """Run the loops of (B, C, H, W).

        Args:
            x: the features of B images.
            replay: (B, loops) bool, which loops to run instead of asking the gate, as the
                ``ran`` of an earlier trace says it; the trace of a replay has nothing asked.
        """
        batch = x.shape[0]
        # 1 while an image is in the block; carries the gates' straight-through gradient.
        alive = torch.ones(batch, device=x.device)
        prob: list[Tensor] = []
        asked: list[Tensor] = []
        ran: list[Tensor] = []
        cut: Cut | None = None
        for loop in range(self.loops):
            still_in = alive > 0.5
            consulted = replay is None and self.is_gated(loop)
            decision = self._decide(x, consulted, cut)
            cut = decision.cut
            if replay is not None:
                decision = Decision(replay[:, loop].to(alive.dtype), decision.prob)
            alive = alive * decision.open  # a product of decisions: a closed gate is final
            executed = alive > 0.5
            x = self.loop_once(x, loop, alive, executed, self.gate is None and replay is None)
            prob.append(decision.prob)
            asked.append(still_in if consulted else torch.zeros_like(still_in))
            ran.append(executed)
        trace = Trace(torch.stack(prob, 1), torch.stack(asked, 1), torch.stack(ran, 1))
        return BlockOutput(x, trace)

    def is_gated(self, loop: int) -> bool:
        """Whether the gate is consulted before loop ``loop`` (0-based)."""
        return self.gate is not None and (loop > 0 or self.first_loop == "gated")

    def _decide(self, x: Tensor, consulted: bool, cut: Cut | None) -> Decision:
        if consulted and self.gate is not None:
            return self.gate(x) if cut is None else self.gate(x, cut)
        certain = torch.ones(x.shape[0], device=x.device)
        return Decision(certain, certain)

    def loop_once(
        self, x: Tensor, loop: int, alive: Tensor, executed: Tensor, everybody: bool
    ) -> Tensor:
        """One loop: x = relu(x + F_k(x)) where executed, x where not.

        Args:
            x: (B, C, H, W).
            loop: which, 0-based.
            alive: (B,) float32, 1 for images that execute it and 0 for others, with the gates'
                gradient.
            executed: (B,) bool, the same.
            everybody: all execute it, and nobody was asked.
        """
        beside = x if self.shortcut is None else self.shortcut(x)
        if everybody:
            return self.advance(beside, self.body(x, loop))
        after = self.advance(beside, self._body(x, loop, executed))
        if not self.training:  # not even what is infinite reaches an image that did not run it
            return torch.where(executed[:, None, None, None], after, self.passed(beside))
        # A weight of exactly 0 or 1 selects exactly, and hands its gradient to the gates.
        return torch.lerp(self.passed(beside), after, alive.to(x.dtype)[:, None, None, None])

    def _body(self, x: Tensor, loop: int, executed: Tensor) -> Tensor:
        """F_loop(x) of every image, the executed ones told apart for the norms in training."""
        if not self.training:
            return self.body(x, loop)
        if self.fixed_shapes:
            return self.body(x, loop, executed)
        order = torch.argsort(executed.logical_not(), stable=True)
        inverse, count = torch.argsort(order), int(executed.sum())
        residual = (
            self._in_groups(x, loop, order[:count], order[count:])
            if self.groups_apart
            else self.body(permute_images(x, order, inverse), loop, count)
        )
        return permute_images(residual, inverse, order)

    def _in_groups(self, x: Tensor, loop: int, stay: Tensor, leave: Tensor) -> Tensor:
        """F_loop(x) of the images numbered ``stay``, then of ``leave``, without gradient to these.

        Their residuals have weight 0 in the selection, so all that would be computed backward
        through them is 0; their values count, for the gates. Empty groups are run like others:
        processes that share a batch meet in its norms.
        """
        residual = self.body(pick_images(x, stay), loop, len(stay))
        with torch.no_grad():  # second: autocast keeps the weights that it has cast for the first
            left = self.body(x[leave], loop, 0)
        joined = torch.cat([residual, left])
        # an empty part has no layout, and takes it from what it is joined with
        if joined.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last):
            return joined.contiguous(memory_format=torch.channels_last)
        return joined

    def advance(self, beside: Tensor, residual: Tensor) -> Tensor:
        """An executed loop's result: relu(x + F(x)), with what stands beside F for x."""
        return torch.relu(beside + residual) if self.activation else beside + residual

    def passed(self, beside: Tensor) -> Tensor:
        """The result for an image that does not run: x, or relu(shortcut(x))."""
        if self.shortcut is not None and self.activation:
            return torch.relu(beside)
        return beside


class _PermuteImages(torch.autograd.Function):
    """``x[order]`` whose gradient is ``grad[inverse]``.

    Indexing does not know that its index is a permutation: its gradient is a scatter with
    accumulation, which costs ten times as much and loses the channels_last layout.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, order: Tensor, inverse: Tensor) -> Tensor:
        ctx.save_for_backward(inverse)
        return x[order]

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None, None]:
        (inverse,) = ctx.saved_tensors
        return grads[0][inverse], None, None


class _PickImages(torch.autograd.Function):
    """``x[here]``, each image at most once, whose gradient lies in memory as ``x`` does.

    That of indexing, of a slice and of ``split`` with an unused part is joined to zeros, or
    written into zeros, that are not channels_last.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, here: Tensor) -> Tensor:
        ctx.save_for_backward(here)
        ctx.like = torch.empty_like(x, device="meta")
        return x[here]

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None]:
        (here,) = ctx.saved_tensors
        whole = torch.zeros_like(ctx.like, device=grads[0].device, dtype=grads[0].dtype)
        return whole.index_copy_(0, here, grads[0]), None


def pick_images(x: Tensor, here: Tensor) -> Tensor:
    """(B, ...) -> (N, ...): the images numbered ``here``, (N,) and no number twice."""
    return cast(Tensor, _PickImages.apply(x, here))


def permute_images(x: Tensor, order: Tensor, inverse: Tensor) -> Tensor:
    """(B, ...) -> (B, ...): images in the order of ``order``, whose inverse is ``inverse``."""
    return cast(Tensor, _PermuteImages.apply(x, order, inverse))
