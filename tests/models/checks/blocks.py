"""How the checks make recursive blocks, inputs and forced decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tests.models.checks.core import Core


@dataclass(frozen=True)
class BlockCase:
    """A small recursive block whose parts all differ from each other."""

    kind: str = "ilvbn"
    loops: int = 3
    gated: bool = True
    first_loop: str = "gated"
    activation: bool = True
    hidden: int | None = 16
    temperature: float = 1.0
    channels: int = 4
    size: int = 5
    batch: int = 12
    seed: int = 0


KIND_CASES = tuple(
    BlockCase(kind, seed=seed)
    for seed, kind in enumerate(("naive", "lvbn", "ilvbn", "ilvbn_joint"), 10)
)
FORM_CASES = (
    BlockCase(first_loop="always", seed=20),
    BlockCase(gated=False, seed=21),
    BlockCase(activation=False, seed=22),
    BlockCase(hidden=None, temperature=0.5, seed=23),
    BlockCase(loops=1, seed=24),
    BlockCase(batch=2, size=1, loops=4, seed=25),
    BlockCase(batch=1, seed=26),
)
CASES = KIND_CASES + FORM_CASES


def make_block(core: Core, case: BlockCase) -> Any:
    """A block with unequal loops and a gate that opens for about two images of three."""
    generator = torch.Generator().manual_seed(case.seed)

    def random_like(tensor: Tensor, scale: float) -> Tensor:
        return scale * torch.randn(tensor.shape, generator=generator)

    body = core.bodies.BasicBody(case.channels, case.channels, loops=case.loops, norm=case.kind)
    gate = (
        core.gate.Gate(case.channels, case.hidden, 0.65, case.temperature) if case.gated else None
    )
    block = core.recursive.RecursiveBlock(body, case.loops, gate, case.first_loop, case.activation)
    with torch.no_grad():
        for name, tensor in [*block.named_parameters(), *block.named_buffers()]:
            if name.endswith("running_var"):
                tensor.copy_(random_like(tensor, 0.3).abs() + 0.5)
            elif "conv" in name:
                tensor.copy_(random_like(tensor, 0.25))
            elif "norm" in name and tensor.is_floating_point():
                tensor.copy_(random_like(tensor, 0.5))
            elif name.startswith("gate"):
                tensor.copy_(random_like(tensor, 1.0))
        if gate is not None:
            _make_undecided(gate, make_images(case))
    return block


def _make_undecided(gate: Any, images: Tensor) -> None:
    """Centre and scale the gate so that about two of three of these images pass it."""
    head = gate.fc if isinstance(gate.fc, nn.Linear) else gate.fc[-1]
    logits = gate.fc(images.mean(dim=(2, 3)))
    spread = float(logits.std()) if len(logits) > 1 else 1.0
    shift = float(logits.quantile(0.35)) - float(head.bias)
    head.weight.div_(spread or 1.0)
    head.bias.fill_(0.05 - shift / (spread or 1.0))  # no image exactly on the edge


def make_images(case: BlockCase) -> Tensor:
    """(batch, channels, size, size), not negative, as after the activation of a block before."""
    generator = torch.Generator().manual_seed(case.seed + 500)
    shape = (case.batch, case.channels, case.size, case.size)
    brightness = 2 * torch.rand((case.batch, case.channels, 1, 1), generator=generator)
    return torch.relu(torch.randn(shape, generator=generator)) * brightness


class ScriptedGate(nn.Module):
    """A gate that says what it is told: decisions (B, loops), whatever it sees."""

    def __init__(self, core: Core, decisions: Tensor) -> None:
        super().__init__()
        self.decision = core.gate.Decision
        self.decisions = decisions
        self.call = 0

    def forward(self, x: Tensor) -> Any:
        """The decisions of the next loop."""
        opened = self.decisions[:, self.call].float()
        self.call += 1
        return self.decision(opened, opened)
