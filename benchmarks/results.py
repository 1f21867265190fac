"""docs/results.md from the shipped runs and their records: every figure, made anew.

    python benchmarks/results.py [--runs checkpoints] [--out docs/results.md]

Reads run.json and the record tables only: no network runs, no image is opened.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from drnn_core.analysis.relations import Relation, spearman
from drnn_core.data.generated import FACTORS
from drnn_core.inference.facts import NetworkFacts, network_facts
from drnn_core.recipes import NETWORKS
from drnn_core.store.files import atomic_write_bytes
from drnn_core.store.records import read_records
from drnn_core.store.runs import RunInfo, find_runs, read_run

OPENING = """# Results

Made by `make results` from the runs in `checkpoints/` and their records; nothing here is typed
by hand. Each run's `run.json` holds its recipe, seed, data fingerprint and curve, its `README.md`
says how it was trained.

"""


class Shipped:
    """A run with its records and what its network costs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.info: RunInfo = read_run(folder)
        self.records: pd.DataFrame = read_records(folder)
        self.facts: NetworkFacts = network_facts(self.info)

    @property
    def generated(self) -> bool:
        """Whether its images have known factors."""
        return set(FACTORS) <= set(self.records.columns)


def overview(runs: list[Shipped]) -> str:
    """Error, cost and loops of every run, beside the paper's."""
    lines = [
        (
            "| run | trained on | epochs | error % (95 % interval) | paper | params | MACs, mean | "
            "loops, mean ± std | realised rate | target |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        info, test = run.info, run.info.metrics.test
        wrong = int((~run.records["correct"]).sum())
        interval = stats.binomtest(wrong, len(run.records)).proportion_ci(method="wilson")
        recipe = NETWORKS.get(info.model)  # a recursified backbone is not the paper's
        paper = None if recipe is None else recipe.paper
        printed = "–" if paper is None or run.generated else f"{paper.error:g}"
        low, high = 100 * interval.low, 100 * interval.high
        loops = "–"
        if test.loops_max:
            loops = f"{test.loops_mean:.2f} ± {test.loops_std:.2f} of {test.loops_max}"
        lines.append(
            f"| [{info.title}](../checkpoints/{run.folder.name}) | {info.dataset} | "
            f"{info.epochs} | {test.error:.2f} ({low:.2f} to {high:.2f}) | "
            f"{printed} | {run.facts.cost.params / 1e6:.3f} M | {test.macs_mean / 1e6:.1f} M | "
            f"{loops} | {_number(test.rate)} | {_number(test.target)} |"
        )
    lines.append("")
    lines.append(
        "The paper trains 350 epochs at batch 256 on the original CIFAR-10. Ours are short runs "
        "(`docs/paper.md`) with one seed, on images that had been stored as JPEG of quality 75; "
        "what each of the two costs in accuracy was not measured apart. Compare rows with each "
        "other."
    )
    return "\n".join(lines)


def rates(run: Shipped) -> str:
    """Realised rate of every gate."""
    lines = ["| block | " + " | ".join(f"loop {k + 1}" for k in range(_widest(run))) + " |"]
    lines.append("|---|" + "---|" * _widest(run))
    start = 0
    for block in run.facts.layout:
        found = run.info.metrics.test.gate_rates[start : start + block.loops]
        start += block.loops
        lines.append(f"| {block.name} | " + " | ".join(_number(rate) for rate in found) + " |")
    return "\n".join(lines)


def _widest(run: Shipped) -> int:
    return max(block.loops for block in run.facts.layout)


def differences(run: Shipped) -> str:
    """Loops of right and of wrong images, and of the classes."""
    records, classes = run.records, run.info.classes
    right, wrong = (records.loc[records["correct"] == answer, "loops"] for answer in (True, False))
    test = stats.mannwhitneyu(wrong, right)
    share = float(test.statistic) / (len(wrong) * len(right))
    by_class = records.groupby("label")["loops"].agg(["mean", "std"])
    ordered = by_class.sort_values("mean")
    listed = ", ".join(
        f"{classes[label]} {mean:.2f} ± {std:.2f}"
        for label, mean, std in zip(
            ordered.index.to_list(), ordered["mean"], ordered["std"], strict=True
        )
    )
    return (
        f"- Rightly classified {right.mean():.2f} ± {right.std():.2f} loops (n = {len(right):,}), "
        f"wrongly classified {wrong.mean():.2f} ± {wrong.std():.2f} (n = {len(wrong):,}); a wrong "
        f"one loops more than a right one with probability {share:.3f} (Mann-Whitney, "
        f"p = {test.pvalue:.1e}).\n"
        f"- By class: {listed}.\n"
        f"- Shared with the class: {mutual_information(records['loops'], records['label']):.3f} "
        f"bits; with correctness: {mutual_information(records['loops'], records['correct']):.3f} "
        f"bits (plug-in estimate), of {entropy(records['loops']):.3f} bits in the loops."
    )


def entropy(values: pd.Series) -> float:
    """Bits of a column's empirical distribution."""
    return float(stats.entropy(np.unique(values, return_counts=True)[1], base=2))


def mutual_information(first: pd.Series, second: pd.Series) -> float:
    """Bits that two columns share, by their empirical joint distribution."""
    joint = pd.Series(list(zip(first, second, strict=True)))
    return entropy(first) + entropy(second) - entropy(joint.map(str))


def relations(run: Shipped) -> str:
    """Spearman's rho of loops with every known column."""
    names = ["confidence", "entropy", "loss", *(FACTORS if run.generated else ())]
    lines = ["| loops with | Spearman ρ | 95 % interval | p | n |", "|---|---|---|---|---|"]
    for name in names:
        found: Relation = spearman(run.records["loops"], run.records[name])
        lines.append(
            f"| {name} | {found.rho:+.3f} | {found.low:+.3f} to {found.high:+.3f} | "
            f"{found.p:.1e} | {found.n:,} |"
        )
    return "\n".join(lines)


def paired(runs: list[Shipped]) -> str:
    """McNemar's exact test between a recursive network and a plain one on the same images."""
    lines = [
        "| recursive | plain | images | only the recursive right | only the plain right | p |",
        "|---|---|---|---|---|---|",
    ]
    for run in runs:
        for other in runs:
            same = run.info.data_fingerprint == other.info.data_fingerprint
            if not run.facts.loops_max or other.facts.loops_max or not same:
                continue
            both = run.records.merge(other.records, on="id", suffixes=("", "_plain"))
            mine = int((both["correct"] & ~both["correct_plain"]).sum())
            theirs = int((~both["correct"] & both["correct_plain"]).sum())
            p = stats.binomtest(mine, mine + theirs).pvalue if mine + theirs else 1.0
            lines.append(
                f"| {run.info.title}, {run.info.dataset} | {other.info.title} | {len(both):,} | "
                f"{mine} | {theirs} | {p:.2g} |"
            )
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def report(folders: list[Path]) -> str:
    """The whole page."""
    runs = [Shipped(folder) for folder in folders]
    parts = [OPENING + overview(runs), "## Pairs on the same images\n\n" + paired(runs)]
    for run in runs:
        if not run.facts.loops_max:
            continue
        parts.append(
            f"## {run.info.title}, {run.info.dataset}\n\n"
            f"Expected loops at the target: {run.facts.expected_loops:.2f}; measured "
            f"{run.info.metrics.test.loops_mean:.2f} ± {run.info.metrics.test.loops_std:.2f}.\n\n"
            f"Realised rate of each gate, among the images that asked it:\n\n{rates(run)}\n\n"
            f"{differences(run)}\n\n{relations(run)}"
        )
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("checkpoints"))
    parser.add_argument("--out", type=Path, default=Path("docs/results.md"))
    arguments = parser.parse_args()
    text = report(find_runs(arguments.runs))
    atomic_write_bytes(arguments.out, text.encode())
    print(text)


if __name__ == "__main__":
    main()
