"""Time of one image in onnxruntime against the loops that it runs, of exported networks.

    python -m benchmarks.export checkpoints/generated_dr_resnet32_l4 dr_resnet53_l3 --threads 1

For a name, fresh weights; for a run, its own. Loops are forced by the thresholds that an exported
network takes, handed out evenly: the first one of every block, then the second ones, and so on;
the gates are asked all the same. All numbers of loops are measured in turns, beside the same
network exported without gates, which runs every loop and has no branches. Of a run with gates,
drawn pictures are measured, too, each as its gates decide. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from drnn_core.benchmarking.interleaving import Call, Seconds, interleave, typical
from drnn_core.benchmarking.machine import this_machine
from drnn_core.benchmarking.paths import straight_line
from drnn_core.counting import network_cost
from drnn_core.data.transforms import Preprocessing
from drnn_core.inference.export import ExportedNetwork, drawn_pictures, export_network
from drnn_core.models.network import Network
from drnn_core.models.registry import create_model
from drnn_core.store.runs import load_network

_POINTS = 5
_PICTURES = 40


def measure(name: str, threads: int | None, seconds: float) -> dict[str, Any]:
    """The row of a network, or of a run where there is a folder of this name."""
    network, preprocessing = _subject(name)
    steps = [loop for block in network.layout for loop in range(block.loops)]
    size = preprocessing.image_size
    run = ExportedNetwork(export_network(network, size, thresholds=True), threads)
    static = ExportedNetwork(export_network(_without_gates(network), size), threads)
    pixels = drawn_pictures(_PICTURES if Path(name).is_dir() else 1, preprocessing)
    images = preprocessing.normalise(pixels).contiguous().numpy()
    order = np.argsort(steps, kind="stable")
    counts = sorted({round(len(steps) * point / (_POINTS - 1)) for point in range(_POINTS)})
    calls: dict[str, list[Call]] = {"static": [lambda: static(images[:1])]}
    macs: list[int] = []
    cost = network_cost(network, size)
    for count in counts:
        thresholds = np.ones(len(steps), dtype=np.float32)
        thresholds[order[:count]] = 0
        found = run(images[:1], thresholds)
        assert found.ran.sum() == count
        macs += cost.macs_of(torch.from_numpy(found.asked), torch.from_numpy(found.ran)).tolist()
        calls[str(count)] = [lambda limits=thresholds: run(images[:1], limits)]
    times = interleave(calls, seconds)
    taken = [1e3 * typical(times[str(count)]) for count in counts]
    middle = counts.index(round(len(steps) / 2))
    row: dict[str, Any] = {
        "net": name,
        "loops": counts,
        "milliseconds": _rounded(taken),
        **_line(counts, taken),
        "none_over_all": round(taken[0] / taken[-1], 3),
        "macs_none_over_all": round(macs[0] / macs[-1], 3),
        "half_over_all": round(taken[middle] / taken[-1], 3),
        "macs_half_over_all": round(macs[middle] / macs[-1], 3),
        "static_milliseconds": round(1e3 * typical(times["static"]), 3),
    }
    if len(images) > 1:
        row["pictures"] = _pictures(run, images, seconds)
    return row


def _pictures(run: ExportedNetwork, images: np.ndarray, seconds: float) -> dict[str, Any]:
    """Pictures as the gates decide: the mean time of those that run so many loops."""
    loops = [int(run(image[None]).ran.sum()) for image in images]
    calls: list[Call] = [lambda image=image[None]: run(image) for image in images]
    times: Seconds = np.median(interleave({"pictures": calls}, seconds)["pictures"], axis=0)
    met = sorted(set(loops))
    by_loops = [1e3 * float(times[np.asarray(loops) == count].mean()) for count in met]
    return {
        "count": len(images),
        "loops": met,
        "of_each": [loops.count(count) for count in met],
        "milliseconds": _rounded(by_loops),
        **_line(loops, (1e3 * times).tolist()),
    }


def _subject(name: str) -> tuple[Network, Preprocessing]:
    if Path(name).is_dir():
        network, info = load_network(Path(name))
        return network, info.preprocessing
    torch.manual_seed(0)
    network = create_model(name).eval()
    return network, Preprocessing.of_network(network.recipe)


def _without_gates(network: Network) -> Network:
    changed = copy.deepcopy(network)
    for _, block in changed.recursive_blocks():
        block.gate = None
    return changed


def _line(loops: list[int], milliseconds: list[float]) -> dict[str, float]:
    slope, intercept, r_squared = straight_line(loops, milliseconds)
    return {
        "loop_milliseconds": round(slope, 4),
        "fixed_milliseconds": round(intercept, 3),
        "r_squared": round(r_squared, 4),
    }


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 3) for value in values]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nets", nargs="+", help="names of networks with gates, or folders of runs")
    parser.add_argument("--threads", type=int, help="of onnxruntime; by default one for each core")
    parser.add_argument("--seconds", type=float, default=15.0, help="for each measurement")
    arguments = parser.parse_args()
    # onnxruntime's threads wait in turns; PyTorch's, which only prepares here, would disturb them
    torch.set_num_threads(1)
    machine = {**this_machine("cpu"), "onnxruntime": onnxruntime.__version__}
    machine["threads"] = arguments.threads or machine["cores"]
    rows = [measure(name, arguments.threads, arguments.seconds) for name in arguments.nets]
    print(json.dumps({"machine": machine, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
