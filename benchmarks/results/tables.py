"""Figures as text: tables in Markdown, estimates with their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.relations import Relation

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
    return _with_interval(found.value, found.low, found.high, form)


def relation(found: Relation) -> str:
    """A correlation with its interval."""
    return _with_interval(found.rho, found.low, found.high, "+.3f")


def _with_interval(value: float, low: float, high: float, form: str) -> str:
    if math.isnan(value):
        return NOTHING
    return f"{value:{form}} ({low:{form}} to {high:{form}})"
