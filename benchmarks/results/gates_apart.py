"""Whether gates tell images apart: how far their logits lie from each other."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.results.shipped import Shipped
from benchmarks.results.tables import NOTHING, by_seed, table
from benchmarks.results.trainings import Trained
from drnn_core.analysis.gate_logits import FLAT, LUMPED, GateLogits, gate_logits
from drnn_core.analysis.loops import gate_matrix

OPENING = f"""Standard deviation, over the test images, of the logits that each gate gives at the
first loop it is asked about, where all images ask it; gate by gate in network order, mean over
seeds. Flattest: the smallest of a run, by seed. Below {FLAT:g} a gate's chances differ by about .01
between images: its rate comes from a threshold laid among nearly equal logits, which another update
would have moved past all of them. After a training that cuts its batches (`-batchrate`) logits are
in units of training, √(variance + 0.01): about 1 for a gate that tells images apart.

Images at one logit: gates that give {100 * LUMPED:.0f} % of the images or more one and the same
logit, by seed. Such a gate's hidden units are all off for these images, and its logit is its bias;
the calibration lays its threshold beside that, so that all of them pass or none. It does not tell
them apart, only the others from them."""

_COLUMNS = (
    "network, data, recipe", "n seeds", "gates", "flattest, by seed", "flat gates",
    "images at one logit",
)  # fmt: skip


def gates_apart(groups: Sequence[Trained]) -> str:
    """A row for each training with gates; "" without any."""
    rows = [row for one in groups if (row := _row(one))]
    return f"{OPENING}\n\n{table(_COLUMNS, rows)}" if rows else ""


def _row(one: Trained) -> list[str]:
    by_run = {seed: found for seed, run in one.runs.items() if (found := _gates(run))}
    if not by_run:
        return []
    together = list(zip(*by_run.values(), strict=True))
    means = [sum(gate.std for gate in same) / len(same) for same in together]
    flat = sum(gate.flat for found in by_run.values() for gate in found)
    return [
        one.name,
        str(len(by_run)),
        ", ".join(
            f"{same[0].block}: {mean:.2g}" for same, mean in zip(together, means, strict=True)
        ),
        by_seed({seed: min(gate.std for gate in found) for seed, found in by_run.items()}, ".2g"),
        f"{flat} of {sum(map(len, by_run.values()))}",
        "; ".join(_lumped(seed, found) for seed, found in by_run.items() if _any_lumped(found))
        or NOTHING,
    ]


def _any_lumped(gates: Sequence[GateLogits]) -> bool:
    return any(gate.lumped for gate in gates)


def _lumped(seed: int, gates: Sequence[GateLogits]) -> str:
    said = ", ".join(
        f"{gate.block} {100 * gate.alike:.0f} % ({'pass' if gate.alike_chance > 0.5 else 'leave'})"
        for gate in gates
        if gate.lumped
    )
    return f"{seed}: {said}"


def _gates(run: Shipped) -> list[GateLogits]:
    return gate_logits(gate_matrix(run.records), run.facts.layout, first_only=True)
