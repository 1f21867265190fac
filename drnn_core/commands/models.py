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


def model_row(name: str, anew: bool = True) -> dict[str, Any]:
    """One network of the table; MACs and parameters are counts, not millions.

    Keys: ``params`` is our count, ``params_paper_accounting`` counts as the paper does (see
    ``drnn_core.counting.paper_params``); ``macs_max`` and ``loops_max`` with every gate open,
    ``macs_expected`` and ``loops_expected`` at the target; ``paper`` is what the paper prints.

    Args:
        name: of a registered network.
        anew: build and count it; or take the stored counts, which need no torch.
    """
    from drnn_core.inference.registered import count_anew, registered_network

    found = count_anew(name) if anew else registered_network(name)
    recipe, cost = found.recipe, found.counted.cost
    return {
        "name": name,
        "title": recipe.title,
        "dataset": recipe.dataset,
        "params": cost.params,
        "params_paper_accounting": found.params_as_paper,
        "macs_max": cost.macs_max,
        "macs_expected": round(cost.expected_macs(recipe.target)),
        "loops_max": cost.loops_max,
        "loops_expected": cost.expected_loops(recipe.target),
        "target": recipe.target,
        "blocks": recipe.blocks,
        "loops": recipe.loops,
        "counterpart": recipe.counterpart,
        "paper": None if recipe.paper is None else asdict(recipe.paper),
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    """Parameters: our count, as the paper counts, as it prints. MACs: most, at target, printed."""
    print(f"{'':54}params, millions         MACs, millions             loops")
    print(
        f"{'network':22}{'blocks':15}{'loops':15}"
        f"{'ours':>9}{'as paper':>10}{'paper':>7}{'max':>9}{'expected':>10}{'paper':>7}"
        f"{'max':>6}{'expected':>10}"
    )
    for row in rows:
        paper: dict[str, float | None] = row["paper"] or {}
        print(
            f"{row['name']:22}{'-'.join(map(str, row['blocks'])):15}"
            f"{'-'.join(map(str, row['loops'])):15}"
            f"{row['params'] / 1e6:9.3f}{row['params_paper_accounting'] / 1e6:10.3f}"
            f"{_or_dash(paper.get('params')):>7}"
            f"{row['macs_max'] / 1e6:9.1f}{row['macs_expected'] / 1e6:10.1f}"
            f"{_or_dash(paper.get('flops'), 1000):>7}"
            f"{row['loops_max'] or '–':>6}{_loops(row['loops_expected']):>10}"
        )


def _loops(expected: float) -> str:
    return f"{expected:.2f}" if expected else "–"


def _or_dash(value: float | None, scale: float = 1) -> str:
    return "–" if value is None else f"{value * scale:g}"
