"""What the settings of the gates do, from what ``python -m benchmarks.gate_settings`` found."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.gate_settings_record import GATE_SETTINGS, GateResult, GateSetting, read
from benchmarks.results.tables import NOTHING, by_seed, table

TARGET = 0.7
_LAST = 3  # epochs that say how steady the rate is
_CHANGED = {
    "rate_weight": "λ = {}",
    "temperature": "temperature {}",
    "initial_rate": "initial rate {}",
    "noise_until": "noise until {} of the training",
    "rate_loss": "rate loss `{}`",
    "target_falls": "target falls from 1 between {0[0]} and {0[1]} of the training",
    "first_loop": "first loop `{}`",
}
_COLUMNS = (
    "changed", "n seeds", "error %", "error % by seed", "realised rate, before calibration",
    "its distance to the target", "how much it moves, last epochs", "lowest and highest gate",
    "loops, mean ± std of images", "MACs, mean",
)  # fmt: skip
_MEANING = """DR-Res 16 on the first {images} training images of `generated`, {epochs} epochs of
the recipe `short`, target {target}, one setting changed at a time and no calibration at the end
(`python -m benchmarks.gate_settings --epochs {epochs} --images {number} --seeds S`; rows of one
kind with `--only FIELD`). The recipe has λ = 2, temperature 1, initial rate 0.85, the rate loss
`sampled` and noise that fades over 0.6 of the training. Error, rates and loops: evaluation of the
whole test set after the last epoch, mean over seeds (error: ± standard deviation over seeds); seeds
scatter, so compare rows by the same seed. A choice made by this table is a choice on test images.
Distance: mean of |rate - target| over seeds. How much it moves: mean standard deviation of the
realised rate over the last {last} epochs; with the rate loss `batch` biases are calibrated at every
epoch's end, on 2,000 training images. Gates: mean over seeds of the lowest and the highest rate of
a gate at a loop."""


def gate_settings(path: Path = GATE_SETTINGS) -> str:
    """The table; "" where nothing was measured."""
    found = read(path)
    if not found:
        return ""
    sizes = [(each.epochs, each.images) for each in found]
    epochs, images = max(sizes, key=sizes.count)
    groups: dict[GateSetting, dict[int, GateResult]] = {}
    for setting, result in found.items():
        if (setting.epochs, setting.images) == (epochs, images):
            groups.setdefault(dataclasses.replace(setting, seed=0), {})[setting.seed] = result
    meaning = _MEANING.format(
        images=f"{images:,}",
        number=images,
        epochs=epochs,
        target=TARGET,
        last=_LAST,
    )
    plain = GateSetting(seed=0, epochs=epochs, images=images)
    rows = [[_changes(setting, plain), *_row(results)] for setting, results in groups.items()]
    return f"{meaning}\n\n{table(_COLUMNS, rows)}"


def _changes(setting: GateSetting, plain: GateSetting) -> str:
    changed = [
        "noise to the end"
        if name == "noise_until" and setting.noise_until is None
        else text.format(getattr(setting, name))
        for name, text in _CHANGED.items()
        if getattr(setting, name) != getattr(plain, name)
    ]
    return ", ".join(changed) or "nothing"


def _row(by_seeds: Mapping[int, GateResult]) -> list[str]:
    results = list(by_seeds.values())
    rates = np.array([result.rate for result in results])
    known = [[rate for rate in result.gate_rates if rate is not None] for result in results]
    lowest, highest = (np.mean([pick(each) for each in known if each]) for pick in (min, max))
    return [
        str(len(results)),
        _mean_and_std([result.error for result in results]),
        by_seed({seed: result.error for seed, result in by_seeds.items()}),
        f"{rates.mean():.3f}",
        f"{np.abs(rates - TARGET).mean():.3f}",
        f"{np.mean([np.std(result.rates[-_LAST:]) for result in results]):.3f}",
        NOTHING if math.isnan(float(lowest)) else f"{lowest:.2f}, {highest:.2f}",
        f"{_mean(results, 'loops_mean'):.2f} ± {_mean(results, 'loops_std'):.2f}",
        f"{_mean(results, 'macs_mean') / 1e6:.1f} M",
    ]


def _mean(results: Sequence[GateResult], name: str) -> float:
    return float(np.mean([getattr(result, name) for result in results]))


def _mean_and_std(values: Sequence[float]) -> str:
    spread = f" ± {np.std(values, ddof=1):.2f}" if len(values) > 1 else ""
    return f"{np.mean(values):.2f}{spread}"
