"""What lambda, temperature, initial rate, noise and the form of the rate loss do to the gates.

    python -m benchmarks.gate_settings [--seeds 1 2] [--epochs 8] [--images 8000] [--threads 1]
    python -m benchmarks.gate_settings --seeds 2 3 --only rate_loss    the recipe and these alone

DR-Res 16 on the first images of ``generated`` by the short recipe, with one setting changed at a
time, and without the calibration that ends it: what is looked at is what training itself gives.
Every training becomes a line of the file as soon as it is done, and one that stands there is not
made again, so the command may be stopped and given again. ``python -m benchmarks.results`` makes a
table of it.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from benchmarks.gate_settings_record import GATE_SETTINGS, GateResult, GateSetting, read, write
from benchmarks.stability import Curve
from drnn_core.data.datasets import load_split
from drnn_core.data.measuring import measure_preprocessing
from drnn_core.data.sets import ImageSet
from drnn_core.models.registry import create_model
from drnn_core.recipes import get_recipe
from drnn_core.training.loop import Trainer
from drnn_core.training.seeds import derived_seed
from drnn_core.training.settings import Settings

NETWORK = "dr_resnet16_l2"
# One change each; the empty one is the recipe as it is.
CHANGES: tuple[dict[str, float | str | tuple[float, float] | None], ...] = (
    {},
    {"first_loop": "always"},
    {"rate_loss": "network"},
    {"noise_until": None},
    {"rate_weight": 0.5},
    {"rate_weight": 8.0},
    {"temperature": 0.5},
    {"temperature": 2.0},
    {"initial_rate": 0.5},
    {"initial_rate": 0.95},
    {"rate_loss": "both"},
    {"target_falls": (0.0, 0.6)},
    {"rate_loss": "batch"},
)


def settings(
    seeds: Sequence[int], epochs: int, images: int, only: Sequence[str] = ()
) -> Iterator[GateSetting]:
    """All trainings, seed by seed; of the changes those of the fields in ``only``, if any."""
    for seed in seeds:
        for change in CHANGES:
            if only and not set(change) <= set(only):
                continue
            plain = GateSetting(seed=seed, epochs=epochs, images=images)
            yield dataclasses.replace(plain, **change)  # pyright: ignore[reportArgumentType]


def train(
    setting: GateSetting, train_set: ImageSet, test_set: ImageSet, folder: Path
) -> GateResult:
    """Train once and measure what came out."""
    started = time.monotonic()
    torch.manual_seed(derived_seed(setting.seed, "weights"))
    network = create_model(
        NETWORK,
        len(train_set.classes),
        gate_initial_rate=setting.initial_rate,
        first_loop=setting.first_loop,
    )
    recipe = get_recipe(f"{NETWORK}_short")
    names = ("rate_weight", "rate_loss", "target_falls", "temperature", "noise_until")
    how = dataclasses.replace(
        recipe.training, calibrate_gates=False, **{name: getattr(setting, name) for name in names}
    )
    recipe = dataclasses.replace(recipe, network=network.recipe, training=how)
    trainer = Trainer(
        network,
        recipe,
        train_set,
        test_set,
        measure_preprocessing(train_set),
        Settings(folder, setting.seed, setting.epochs, precision="bfloat16", save_seconds=1e9),
    )
    curve = Curve()
    trainer.run(curve)
    last = curve.measures[-1]
    return GateResult(
        error=last.error,
        rate=last.rate,
        gate_rates=tuple(None if math.isnan(rate) else rate for rate in last.gate_rates),
        rates=tuple(each.rate for each in curve.measures),
        loops_mean=last.loops_mean,
        loops_std=last.loops_std,
        macs_mean=last.macs_mean,
        seconds=round(time.monotonic() - started, 1),
    )


def main() -> None:
    """Train what is not on record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--images", type=int, default=8_000)
    parser.add_argument("--tested", type=int, default=5_000)
    parser.add_argument("--only", nargs="+", default=[], help="fields whose changes are trained")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, default=GATE_SETTINGS)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    train_set = load_split("generated", "train", limit=arguments.images)
    test_set = load_split("generated", "test", limit=arguments.tested)
    found = read(arguments.out)
    for setting in settings(arguments.seeds, arguments.epochs, arguments.images, arguments.only):
        if setting not in found:
            with tempfile.TemporaryDirectory() as folder:
                found[setting] = train(setting, train_set, test_set, Path(folder))
            write(arguments.out, found)
            print(f"{setting}: {found[setting]}", flush=True)
    print(f"{len(found)} in {arguments.out}")


if __name__ == "__main__":
    main()
