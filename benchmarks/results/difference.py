"""Where the difference between a row of table 1 and its plain counterpart comes from."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.results.ablation import BETWEEN, DIFFERENCES, steps_between
from benchmarks.results.every_loop import every_loop, told
from benchmarks.results.tables import table
from benchmarks.results.trainings import Trained, alike, command
from drnn_core.recipes import NETWORKS
from drnn_core.recipes.beside import without_loops

# What comes on the way from the plain network, as the table calls it.
_SHARED = "one block shared by its loops, a BatchNorm for each"
_LOOPED = "its loops, a BatchNorm for each"
_GATED = "gates from the second loop on"
_FIRST = "gates before every loop"

OPENING = """On the way from a plain network to its dynamic recursive counterpart: the blocks of a
stage become loops of one block, with a BatchNorm for each loop and all of them run (which takes the
parameters away and no multiply-adds); then gates choose, first but for the first loop of each block
(`always`), then for all. What the first step costs no gate can be blamed for. From the other side:
the same blocks each run once, plain, then as often as ResNet-20 has blocks; what that step brings,
loops add to parameters that are there anyway (their BatchNorms apart)."""


def where_it_comes_from(groups: Sequence[Trained]) -> str:
    """Steps of every row that was trained with its loops unasked; "" where none was."""
    rows: list[list[str]] = []
    with_every_loop: list[list[str]] = []
    commands: list[str] = []
    for shared in groups:
        row = _row_of(shared)
        if row is None:
            continue
        # the recipe's own gates, not those of a recipe that only gates tell from it
        same = [one for one in groups if one.training.recipe == shared.training.recipe]
        alike_by_name = {one.network: one for one in same if alike(shared, one)}
        plain = NETWORKS[row].counterpart
        assert plain is not None, "every dynamic recursive network of the paper has one"
        steps = [
            (NETWORKS[plain].title, alike_by_name.get(plain)),
            (_SHARED, shared),
            (_GATED, alike_by_name.get(f"{row}_always")),
            (_FIRST, alike_by_name.get(row)),
        ]
        title = f"{shared.training.data}, {shared.schedule}"
        rows += steps_between(title, steps)
        once = without_loops(row)
        if once is not None:
            before = (f"{once.title}, each block run once", alike_by_name.get(once.name))
            rows += steps_between(title, [before, (_LOOPED, shared)])
        ways = [one for one in groups if one.network in (row, f"{row}_always")]
        with_every_loop += every_loop(shared, ways)
        commands.append(f"- {shared.name}: {command(shared)}")
    if not rows:
        return ""
    parts = [OPENING, DIFFERENCES, table(BETWEEN, rows), "\n".join(commands), told(with_every_loop)]
    return "\n\n".join(part for part in parts if part)


def _row_of(shared: Trained) -> str | None:
    """The row of table 1 that a network without gates is on the way to: r_... is, to dr_..."""
    row = f"d{shared.network}"
    return row if shared.network in NETWORKS and row in NETWORKS else None
