"""What is measured: a network with fresh weights, or a run with its records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drnn_core.benchmarking.decisions import expected_decisions, recorded_decisions
from drnn_core.cost import NetworkCost
from drnn_core.counting import network_cost
from drnn_core.models.network import Network
from drnn_core.models.registry import create_model, list_models
from drnn_core.store.records import read_records
from drnn_core.store.runs import load_network


@dataclass(frozen=True)
class Subject:
    """A network and what its gates are to say.

    Attributes:
        name: of the network, or the run's folder.
        network: in evaluation mode.
        cost: at its image size.
        image_size: height and width in pixels.
        block_loops: (N, blocks) loops of N recorded images; None where there are no records, and
            decisions are drawn at the expected rates.
    """

    name: str
    network: Network
    cost: NetworkCost
    image_size: int
    block_loops: NDArray[np.int64] | None = None

    @property
    def decided(self) -> Literal["expected", "recorded"]:
        """Where its decisions come from."""
        return "expected" if self.block_loops is None else "recorded"

    def decisions(self, images: int) -> Tensor:
        """(images, S) bool: the same ones whenever asked."""
        layout = self.network.layout
        if self.block_loops is not None:
            return recorded_decisions(layout, self.block_loops, images)
        rates = self.cost.expected_rates(self.network.recipe.target)
        return expected_decisions(layout, rates, images)

    def images(self, batch: int, device: str) -> Tensor:
        """(batch, 3, H, W) float32: noise, since decisions are told and times know no pictures."""
        generator = torch.Generator().manual_seed(0)
        shape = (batch, 3, self.image_size, self.image_size)
        return torch.randn(shape, generator=generator).to(device)


def check_loops(subject: Subject) -> None:
    """Refuse a network in which nothing can be skipped.

    Raises:
        ValueError: it does not loop.
    """
    if not subject.network.layout:
        raise ValueError(f"expected a network with recursive blocks, {subject.name} has none")


def find_subject(name: str, device: str = "cpu") -> Subject:
    """A registered network by its name, with fresh weights from seed 0; or a run by its folder.

    Raises:
        ValueError: there is neither.
        RunError: the run is damaged.
        RecordsError: it has no whole records.
    """
    if name in list_models():
        torch.manual_seed(0)
        network = create_model(name).eval()
        size = network.recipe.image_size
        return Subject(name, network.to(torch.device(device)), network_cost(network), size)
    folder = Path(name)
    if not (folder / "run.json").is_file():
        raise ValueError(
            f"expected the name of a network, as drnn models lists them, or the folder of a run, "
            f"got {name}"
        )
    network, info = load_network(folder)
    size = info.preprocessing.image_size
    loops = np.zeros((1, 0), dtype=np.int64)
    if network.layout:
        found = read_records(folder, ["block_loops"])["block_loops"]
        loops = np.stack(cast("list[NDArray[np.int64]]", found.tolist())).astype(np.int64)
    network = network.eval().to(torch.device(device))
    return Subject(str(folder), network, network_cost(network, size), size, loops)
