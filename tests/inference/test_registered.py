"""registered.json holds what counting gives."""

from __future__ import annotations

import dataclasses

import pytest

from drnn_core.inference import registered
from drnn_core.inference.registered import count_anew, registered_network
from drnn_core.recipes import NETWORKS


@pytest.mark.parametrize("name", NETWORKS)
def test_the_file_is_up_to_date(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If not: python -m drnn_core.inference.registered"""
    found = count_anew(name)
    monkeypatch.setattr(registered, "count_anew", None)
    assert registered_network(name) == found
    layout = tuple(b for stage in found.counted.stages for b in stage.blocks if b.loops)
    assert layout == found.counted.cost.layout, "so the stages say what the steps are of"


def test_a_changed_recipe_is_counted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    before = registered_network("dr_resnet16_l2")
    recipe = dataclasses.replace(NETWORKS["dr_resnet16_l2"], blocks=(3, 3, 3))
    monkeypatch.setitem(NETWORKS, "dr_resnet16_l2", recipe)
    after = registered_network("dr_resnet16_l2")
    assert after.recipe == recipe
    assert after.counted.cost.loops_max == before.counted.cost.loops_max + 4


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no network is called 'resnet21'"):
        registered_network("resnet21")
