"""What several seeds say: the paper's tables, its figure 6, its readings, the loops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.results.ablation import table_3
from benchmarks.results.difference import where_it_comes_from
from benchmarks.results.figure_6 import figure_6
from benchmarks.results.figure_8 import figure_8
from benchmarks.results.gates_apart import gates_apart
from benchmarks.results.loops_spread import by_class, foreseen, spreads
from benchmarks.results.loops_with import loops_with
from benchmarks.results.losses import losses
from benchmarks.results.readings import readings
from benchmarks.results.shipped import Shipped
from benchmarks.results.stability import stability
from benchmarks.results.table_1 import table_1
from benchmarks.results.trainings import trained


def of_seeds(runs: Sequence[Shipped], folder: Path) -> list[str]:
    """The parts of the page that put runs of one training together.

    Args:
        runs: all of ours.
        folder: of the page; pictures are written into it.
    """
    groups = trained(runs)
    parts = {
        "Table 1: CIFAR-10": table_1(groups),
        "Cross-entropy beside the plain network's": losses(groups),
        "Where the difference to the plain network comes from": where_it_comes_from(groups),
        "Table 3: what each part brings": table_3(groups),
        "Figure 6: accuracy over training": figure_6(groups, folder),
        "Two readings of the paper": readings(groups),
        "Figure 8: executed loops of the test images": figure_8(groups, folder),
        "How loops differ between images": spreads(groups),
        "Whether gates tell images apart": gates_apart(groups),
        "Loops of each class": by_class(groups),
        "Whether an image's loops are its own": stability(groups),
        "What loops go with, in every training": loops_with(groups),
        "What loops add in foreseeing errors": foreseen(groups),
    }
    return [f"## {title}\n\n{text}" for title, text in parts.items() if text]
