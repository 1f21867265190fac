"""The page's table of gate settings, against outcomes by hand."""

from __future__ import annotations

from pathlib import Path

from benchmarks.gate_settings import CHANGES, settings
from benchmarks.gate_settings_record import GateResult, GateSetting, read, write
from benchmarks.results.gate_settings import gate_settings


def result(error: float, rate: float) -> GateResult:
    return GateResult(error, rate, (0.5, None, 0.9), (0.1, rate, rate, rate), 2.0, 1.0, 3e7, 9.0)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    found = {
        GateSetting(seed=1): result(20.0, 0.72),
        GateSetting(seed=2, target_falls=(0.0, 0.6)): result(22.0, 0.66),
    }
    write(tmp_path / "deep" / "found.jsonl", found)
    assert read(tmp_path / "deep" / "found.jsonl") == found
    assert read(tmp_path / "none.jsonl") == {}


def test_one_setting_is_changed_at_a_time() -> None:
    all_of_them = list(settings([1, 2], 3, 500))
    assert len(set(all_of_them)) == len(all_of_them) == 2 * len(CHANGES)
    plain = GateSetting(seed=1, epochs=3, images=500)
    for setting in all_of_them[: len(CHANGES)]:
        fields = [name for name in vars(plain) if getattr(plain, name) != getattr(setting, name)]
        assert len(fields) == (setting != plain)


def test_some_changes_alone() -> None:
    found = list(settings([3], 3, 500, ["rate_loss"]))
    assert {each.rate_loss for each in found} == {"sampled", "both", "network", "batch"}
    assert all(each == GateSetting(rate_loss=each.rate_loss, seed=3, epochs=3, images=500)
               for each in found)  # fmt: skip


def test_nothing_was_measured(tmp_path: Path) -> None:
    assert gate_settings(tmp_path / "none.jsonl") == ""


def test_the_table(tmp_path: Path) -> None:
    path = tmp_path / "found.jsonl"
    write(
        path,
        {
            GateSetting(seed=1): result(20.0, 0.72),
            GateSetting(seed=2): result(22.0, 0.66),
            GateSetting(seed=1, noise_until=None): result(19.0, 0.9),
            GateSetting(seed=1, rate_weight=8.0): result(25.0, 0.7),
            GateSetting(seed=1, target_falls=(0.0, 0.6)): result(18.0, 0.7),
            GateSetting(seed=1, epochs=1): result(80.0, 0.1),  # another size
        },
    )
    text = gate_settings(path)
    same = "0.50, 0.90 | 2.00 ± 1.00 | 30.0 M |"
    for line in (
        "| nothing | 2 | 21.00 ± 1.41 | 1: 20.00, 2: 22.00 | 0.690 | 0.030 | 0.000 | " + same,
        "| noise to the end | 1 | 19.00 | 1: 19.00 | 0.900 | 0.200 | 0.000 | " + same,
        "| λ = 8.0 | 1 | 25.00 | 1: 25.00 | 0.700 | 0.000 | 0.000 | " + same,
        "| target falls from 1 between 0.0 and 0.6 of the training | 1 | 18.00 | 1: 18.00 |",
    ):
        assert line in text
    assert "80.00" not in text
