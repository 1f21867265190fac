"""``drnn bench``: how much time skipping saves, beside how much arithmetic it saves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import tyro

from drnn_core.commands.console import emit, errors
from drnn_core.commands.device import check_device

_IMAGENET = ("dr_resnet53_l3", "dr_resnet65_l2", "dr_resnet35_l2", "dr_mobilenetv2")
_CIFAR = ("dr_resnet16_l2", "dr_resnet40_l2", "dr_resnet74_l2")
_TRAINED = ("dr_resnet16_l2", "dr_resnet74_l2")
_QUICK = (("dr_resnet53_l3", 1), ("dr_resnet40_l2", 64))
_QUICK_SECONDS = 16.0
# What --quick has chosen already.
_NOT_QUICK = ("nets", "parts", "batch", "training_batch", "run_folder", "images")
_SHIPPED = Path(__file__).resolve().parents[2] / "checkpoints" / "cifar10_dr_resnet16_l2"

# What was measured, its rows, and how a row is printed.
_Found = tuple[str, list[Any], Callable[[Any], str]]


@dataclass(frozen=True)
class Bench:
    """Wall-clock ratios, each from measurements in turns on this machine, beside MAC ratios.

    inference: networks at their expected loops (decisions drawn at the rates t^k; the gates are
    asked and paid for) against themselves with all loops run and no gate asked (static), against
    themselves computed whole and selected (masked), against their plain counterparts in the same
    folded and packed form (counterpart), and as users run these (eager). paths: one image from no
    loop to all of them. training: a step against the plain counterpart's. records: the pipeline of
    drnn records against its bare network.

    Args:
        nets: names of networks, or folders of runs, whose decisions are then those of their
            records; by default the paper's.
        parts: what to measure; training leaves folders of runs out.
        batch: batch sizes of inference; by default 1, 8 and 64 at 224 pixels, 1, 64 and 256 at 32.
        against: what inference is compared with.
        device: "cpu" or "cuda"; records are measured on the CPU.
        dtype: of features and weights in inference and paths.
        seconds: for each network and batch size; more where three rounds take longer.
        threads: of the CPU; by default one for each core.
        training_batch: images of a training step.
        run_folder: whose pipeline records measures.
        images: that it records.
        quick: only inference of DR-ResNet 53 at batch 1 and DR-Res 40 at batch 64, and nothing
            masked, in less than 50 seconds; without nets, parts, batch and what other parts take.
        json: print machine and rows as JSON.
    """

    nets: tyro.conf.Positional[tuple[str, ...]] = ()
    parts: tuple[Literal["inference", "paths", "training", "records"], ...] = (
        *("inference", "paths", "training", "records"),
    )
    batch: tuple[int, ...] = ()
    against: tuple[Literal["static", "masked", "counterpart", "eager"], ...] = (
        *("static", "masked", "counterpart", "eager"),
    )
    device: Literal["cpu", "cuda"] = "cpu"
    dtype: Literal["float32", "bfloat16"] = "float32"
    seconds: float = 20.0
    threads: int | None = None
    training_batch: int = 128
    run_folder: Path = _SHIPPED
    images: int = 10_000
    quick: bool = False
    json: bool = False

    def run(self) -> int:
        """Measure and print, row by row."""
        import torch

        from drnn_core.benchmarking.machine import this_machine

        check_device(self.device)
        self._check_counts()
        self._check_choices()
        self._check_subjects()
        if self.threads:
            torch.set_num_threads(self.threads)
        machine = this_machine(self.device)
        if not self.json:
            print("   ".join(f"{name}: {value}" for name, value in machine.items()), flush=True)
        found: dict[str, Any] = {"machine": machine}
        for kind, measured, line in self._measurements():
            found.setdefault(kind, []).extend(asdict(row) for row in measured)
            if not self.json:
                for row in measured:
                    print(line(row), flush=True)
        if self.json:
            emit(found)
        return 0

    def _check_counts(self) -> None:
        counts = (*self.batch, self.training_batch, self.images, self.threads or 1)
        if any(count < 1 for count in counts):
            raise ValueError(
                "expected at least 1 for --batch, --training-batch, --images and --threads, "
                f"got {min(counts)}"
            )
        if not (self.seconds > 0 and math.isfinite(self.seconds)):
            raise ValueError(f"expected --seconds to be a number above 0, got {self.seconds:g}")

    def _check_choices(self) -> None:
        for name in ("parts", "against"):
            if not getattr(self, name):
                raise ValueError(f"expected at least one word after --{name}, got none")
        if not self.quick:
            return
        own = [field.name for field in fields(self) if getattr(self, field.name) != field.default]
        given = [name.replace("_", "-") for name in _NOT_QUICK if name in own]
        if given:
            raise ValueError(
                f"expected --quick without {', '.join(given)}, which it has chosen already; leave "
                "--quick or these out"
            )
        if set(self.against) == {"masked"}:
            raise ValueError("expected something to compare with --quick, which masks nothing")

    def _check_subjects(self) -> None:
        """Find all that is to be measured: a refusal in the midst would lose what was measured."""
        from drnn_core.benchmarking.steps import counterpart_of
        from drnn_core.benchmarking.subjects import check_loops, find_subject
        from drnn_core.store.runs import load_network

        stepping = self._stepping()
        for net in self.nets:
            subject = find_subject(net)
            if {"inference", "paths"} & {*self.parts}:
                check_loops(subject)
            if "training" in self.parts and net in stepping:
                counterpart_of(subject.network)
        if {*self.parts} == {"training"} and not stepping:
            raise ValueError(
                "expected names of networks for --parts training, got folders of runs only; name "
                "their networks"
            )
        if "records" in self.parts and not self.quick:
            load_network(self.run_folder)

    def _stepping(self) -> tuple[str, ...]:
        """The networks whose training step is to be measured: registered ones."""
        from drnn_core.models.registry import list_models

        return tuple(net for net in self.nets or _TRAINED if net in list_models())

    def _measurements(self) -> Iterator[_Found]:
        """One measurement after another."""
        if self.quick:
            yield from self._quick()
            return
        if "inference" in self.parts:
            yield from self._inference()
        if "paths" in self.parts:
            yield from self._paths()
        if "training" in self.parts:
            yield from self._training()
        if "records" in self.parts:
            from drnn_core.benchmarking.records import compare_records

            _say(f"records of {self.images:,} images")
            measured = compare_records(self.run_folder, self.images, self.seconds)
            yield "records", [measured], _record

    def _quick(self) -> Iterator[_Found]:
        against = tuple(other for other in self.against if other != "masked")
        for net, batch in _QUICK:
            seconds = min(self.seconds, _QUICK_SECONDS)
            yield self._compared(net, batch, against, seconds, least=1)

    def _inference(self) -> Iterator[_Found]:
        from drnn_core.benchmarking.subjects import find_subject

        for net in self.nets or (*_IMAGENET, *_CIFAR):
            usual = (1, 64, 256) if find_subject(net).image_size < 64 else (1, 8, 64)
            for batch in self.batch or usual:
                yield self._compared(net, batch, self.against, self.seconds)

    def _compared(
        self, net: str, batch: int, against: tuple[Any, ...], seconds: float, least: int = 3
    ) -> _Found:
        from drnn_core.benchmarking.contenders import compare
        from drnn_core.benchmarking.subjects import find_subject

        _say(f"{net}, batch {batch}")
        subject = find_subject(net, self.device)
        rows = compare(subject, batch, against, self.device, self._dtype(), seconds, least)
        return "rows", rows, _row

    def _paths(self) -> Iterator[_Found]:
        from drnn_core.benchmarking.paths import path_costs
        from drnn_core.benchmarking.subjects import find_subject

        for net in self.nets or (*_IMAGENET, *_CIFAR):
            _say(f"{net}, one image by its loops")
            subject = find_subject(net, self.device)
            yield (
                "paths",
                [path_costs(subject, self.device, self._dtype(), self.seconds)],
                _path,
            )

    def _training(self) -> Iterator[_Found]:
        from drnn_core.benchmarking.steps import compare_steps

        stepping = self._stepping()
        for net in self.nets:
            if net not in stepping:
                errors().print(f"{net} is a run: its training step is not measured", style="dim")
        for net in stepping:
            _say(f"{net}, training step")
            measured = compare_steps(net, self.training_batch, self.device, self.seconds)
            yield "training", [measured], _step

    def _dtype(self) -> Any:
        import torch

        return getattr(torch, self.dtype)


def _say(what: str) -> None:
    errors().print(f"{what} ...", style="dim")


def _row(row: Any) -> str:
    return (
        f"{row.net:16s} against {row.against:12s} batch {row.batch:4d}   time {row.time_ratio:.3f} "
        f"({row.low:.3f} to {row.high:.3f})   MACs {row.macs_ratio:.3f}   "
        f"over limit {row.over_limit:.3f}   {row.milliseconds:.2f} : "
        f"{row.their_milliseconds:.2f} ms"
    )


def _path(row: Any) -> str:
    return (
        f"{row.net:16s} one image   {row.fixed_milliseconds:.2f} ms + "
        f"{row.loop_milliseconds:.3f} ms a loop   R² {row.r_squared:.4f}   fixed part "
        f"{row.fixed_ratio:.3f} of all loops' time, {row.fixed_macs_ratio:.3f} of their MACs   "
        f"static {row.static_milliseconds:.2f} ms"
    )


def _step(row: Any) -> str:
    return (
        f"{row.net:16s} training step against {row.against}, batch {row.batch}   "
        f"time {row.time_ratio:.3f} ({row.low:.3f} to {row.high:.3f})   MACs {row.macs_ratio:.3f}"
        f"   {row.milliseconds:.1f} : {row.their_milliseconds:.1f} ms"
    )


def _record(row: Any) -> str:
    return (
        f"{row.net:16s} records of {row.images:,} images   {row.images_per_second:.0f} images/s, "
        f"{row.throughput_ratio:.3f} of the bare network's ({row.low:.3f} to {row.high:.3f})"
    )
