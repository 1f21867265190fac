"""Finished trainings made ready for checkpoints/: copied, recorded, measured, checked.

    python -m benchmarks.ship FOLDER... [--data CIFAR10] [--out checkpoints] [--threads 1]

Each run is copied to ``OUT/<data>_<network>_<recipe>_s<seed>``; then come the records of its test
set (``drnn records``), of a run with gates the statistics of its norms (``drnn norms``) and the
columns beside its records (``drnn saliency``), and ``drnn verify``. What is there already stays, so
the command can be stopped and given again, also when more runs have come. A line for each run says
what was done and how long it took; the exit code is 1 where one is not sound. The data set
``generated`` needs no folder.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from drnn_core.commands.measurements import measurements
from drnn_core.commands.norm_measuring import measure_norms
from drnn_core.data.datasets import load_split
from drnn_core.data.sets import ImageSet
from drnn_core.evaluation import measure
from drnn_core.inference.measuring import measure_run
from drnn_core.inference.recording import record_run
from drnn_core.inference.skipping import fast_forward
from drnn_core.store.integrity import verify_run
from drnn_core.store.norms import has_norms
from drnn_core.store.records import read_records
from drnn_core.store.repeats import changes_of, data_set_of
from drnn_core.store.retraining import recipe_epochs, training_changes_of
from drnn_core.store.runs import (
    CARD,
    INFO,
    WEIGHTS,
    RunInfo,
    RunMetrics,
    add_network,
    load_network,
    read_run,
    write_run,
)
from drnn_core.training.outcome import as_metrics

NORM_IMAGES = 2000
# What belongs to a run; checkpoints of the optimiser and TensorBoard's curves stay behind. run.json
# comes last: with it a run exists.
_FILES = (
    "gradients.json",
    "population.json",
    "budget.json",
    "norms.safetensors",
    CARD,
    WEIGHTS,
    INFO,
)
_FOLDERS = ("records", "columns", "sweeps")


@dataclass(frozen=True)
class Shipment:
    """What became of a run.

    Attributes:
        name: of its folder in checkpoints.
        done: what was done, in words.
        problems: what is wrong; nothing where it is sound.
        seconds: that writing its records took; 0 where they were there.
        rows: how many records were written.
        size: bytes of all of its files.
    """

    name: str
    done: tuple[str, ...]
    problems: tuple[str, ...]
    seconds: float
    rows: int
    size: int

    def __str__(self) -> str:
        rows = f" ({self.rows:,} images in {self.seconds:.0f} s)" if self.rows else ""
        done = ", ".join(self.done) or "nothing to do"
        problems = "; ".join(self.problems) or "sound"
        return f"{self.name}: {done}{rows}, {self.size / 1e6:.1f} MB; {problems}"


def name_of(info: RunInfo) -> str:
    """The folder's name, of what the run says of itself."""
    data = "".join(c for c in data_set_of(info).lower() if c.isalnum())
    network = info.model.removeprefix("dr:").replace("/", "_")
    changed = [
        change.replace(" = ", "_").replace("norm_", "").replace(".", "").replace("-", "_")
        for change in changes_of(info)
    ]
    changed += [change.replace("=", "_") for change in training_changes_of(info)]
    recipe = info.recipe_name.rpartition("_")[2]
    if recipe_epochs(info) not in (None, info.epochs):
        recipe += f"_{info.epochs}epochs"
    return "_".join([data, network, *changed, recipe, f"s{info.seed}"])


def ship(folder: Path, out: Path, sets: Sequence[ImageSet], *, remeasure: bool = False) -> Shipment:
    """Copy, record, measure and verify one run.

    Args:
        folder: of the finished run.
        out: folder of the runs that are shipped; the run may stand there already.
        sets: test sets; the first with the run's classes is taken.
        remeasure: take run.json's figures anew on this machine, where the records contradict them
            or another device's last bits make their error another.

    Raises:
        ValueError: no run, no fitting set, or another run under the name.
    """
    info = read_run(folder)
    name = folder.name if folder.resolve().parent == out.resolve() else name_of(info)
    target, done = out / name, list[str]()
    images = next((each for each in sets if each.classes == info.classes), None)
    if images is None:
        raise ValueError(f"expected --data with the classes of {folder} ({info.dataset}), got none")
    if _copied(folder, target, info):
        done.append("copied")
    started = time.perf_counter()
    rows = record_run(target, images)
    seconds = time.perf_counter() - started
    done += ["recorded"] if rows else []
    if info.metrics.test.target is not None and not has_norms(target):
        measure_norms(target, images, NORM_IMAGES)
        done.append("norms measured")
    if info.metrics.test.target is not None and _columns(target, images):
        done.append("columns measured")
    problems = _problems(target)
    if remeasure and (_other_error(target) or any("run.json says" in each for each in problems)):
        _measure_anew(target, images)
        done.append("figures taken anew")
        problems = _problems(target)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    return Shipment(name, tuple(done), problems, seconds, rows, size)


def _copied(folder: Path, target: Path, info: RunInfo) -> bool:
    """Copy the run where it is not there; False where it is.

    Raises:
        ValueError: another run stands there.
    """
    if (target / INFO).is_file():
        there = read_run(target)
        if there.weights_sha256 != info.weights_sha256:
            raise ValueError(
                f"expected {target} to be free or the run of {folder}, but it holds other weights; "
                "remove it or rename one of them"
            )
        return False
    target.mkdir(parents=True, exist_ok=True)
    for each in _FOLDERS:
        if (folder / each).is_dir():
            shutil.copytree(folder / each, target / each, dirs_exist_ok=True)
    for each in _FILES:
        if (folder / each).is_file():
            shutil.copyfile(folder / each, target / each)
    if info.network is None:  # of an earlier version
        add_network(target)
    return True


def _columns(target: Path, images: ImageSet) -> int:
    """Columns of picture, answer and gradient beside the records, where they are missing."""
    masks = images.masks([0]) is not None
    return measure_run(target, images, measurements("saliency", masks))


def _problems(target: Path) -> tuple[str, ...]:
    return tuple(f"{each.level}: {each.path}: {each.message}" for each in verify_run(target))


def _other_error(target: Path) -> bool:
    """Whether run.json's error is not the records', be it by one image, which is no problem."""
    wrong = (~read_records(target, columns=["correct"])["correct"]).mean()
    return abs(read_run(target).metrics.test.error - 100 * float(wrong)) > 1e-6


def _measure_anew(target: Path, images: ImageSet) -> None:
    network, info = load_network(target)
    forward = fast_forward(network, info.preprocessing.image_size)
    found = measure(network, images, info.preprocessing, forward=forward)
    metrics = RunMetrics(as_metrics(found, info.metrics.test.target))
    write_run(target, network.state_dict(), replace(info, metrics=metrics))


def main() -> int:
    """Ship every folder; 1 where one is refused or not sound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--data", action="append", default=[], help="a folder of images")
    parser.add_argument("--out", type=Path, default=Path("checkpoints"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--remeasure", action="store_true", help=ship.__doc__)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    sets = [load_split(data, "test") for data in dict.fromkeys([*arguments.data, "generated"])]
    failed = 0
    for folder in arguments.folders:
        try:
            found = ship(folder, arguments.out, sets, remeasure=arguments.remeasure)
        except (ValueError, OSError) as error:
            failed += 1
            print(f"{folder}: {error}", file=sys.stderr, flush=True)
            continue
        failed += bool(found.problems)
        print(found, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
