"""docs/results.md from the shipped runs: every figure, made anew.

    python -m benchmarks.results [--runs checkpoints] [--out docs/results.md]
    python -m benchmarks.results --data FOLDER --out docs/results-cifar10.md

The first reads run.json, the record tables and the columns beside them, and draws images of
``generated``; nothing else is needed. The second writes the figures that need the images of
another data set, for the runs with its classes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results.at_start import gradients_at_start
from benchmarks.results.budget import budget
from benchmarks.results.calibrated import calibrated
from benchmarks.results.digest import closing
from benchmarks.results.evidence import evidence, sanity
from benchmarks.results.figure_7 import figure_7, gaps_drawn
from benchmarks.results.figure_9 import figure_9
from benchmarks.results.gate_settings import gate_settings
from benchmarks.results.gate_swings import gate_swings
from benchmarks.results.gradients import along_training
from benchmarks.results.learning_rates import learning_rates
from benchmarks.results.loops import differences, foreseen_errors, relations
from benchmarks.results.norms import running_statistics
from benchmarks.results.overview import overview, pairs, rates
from benchmarks.results.pictures import under_corruption
from benchmarks.results.population import population_statistics
from benchmarks.results.readings import rate_losses
from benchmarks.results.seeds import of_seeds
from benchmarks.results.shipped import Shipped
from benchmarks.results.trainings import told_alone, trained
from drnn_core.data.datasets import load_split
from drnn_core.data.sets import ImageSet
from drnn_core.store.files import atomic_write_bytes
from drnn_core.store.runs import find_runs

OPENING = """# Results

Made by `make results` from the runs in `checkpoints/`, their records and the columns beside them;
nothing here is typed by hand. Each run's `run.json` holds its recipe, seed, data fingerprint and
curve, its `README.md` says how it was trained.

Numbers in brackets are 95 % intervals of a bootstrap over images (1,000 resamples), where nothing
else is said; those say nothing of other seeds or trainings. Intervals over seeds are Student's t of
few seeds: wide, and right only if seeds scatter normally. Many relations are looked at, and no
interval or p is corrected for that.

Runs whose names end in `_s` and their seed are told together, training by training; all others, and
of each network on each data set one of the longest training, also by themselves below."""

OPENING_OF_IMAGES = """# Results that need the images of {name}

Made by `python -m benchmarks.results --data FOLDER --out {out}`, where the folder holds the data
set; images and weights stay where they are. Everything else is in [results.md](results.md)."""


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("checkpoints"))
    parser.add_argument("--out", type=Path, default=Path("docs/results.md"))
    parser.add_argument("--data", default="", help="a folder of images other than generated")
    arguments = parser.parse_args()
    runs = [Shipped(folder) for folder in find_runs(arguments.runs)]
    out = arguments.out
    parts = of_images(runs, arguments.data, out) if arguments.data else whole(runs, out.parent)
    text = "\n\n".join(parts) + "\n"
    atomic_write_bytes(arguments.out, text.encode())
    print(text)


def whole(runs: Sequence[Shipped], folder: Path) -> list[str]:
    """The parts of docs/results.md; pictures are written into its folder."""
    parts = [OPENING, *of_seeds(runs, folder), f"## Every run\n\n{overview(runs)}"]
    alone = told_alone(runs)
    parts.append(f"## Pairs on the same images\n\n{pairs(alone)}")
    if drawn := gaps_drawn(alone, folder):
        parts.append(f"## Figure 7: executed against skipped feature maps\n\n{drawn}")
    for run in alone:
        if not run.varies:
            continue
        parts += [f"## {run.name}", *of_records(run, folder)]
        if moved := budget(run):
            parts.append(f"### Gates moved after training\n\n{moved}")
        if run.generated:
            parts += _pictures(run, load_split("generated", "test"))
    parts.append(f"## Running statistics of the norms\n\n{running_statistics(runs)}")
    if population := population_statistics(runs):
        parts.append(f"## Running statistics against those of batches\n\n{population}")
    parts.append(f"## Gradients by loop, before training\n\n{gradients_at_start()}")
    if gradients := along_training(runs):
        parts.append(f"## Gradients by loop, along training\n\n{gradients}")
    groups = trained(runs)
    of_gates = (gate_settings(), gate_swings(), rate_losses(groups), calibrated(groups))
    settings = [text for text in of_gates if text]
    if settings:
        parts.append("\n\n".join(["## What the settings of the gates do", *settings]))
    if diverging := learning_rates(folder):
        parts.append(f"## Learning rates and loops: where training diverges\n\n{diverging}")
    return [*parts, closing(runs)]


RELATIONS = """### What loops go with

Spearman's rank correlation. Within classes: mean of the classes' correlations, weighted by their
images. `image_` columns are of the picture, `saliency_` columns of the gradient's evidence for the
predicted class, on the path that the image took (`drnn saliency`).

"""

FORESEEN = """### What loops add in foreseeing an error

Area under the ROC curve: the chance that a wrongly classified image scores higher than a right one.
Logistic regressions see powers of the entropy's logarithm.

"""


def of_records(run: Shipped, folder: Path) -> list[str]:
    """What the records of one run say; pictures are written into the folder."""
    test = run.info.metrics.test
    expected = (
        f"Expected loops at the target: {run.facts.expected_loops:.2f}; measured "
        f"{test.loops_mean:.2f} ± {test.loops_std:.2f}."
    )
    return [
        expected,
        f"Realised rate of each gate, among the images that asked it:\n\n{rates(run)}",
        differences(run),
        RELATIONS + relations(run),
        FORESEEN + foreseen_errors(run),
        f"### What separates easy from hard images\n\n{figure_9(run, folder)}",
        f"### Saliency and loops\n\n{evidence(run)}",
        f"### Executed against skipped feature maps\n\n{figure_7(run)}",
    ]


def of_images(runs: Sequence[Shipped], data: str, out: Path) -> list[str]:
    """The parts of the page of another data set."""
    parts: list[str] = []
    name = data
    for run in runs:
        if not run.varies or run.generated:
            continue
        sizing = run.info.preprocessing
        images = load_split(data, "test", sizing.image_size, sizing=sizing)
        if images.classes == run.info.classes:
            name = images.name
            parts += [f"## {run.name}", *_pictures(run, images)]
    if not parts:
        raise SystemExit(f"expected {data} to have the classes of a shipped run; none has them")
    return [OPENING_OF_IMAGES.format(name=name, out=out), *parts]


def _pictures(run: Shipped, images: ImageSet) -> list[str]:
    return [
        f"### Loops as pictures get worse\n\n{under_corruption(run, images)}",
        f"### Whether maps depend on the weights\n\n{sanity(run, images)}",
    ]


if __name__ == "__main__":
    main()
