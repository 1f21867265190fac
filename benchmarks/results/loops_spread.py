"""How loops differ between images, and what of it goes with class and correctness, over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from scipy import stats

from benchmarks.results.tables import NOTHING, estimate, mean_over_seeds, number, spread, table
from benchmarks.results.trainings import Trained
from drnn_core.analysis.error_prediction import ErrorPrediction, error_prediction
from drnn_core.analysis.information import mutual_information
from drnn_core.analysis.seeds import over_seeds, spread_parts

PERMUTATIONS = 99  # behind each p: with three seeds and more, none hangs on its last digit

OPENING = """Mean ± standard deviation over seeds. Std of images: of the executed loops over the
test images; its squares between the classes' means and within classes add up. Right and wrong:
mean ± std of images of the rightly and of the wrongly classified, averaged over seeds; a wrong one
loops more: chance that it does than a right one, ties counted half. Bits shared: mutual
information (Miller-Madow), of the bits that loops have; in brackets the largest p of the seeds
(permutation test, {permutations} shuffles)."""


def varied(groups: Sequence[Trained]) -> list[Trained]:
    """Trainings whose images differ in their loops, in every seed."""
    return [one for one in groups if one.gated and all(run.varies for run in one.runs.values())]


def spreads(groups: Sequence[Trained]) -> str:
    """A row for each training: spread of the loops and what it goes with; "" without any."""
    columns = (
        "network, data, recipe", "n seeds", "loops", "std of images", "between classes",
        "within classes", "right", "wrong", "a wrong one loops more", "bits",
        "shared with the class", "shared with correctness",
    )  # fmt: skip
    rows = [_row(one) for one in varied(groups)]
    opening = OPENING.format(permutations=PERMUTATIONS)
    return f"{opening}\n\n{table(columns, rows)}" if rows else ""


def _row(one: Trained) -> list[str]:
    found = pd.DataFrame([_figures(run.records) for run in one.runs.values()])

    def over(name: str, form: str = ".2f") -> str:
        return spread(over_seeds(found[name].to_numpy()), form)

    means = found.mean()
    return [
        one.name,
        str(len(one.runs)),
        over("mean"),
        over("std"),
        over("between"),
        over("within"),
        f"{means['right']:.2f} ± {means['right_std']:.2f}",
        f"{means['wrong']:.2f} ± {means['wrong_std']:.2f}",
        over("wrong_loops_more", ".3f"),
        over("bits"),
        f"{over('class', '.3f')} (p ≤ {found['class_p'].max():.2g})",
        f"{over('correct', '.4f')} (p ≤ {found['correct_p'].max():.2g})",
    ]


def _figures(records: pd.DataFrame) -> dict[str, float]:
    loops, right = records["loops"], records["correct"]
    between, within = spread_parts(loops, records["label"])
    parts = {"right": loops[right], "wrong": loops[~right]}
    found: dict[str, float] = {
        "mean": float(loops.mean()),
        "std": float(loops.std()),
        "between": between,
        "within": within,
    }
    for name, part in parts.items():
        found |= {name: float(part.mean()), f"{name}_std": float(part.std())}
    test: Any = stats.mannwhitneyu(parts["wrong"], parts["right"])
    found["wrong_loops_more"] = float(test.statistic) / (len(parts["wrong"]) * len(parts["right"]))
    for name, column in (("class", "label"), ("correct", "correct")):
        shared = mutual_information(loops, records[column], PERMUTATIONS)
        found |= {name: shared.corrected, f"{name}_p": shared.p, "bits": shared.first_entropy}
    return found


CLASSES = "mean ± std of images, averaged over seeds."


def by_class(groups: Sequence[Trained]) -> str:
    """Mean ± std of images of every class, averaged over seeds: a table for each data set."""
    parts: list[str] = []
    there = varied(groups)
    for data in dict.fromkeys(one.training.data for one in there):
        own = [one for one in there if one.training.data == data]
        classes = own[0].first.info.classes
        own = [one for one in own if one.first.info.classes == classes]
        tables = [_class_means(one) for one in own]
        rows = [
            [name, *(_class_cell(each, label) for each in tables)]
            for label, name in enumerate(classes)
        ]
        heads = ["class", *(f"{one.title}, {one.schedule}" for one in own)]
        parts.append(f"{data}, loops by class: {CLASSES}\n\n{table(heads, rows)}")
    return "\n\n".join(parts)


def _class_means(one: Trained) -> pd.DataFrame:
    """``mean`` and ``std`` by label, averaged over seeds."""
    each = [run.records.groupby("label")["loops"].agg(["mean", "std"]) for run in one.runs.values()]
    return pd.concat(each).groupby(level=0).mean()


def _class_cell(means: pd.DataFrame, label: int) -> str:
    if label not in means.index:
        return NOTHING
    return f"{means.loc[label, 'mean']:.2f} ± {means.loc[label, 'std']:.2f}"


FORESEEN = """What loops add over entropy in foreseeing an error, for every run with gates: area
under the ROC curve of each by itself, and of a logistic regression on both minus one on entropy
alone, both cross-validated and both with the first three powers of the entropy's logarithm;
intervals over images; p of the likelihood-ratio test that loops add nothing.
Last column: mean of what loops add over the seeds of the training, with its 95 % interval of
Student's t."""


def foreseen(groups: Sequence[Trained]) -> str:
    """A row for each run; "" without any."""
    columns = (
        "network, data, recipe", "seed", "wrong", "entropy", "loops", "both minus entropy", "p",
        "both minus entropy, over seeds",
    )  # fmt: skip
    rows = [row for one in varied(groups) for row in _foreseen(one)]
    return f"{FORESEEN}\n\n{table(columns, rows)}" if rows else ""


def _foreseen(one: Trained) -> list[list[str]]:
    found: dict[int, ErrorPrediction] = {}
    for seed, run in one.runs.items():
        records = run.records
        found[seed] = error_prediction(records["correct"], records["entropy"], records["loops"])
    added = over_seeds([each.added.value for each in found.values()])
    rows: list[list[str]] = []
    for place, (seed, each) in enumerate(found.items()):
        rows.append(
            [
                one.name,
                str(seed),
                f"{each.errors:,}",
                estimate(each.entropy),
                estimate(each.loops),
                estimate(each.added, "+.4f"),
                number(each.p, ".1e"),
                "" if place else mean_over_seeds(added, "+.4f"),
            ]
        )
    return rows
