"""How far gates without noise swing from one batch to the next, by the form of the rate loss.

    python -m benchmarks.gate_swings RUN... --data FOLDER [--updates 120] [--lr 0.1]

Each run is gone on with from its weights, twice, with the same batches: by the paper's rate loss
(``sampled``) and by ``batch``. Nothing is written but the figures: for each gate the share of a
batch that it lets in at the first loop it decides on. Drawn by chance at a rate of .7, that share
of 256 images has a standard deviation of .03.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.gate_swings_record import GATE_SWINGS, Swings, read, write
from drnn_core.commands.reporting import Silent
from drnn_core.data.datasets import load_split
from drnn_core.data.sets import ImageSet
from drnn_core.models.network import Network
from drnn_core.recipes import Recipe
from drnn_core.recipes.training import OWN_TRAININGS
from drnn_core.store.runs import load_network
from drnn_core.trace import Output
from drnn_core.training.loop import Trainer
from drnn_core.training.settings import Settings

RATE_LOSSES = ("sampled", "batch")
_HOW = OWN_TRAININGS["long"]


@dataclass(frozen=True)
class _Seen:
    """An update: rate and deviation of the logits of each gate when it is asked first; the loss."""

    rates: list[float]
    spreads: list[float]
    entropy: float


class _Noted(Trainer):
    """A training that notes what its gates said in each update, and the cross-entropy."""

    def _loss(self, output: Output, labels: Tensor, target: float | Tensor | None) -> Tensor:
        with torch.no_grad():
            entropy = float(F.cross_entropy(output.logits.float(), labels))
        ran = output.trace.ran.float()
        rates = [float(ran[:, step].mean()) for _, step in first_questions(self.network)]
        spreads = [said[0] for said in self.said]
        self.seen.append(_Seen(rates, spreads, entropy))
        for said in self.said:
            said.clear()
        return super()._loss(output, labels, target)

    def go_on(self, updates: int) -> list[_Seen]:
        """Make updates from the network's weights, one more than so many: the first has noise."""
        self.seen: list[_Seen] = []
        self.said: list[list[float]] = [[] for _ in self.steering.gates]
        for gate, said in zip(self.steering.gates, self.said, strict=True):
            gate.fc.register_forward_hook(partial(_note, said))
        self.run(Silent(), lambda: self.position.step > updates)
        return self.seen[1:]


def _note(said: list[float], _: object, __: object, logits: Tensor) -> None:
    """Of the logits (B, 1) as they are, whatever the rate loss makes of them."""
    said.append(float(logits.detach().std()))


def first_questions(network: Network) -> list[tuple[str, int]]:
    """Block and step of the first loop that each gate decides on."""
    found: list[tuple[str, int]] = []
    start = 0
    for name, block in network.recursive_blocks():
        asks = [loop for loop in range(block.loops) if block.is_gated(loop)]
        if asks:
            found.append((name, start + asks[0]))
        start += block.loops
    return found


def swings(run: Path, rate_loss: str, images: ImageSet, updates: int, lr: float) -> Swings:
    """Go on with a run and say what its gates did.

    Args:
        run: its folder.
        rate_loss: by which it is gone on with.
        images: its training set.
        updates: less than an epoch has.
        lr: learning rate of all of them.

    Raises:
        ValueError: its network has no gates, or an epoch has no more updates than these.
    """
    network, info = load_network(run)
    gates = first_questions(network)
    if not gates:
        raise ValueError(f"expected a run with gates, got {run.name}")
    how = dataclasses.replace(
        _HOW, rate_loss=rate_loss, schedule="steps", lr=lr, noise_until=1e-9, calibrate_gates=False
    )
    recipe = Recipe("going", network.recipe, how)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder), info.seed, precision="bfloat16", fixed_shapes=False)
        going = _Noted(network, recipe, images, images, info.preprocessing, settings)
        if updates >= going.steps_per_epoch - 1:
            most = going.steps_per_epoch - 2
            raise ValueError(f"expected at most {most} updates, within an epoch, got {updates}")
        seen = going.go_on(updates)
    rates = np.array([each.rates for each in seen])
    return Swings(
        run=run.name,
        title=info.title,
        rate_loss=rate_loss,
        updates=updates,
        batch=how.batch,
        lr=lr,
        gates=tuple(name for name, _ in gates),
        rate_mean=_rounded(rates.mean(axis=0)),
        rate_std=_rounded(rates.std(axis=0, ddof=1)),
        logit_std=_rounded(np.mean([each.spreads for each in seen], axis=0)),
        loss=round(float(np.mean([each.entropy for each in seen])), 4),
    )


def _rounded(values: np.ndarray) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)


def main() -> None:
    """Measure the runs, and put them in the place of what is on record of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--data", required=True)
    parser.add_argument("--updates", type=int, default=120)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, default=GATE_SWINGS)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    images = load_split(arguments.data, "train")
    for run in cast("list[Path]", arguments.runs):
        for rate_loss in RATE_LOSSES:
            found = swings(run, rate_loss, images, arguments.updates, arguments.lr)
            known = read(arguments.out)
            rest = [one for one in known if (one.run, one.rate_loss) != (run.name, rate_loss)]
            write(arguments.out, [*rest, found])
            print(
                f"{run.name}  {rate_loss}  rates {found.rate_mean} +- {found.rate_std}  "
                f"logits +- {found.logit_std}  cross-entropy {found.loss}",
                flush=True,
            )


if __name__ == "__main__":
    main()
