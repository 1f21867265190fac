"""Saliency and loops by every method of attribution, and whether the maps can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from benchmarks.results.shipped import Shipped
from benchmarks.results.tables import NOTHING, estimate, relation, table
from drnn_core.analysis.evidence import METHODS, Method
from drnn_core.analysis.loops import block_matrix
from drnn_core.analysis.relations import Relation, partial, spearman, within
from drnn_core.analysis.saliency import attribute
from drnn_core.analysis.saliency_sanity import LIKE, SanityCheck, sanity_check
from drnn_core.analysis.saliency_statistics import ON_OBJECT, SALIENCY_STATISTICS
from drnn_core.analysis.sampling import spread_sample
from drnn_core.data.sets import ImageSet
from drnn_core.inference.frozen import freeze
from drnn_core.models.network import Network
from drnn_core.store.runs import load_network
from drnn_core.trace import ran_of

CHECKED_IMAGES, DRAWS = 32, 2
_AT_ONCE = 16

OPENING = (
    'The paper announces "the relation between the image saliency and the number of loop time" '
    'and shows it by pictures (figure 9: easy images are "clear and iconic", hard ones "blurry '
    "and occluded\"); it prints no number. Here: Spearman's ρ of loops with where the evidence "
    "for the predicted class lies, by every method that was measured (`drnn saliency --method`; "
    "some methods on a part of the images, see n). If clear images meant narrow evidence and few "
    "loops, concentration would have ρ < 0 and entropy, area and spread ρ > 0."
)


def evidence(run: Shipped) -> str:
    """The relation of loops to every statistic of every method that was measured."""
    records = run.records
    loops, labels = records["loops"], records["label"]
    confidence = [records["confidence"]]
    columns = ("method", "statistic", "ρ, all images", "p", "ρ within classes",
               "ρ given confidence", "n")  # fmt: skip
    rows: list[list[str]] = []
    found: dict[tuple[Method, str], Relation] = {}
    inside: dict[tuple[Method, str], Relation] = {}
    for method, statistic in _measured(run):
        values = records[f"{method}_{statistic}"]
        whole, part = spearman(loops, values), within(loops, values, labels)
        found[method, statistic], inside[method, statistic] = whole, part
        rows.append(
            [
                f"`{method}`",
                statistic,
                relation(whole),
                f"{whole.p:.1e}",
                relation(part),
                relation(partial(loops, values, confidence)),
                f"{whole.n:,}",
            ]
        )
    if not rows:
        return "No evidence was measured of this run."
    parts = [OPENING, table(columns, rows), "Where the interval leaves out 0, the sign is:"]
    parts.append(f"{_agreement('over all images', found)}\n{_agreement('within classes', inside)}")
    if run.generated:
        parts.append(_on_object(run))
    return "\n\n".join(parts)


def _measured(run: Shipped) -> list[tuple[Method, str]]:
    names = (*SALIENCY_STATISTICS, ON_OBJECT)
    there = set(run.records.columns)
    return [(m, each) for m in METHODS for each in names if f"{m}_{each}" in there]


def _agreement(where: str, found: dict[tuple[Method, str], Relation]) -> str:
    """Whether the methods say the same of each statistic."""
    lines: list[str] = []
    for statistic in dict.fromkeys(statistic for _, statistic in found):
        signs = {method: _sign(one) for (method, name), one in found.items() if name == statistic}
        words = [
            f"{word} by {_listed([m for m, own in signs.items() if own == sign], len(signs))}"
            for sign, word in ((1, "positive"), (-1, "negative"), (0, "not told from 0"))
            if sign in signs.values()
        ]
        lines.append(f"- {where}, {statistic}: {'; '.join(words)}.")
    return "\n".join(lines)


def _on_object(run: Shipped) -> str:
    """The share on the object, which a larger object raises by itself."""
    records = run.records
    given = [records["confidence"], records["scale"]]
    parts = [
        f"`{method}` {relation(partial(records['loops'], records[f'{method}_{ON_OBJECT}'], given))}"
        for method, statistic in _measured(run)
        if statistic == ON_OBJECT
    ]
    return (
        "A larger object holds more evidence by itself. The share on the object given confidence "
        f"and the object's size: {', '.join(parts)}."
    )


def sanity(run: Shipped, images: ImageSet) -> str:
    """Maps of the trained network against those of the same one with random weights."""
    network, info = load_network(run.folder)
    network.requires_grad_(requires_grad=False)
    keep = spread_sample(len(images), CHECKED_IMAGES)
    pixels = info.preprocessing.normalise(images.images(keep))
    loops = block_matrix(run.records)[keep].astype(np.int64)
    ran = ran_of(torch.from_numpy(loops), network.layout)
    target = torch.from_numpy(run.records["prediction"].to_numpy()[keep].astype(np.int64))
    rows: list[list[str]] = []
    for method in METHODS:

        def explain(of: Network, method: Method = method) -> np.ndarray:
            parts = zip(pixels.split(_AT_ONCE), ran.split(_AT_ONCE), target.split(_AT_ONCE),
                        strict=True)  # fmt: skip
            return np.concatenate([attribute(freeze(of, r), x, t, method) for x, r, t in parts])

        rows.append(_checked(method, sanity_check(network, explain, DRAWS, levels="whole")))
    columns = ("method", "ρ, all weights random", "SSIM", "ρ of two images' maps", "its maps")
    return (
        f"The check of Adebayo et al. (2018) on {len(keep)} test images: maps of the trained "
        "network against maps of the same network with weights as before training, decisions and "
        f"explained class held at the trained network's; mean of {DRAWS} draws and of the images. "
        "ρ: Spearman's, of the pixels' absolute evidence. Beside it, for comparison, that of the "
        "trained network's maps of two different images. Flagged where ρ stays above "
        f"{LIKE:g} (a limit of ours).\n\n{table(columns, rows)}"
    )


def _checked(method: Method, found: SanityCheck) -> list[str]:
    last = found.levels[-1]
    return [
        f"`{method}`",
        estimate(last.rank) if last.rank.n else NOTHING,
        estimate(last.ssim),
        estimate(found.strangers),
        found.verdict + (" (flagged)" if found.verdict == "ignores the weights" else ""),
    ]


def _sign(found: Relation) -> int:
    return int(found.low > 0) - int(found.high < 0)


def _listed(names: Sequence[str], every: int) -> str:
    return "every method" if len(names) == every else ", ".join(f"`{name}`" for name in names)
