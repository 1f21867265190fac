"""A network counted: its stages, parameters and multiply-adds, as plain values for JSON.

run.json holds them, so that whoever looks at a run's records builds no network and needs no torch.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from drnn_core.cost import NetworkCost
from drnn_core.layout import BlockLayout, StageLayout
from drnn_core.store.fields import Fields

if TYPE_CHECKING:
    from drnn_core.models.network import Network

# Blocks of a stage, and loops of a block; the deepest network here has 18 and 5.
MOST_MODULES = 1000


@dataclass(frozen=True)
class Counted:
    """Where a network's blocks and loops stand, and what they cost.

    Attributes:
        stages: with all of their blocks.
        cost: parameters and multiply-adds; its ``layout`` are the stages' recursive blocks.
    """

    stages: tuple[StageLayout, ...]
    cost: NetworkCost

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        cost = self.cost
        return {
            "params": cost.params,
            "fixed_macs": cost.fixed_macs,
            "step_macs": list(cost.step_macs),
            "gate_macs": list(cost.gate_macs),
            "stages": [
                {**asdict(stage), "blocks": [asdict(block) for block in stage.blocks]}
                for stage in self.stages
            ],
        }

    @classmethod
    def from_fields(cls, read: Fields) -> Counted:
        """Read ``to_dict``'s result as it comes back from JSON.

        Raises:
            ValueError: a key is missing or mistyped, or steps and blocks do not fit together; of
                the kind that ``read`` raises.
        """
        stages = tuple(_stage(stage) for stage in read.objects("stages"))
        layout = tuple(block for stage in stages for block in stage.blocks if block.loops)
        steps = sum(block.loops for block in layout)
        step_macs, gate_macs = _counts(read, "step_macs"), _counts(read, "gate_macs")
        if not len(step_macs) == len(gate_macs) == steps:
            raise read.error(
                f"{read.where}: expected 'step_macs' and 'gate_macs' of each of the {steps} loops "
                f"of its blocks, got {len(step_macs)} and {len(gate_macs)}"
            )
        params, fixed = read.integer("params", least=0), read.integer("fixed_macs", least=0)
        return cls(stages, NetworkCost(params, fixed, step_macs, gate_macs, layout))


def count(network: Network, image_size: int | None = None) -> Counted:
    """Count a network, with weights or on the device "meta".

    Args:
        network: left as it was.
        image_size: height and width of its input; by default the recipe's.
    """
    from drnn_core.counting import network_cost

    return Counted(network.stage_layouts, network_cost(network, image_size))


def _stage(read: Fields) -> StageLayout:
    blocks = tuple(
        BlockLayout(
            block.text("name"),
            block.integer("loops", least=0, most=MOST_MODULES),
            block.flag("gated"),
        )
        for block in read.objects("blocks")
    )
    channels, stride = read.integer("channels", least=1), read.integer("stride", least=1)
    return StageLayout(read.text("name"), channels, stride, blocks)


def _counts(read: Fields, key: str) -> tuple[int, ...]:
    found = read.values.get(key)
    listed: list[Any] = cast("list[Any]", found) if isinstance(found, list) else [None]
    if not all(type(each) is int and each >= 0 for each in listed):
        raise read.error(f"{read.where}: expected {key!r} to be a list of whole numbers from 0")
    return tuple(listed)
