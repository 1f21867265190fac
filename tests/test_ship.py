"""benchmarks/ship.py: runs arrive whole under the name that they earn, once."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmarks.ship import name_of, ship
from drnn_core.recipes import get_recipe
from drnn_core.store.columns import read_all
from drnn_core.store.integrity import verify_run
from drnn_core.store.norms import has_norms
from drnn_core.store.records import read_records
from drnn_core.store.runs import RunMetrics, find_runs, read_run, write_run
from drnn_core.training.outcome import network_arguments
from tests.tiny_runs import paths_under, tiny_images, tiny_info, tiny_network, tiny_run


def info_named(recipe: str, /, **changes: object) -> str:
    found = get_recipe(recipe)
    info = tiny_info(
        model=found.network.name,
        model_args=network_arguments(found.network),
        recipe_name=recipe,
        recipe=dataclasses.asdict(found),
        epochs=found.training.epochs,
        dataset="cifar10 (image Parquet)",
        classes=tuple("abcdefghij"),
    )
    metrics = dataclasses.replace(info.metrics.test, target=found.network.target)
    return name_of(dataclasses.replace(info, metrics=RunMetrics(metrics), **changes))


def test_names_say_data_network_recipe_and_seed() -> None:
    assert info_named("dr_resnet16_l2_paper") == "cifar10_dr_resnet16_l2_paper_s1"
    assert (
        info_named("resnet20_short", seed=3, dataset="generated (train)")
        == "generated_resnet20_short_s3"
    )
    assert info_named("resnet20_short", epochs=5) == "cifar10_resnet20_short_5epochs_s1"
    slower = dataclasses.asdict(get_recipe("resnet20_short"))
    slower["training"] |= {"lr": 0.05, "batch": 64}
    assert (
        info_named("resnet20_short", recipe=slower) == "cifar10_resnet20_batch_64_lr_0.05_short_s1"
    )
    arguments = network_arguments(get_recipe("dr_resnet16_l2_short").network)
    joint = {**arguments, "norm": "ilvbn_joint"}
    always = {**arguments, "first_loop": "always"}
    assert (
        info_named("dr_resnet16_l2_short", model_args=joint)
        == "cifar10_dr_resnet16_l2_ilvbn_joint_short_s1"
    )
    assert (
        info_named("dr_resnet16_l2_short", model_args=always)
        == "cifar10_dr_resnet16_l2_first_loop_always_short_s1"
    )


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A training's folder, with what belongs to no run beside it."""
    folder = tmp_path / "trained"
    tiny_run(folder)
    (folder / "resume.pt").write_bytes(b"state")
    (folder / "events.out.tfevents.1").write_bytes(b"curves")
    return folder


def test_a_run_arrives_recorded_and_once(finished: Path, tmp_path: Path) -> None:
    out, images = tmp_path / "out", [tiny_images()]
    first = ship(finished, out, images)
    (target,) = find_runs(out)
    assert first.done == ("copied", "recorded", "norms measured", "columns measured")
    assert (first.name, first.rows) == (target.name, 60)
    assert len(read_records(target)) == 60
    assert has_norms(target)
    assert {"image_brightness", "margin", "saliency_entropy"} < set(read_all(target))
    assert not [
        path for path in paths_under(target) if path.suffix == ".pt" or "events" in path.name
    ]
    before = {path: path.stat().st_mtime_ns for path in paths_under(target)}
    again = ship(finished, out, images)
    assert (again.done, again.rows) == ((), 0)
    assert {path: path.stat().st_mtime_ns for path in paths_under(target)} == before
    assert ship(target, out, images).name == target.name  # also from where it stands


def test_figures_of_another_machine_are_seen_and_taken_anew(finished: Path, tmp_path: Path) -> None:
    """The figures of ``tiny_info`` are invented."""
    out, images = tmp_path / "out", [tiny_images()]
    found = ship(finished, out, images)
    assert any("run.json says" in problem for problem in found.problems)
    assert "run.json says" in str(found)
    anew = ship(finished, out, images, remeasure=True)
    assert anew.done == ("figures taken anew",)
    assert anew.problems == ()
    (target,) = find_runs(out)
    assert verify_run(target) == []
    records = read_records(target)
    assert read_run(target).metrics.test.error == pytest.approx(100 * (~records["correct"]).mean())


def test_other_runs_and_other_data_are_refused(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ValueError, match="expected --data with the classes"):
        ship(finished, out, [])
    ship(finished, out, [tiny_images()])
    write_run(finished, tiny_network(seed=5).state_dict(), tiny_info())
    with pytest.raises(ValueError, match="other weights"):
        ship(finished, out, [tiny_images()])
