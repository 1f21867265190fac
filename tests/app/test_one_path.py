"""What pages say where images do not differ in their loops, or no class holds both kinds."""

from __future__ import annotations

import pytest

from app.onepath import why_one_path
from drnn_core.inference.facts import NetworkFacts, network_facts
from drnn_core.recipes import get_recipe
from tests.tiny_runs import tiny_info


def facts_of(network: str) -> NetworkFacts:
    return network_facts(tiny_info(model=network, model_args={}))


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ("resnet20", "has no recursive blocks"),
        ("r_resnet16_l2", "has no gates and runs all of its 4 loops"),
        ("dr_resnet16_l2", "has gates, but all recorded images took the same number of loops"),
    ],
)
def test_what_a_network_has_is_what_is_said(network: str, why: str) -> None:
    assert get_recipe(f"{network}_short").network.name == network
    assert why_one_path(facts_of(network)) == why
