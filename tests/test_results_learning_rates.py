"""The page's map of learning rates, against outcomes by hand."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from benchmarks.results.learning_rates import PICTURE, learning_rates
from benchmarks.stability_record import Configuration, Record, Result


def result(error: float | None, outcome: str = "trained", batch: float | None = None) -> Result:
    return Result(outcome, (1.0, 0.5), error, batch, 3.5, 100, 1.0, "cpu")


def measured(path: Path) -> Path:
    record = Record(path)
    rows = [
        ("one loop", 1, 0.1, 0, result(10.0)),
        ("one loop", 1, 0.2, 0, result(12.0)),
        ("naive", 2, 0.1, 0, result(20.0, batch=19.0)),
        ("naive", 2, 0.1, 1, result(30.0, batch=29.0)),
        ("naive", 2, 0.2, 0, result(None, "not finite")),
        ("naive", 2, 0.2, 1, result(88.0, "above chance")),
        ("lvbn", 2, 0.1, 0, result(11.0)),
        ("lvbn", 2, 0.2, 0, result(13.0)),
        ("lvbn", 2, 0.2, 1, result(None, "not finite")),
    ]
    for norm, loops, rate, seed, found in rows:
        record.add(Configuration(norm, loops, rate, seed, 5, 2000), found)
    record.add(Configuration("naive", 8, 0.4, 0, 1, 2000), result(50.0))  # another length
    return path


def test_nothing_was_measured(tmp_path: Path) -> None:
    assert learning_rates(tmp_path, tmp_path / "none.jsonl") == ""
    assert not (tmp_path / PICTURE).exists()


def test_the_table(tmp_path: Path) -> None:
    text = learning_rates(tmp_path, measured(tmp_path / "found.jsonl"))
    assert "over 5 epochs of 2,000 images, 2 seed(s)" in text.replace("\n", " ")
    for line in (
        "| loops | norms | 0.1 | 0.2 |",
        "| 1 | one BatchNorm for all loops | 10.0; ‖g‖ 3.5 | 12.0; ‖g‖ 3.5 |",
        (
            "| 2 | one BatchNorm for all loops | 25.0 [24.0]; ‖g‖ 3.5 "
            "| learned nothing / not finite; ‖g‖ 3.5 |"
        ),
        "| 2 | LVBN | 11.0; ‖g‖ 3.5 | 13.0 (1 of 2); ‖g‖ 3.5 |",
        "- With one loop every seed trains up to a rate of 0.2 (the largest that was tried).",
        (
            "- With l = 2 every seed trains up to 0.1 with one BatchNorm for all loops and 0.1 "
            "with LVBN."
        ),
    ):
        assert line in text


def test_what_ends_at_guessing_has_not_trained(tmp_path: Path) -> None:
    record = Record(tmp_path / "found.jsonl")
    at_guessing = Result("above chance", (2.4, 2.31), 88.9, None, 3.5, 100, 1.0, "cpu")
    below = Result("trained", (2.4, 2.29), 86.0, 85.0, 3.5, 100, 1.0, "cpu")
    far_above = Result("above chance", (2.4, 5e12), 89.9, None, 5e7, 100, 1.0, "cpu")
    for rate, found in ((0.1, at_guessing), (0.2, below), (0.4, far_above)):
        record.add(Configuration("lvbn", 4, rate, 0, 5, 2000), found)
    text = learning_rates(tmp_path, tmp_path / "found.jsonl")
    assert (
        "| 4 | LVBN | learned nothing; ‖g‖ 3.5 | learned nothing; ‖g‖ 3.5 | exploded; ‖g‖ 5e+07 |"
    ) in text
    svg = (tmp_path / PICTURE).read_text()
    assert svg.count(">nothing<") == 2
    assert svg.count(">∞<") == 1


def test_the_picture(tmp_path: Path) -> None:
    learning_rates(tmp_path, measured(tmp_path / "found.jsonl"))
    first = (tmp_path / PICTURE).read_bytes()
    svg = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(first)
    boxes = [box.get("fill") for box in root.iter(f"{svg}rect") if box.get("stroke")]
    assert len(boxes) == 2 * 2 * 2
    assert boxes.count("#d55e00") == 2, "naive and LVBN with two loops at 0.2"
    written = {each.text for each in root.iter(f"{svg}text")}
    assert {"10.0", "25.0", "∞", "1/2", "LVBN", "0.2"} <= written
    learning_rates(tmp_path, tmp_path / "found.jsonl")
    assert (tmp_path / PICTURE).read_bytes() == first
