"""How large the gradient is in each loop of a recursive block (paper, section 3 and table 3).

The paper says that with one BatchNorm for all loops the gradients explode. A shared weight is used
once in each loop, and its gradient is the sum of what the uses contribute. Here the sum is taken
apart: every use of a convolution's weight gets a view of its own, which autograd tells from the
others. Beside it stands the gradient of the loss by the features that enter and that leave the
loop: their ratio is how much a loop magnifies the gradient on its way back.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor
from torch.func import functional_call  # pyright: ignore[reportUnknownVariableType]

from drnn_core.analysis.loop_uses import SeparateUses, Use, WatchedBlock
from drnn_core.models.gate import Gate
from drnn_core.models.modes import in_mode
from drnn_core.models.network import Network
from drnn_core.models.norm import LoopNorm
from drnn_core.trace import Output

Loss = Callable[[Output], Tensor]


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


@dataclass(frozen=True)
class Gradients:
    """The gradient of one batch.

    Attributes:
        loss: of the batch.
        grad_norm: of the gradient by all weights together.
        affine_grad_norm: of the gradient by scales and shifts of the norms in recursive blocks,
            which is what "naive" sums over loops where the others keep it apart.
        loops: a row for each block, loop and convolution in the order of execution; none for a
            network without loops.
    """

    loss: float
    grad_norm: float
    affine_grad_norm: float
    loops: list[LoopGradient]


def gradient_norms(
    network: Network,
    images: Tensor,
    loss: Loss,
    seed: int = 0,
    noise: float = 1.0,
    share: float | None = None,
) -> Gradients:
    """Take the gradients of a training forward apart by loop.

    The network is as before afterwards: weights and their ``.grad``, running statistics, mode,
    hooks and the state of the random generators.

    Args:
        network: on any device; run in training mode.
        images: normalised, (B, 3, H, W), on the network's device.
        loss: what training minimises, of the network's output.
        seed: of the gates' noise and of whatever else is random.
        noise, share: scale of the gates' noise and where they cut the batch, see ``Gate``.

    Returns:
        Of every convolution that uses its weight as it is, see ``Gradients``.
    """
    blocks = [WatchedBlock(name, block) for name, block in network.recursive_blocks()]
    with ExitStack() as stack:
        stack.enter_context(_trained(network, seed, noise, share))
        stack.enter_context(_seeded(images.device, seed))
        stack.enter_context(torch.enable_grad())
        for block in blocks:
            stack.callback(block.watch())
        # In place of the network's own, these buffers take the running statistics' update.
        buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
        with SeparateUses(blocks):
            output: Output = functional_call(network, buffers, (images,))
        return _found(blocks, _parameters(network), loss(output))


class _Parameters(NamedTuple):
    """All that is trained, those of norms in recursive blocks last."""

    every: list[Tensor]
    affine: int


def _parameters(network: Network) -> _Parameters:
    bodies = [block.body for _, block in network.recursive_blocks()]
    norms = [each for body in bodies for each in body.modules() if isinstance(each, LoopNorm)]
    affine = [each for norm in norms for each in norm.parameters()]
    own = {id(each) for each in affine}
    others = [each for each in network.parameters() if id(each) not in own]
    return _Parameters([*others, *affine], len(affine))


def _found(blocks: Sequence[WatchedBlock], parameters: _Parameters, loss: Tensor) -> Gradients:
    wanted = [use.weight for block in blocks for use in block.uses]
    wanted += [features for block in blocks for features in block.entered]
    wanted += parameters.every
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
    squares = torch.stack([each.square().sum() for each in gradients])
    whole, affine = squares.sum().sqrt(), squares[len(squares) - parameters.affine :].sum().sqrt()
    # one way back from the device for all of them
    values = torch.cat([torch.stack([loss.detach().float(), whole, affine]), *norms])
    numbers = cast("list[float]", values.tolist())
    rows = [numbers[start : start + 5] for start in range(3, len(numbers), 5)]
    loops = [LoopGradient(*place, *row) for place, row in zip(places, rows, strict=True)]
    return Gradients(numbers[0], numbers[1], numbers[2], loops)


def _norms(values: Tensor) -> Tensor:
    """(..., N) -> (...)."""
    return values.square().sum(dim=-1).sqrt()


def _of_block(
    uses: Sequence[Use], gradients: Sequence[Tensor]
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
def _trained(network: Network, seed: int, noise: float, share: float | None) -> Generator[None]:
    """Training mode and gates that draw from the seed; afterwards every module is as before.

    A training whose updates are captured has its gates read numbers that were drawn ahead, and its
    blocks compute in a form that can be captured: neither is for a pass beside it.
    """
    blocks = [(block, block.fixed_shapes) for _, block in network.recursive_blocks()]
    found = [module for module in network.modules() if isinstance(module, Gate)]
    gates = [(gate, gate.noise, gate.draw, gate.share) for gate in found]
    # On the CPU: the same numbers on every device, and no other thread draws from it.
    generator = torch.Generator().manual_seed(seed)

    def draw(logits: Tensor) -> Tensor:
        return torch.rand(logits.shape, generator=generator).to(logits.device)

    try:
        for block, _ in blocks:
            block.fixed_shapes = False
        for gate in found:
            gate.noise, gate.draw, gate.share = noise, draw, share
        with in_mode(network, training=True):
            yield
    finally:
        for block, fixed_shapes in blocks:
            block.fixed_shapes = fixed_shapes
        for gate, noise_before, draw_before, share_before in gates:
            gate.noise, gate.draw, gate.share = noise_before, draw_before, share_before


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
