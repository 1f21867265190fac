"""The points of the plots: the paper's results, and our runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from app.models.cells import epochs_text
from app.models.ours import OwnTraining
from app.models.tables import Kind, Model, counts_right, short_title
from app.units import macs_text, params_text

_SYMBOLS: dict[Kind, str] = {
    "plain": "circle-open",
    "other": "diamond-open",
    "recursive": "triangle-up-open",
    "dynamic": "circle",
}


@dataclass(frozen=True)
class Point:
    """A network in the plot.

    Attributes:
        network: its name.
        label: beside the point.
        kind: of the network.
        macs, params: what it costs; None where that is not known.
        accuracy: the measure of its data set; None where there is none.
        counterpart: name of its plain network, None for such.
        ours: a run of ours, not a printed result.
        hover: lines of HTML; what comes from outside is escaped in it.
        schooling: equal of networks of ours that were trained alike; "" of the paper's.
    """

    network: str
    label: str
    kind: Kind
    macs: float | None
    params: float | None
    accuracy: float | None
    counterpart: str | None
    ours: bool
    hover: str
    schooling: str = ""

    @property
    def loops(self) -> bool:
        """Whether the network has recursive blocks of more than one loop."""
        return self.kind in ("dynamic", "recursive")

    @property
    def symbol(self) -> str:
        """Plotly's name of its mark; runs of ours are squares."""
        if self.ours:
            return "square" if self.loops else "square-open"
        return _SYMBOLS[self.kind]


def printed_points(models: Sequence[Model]) -> list[Point]:
    """What the paper prints of each network; costs and accuracy as printed."""
    return [
        Point(
            model.name,
            short_title(model.recipe.title),
            model.kind,
            _times(model.paper.flops, 1e9),
            _times(model.paper.params, 1e6),
            model.printed,
            model.recipe.counterpart,
            False,
            _printed_hover(model),
        )
        for model in models
    ]


def own_points(ours: Sequence[OwnTraining], models: Sequence[Model]) -> list[Point]:
    """Trainings of these networks: measured multiply-adds, our count of parameters, accuracy.

    Those of changed networks are left out: their parameters are not those of the network. Where a
    network was trained in several ways, or some of these longer than others, points are named by
    recipe and epochs, too; a seed that was trained again has no point of its own.
    """
    by_name = {model.name: model for model in models}
    shown = [
        each for each in ours if each.network in by_name and not each.changed and not each.again
    ]
    times = Counter(each.network for each in shown)
    mixed = len({each.info.epochs for each in shown}) > 1
    return [
        Point(
            model.name,
            ", ".join([short_title(model.recipe.title), _way(each) if many else "ours"]),
            model.kind,
            each.metrics.macs_mean,
            model.params,
            each.accuracy,
            model.recipe.counterpart,
            True,
            _own_hover(each, model),
            each.schooling,
        )
        for each in shown
        for model in [by_name[each.network or ""]]
        for many in [mixed or times[each.network] > 1]
    ]


def _way(ours: OwnTraining) -> str:
    return f"{ours.info.recipe_name.rpartition('_')[2] or 'ours'} {ours.info.epochs:,}"


def joins(points: Sequence[Point]) -> list[tuple[Point, Point]]:
    """Each recursive network of more than one loop with its plain counterpart of one source.

    Of ours those are joined that were trained alike.
    """
    plain = {(point.network, point.ours, point.schooling): point for point in points}
    pairs = [
        (point, plain.get((point.counterpart or "", point.ours, point.schooling)))
        for point in points
    ]
    return [(point, other) for point, other in pairs if other is not None and point.loops]


def _printed_hover(model: Model) -> str:
    paper, recipe = model.paper, model.recipe
    lines = [f"<b>{escape(recipe.title)}</b>", f"printed in the paper, {paper.source}"]
    lines.append(_accuracy(model.printed, recipe.dataset))
    if paper.params is not None:
        lines.append(f"{paper.params:g} M parameters")
    if paper.flops is not None:
        lines.append(f"{macs_text(paper.flops * 1e9)} multiply-adds")
    return "<br>".join(lines)


def _own_hover(run: OwnTraining, model: Model) -> str:
    metrics = run.metrics
    lines = [
        f"<b>{escape(model.recipe.title)}</b>",
        (f"trained here: {escape(run.name)}, {escape(epochs_text(run))} on {escape(run.data_set)}"),
        _accuracy(run.accuracy, run.data_set) + _seeds(run),
        f"{params_text(model.params)} parameters",
        f"{macs_text(metrics.macs_mean)} multiply-adds, mean of {metrics.n:,} images",
    ]
    if metrics.loops_max and metrics.rate is not None:
        lines.append(
            f"{metrics.loops_mean:.2f} ± {metrics.loops_std:.2f} of {metrics.loops_max} loops, "
            f"gates open at {metrics.rate:.2f}"
        )
    return "<br>".join(lines)


def _seeds(ours: OwnTraining) -> str:
    """Of several seeds that it is a mean, and how far they lie apart."""
    if len(ours.runs) == 1:
        return ""
    found = [run.accuracy for run in ours.runs]
    return f", mean of {len(found)} seeds ({min(found):.2f} to {max(found):.2f})"


def _accuracy(value: float | None, data_set: str) -> str:
    what = "top-1 accuracy" if counts_right(data_set) else "test error"
    return f"{what} {value:.2f} %" if value is not None else ""


def _times(value: float | None, unit: float) -> float | None:
    return None if value is None else value * unit
