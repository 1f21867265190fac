"""Table 1: every network of the paper on CIFAR-10 beside our runs of it, over seeds."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.results.tables import (
    NOTHING,
    by_seed,
    estimate,
    mean_over_seeds,
    number,
    spread,
    table,
)
from benchmarks.results.trainings import Trained, both_seeds, command, compared, plain_pairs
from drnn_core.analysis.seeds import over_seeds
from drnn_core.recipes import NETWORKS, NetworkRecipe
from drnn_core.recipes.beside import without_loops
from drnn_core.recipes.readings import printed_error, row_of

DATA = "CIFAR-10"

OPENING = """Mean ± standard deviation over seeds (n - 1), with the final weights on the whole test
set; the recipe `paper` is the paper's, which has 350 epochs, the others are ours (docs/paper.md).
Loops: mean ± standard deviation over images, both averaged over seeds. A dash: not trained here.
The copy of CIFAR-10 had been stored as JPEG of quality 75; what that costs in accuracy was not
measured. "First loop unasked" is the same row of the paper read otherwise (docs/paper.md), shown
where it was trained. `-netrate`: the rate loss holds the mean rate of all gates at the target
instead of each gate's; `-falling`: its target falls from 1 during the training; `-batchrate`: every
batch holds a gate's rate at its first loop. A network without gates feels none of them. ResNet-16
(3-2-2) is no row of the paper: the blocks of DR-Res 16, each run once."""

PAIRED = """### Against the plain counterpart

Error of the network minus that of a plain one, trained alike with the same seed and tested on the
same images: of its counterpart in the paper, which multiplies about as much with more parameters,
and of its own blocks each run once (ResNet-16), which have its parameters and multiply less. In
points, negative where the network is better. Over seeds: mean and 95 % interval of Student's t.
Over images: 95 % bootstrap interval of the same mean, seeds held fixed. p over all seeds is
McNemar's with the image as the cluster (Obuchowski 1998), since seeds share the images; p of each
seed is McNemar's exact test. The paper's difference is one to He et al.'s printed errors, whose
networks were trained otherwise (docs/paper.md, "The networks of table 1")."""


def table_1(groups: Sequence[Trained]) -> str:
    """Rows, pairs and commands; rows of the paper without a run are there with a dash."""
    names = [name for row in _networks() for name in (row, *_read_otherwise(row), *_once(row))]
    own = [one for one in groups if one.training.data == DATA]
    ours = [one for name in names for one in own if one.network == name]
    columns = (
        "network", "recipe", "n seeds", "error %, mean ± std", "error % by seed", "paper",
        "params", "MACs, mean", "realised rate (target)", "loops, mean ± std of images",
    )  # fmt: skip
    rows: list[list[str]] = []
    for name in names:
        found = [_row(one) for one in ours if one.network == name]
        rows += found or ([_missing(NETWORKS[name])] if name in _networks() else [])
    parts = [OPENING, table(columns, rows)]
    pairs = _pairs(ours)
    if pairs:
        parts += [PAIRED, pairs]
    if ours:
        commands = "\n".join(f"- {one.title}, {one.schedule}: {command(one)}" for one in ours)
        parts += ["### Commands\n\nDATA stands for the data set's folder.", commands]
    parts += _twice(ours)
    return "\n\n".join(parts)


def _networks() -> list[str]:
    return [n for n, r in NETWORKS.items() if r.paper is not None and r.paper.source == "table 1"]


def _read_otherwise(row: str) -> list[str]:
    """Networks that are a row of the paper's table but for what its words leave open."""
    return [name for name in NETWORKS if name != row and row_of(name) is NETWORKS[row]]


def _once(row: str) -> list[str]:
    """The plain network of its blocks, which no row of the paper is."""
    plain = without_loops(row)
    return [] if plain is None else [plain.name]


def _row(one: Trained) -> list[str]:
    test = one.first.info.metrics.test
    loops = rate = NOTHING
    if test.loops_max:
        mean, std = (one.over(lambda run, k=k: getattr(run.info.metrics.test, k)).mean
                     for k in ("loops_mean", "loops_std"))  # fmt: skip
        loops = f"{mean:.2f} ± {std:.2f} of {test.loops_max}"
    if one.gated:
        rate = f"{spread(one.over(lambda run: run.info.metrics.test.rate), '.3f')} ({test.target})"
    macs = one.over(lambda run: run.info.metrics.test.macs_mean).mean
    return [
        one.title,
        one.schedule,
        str(len(one.runs)),
        spread(over_seeds(list(one.errors.values()))),
        by_seed(one.errors),
        number(printed_error(one.network)),
        f"{one.first.facts.cost.params / 1e6:.3f} M",
        f"{macs / 1e6:.1f} M",
        rate,
        loops,
    ]


def _missing(recipe: NetworkRecipe) -> list[str]:
    paper = number(recipe.paper and recipe.paper.error)
    return [recipe.title, *[NOTHING] * 4, paper, *[NOTHING] * 4]


def _pairs(ours: Sequence[Trained]) -> str:
    columns = (
        "network", "plain", "recipe", "difference by seed", "p by seed", "mean over seeds",
        "over images", "only the network right / only the plain one, all seeds", "p, all seeds",
        "paper's difference",
    )  # fmt: skip
    rows = [row for plain, one in plain_pairs(ours) for row in _pair(plain, one)]
    return table(columns, rows) if rows else ""


def _pair(plain: Trained, one: Trained) -> list[list[str]]:
    """A row; none where no seed was trained of both."""
    found = compared(plain, one)
    if found is None:
        return []
    errors, tests = found
    return [
        [
            one.title,
            plain.title,
            one.schedule,
            by_seed(errors.by_seed, "+.2f"),
            by_seed({seed: tests[seed].p for seed in both_seeds(plain, one)}, ".2g"),
            mean_over_seeds(errors.over_seeds),
            estimate(errors.over_images, "+.2f"),
            f"{errors.only_second:,} / {errors.only_first:,}",
            f"{errors.p:.2g}",
            number(printed_error(one.network) - printed_error(plain.network), "+.2f"),
        ]
    ]


def _twice(ours: Sequence[Trained]) -> list[str]:
    names = [f"`{run.folder.name}`" for one in ours for run in one.others]
    if not names:
        return []
    return [f"Left out, as its seed is there already: {', '.join(names)}."]
