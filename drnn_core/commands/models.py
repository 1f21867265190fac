"""``drnn models``: every network, counted, beside what the paper prints."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import tyro

from drnn_core.commands.console import emit


@dataclass(frozen=True)
class Models:
    """List the networks: parameters, multiply-adds (MACs), loops, and the paper's numbers.

    Args:
        pattern: of names, for example 'dr_*'.
        json: print the table as JSON.
    """

    pattern: tyro.conf.Positional[str] = "*"
    json: bool = False

    def run(self) -> int:
        """Print the table."""
        from drnn_core.models.registry import list_models

        names = list_models(self.pattern)
        if not names:
            raise ValueError(f"no network matches {self.pattern!r}; drnn models lists all")
        rows = [model_row(name) for name in names]
        if self.json:
            emit(rows)
        else:
            _print_table(rows)
        return 0


def model_row(name: str) -> dict[str, Any]:
    """One network of the table; MACs and parameters are counts, not millions."""
    from drnn_core.cost import network_cost
    from drnn_core.models.registry import create_model
    from drnn_core.recipes import NETWORKS

    recipe = NETWORKS[name]
    cost = network_cost(create_model(name))
    return {
        "name": name,
        "title": recipe.title,
        "dataset": recipe.dataset,
        "params": cost.params,
        "macs_max": cost.macs_max,
        "macs_expected": round(cost.expected_macs(recipe.target)),
        "loops_max": cost.loops_max,
        "loops_expected": cost.expected_loops(recipe.target),
        "target": recipe.target,
        "blocks": recipe.blocks,
        "loops": recipe.loops,
        "paper": None if recipe.paper is None else asdict(recipe.paper),
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    print(f"{'':39}params, millions   MACs, millions          loops")
    print(
        f"{'network':17}{'blocks':10}{'loops':13} ours  paper      max expected paper  max expected"
    )
    for row in rows:
        paper: dict[str, float | None] = row["paper"] or {}
        print(
            f"{row['name']:16s} {'-'.join(map(str, row['blocks'])):9s} "
            f"{'-'.join(map(str, row['loops'])):9s} "
            f"{row['params'] / 1e6:8.3f} {_or_dash(paper.get('params')):>6s} "
            f"{row['macs_max'] / 1e6:8.1f} {row['macs_expected'] / 1e6:8.1f} "
            f"{_or_dash(paper.get('flops'), 1000):>5s} "
            f"{row['loops_max'] or '–':>4} "
            f"{_loops(row['loops_expected']):>8s}"
        )


def _loops(expected: float) -> str:
    return f"{expected:.2f}" if expected else "–"


def _or_dash(value: float | None, scale: float = 1) -> str:
    return "–" if value is None else f"{value * scale:g}"
