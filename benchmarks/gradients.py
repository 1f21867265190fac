"""The gradient in each loop before training, by the kind of norm and the number of loops.

    python -m benchmarks.gradients [--seeds 0 1 2] [--loops 4 8 16] [--out FILE]

R-Res 32 of table 3's ablation at CIFAR's size (blocks 9, 3, 3; every loop of every image runs) with
one BatchNorm for all loops, LVBN and I-LVBN, and DR-Res 32 with gates: one batch of 128 training
images of ``generated``, the training loss, fresh weights. Writes the measured numbers, from which
``python -m benchmarks.results`` makes its table. A minute on one core.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from drnn_core.analysis.gradient_norms import Gradients
from drnn_core.commands.gradient_watch import IMAGES, GradientWatch
from drnn_core.data.datasets import load_split
from drnn_core.data.measuring import measure_preprocessing
from drnn_core.data.sets import ImageSet
from drnn_core.models.registry import create_model
from drnn_core.recipes import get_recipe
from drnn_core.store.files import atomic_write_json
from drnn_core.store.gradients import finite
from drnn_core.training.seeds import derived_seed

OUT = Path("benchmarks/measured/gradients_at_start.json")
_NETWORK = "r_resnet32_l4"


def measure(images: ImageSet, norm: str, loops: int, gated: bool, seed: int) -> dict[str, Any]:
    """One network with the weights of one seed."""
    torch.manual_seed(derived_seed(seed, "weights"))
    name = "dr_resnet32_l4" if gated else _NETWORK
    network = create_model(name, len(images.classes), norm=norm, loops=(1, loops, loops))
    recipe = dataclasses.replace(get_recipe(f"{name}_short"), network=network.recipe)
    preprocessing = measure_preprocessing(images)
    watch = GradientWatch(Path(), network, recipe, images, preprocessing, seed, 1)
    found = watch.measure(0)
    return {
        "norm": norm,
        "loops": loops,
        "gated": gated,
        "seed": seed,
        "loss": finite(found.loss),
        "grad_norm": finite(found.grad_norm),
        "affine_grad_norm": finite(found.affine_grad_norm),
        "blocks": _blocks(found),
    }


def _blocks(found: Gradients) -> dict[str, dict[str, list[float | None]]]:
    """By block, a number for each loop: of its convolutions together, and of the features."""
    blocks: dict[str, dict[str, list[float | None]]] = {}
    for name in dict.fromkeys(row.block for row in found.loops):
        rows = [row for row in found.loops if row.block == name]
        loops = [[row for row in rows if row.loop == loop] for loop in range(rows[-1].loop + 1)]
        blocks[name] = {
            "contributed": [finite(sum(row.grad_norm**2 for row in loop) ** 0.5) for loop in loops],
            "entering": [finite(loop[0].input_grad_norm) for loop in loops],
            "leaving": [finite(loop[0].output_grad_norm) for loop in loops],
        }
    return blocks


def run(seeds: Sequence[int], depths: Sequence[int]) -> dict[str, Any]:
    """All of them."""
    images = load_split("generated", "train")
    kinds = [(norm, False) for norm in ("naive", "lvbn", "ilvbn")] + [("ilvbn", True)]
    rows = [
        measure(images, norm, loops, gated, seed)
        for loops in depths
        for norm, gated in kinds
        for seed in seeds
    ]
    return {
        "dataset": images.name,
        "data_fingerprint": images.fingerprint,
        "images": IMAGES,
        "torch": torch.__version__,
        "rows": rows,
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--loops", type=int, nargs="+", default=[4, 8, 16])
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    atomic_write_json(arguments.out, run(arguments.seeds, arguments.loops))
    print(f"written: {arguments.out}")


if __name__ == "__main__":
    main()
