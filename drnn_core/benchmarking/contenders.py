"""A network that skips, and what it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from drnn_core._torchvision import torchvision
from drnn_core.benchmarking.decisions import trace_of
from drnn_core.benchmarking.interleaving import Call, interleave, ratio, typical
from drnn_core.benchmarking.subjects import Subject, check_loops
from drnn_core.counting import network_cost
from drnn_core.inference.skipping import (
    compile_for_inference,
    masked_execution,
    static_execution,
)
from drnn_core.models.registry import create_model

Against = Literal["static", "masked", "counterpart", "eager"]
AGAINST: tuple[Against, ...] = get_args(Against)

# What users of the plain networks run: torchvision's, as they come.
_TORCHVISION = {"resnet50": "resnet50", "resnet101": "resnet101", "mobilenetv2": "mobilenet_v2"}
# At least so many images have decisions: of one alone, no rate could be expected.
_IMAGES = 10


@dataclass(frozen=True)
class Row:
    """A network that skips against something else.

    Attributes:
        net: the network; its gates are asked, and overruled by decisions at the rates below.
        against: "static": itself, all loops run and no gate asked; "masked": itself, all loops
            computed and selected by the gates; "counterpart": the plain network that the paper
            sets it beside; these in the same folded and packed form. "eager": the counterpart as
            users run it, torchvision's where it has one: ``network.eval()``, ``torch.no_grad()``.
        batch, device, dtype: of what is measured.
        decisions: "expected", at the rates t^k of its target; "recorded", of a run's images.
        time_ratio: its time over the other's, median of the rounds.
        macs_ratio: its multiply-adds for these decisions over the other's.
        over_limit: the time ratio over the MAC ratio; 1 is what skipping can bring.
        low, high: quartiles of the rounds' time ratios.
        milliseconds, their_milliseconds: per batch, median of the rounds.
        rounds: that were measured.
    """

    net: str
    against: str
    batch: int
    device: str
    dtype: str
    decisions: str
    time_ratio: float
    macs_ratio: float
    over_limit: float
    low: float
    high: float
    milliseconds: float
    their_milliseconds: float
    rounds: int


def compare(
    subject: Subject,
    batch: int,
    against: Sequence[Against] = AGAINST,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    seconds: float = 20.0,
    least: int = 3,
) -> list[Row]:
    """Measure a network at a batch size against each of ``against``, all in turns.

    Args:
        subject: its network lies on ``device``.
        batch: images at a time.
        against: those that there are: a network without a counterpart has neither of the last two.
        device, dtype: to compute on and in.
        seconds, least: see ``interleave``.

    Raises:
        ValueError: the network does not loop.
    """
    check_loops(subject)
    match = _Match(subject, batch, device, dtype)
    calls: dict[str, list[Call]] = {"": match.ours()}
    macs: dict[str, float] = {}
    for other in against:
        if match.has(other):
            calls[other], macs[other] = match.other(other)
    times = interleave(calls, seconds, device, least)
    rows: list[Row] = []
    for other, cost in macs.items():
        compared, macs_ratio = ratio(times[""], times[other]), match.macs / cost
        rows.append(
            Row(
                subject.name,
                other,
                batch,
                device,
                str(dtype).removeprefix("torch."),
                subject.decided,
                compared.value,
                macs_ratio,
                compared.value / macs_ratio,
                compared.low,
                compared.high,
                1e3 * typical(times[""]),
                1e3 * typical(times[other]),
                len(times[other]),
            )
        )
    return rows


class _Match:
    """What is compared, on one batch of images.

    Attributes:
        macs: multiply-adds of an image under the decisions, on average.
    """

    def __init__(self, subject: Subject, batch: int, device: str, dtype: torch.dtype) -> None:
        self.subject, self.device, self.dtype = subject, device, dtype
        self.network, self.cost = subject.network, subject.cost
        self.size = subject.image_size
        self.counterpart = self.network.recipe.counterpart
        decisions = subject.decisions(batch * -(-_IMAGES // batch))
        trace = trace_of(self.network.layout, self.cost.asks, decisions)
        self.macs = float(self.cost.macs_of(trace.asked, trace.ran).double().mean())
        # of several batches, which together keep to the rates
        self.draws: list[Tensor] = list(torch.split(decisions.to(device), batch))
        self.images = subject.images(batch, device)

    def ours(self) -> list[Call]:
        """The network that skips."""
        return self._told(compile_for_inference(self.network, self.size, self.dtype))

    def has(self, against: Against) -> bool:
        """Whether there is such a thing to compare with."""
        return self.counterpart is not None or against in ("static", "masked")

    def other(self, against: Against) -> tuple[list[Call], float]:
        """The calls of a round, and an image's multiply-adds."""
        images, cost = self.images, self.cost
        if against == "static":
            static = static_execution(self.network, self.size, self.dtype)
            return [lambda: static(images)], cost.macs_max - sum(cost.gate_macs)
        if against == "masked":
            masked = masked_execution(self.network, self.size, self.dtype)
            return self._told(masked), cost.macs_max
        assert self.counterpart is not None
        if against == "counterpart":
            plain = create_model(self.counterpart).eval().to(torch.device(self.device))
            compiled = static_execution(plain, self.size, self.dtype)
            return [lambda: compiled(images)], network_cost(plain, self.size).macs_max
        return self._eager(self.counterpart)

    def _eager(self, name: str) -> tuple[list[Call], float]:
        changes: dict[str, Any] = {}
        if name in _TORCHVISION:
            network: nn.Module = torchvision.models.get_model(_TORCHVISION[name], weights=None)
            changes = {"stride_on": "3x3"}  # as torchvision's; MobileNetV2 heeds it not
        else:
            network = create_model(name)
        network = network.eval().to(torch.device(self.device), self.dtype)
        images = self.images.to(self.dtype)

        @torch.no_grad()
        def run() -> object:
            return network(images)

        return [run], network_cost(create_model(name, **changes), self.size).macs_max

    def _told(self, network: Any) -> list[Call]:
        images = self.images
        return [lambda draw=draw: network(images, draw) for draw in self.draws]
