"""Passes that evaluate or train for a while leave each module in the mode that it was in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NoReturn

import pytest
import torch
from torch import nn

from drnn_core.analysis.batch_statistics import batch_normalised
from drnn_core.analysis.gradient_norms import gradient_norms
from drnn_core.analysis.norm_statistics import norm_statistics
from drnn_core.counting import network_cost
from drnn_core.evaluation import measure, outputs
from drnn_core.inference.export import export_network
from drnn_core.inference.skipping import compile_for_inference
from drnn_core.models.modes import in_mode
from drnn_core.models.network import Network
from drnn_core.training.calibration import calibrate_gates, calibrate_together
from drnn_core.training.captured_forward import CapturedForward
from tests.tiny_runs import PREPROCESSING, tiny_images, tiny_network

IMAGES = tiny_images(20)
PIXELS = PREPROCESSING.normalise(IMAGES.pixels)


class Standing:
    """In place of a stream, where there is no GPU."""

    def wait_stream(self, stream: object) -> None:
        """There is nobody to wait for."""


def captured(network: Network) -> CapturedForward:
    return CapturedForward(network, 4, 16, Standing())  # type: ignore[arg-type]


PASSES: dict[str, Callable[[Network], Any]] = {
    "counting": lambda network: network_cost(network, 16),
    "evaluation": lambda network: list(outputs(network, IMAGES, PREPROCESSING)),
    "measuring": lambda network: measure(network, IMAGES, PREPROCESSING),
    "compiling": lambda network: compile_for_inference(network, 16),
    "exporting": lambda network: export_network(network, 16),
    "calibrating": lambda network: calibrate_gates(network, IMAGES, PREPROCESSING, 0.6),
    "calibrating together": lambda network: calibrate_together(network, IMAGES, PREPROCESSING, 0.6),
    "capturing": captured,
    "moments": lambda network: norm_statistics(network, [PIXELS]),
    "the batch's statistics": lambda network: batch_normalised(network)(PIXELS),
    "gradients": lambda network: gradient_norms(network, PIXELS, lambda out: out.logits.sum()),
}


def modes_of(network: nn.Module) -> list[bool]:
    return [module.training for module in network.modules()]


def partly_frozen() -> Network:
    """In training, but for one norm outside of the recursive blocks and one within."""
    network = tiny_network().train()
    blocks: Any = [block for _, block in network.recursive_blocks()]
    stem = next(each for each in network.modules() if isinstance(each, nn.BatchNorm2d))
    stem.eval()
    next(iter(blocks[0].body.children())).eval()
    assert len(set(modes_of(network))) == 2
    return network


@pytest.mark.parametrize("name", PASSES)
def test_a_frozen_norm_stays_frozen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for what in ("stream", "graph"):
        monkeypatch.setattr(torch.cuda, what, lambda *_, **__: nullcontext())
    for what in ("CUDAGraph", "current_stream"):
        monkeypatch.setattr(torch.cuda, what, Standing)
    network = partly_frozen()
    before = modes_of(network)
    PASSES[name](network)
    assert modes_of(network) == before


@pytest.mark.parametrize("calibrate", [calibrate_gates, calibrate_together])
def test_a_calibration_that_fails_leaves_the_modes_as_they_were(
    calibrate: Callable[..., Any],
) -> None:
    def fails(*_: Any) -> NoReturn:
        raise ArithmeticError

    network = partly_frozen()
    before = modes_of(network)
    network.register_forward_pre_hook(fails)
    with pytest.raises(ArithmeticError):
        calibrate(network, IMAGES, PREPROCESSING, 0.6)
    assert modes_of(network) == before


@pytest.mark.parametrize("training", [True, False])
def test_all_are_in_one_mode_meanwhile(training: bool) -> None:
    network = partly_frozen()
    before = modes_of(network)
    with in_mode(network, training):
        assert set(modes_of(network)) == {training}
        network.train(not training)
    assert modes_of(network) == before
