"""A shipped run with everything that was recorded and measured of it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import pandas as pd

from drnn_core.data.generated import FACTORS
from drnn_core.inference.facts import NetworkFacts, network_facts
from drnn_core.store.columns import read_all
from drnn_core.store.repeats import changes_of
from drnn_core.store.runs import RunInfo, read_run


class Shipped:
    """A run with its records, the columns beside them, and what its network costs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.info: RunInfo = read_run(folder)

    @cached_property
    def records(self) -> pd.DataFrame:
        """One row an image."""
        return read_all(self.folder)

    @cached_property
    def facts(self) -> NetworkFacts:
        """What its network is and costs."""
        return network_facts(self.info)

    @property
    def title(self) -> str:
        """Of the network, with what was changed of it."""
        return "; ".join([self.info.title, *changes_of(self.info)])

    @property
    def name(self) -> str:
        """For headings: what tells it from the other runs."""
        recipe = self.info.recipe_name.rpartition("_")[2]
        way = f"{recipe}, {self.info.epochs} epochs, seed {self.info.seed}"
        return f"{self.title}, {self.info.dataset}, {way}"

    @property
    def generated(self) -> bool:
        """Whether its images have known factors."""
        return set(FACTORS) <= set(self.records.columns)

    @property
    def varies(self) -> bool:
        """Whether its images differ in their loops."""
        return self.records["loops"].nunique() > 1
