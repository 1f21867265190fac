"""How far gates without noise swing, from what ``python -m benchmarks.gate_swings`` found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.gate_swings_record import GATE_SWINGS, Swings, read
from benchmarks.results.tables import table

_MEANING = """### What the rate of a gate does from one batch to the next

Shipped runs gone on with for {updates} updates of {batch} images, without noise, at a learning rate
of {lr:g}: by the paper's rate loss (`sampled`) and by `batch`, with the same batches (`python -m
benchmarks.gate_swings RUN... --data DATA --updates {updates}`). Rate: the share of a batch that a
gate lets in at the first loop it decides on, mean ± standard deviation over the updates; drawn by
chance at a rate of 0.7, its standard deviation would be {chance:.3f}. Logits: their standard
deviation over a batch before anything is made of them, mean over the updates. Equal logits cannot
be cut: a gate that had come to give all images one, or many of them, does not come back to its rate
in these updates."""

_COLUMNS = ("run", "rate loss", "gate: rate, mean ± std over batches", "gate: std of logits",
            "cross-entropy in training")  # fmt: skip


def gate_swings(path: Path = GATE_SWINGS) -> str:
    """The table; "" where nothing was measured."""
    found = read(path)
    if not found:
        return ""
    one = found[0]
    chance = (0.7 * 0.3 / one.batch) ** 0.5
    meaning = _MEANING.format(updates=one.updates, batch=one.batch, lr=one.lr, chance=chance)
    alike = [
        each
        for each in found
        if (each.updates, each.batch, each.lr) == (one.updates, one.batch, one.lr)
    ]
    return f"{meaning}\n\n{table(_COLUMNS, map(_row, alike))}"


def _row(one: Swings) -> Sequence[str]:
    rates = zip(one.gates, one.rate_mean, one.rate_std, strict=True)
    spreads = zip(one.gates, one.logit_std, strict=True)
    return [
        one.run,
        f"`{one.rate_loss}`",
        ", ".join(f"{gate}: {mean:.3f} ± {std:.3f}" for gate, mean, std in rates),
        ", ".join(f"{gate}: {std:.2g}" for gate, std in spreads),
        f"{one.loss:.3f}",
    ]
