"""The same training with other seeds: what one run says of a trend may be chance of its seed."""

from __future__ import annotations

from collections.abc import Sequence

from app import cache
from app.norms.found import Found, found_in, measured
from app.numbers import number
from drnn_core.analysis.norm_trends import Trend, over_depth
from drnn_core.store.repeats import repeats_of


def other_seeds(run: cache.Run, first: Found, runs: Sequence[cache.Run]) -> list[Found]:
    """Statistics of the runs that repeat a run's training with other seeds, by seed.

    Left out are those whose statistics were not measured, or cannot be used: their own page says
    why.

    Args:
        run: whose training it is.
        first: its statistics.
        runs: on the shelf.
    """
    assert run.info is not None
    by_name = {
        other.name: other
        for other in runs
        if other.info is not None and other.info.model == run.info.model
    }
    infos = {name: other.info for name, other in by_name.items() if other.info is not None}
    found: list[Found] = []
    for each in repeats_of(infos):
        if run.name not in (*each.names.values(), *each.others):
            continue
        names = [name for seed, name in each.names.items() if seed != run.info.seed]
        found += [known for name in names if (known := _statistics(by_name[name])) is not None]
    return [other for other in found if other.same_shape(first)]


def _statistics(run: cache.Run) -> Found | None:
    try:
        return found_in(run) if measured(run) else None
    except (ValueError, OSError):
        return None


def depth_trends(others: Sequence[Found], measure: str) -> list[Trend]:
    """A measure over the depth of each run, of all norms and loops."""
    return [over_depth(other.sampled[measure]) for other in others]


def in_words(trends: Sequence[Trend]) -> str:
    """The correlations of other seeds, such as "; other seeds: −0.39, −0.41"; "" of none."""
    if not trends:
        return ""
    many = "other seeds" if len(trends) > 1 else "the other seed"
    return f"; {many}: {', '.join(number(trend.rho, '+.2f') for trend in trends)}"


def against(trend: Trend, trends: Sequence[Trend]) -> int:
    """How many other seeds order the norms and loops the other way."""
    return sum(trend.rho * other.rho < 0 for other in trends)
