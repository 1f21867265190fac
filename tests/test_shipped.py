"""What ships in checkpoints/ and data_samples/: sound, small, and as good as the README says."""

from __future__ import annotations

from pathlib import Path

import pytest

from drnn_core.data.generated import FACTORS
from drnn_core.data.pictures import decode_picture
from drnn_core.data.samples import read_samples
from drnn_core.inference.predictor import Predictor
from drnn_core.store.card import model_card
from drnn_core.store.integrity import verify_run
from drnn_core.store.records import read_records
from drnn_core.store.repeats import seed_in_name
from drnn_core.store.runs import find_runs, read_run

ROOT = Path(__file__).resolve().parents[1]
RUNS = find_runs(ROOT / "checkpoints")
# The paper's recipe leaves its gates where training left them.
CALIBRATED = [run for run in RUNS if read_run(run).recipe["training"].get("calibrate_gates")]
GATED = [run for run in CALIBRATED if read_run(run).metrics.test.target is not None]


def names(runs: list[Path]) -> list[str]:
    return [run.name for run in runs]


def test_the_pairs_are_there() -> None:
    assert {
        "cifar10_dr_resnet16_l2",
        "cifar10_resnet20",
        "generated_dr_resnet32_l4",
        "generated_r_resnet32_l4_naive",
        "generated_resnet20",
    } <= set(names(RUNS))


@pytest.mark.parametrize("run", RUNS, ids=names(RUNS))
def test_every_run_is_sound_with_records_of_its_whole_test_set(run: Path) -> None:
    assert verify_run(run) == []
    info, records = read_run(run), read_records(run)
    assert len(records) == info.metrics.test.n == (10_000 if "cifar10" in run.name else 5_000)
    assert info.metrics.test.error == pytest.approx(100 * (~records["correct"]).mean())
    assert (run / "README.md").read_text(encoding="utf-8") == model_card(info)
    assert set(FACTORS) <= set(records.columns) or "generated" not in run.name
    assert all(file.stat().st_size < 16e6 for file in run.rglob("*") if file.is_file())


@pytest.mark.parametrize("run", GATED, ids=names(GATED))
def test_gates_hold_their_target_and_tell_images_apart(run: Path) -> None:
    test = read_run(run).metrics.test
    assert test.rate is not None
    assert test.target is not None
    assert abs(test.rate - test.target) <= 0.05
    assert test.loops_std >= 0.5 or seed_in_name(run.name)


@pytest.mark.parametrize("run", RUNS, ids=names(RUNS))
def test_a_sample_is_predicted_as_its_record_says(run: Path) -> None:
    """The 128-pixel sample is shrunk by other code than the 32-pixel image: nearly the same."""
    if "generated" not in run.name:
        pytest.skip("the samples are of the generated set")
    samples = read_samples(ROOT / "data_samples")
    records = read_records(run).set_index("id")
    predictor = Predictor(run)
    pictures = [
        decode_picture((ROOT / "data_samples" / sample.file).read_bytes()) for sample in samples
    ]
    found = [prediction.label for prediction in predictor.predict_many(pictures)]
    same = [records.loc[s.id, "prediction"] == f for s, f in zip(samples, found, strict=True)]
    assert sum(same) >= 0.8 * len(same)
