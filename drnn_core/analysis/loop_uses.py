"""Every use of a shared convolution's weight told from the others, loop by loop.

A recursive block uses one weight in each of its loops, and autograd sums what the uses contribute
to its gradient. A view of the weight is a tensor of its own to autograd: with one for each use, the
sum can be taken apart, and no module is changed for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from drnn_core.models.recursive import BlockOutput, RecursiveBlock


class Use(NamedTuple):
    """A view of a convolution's weight that one loop used."""

    conv: str
    loop: int
    weight: Tensor


class WatchedBlock:
    """What a recursive block did in one forward pass.

    Attributes:
        entered: features that entered each loop, (B, C, H, W); after the pass also what left the
            last one.
        uses: of its convolutions' weights.
        convs: name by the identity of the weight.
    """

    def __init__(self, name: str, block: RecursiveBlock) -> None:
        self.name, self.block = name, block
        self.entered: list[Tensor] = []
        self.uses: list[Use] = []
        modules = cast("Iterator[tuple[str, nn.Module]]", block.body.named_modules())
        self.convs = {
            id(module.weight): name or "body"
            for name, module in modules
            if isinstance(module, nn.Conv2d)
        }

    def watch(self) -> Callable[[], None]:
        """Hook the block; what is returned takes the hooks away.

        A gate sees exactly the features that enter each loop, but for a first loop that runs
        unasked, whose features are the block's. Without a gate the body sees them.
        """

        def enters(_: nn.Module, args: tuple[Any, ...]) -> None:
            if not self.entered or args[0] is not self.entered[-1]:
                self.entered.append(args[0])

        def leaves(_: nn.Module, __: object, output: BlockOutput) -> None:
            self.entered.append(output.features)

        gate = self.block.gate
        where = [self.block.body] if gate is None else [self.block, gate]
        handles = [module.register_forward_pre_hook(enters) for module in where]
        handles.append(self.block.register_forward_hook(leaves))

        def stop() -> None:
            for handle in handles:
                handle.remove()

        return stop

    def use(self, weight: Tensor) -> Tensor:
        """A view for one more use of a weight."""
        view = weight.view_as(weight)
        self.uses.append(Use(self.convs[id(weight)], len(self.entered) - 1, view))
        return view


class SeparateUses(TorchFunctionMode):
    """Hands every convolution of the blocks a view of its weight in place of the weight."""

    def __init__(self, blocks: Sequence[WatchedBlock]) -> None:
        super().__init__()
        self.owners = {weight: block for block in blocks for weight in block.convs}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        # without gradients it is the pass of those that do not execute the loop
        if func is F.conv2d and torch.is_grad_enabled():
            if len(args) > 1:
                args = (args[0], self._view(args[1]), *args[2:])
            else:
                kwargs["weight"] = self._view(kwargs["weight"])
        return func(*args, **kwargs)

    def _view(self, weight: Tensor) -> Tensor:
        owner = self.owners.get(id(weight))
        return weight if owner is None else owner.use(weight)
