"""Networks whose images really differ in their decisions, by margins that rounding cannot close.

Fresh networks open nearly every gate, and their norms do nothing: all loops would be alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from drnn_core.models.network import Network
from drnn_core.models.registry import create_model

# Logits nearer to 0 could fall either way by rounding.
MARGIN = 1e-4
_MOST_GAIN = 200.0

# One of each kind of block, as small as their parts differ.
SMALL: dict[str, dict[str, Any]] = {
    "basic": {"name": "dr_resnet16_l2", "loops": (1, 3, 2)},
    "first loop always": {"name": "dr_resnet16_l2", "loops": (1, 3, 2), "first_loop": "always"},
    "naive norm": {"name": "dr_resnet16_l2", "loops": (1, 2, 3), "norm": "naive"},
    "without gates": {"name": "r_resnet32_l4", "loops": (1, 3, 2)},
    "AIG": {"name": "aig_resnet110", "blocks": (1, 2, 2)},
    "stochastic depth": {"name": "sd_resnet110"},
    "pre-activation": {"name": "preact_resnet110"},
    "RCNN": {"name": "rcnn160", "blocks": (1, 1), "widths": (8, 8)},
    "bottleneck": {
        "name": "dr_resnet53_l3",
        "blocks": (1, 2, 2, 2),
        "loops": (1, 2, 3, 2),
        "widths": (8, 8, 16, 16),
    },
    "AIG bottleneck": {
        "name": "aig_resnet50",
        "blocks": (1, 1, 2, 1),
        "widths": (8, 8, 16, 16),
    },
    "inverted residual": {
        "name": "dr_mobilenetv2",
        "widths": (4, 4, 8, 8, 8, 8, 8),
        "strides": (1, 2, 1, 2, 1, 1, 1),
    },
}


def small_network(case: str, seed: int = 0) -> tuple[Network, Tensor]:
    """A network of ``SMALL`` in evaluation mode, and images (7, 3, 16, 16) for it."""
    changes = dict(SMALL[case])
    name = changes.pop("name")
    if "widths" not in changes:
        changes = {"blocks": (1, 2, 2), "widths": (4, 6, 8), **changes}
    return lively(name, 16, batch=7, seed=seed, num_classes=5, **changes)


def lively(
    name: str, size: int, batch: int, seed: int = 0, **changes: Any
) -> tuple[Network, Tensor]:
    """A network in evaluation mode and images that part at its gates."""
    torch.manual_seed(seed)
    network = create_model(name, **changes).eval()
    return network, enliven(network, size, batch)


def enliven(network: Network, size: int, batch: int) -> Tensor:
    """Draw norms and gates until images (batch, 3, size, size) part by a margin; returns them."""
    for seed in range(50):
        generator = torch.Generator().manual_seed(seed)
        images = torch.randn(batch, 3, size, size, generator=generator)
        images *= torch.linspace(0.3, 1.5, batch)[torch.randperm(batch, generator=generator)][
            :, None, None, None
        ]
        with torch.no_grad():
            if _Drawing(generator).run(network, images) > MARGIN:
                return images
    raise AssertionError(f"no seed parts the images of {network.recipe.name} clearly")


class _Drawing:
    """Draws every norm near its statistics and lets each gate part its images, in one pass.

    Attributes:
        nearest: how near to 0 the nearest logit came; 0 where a gate sees next to no difference.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator
        self.nearest = float("inf")
        self._seen: set[nn.Module] = set()

    def run(self, network: Network, images: Tensor) -> float:
        """Draw; returns ``nearest``."""
        gates = [block.gate for _, block in network.recursive_blocks() if block.gate is not None]
        handles = [gate.register_forward_pre_hook(self._part) for gate in gates]
        handles += [
            module.register_forward_pre_hook(self._draw)
            for module in network.modules()
            if isinstance(module, nn.BatchNorm2d)
        ]
        for gate in gates:
            for linear in _linears(gate):
                linear.weight.normal_(generator=self.generator)
        network(images)
        for handle in handles:
            handle.remove()
        return self.nearest

    def _draw(self, norm: Any, args: tuple[Tensor, ...]) -> None:
        if norm in self._seen:
            return
        self._seen.add(norm)
        var, mean = torch.var_mean(args[0], dim=(0, 2, 3))
        for tensor, about, low, high in (
            (norm.running_mean, mean, 0.7, 1.3),
            # not too small: a channel without variance would be all rounding
            (norm.running_var, var + 0.1 * var.mean() + 1e-6, 0.7, 1.3),
            (norm.weight, torch.ones_like(mean), 0.1, 0.4),
            (norm.bias, torch.ones_like(mean), -0.2, 0.3),
        ):
            tensor.uniform_(low, high, generator=self.generator).mul_(about)

    def _part(self, gate: Any, args: tuple[Tensor, ...]) -> None:
        logits = gate.logits(args[0])
        if gate not in self._seen:
            self._seen.add(gate)
            head = list(_linears(gate))[-1]
            ordered = logits.sort().values
            place = int(torch.randint(1, len(ordered), (), generator=self.generator))
            threshold = (ordered[place - 1] + ordered[place]) / 2
            spread = logits.std() + 1e-12
            # A gate that had to be turned up this far would turn up the rounding, too.
            if logits.abs().max() > _MOST_GAIN * spread:
                self.nearest = 0.0
            head.bias.copy_((head.bias - threshold) / spread)
            head.weight.div_(spread)
            logits = gate.logits(args[0])
        self.nearest = min(self.nearest, float(logits.abs().min()))


def _linears(gate: nn.Module) -> Iterator[nn.Linear]:
    return (module for module in gate.modules() if isinstance(module, nn.Linear))
