"""The running statistics of the norms, from what ``drnn norms`` keeps with runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.results.shipped import Shipped
from benchmarks.results.tables import number, table, with_interval
from benchmarks.results.trainings import told_alone
from drnn_core.analysis.moments import NormStatistics, Sampled, difference, ends_of
from drnn_core.analysis.norm_bias import bias_table, sampled_biases
from drnn_core.analysis.norm_discrepancy import sampled_discrepancies
from drnn_core.querying.norms import read_statistics
from drnn_core.store.norms import NormsHeader, has_norms
from drnn_core.store.repeats import same_schooling, training_of_run


@dataclass(frozen=True)
class Normed:
    """The statistics of a run: as they are kept, and each number over norms and loops."""

    run: Shipped
    header: NormsHeader
    places: list[NormStatistics]
    sampled: Mapping[str, Sampled]

    @property
    def name(self) -> str:
        """For tables: the folder and the kind of the norms."""
        kinds = {"naive": "one for all loops", "lvbn": "LVBN", "ilvbn": "I-LVBN"}
        kind = self.places[0].kind
        return f"`{self.run.folder.name}`, {kinds.get(kind, kind)}"

    @property
    def shape(self) -> list[tuple[str, str, int, int]]:
        """Equal where two runs can be compared place by place."""
        return [(p.block, p.norm, p.loop, len(p.population.mean)) for p in self.places]

    @property
    def sample(self) -> tuple[str, int, int]:
        """Equal where two runs were measured on the same images in the same parts."""
        return self.header.data_fingerprint, self.header.images, self.header.parts


def normed(runs: Sequence[Shipped]) -> list[Normed]:
    """The runs that have statistics."""
    found: list[Normed] = []
    for run in runs:
        if has_norms(run.folder):
            header, places = read_statistics(run.folder)
            sampled = {**sampled_discrepancies(places), **sampled_biases(places)}
            found.append(Normed(run, header, places, sampled))
    return found


def running_statistics(runs: Sequence[Shipped]) -> str:
    """Bias of the running statistics of every run that was measured; "" where none was."""
    found = normed(runs)
    if not found:
        return ""
    columns = ("run", "images", "running mean off by, sd", "running / true variance", "over places")
    rows = [_bias_row(each) for each in found]
    shapes = [shape for each in found if (shape := each.shape)]
    groups = [
        [each for each in found if each.shape == shape]
        for place, shape in enumerate(shapes)
        if shape not in shapes[:place]
    ]
    parts = [f"{_MEANING}\n\n{table(columns, rows)}"]
    chosen = {run.folder for run in told_alone(runs)}
    for group in groups:
        if alone := [each for each in group if each.run.folder in chosen]:
            parts.append(_by_place(alone))
        parts += _pairs(group)
    return "\n\n".join(parts)


_MEANING = """Evaluation normalises each loop by running statistics, which should be those of the
images that execute it. Measured on test images as evaluation passes them (`drnn norms`): distance
of the running mean from the true one in running standard deviations, mean over channels, norms and
loops; running variance over true variance, geometric mean; in brackets 95 % intervals over images
(jackknife over ten parts). "Over places": the smallest and the largest ratio of variances of a norm
in a loop. What is off under I-LVBN too comes from training and evaluation not being alike
(augmented images, noisy gates, batches normalised by their own statistics)."""


def _bias_row(found: Normed) -> list[str]:
    mean, shift = found.sampled["mean_bias"].mean(), found.sampled["variance_shift"].mean()
    ratios = np.exp(found.sampled["variance_shift"].values)
    return [
        found.name,
        f"{found.header.images:,}",
        with_margin(mean, ".3f"),
        with_margin(shift, ".2f", exponential=True),
        f"{np.nanmin(ratios):.2f} to {np.nanmax(ratios):.2f}",
    ]


def _by_place(group: Sequence[Normed]) -> str:
    """A row for each norm and loop, a pair of columns for each run of one shape."""
    tables = [bias_table(each.places, {n: each.sampled[n] for n in _BIASES}) for each in group]
    columns = ["block", "loop", "norm"]
    for each in group:
        columns += [f"{each.name}: mean off, sd", "variance ×"]
    rows: list[list[str]] = []
    for place, first in enumerate(tables[0].to_dict("records")):
        cells = [str(first["block"]), str(first["loop"] + 1), str(first["norm"])]
        for frame in tables:
            cells += [
                number(float(frame["mean_bias"][place])),
                number(math.exp(float(frame["variance_shift"][place]))),
            ]
        rows.append(cells)
    return table(columns, rows)


_BIASES = ("mean_bias", "variance_bias", "variance_shift")


def _pairs(group: Sequence[Normed]) -> list[str]:
    """Gated runs on the same images that differ in their norms, I-LVBN first."""
    gated = [each for each in group if any(place.skipped.images for place in each.places)]
    return [
        _pair(first, second)
        for first in gated
        for second in gated
        if (first.places[0].kind, second.places[0].kind) == ("ilvbn", "lvbn")
        and first.header.data_fingerprint == second.header.data_fingerprint
        and _same_seed(first.run, second.run)
    ]


def _same_seed(first: Shipped, second: Shipped) -> bool:
    """Whether two runs were trained alike, with the same seed."""
    alike = same_schooling(training_of_run(first.info), training_of_run(second.info))
    return alike and first.info.seed == second.info.seed


def _pair(first: Normed, second: Normed) -> str:
    paired = first.sample == second.sample
    means, sizes = (
        difference(first.sampled[name].mean(), second.sampled[name].mean(), paired)
        for name in ("mean_bias", "variance_bias")
    )
    closer = [
        int((first.sampled[name].values < second.sampled[name].values).sum())
        for name in ("mean_bias", "variance_bias")
    ]
    low, high = math.exp(sizes[0] - sizes[1]), math.exp(sizes[0] + sizes[1])
    return (
        f"{first.name} against {second.name}: running means are off by {means[0]:+.3f} sd "
        f"({means[0] - means[1]:+.3f} to {means[0] + means[1]:+.3f}) more, running variances by "
        f"{math.exp(sizes[0]):.2f} ({low:.2f} to {high:.2f}) times the factor; the first is closer "
        f"in {closer[0]} (means) and {closer[1]} (variances) of {len(first.places)} norms and "
        "loops. One seed: intervals are over images and say nothing of other trainings."
    )


def with_margin(
    found: Sampled, form: str, exponential: bool = False, positive: bool = False
) -> str:
    """A number with its interval over images; alone where there are too few parts for one.

    Args:
        found: the number.
        form: of the text.
        exponential: show e to its power.
        positive: take the interval of its logarithm, as it cannot be negative.
    """
    edges = (found.values, *ends_of(found.values, found.margin(), positive))
    value, low, high = (float(np.exp(edge) if exponential else edge) for edge in edges)
    return number(value, form) if math.isnan(low) else with_interval(value, low, high, form)
