"""Figures as text: tables in Markdown, estimates with their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.relations import Relation
from drnn_core.analysis.seeds import OverSeeds, correlation_over_seeds

NOTHING = "–"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines).replace(" --- ", "---")


def number(value: float | None, form: str = ".3g") -> str:
    """A number, or a dash where there is none."""
    return NOTHING if value is None or math.isnan(value) else f"{value:{form}}"


def estimate(found: Estimate, form: str = ".3f") -> str:
    """An estimate with its interval."""
    return with_interval(found.value, found.low, found.high, form)


def relation(found: Relation) -> str:
    """A correlation with its interval."""
    return with_interval(found.rho, found.low, found.high, "+.3f")


def spread(found: OverSeeds, form: str = ".2f") -> str:
    """Mean ± standard deviation over seeds; the mean alone of one seed."""
    if math.isnan(found.mean):
        return NOTHING
    return f"{found.mean:{form}}" + (f" ± {found.std:{form}}" if found.n > 1 else "")


def mean_over_seeds(found: OverSeeds, form: str = "+.2f") -> str:
    """A mean with its t interval over seeds, which one seed does not have."""
    if found.n < 2:
        return NOTHING if math.isnan(found.mean) else f"{found.mean:{form}} (one seed)"
    return with_interval(found.mean, found.low, found.high, form)


def correlation_by_seeds(rhos: Sequence[float]) -> str:
    """Mean of the seeds' correlations: of three and more with its interval, of two with either.

    An interval from two would be nearly as wide as what a correlation can be.
    """
    found = correlation_over_seeds(rhos)
    if len(rhos) == 2:
        return f"{number(found.mean, '+.3f')} ({', '.join(number(rho, '+.3f') for rho in rhos)})"
    return mean_over_seeds(found, "+.3f")


def by_seed(values: Mapping[int, float], form: str = ".2f") -> str:
    """A figure of each seed."""
    return ", ".join(f"{seed}: {value:{form}}" for seed, value in values.items()) or NOTHING


def with_interval(value: float, low: float, high: float, form: str) -> str:
    """A number with the ends of its interval; a dash where there is none."""
    if math.isnan(value):
        return NOTHING
    return f"{value:{form}} ({low:{form}} to {high:{form}})"
