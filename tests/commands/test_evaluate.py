"""``drnn evaluate`` in words: one line of rates for each block, however often it may loop."""

from __future__ import annotations

import pytest

from drnn_core.commands.evaluate import _print
from drnn_core.evaluation import measure
from tests.tiny_runs import PREPROCESSING, tiny_images, tiny_info, tiny_network


def test_blocks_of_different_loops_have_rates_of_their_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    network = tiny_network(seed=7, blocks=(1, 3, 2), loops=(1, 2, 3))
    measures = measure(network, tiny_images(), PREPROCESSING)
    _print(tiny_info(), measures, network.layout)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    rates = {line[0]: line[1:] for line in lines if line[0] in {"2.2", "2.3", "3.2"}}
    shown = [f"{rate:.3f}" for rate in measures.gate_rates]
    assert len(set(shown)) >= 5, "lines that could be told apart"
    assert rates == {"2.2": shown[:2], "2.3": shown[2:4], "3.2": shown[4:]}


def test_a_network_without_gates_has_loops_and_no_rates(
    capsys: pytest.CaptureFixture[str],
) -> None:
    network = tiny_network(gated=False)
    _print(tiny_info(), measure(network, tiny_images(), PREPROCESSING), network.layout)
    text = capsys.readouterr().out
    assert "loops         5.00 ± 0.00 of 5" in text
    assert "rate" not in text
