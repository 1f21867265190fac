"""How large the gradient is in each loop of a recursive block (paper, section 3 and table 3).

The paper says that with one BatchNorm for all loops the gradients explode. A shared weight is used
once in each loop, and its gradient is the sum of what the uses contribute. Here the sum is taken
apart: every use of a convolution's weight gets a view of its own, which autograd tells from the
others. Beside it stands the gradient of the loss by the features that enter and that leave the
loop: their ratio is how much a loop magnifies the gradient on its way back.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call  # pyright: ignore[reportUnknownVariableType]
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from drnn_core.models.network import Network
from drnn_core.models.recursive import BlockOutput, RecursiveBlock
from drnn_core.trace import Output

Loss = Callable[[Output], Tensor]
Computing = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class LoopGradient:
    """One convolution of a recursive block in one of its loops.

    Norms are Euclidean (Frobenius) and of the gradient of the loss as it is, the mean over the
    batch. Those of features are taken image by image and averaged over the images.

    Attributes:
        block: name, as in the layout.
        conv: name within the body, for example "conv1".
        loop: 0-based.
        grad_norm: of what this loop contributes to the weight's gradient.
        whole_grad_norm: of the weight's gradient, the sum over loops.
        weight_norm: of the weight.
        input_grad_norm: of the gradient by the features that enter the loop.
        output_grad_norm: of the gradient by the features that leave it.
    """

    block: str
    conv: str
    loop: int
    grad_norm: float
    whole_grad_norm: float
    weight_norm: float
    input_grad_norm: float
    output_grad_norm: float


def gradient_norms(
    network: Network,
    images: Tensor,
    loss: Loss,
    seed: int = 0,
    computing: Computing = nullcontext,
) -> list[LoopGradient]:
    """Take the gradients of a training forward apart by loop.

    The network is as before afterwards: weights and their ``.grad``, running statistics, mode,
    hooks and the state of the random generators.

    Args:
        network: on any device; run in training mode.
        images: normalised, (B, 3, H, W), on the network's device.
        loss: what training minimises, of the network's output.
        seed: of the gates' noise and of whatever else is random.
        computing: a context for the forward pass, such as autocast.

    Returns:
        A row for each block, loop and convolution in the order of execution; none for a network
        without loops. A convolution counts where it uses its weight as it is.
    """
    blocks = [_Watched(name, block) for name, block in network.recursive_blocks()]
    if not blocks:
        return []
    with ExitStack() as stack:
        stack.enter_context(_trained(network))
        stack.enter_context(_seeded(images.device, seed))
        stack.enter_context(torch.enable_grad())
        for block in blocks:
            stack.callback(block.watch())
        # In place of the network's own, these buffers take the running statistics' update.
        buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
        with computing(), _Uses(blocks):
            output: Output = functional_call(network, buffers, (images,))
        value = loss(output)
    return _rows(blocks, value)


class _Use(NamedTuple):
    """A view of a convolution's weight that one loop used."""

    conv: str
    loop: int
    weight: Tensor


class _Watched:
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
        self.uses: list[_Use] = []
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
        self.uses.append(_Use(self.convs[id(weight)], len(self.entered) - 1, view))
        return view


class _Uses(TorchFunctionMode):
    """Hands every convolution of the blocks a view of its weight in place of the weight."""

    def __init__(self, blocks: Sequence[_Watched]) -> None:
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


def _rows(blocks: Sequence[_Watched], loss: Tensor) -> list[LoopGradient]:
    wanted = [use.weight for block in blocks for use in block.uses]
    wanted += [features for block in blocks for features in block.entered]
    found = torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True)
    gradients = iter([gradient.float() for gradient in found])
    contributed = [[next(gradients) for _ in block.uses] for block in blocks]
    places: list[tuple[str, str, int]] = []
    norms: list[Tensor] = []
    for block, by_use in zip(blocks, contributed, strict=True):
        features = [_norms(next(gradients).flatten(1)).mean() for _ in block.entered]
        for (conv, loop), row in _of_block(block.uses, by_use).items():
            places.append((block.name, conv, loop))
            norms.append(torch.stack([*row, features[loop], features[loop + 1]]))
    # one way back from the device for all of them
    values = cast("list[list[float]]", torch.stack(norms).tolist())
    return [LoopGradient(*place, *row) for place, row in zip(places, values, strict=True)]


def _norms(values: Tensor) -> Tensor:
    """(..., N) -> (...)."""
    return values.square().sum(dim=-1).sqrt()


def _of_block(
    uses: Sequence[_Use], gradients: Sequence[Tensor]
) -> dict[tuple[str, int], list[Tensor]]:
    """Norms of the contribution, of the whole gradient and of the weight by (conv, loop)."""
    parts: dict[tuple[str, int], Tensor] = {}
    wholes: dict[str, Tensor] = {}
    for use, gradient in zip(uses, gradients, strict=True):
        place = (use.conv, use.loop)
        parts[place] = parts[place] + gradient if place in parts else gradient
        wholes[use.conv] = wholes[use.conv] + gradient if use.conv in wholes else gradient
    weights = {use.conv: use.weight.detach().float() for use in uses}
    return {
        (conv, loop): [_norms(each.flatten()) for each in (part, wholes[conv], weights[conv])]
        for (conv, loop), part in parts.items()
    }


@contextmanager
def _trained(network: nn.Module) -> Generator[None]:
    """Training mode; afterwards every module has its own mode again."""
    modes = [(module, module.training) for module in network.modules()]
    network.train()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def _seeded(device: torch.device, seed: int) -> Generator[None]:
    """Random numbers from the seed; afterwards the generators go on where they stood."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        # torch.manual_seed would seed the generators of all devices
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
