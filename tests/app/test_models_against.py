"""The Models page's tests against plain counterparts, beside counts by hand."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from app import cache
from app.models.against import Against, against_plain
from app.models.against_table import against_data, against_html
from app.models.ours import own_runs, trainings_of
from app.settings import RUNS_VARIABLE
from drnn_core.store.records import read_records
from tests.seed_runs import seed_run


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for seed in (1, 2):
        for network in ("dr_resnet16_l2", "resnet20"):
            seed_run(tmp_path, f"{network}_paper", seed)
    seed_run(tmp_path, "resnet20_short", 1)  # another recipe
    seed_run(tmp_path, "resnet56_paper", 1)  # nobody's counterpart here
    seed_run(tmp_path, "dr_resnet16_l2_paper", 1, norm="lvbn")  # changed
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    return tmp_path


def comparisons() -> list[Against]:
    runs = cache.list_runs()
    trainings = trainings_of(own_runs(runs))
    return against_plain(trainings, trainings, runs)


def correct(shelf: Path, network: str, seed: int) -> np.ndarray:
    records = read_records(shelf / f"cifar10_{network}_paper_s{seed}").sort_values("id")
    return records["correct"].to_numpy().astype(bool)


def loss(shelf: Path, network: str, seed: int) -> float:
    return float(
        read_records(shelf / f"cifar10_{network}_paper_s{seed}")["loss"].astype(float).mean()
    )


def test_only_trainings_alike_are_set_against_each_other(shelf: Path) -> None:
    (found,) = comparisons()
    assert (found.ours.network, found.plain.network) == ("dr_resnet16_l2", "resnet20")
    won = lost = 0
    for seed in (1, 2):
        ours, plain = (correct(shelf, each, seed) for each in ("dr_resnet16_l2", "resnet20"))
        difference = 100 * (plain.mean() - ours.mean())
        assert found.errors.by_seed[seed] == pytest.approx(difference)
        won, lost = won + int((ours & ~plain).sum()), lost + int((plain & ~ours).sum())
    assert (found.errors.only_second, found.errors.only_first) == (won, lost)
    for seed in (1, 2):
        ours, plain = (loss(shelf, each, seed) for each in ("dr_resnet16_l2", "resnet20"))
        assert found.losses.by_seed[seed] == pytest.approx(ours - plain)
    assert found.printed == pytest.approx(8.14 - 8.75)


def test_a_networks_own_blocks_run_once_stand_beside_it_too(shelf: Path) -> None:
    seed_run(shelf, "resnet16_paper", 2)
    found = {(each.ours.network, each.plain.network): each for each in comparisons()}
    assert set(found) == {
        ("dr_resnet16_l2", "resnet20"),
        ("dr_resnet16_l2", "resnet16"),
        ("resnet16", "resnet20"),
    }
    once = found["dr_resnet16_l2", "resnet16"]
    ours, plain = (correct(shelf, each, 2) for each in ("dr_resnet16_l2", "resnet16"))
    assert once.errors.by_seed == {2: pytest.approx(100 * (plain.mean() - ours.mean()))}
    assert np.isnan(once.printed), "the paper has no such network"


def test_the_table_says_all_of_it(shelf: Path) -> None:
    found = comparisons()
    text = re.sub(r"<[^>]+>", " ", against_html(found))
    assert "DR-Res 16 (l = 2)" in text
    assert "−0.61" in text
    data = against_data(found)
    assert data["seed"].tolist() == [1, 2]
    (loss,) = {f"{each.losses.over_seeds.mean:+.3f}".replace("-", "−") for each in found}
    assert loss in text
    assert data["loss_difference"].mean() == pytest.approx(data["loss_mean_over_seeds"].iloc[0])
    assert data["difference"].mean() == pytest.approx(data["mean_over_seeds"].iloc[0])


def test_of_a_row_read_otherwise_the_papers_difference_is_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for network in ("dr_resnet40_l2_always", "resnet56"):
        seed_run(tmp_path, f"{network}_paper", 1)
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    (found,) = comparisons()
    assert found.printed == pytest.approx(6.51 - 6.97)
    assert "−0.46*" in against_html([found])


def test_what_a_phone_shows_first_is_the_difference_and_its_p(shelf: Path) -> None:
    found = comparisons()
    (row,) = re.findall(r"<tbody><tr.*?</tr>", against_html(found))
    first, second, *_ = re.findall(r"<td[^>]*>(.*?)</td>", row)
    assert first == f"{found[0].errors.over_seeds.mean:+.2f}".replace("-", "−")
    p = found[0].errors.p
    assert second == ("&lt; 0.001" if p < 0.001 else f"{p:.3f}")


def test_a_seed_with_damaged_records_is_left_out(shelf: Path) -> None:
    (shard,) = (shelf / "cifar10_resnet20_paper_s2" / "records").glob("part-*")
    shard.write_bytes(b"x" * shard.stat().st_size)
    (found,) = comparisons()
    assert list(found.errors.by_seed) == [1]


def test_nothing_to_compare_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seed_run(tmp_path, "dr_resnet16_l2_paper", 1)
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    assert comparisons() == []
