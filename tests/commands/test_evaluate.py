"""``drnn evaluate``: which images it measures, what it refuses, and its lines of rates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drnn_core.cli import main
from drnn_core.commands.evaluate import _print, check_classes
from drnn_core.data.datasets import load_split
from drnn_core.data.sets import Subset
from drnn_core.evaluation import measure
from tests.tiny_runs import CLASSES, PREPROCESSING, tiny_images, tiny_info, tiny_network, tiny_run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of three random pictures a class, in the order of its classes."""
    draw = np.random.default_rng(0)
    for place in range(3 * len(CLASSES)):
        folder = tmp_path / "data" / "val" / CLASSES[place // 3]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = draw.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{place}.png")
    return tmp_path / "data"


def test_a_limit_takes_images_at_even_distances_and_0_takes_all(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_run(tmp_path / "run")
    images = load_split(str(data), "test", 16, sizing=PREPROCESSING)
    every = range(len(images))
    for more, places in (
        ([], every),
        (["--limit", "0"], every),
        (["--limit", "99"], every),
        (["--limit", "4"], [0, 4, 7, 11]),  # one of each class
    ):
        assert main(["evaluate", str(tmp_path / "run"), "--data", str(data), "--json", *more]) == 0
        found = json.loads(capsys.readouterr().out)
        part = Subset(images, np.array(places, dtype=np.int64))
        assert found["n"] == len(places)
        assert len(set(part.labels.tolist())) == len(CLASSES)
        assert found["loss"] == pytest.approx(measure(tiny_network(), part, PREPROCESSING).loss)


def test_a_negative_limit_is_one_line(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_run(tmp_path / "run")
    assert main(["evaluate", str(tmp_path / "run"), "--data", str(data), "--limit", "-1"]) == 1
    assert capsys.readouterr().err == "drnn: expected a --limit of 0 or more images, got -1\n"


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (("cat", "dog", "ship", "car"), "4 classes, got 4; .* label 3: expected 'tree', got 'car'"),
        (CLASSES[:3], "4 classes, got 3; .* label 3: expected 'tree', got none"),
        ((*CLASSES, "car"), "4 classes, got 5; .* label 4: expected none, got 'car'"),
        (("dog", "cat", "ship", "tree"), "label 0: expected 'cat', got 'dog'"),
    ],
)
def test_other_classes_are_told_by_the_first_that_differs(
    classes: tuple[str, ...], message: str
) -> None:
    check_classes(tiny_info(), CLASSES, "data")
    with pytest.raises(ValueError, match=f"expected data to have the run's .*{message}"):
        check_classes(tiny_info(), classes, "data")


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
