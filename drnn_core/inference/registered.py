"""The registered networks, counted: read from ``registered.json``, or counted anew.

    python -m drnn_core.inference.registered    writes registered.json

The file spares building some forty networks, and torch, to whoever wants to see their figures. A
network whose recipe was changed since is counted anew; a changed class is what the tests find.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drnn_core.recipes import NETWORKS, NetworkRecipe
from drnn_core.store.counted import Counted, count
from drnn_core.store.fields import Fields

FILE = Path(__file__).with_name("registered.json")


@dataclass(frozen=True)
class Registered:
    """A network as its name alone makes it.

    Attributes:
        recipe: what it is.
        counted: its stages and cost.
        params_as_paper: parameters as the paper counts them, ``drnn_core.counting.paper_params``.
    """

    recipe: NetworkRecipe
    counted: Counted
    params_as_paper: int


def registered_network(name: str) -> Registered:
    """A network by its name, counted; built only if the file lacks it as its recipe is now.

    Raises:
        ValueError: no network is called so.
    """
    recipe = NETWORKS.get(name)
    stored = _stored().get(name)
    if recipe is None or stored is None or stored["recipe"] != _digest(recipe):
        return count_anew(name)
    counted = Counted.from_fields(Fields(stored, f"{FILE}, {name}", ValueError))
    return Registered(recipe, counted, stored["params_as_paper"])


def count_anew(name: str) -> Registered:
    """Build a network without its weights and count it.

    Raises:
        ValueError: no network is called so.
    """
    import torch

    from drnn_core.counting import paper_params
    from drnn_core.models.registry import create_model

    with torch.device("meta"):  # shapes alone: no memory for weights, no arithmetic
        network = create_model(name)
        return Registered(network.recipe, count(network), paper_params(network))


@functools.cache
def _stored() -> Mapping[str, dict[str, Any]]:
    if not FILE.is_file():
        return {}
    return json.loads(FILE.read_text("utf-8"))


def _digest(recipe: NetworkRecipe) -> str:
    return hashlib.sha256(repr(recipe).encode()).hexdigest()[:16]


def _text() -> str:
    """The file anew: a network in each line."""
    lines: list[str] = []
    for name, recipe in NETWORKS.items():
        found = count_anew(name)
        values: dict[str, Any] = {
            "recipe": _digest(recipe),
            "params_as_paper": found.params_as_paper,
            **found.counted.to_dict(),
        }
        lines.append(f"{json.dumps(name)}: {json.dumps(values, separators=(',', ':'))}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(_text(), "utf-8")
