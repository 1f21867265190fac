"""What the loops of one run go with: classes, errors, confidence, pictures, evidence, factors."""

from __future__ import annotations

from scipy import stats

from benchmarks.results.shipped import Shipped
from benchmarks.results.tables import NOTHING, estimate, relation, table
from drnn_core.analysis.error_prediction import error_prediction
from drnn_core.analysis.information import mutual_information
from drnn_core.analysis.loops import block_matrix
from drnn_core.analysis.relations import partial, spearman, within
from drnn_core.analysis.reliability import split_half
from drnn_core.data.generated import FACTORS

_OF_THE_ANSWER = ("correct", "confidence", "entropy", "margin", "loss")


def differences(run: Shipped) -> str:
    """Loops of right and of wrong images, and of the classes; how reliable they are."""
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
        f"- {_shared(run)}\n"
        f"- {_reliability(run)}"
    )


def _shared(run: Shipped) -> str:
    loops = run.records["loops"]
    parts: list[str] = []
    for name, column in (("the class", "label"), ("correctness", "correct")):
        found = mutual_information(loops, run.records[column])
        sign = "≤" if found.p <= 1 / 1000 else "="  # of 999 shuffles, none gave as much
        parts.append(f"{found.corrected:.3f} bits with {name} (p {sign} {found.p:.3g})")
    bits = mutual_information(loops, loops, permutations=0).first_entropy
    return (
        f"The loops share {' and '.join(parts)}, of the {bits:.3f} bits that they have "
        "(Miller-Madow estimate, permutation test)."
    )


def _reliability(run: Shipped) -> str:
    blocks = block_matrix(run.records)
    if blocks.shape[1] < 2:
        return "One recursive block: there are no halves to compare."
    found = split_half(blocks)
    halves = f"Loops in half of the blocks and in the other half: ρ = {estimate(found.single)}. "
    if found.single.high < 0:
        return halves + (
            "Images that loop more in some blocks loop less in others: the blocks do not measure "
            "one thing, and their sum has no split-half reliability."
        )
    return halves + (
        f"Split-half reliability of all {found.parts} blocks: {estimate(found.whole)} "
        "(Spearman-Brown)."
    )


def relations(run: Shipped) -> str:
    """Spearman's rho of loops with every known column: over all, within classes, given others."""
    records = run.records
    loops, labels = records["loops"], records["label"]
    given = [records["confidence"], records["entropy"]]
    columns = (
        "loops with", "ρ, all images", "p", "ρ within classes", "ρ given confidence and entropy",
        "n",
    )  # fmt: skip
    rows: list[list[str]] = []
    for name in _columns(run):
        found = spearman(loops, records[name])
        known = name in ("confidence", "entropy")
        rows.append(
            [
                f"`{name}`",
                relation(found),
                f"{found.p:.1e}",
                relation(within(loops, records[name], labels)),
                NOTHING if known else relation(partial(loops, records[name], given)),
                f"{found.n:,}",
            ]
        )
    return table(columns, rows)


def _columns(run: Shipped) -> list[str]:
    there = [str(name) for name in run.records.columns]
    of_images = [name for name in there if name.startswith("image_")]
    evidence = [name for name in there if name.startswith("saliency_")]
    factors = [name for name in FACTORS if run.generated]
    answer = [name for name in _OF_THE_ANSWER if name in there]
    return [*answer, *of_images, *evidence, *factors]


def foreseen_errors(run: Shipped) -> str:
    """What loops add over entropy in predicting an error."""
    records = run.records
    found = error_prediction(records["correct"], records["entropy"], records["loops"])
    columns = (
        "images (wrong)", "entropy", "loops", "both, cross-validated",
        "both minus entropy, both cross-validated", "p (likelihood ratio)",
    )  # fmt: skip
    row = [
        f"{found.n:,} ({found.errors:,})",
        estimate(found.entropy),
        estimate(found.loops),
        estimate(found.both),
        estimate(found.added, "+.4f"),
        f"{found.p:.1e}",
    ]
    return table(columns, [row])
