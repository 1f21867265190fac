"""Where training diverges, from what ``python -m benchmarks.stability`` found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.results.heat_map import Cell, Panel, heat_map
from benchmarks.results.tables import NOTHING, table
from benchmarks.stability_record import STABILITY, Configuration, Record, Result
from drnn_core.store.files import atomic_write_bytes

PICTURE = "learning_rates.svg"
_KINDS = {"naive": "one BatchNorm for all loops", "lvbn": "LVBN"}
_TITLE = "Test error, %, by loops and peak learning rate; orange: did not train"
_GUESSING = math.log(10)  # nats, of ten classes
_EXPLODED = 1.0  # nats above it
_NOTHING_LEARNED = 85.0  # % of errors, of 90 by guessing
_MEANING = """R-Res 16 without gates (l loops in stages 2 and 3) on `generated`, by the short recipe
with other peak learning rates, over {epochs} epochs of {images} images, {seeds} seed(s)
(`python -m benchmarks.stability --epochs {epochs} --images {number} --rates {rates} --loops {loops}
--seeds {list}`): mean test error in % of the seeds that trained. "Not finite": a loss or gradient
was not, and training ended; "exploded": the last epoch's loss is more than {above:g} nat above
that of guessing; "learned nothing": at least {nothing:g} % of the test images wrong, of 90 by
guessing; where only some seeds trained, how many stands beside the error. In square brackets the
error with the batches' statistics in place of the running ones; ‖g‖: the largest norm of any
update's gradient, mean of the seeds. With one loop both kinds are the same network."""

Found = Mapping[Configuration, Result]
Place = tuple[str, int, float]


def learning_rates(folder: Path, path: Path = STABILITY) -> str:
    """Picture, table and what follows; "" where nothing was measured.

    Args:
        folder: of the page; the picture is written into it.
        path: of the measurements.
    """
    found = Record(path).found if path.exists() else {}
    if not found:
        return ""
    # other lengths are other questions: the one that was asked most
    lengths = [(each.epochs, each.images) for each in found]
    epochs, images = max(lengths, key=lengths.count)
    own = {c: r for c, r in found.items() if (c.epochs, c.images) == (epochs, images)}
    places = _by_place(own)
    seeds = sorted({each.seed for each in own})
    loops, rates = _axes(places)
    meaning = _MEANING.format(
        above=_EXPLODED,
        nothing=_NOTHING_LEARNED,
        epochs=epochs,
        images=f"{images:,}",
        number=images,
        rates=" ".join(f"{rate:g}" for rate in rates),
        loops=" ".join(map(str, loops)),
        seeds=len(seeds),
        list=" ".join(map(str, seeds)),
    )
    atomic_write_bytes(folder / PICTURE, picture(places).encode())
    return "\n\n".join([meaning, f"![{_TITLE}]({PICTURE})", _table(places), _limits(places)])


def _by_place(found: Found) -> dict[Place, list[Result]]:
    """Results of all seeds by norm, loops and rate; one loop counts for both norms."""
    places: dict[Place, list[Result]] = {}
    for each, result in found.items():
        for norm in _KINDS if each.loops == 1 else (each.norm,):
            places.setdefault((norm, each.loops, each.rate), []).append(result)
    return places


def picture(places: Mapping[Place, Sequence[Result]]) -> str:
    """A panel for each kind of norm."""
    loops, rates = _axes(places)
    panels = [
        Panel(name, [[_cell(places.get((norm, count, rate))) for rate in rates] for count in loops])
        for norm, name in _KINDS.items()
    ]
    names = ([str(each) for each in loops], [f"{rate:g}" for rate in rates])
    return heat_map(_TITLE, panels, ("loops", "peak learning rate"), names)


def _cell(results: Sequence[Result] | None) -> Cell | None:
    if not results:
        return None
    errors = _errors(results)
    if len(errors) < len(results):
        lost = {_state(each) for each in results} & {"not finite", "exploded"}
        text = "∞" if lost else "nothing"
        return Cell(f"{len(errors)}/{len(results)}" if errors else text, None)
    return Cell(f"{np.mean(errors):.1f}", float(np.mean(errors)) / 90)


def _errors(results: Sequence[Result]) -> list[float]:
    """Of the seeds that trained."""
    return [r.error for r in results if _state(r) == "trained" and r.error is not None]


def _state(result: Result) -> str:
    """What became of a training: errors near guessing's are no success, whatever its loss."""
    if result.outcome == "not finite":
        return "not finite"
    if result.losses and result.losses[-1] > _GUESSING + _EXPLODED:
        return "exploded"
    below = result.error is not None and result.error < _NOTHING_LEARNED
    return "trained" if below and result.outcome == "trained" else "learned nothing"


def _axes(places: Mapping[Place, Sequence[Result]]) -> tuple[list[int], list[float]]:
    return sorted({loops for _, loops, _ in places}), sorted({rate for _, _, rate in places})


def _table(places: Mapping[Place, Sequence[Result]]) -> str:
    loops, rates = _axes(places)
    rows = [
        [str(count), kind, *(_shown(places.get((norm, count, rate), [])) for rate in rates)]
        for count in loops
        for norm, kind in _KINDS.items()
        if count > 1 or norm == "naive"
    ]
    return table(("loops", "norms", *(f"{rate:g}" for rate in rates)), rows)


def _shown(results: Sequence[Result]) -> str:
    if not results:
        return NOTHING
    errors = _errors(results)
    largest = f"‖g‖ {np.mean([each.largest_gradient for each in results]):.3g}"
    if not errors:
        return f"{' / '.join(sorted({_state(each) for each in results}))}; {largest}"
    trained = "" if len(errors) == len(results) else f" ({len(errors)} of {len(results)})"
    batch = [r.batch_error for r in results if _state(r) == "trained" and r.batch_error is not None]
    beside = f" [{np.mean(batch):.1f}]" if batch else ""
    return f"{np.mean(errors):.1f}{trained}{beside}; {largest}"


def _limits(places: Mapping[Place, Sequence[Result]]) -> str:
    """The largest rate up to which every seed trained, and where the kinds part."""
    loops, rates = _axes(places)
    lines: list[str] = []
    for count in loops:
        limits = {norm: _largest(places, norm, count, rates) for norm in _KINDS}
        if count == 1:
            lines.append(f"With one loop every seed trains up to a rate of {limits['lvbn']}.")
            continue
        parts = [f"{limits[norm]} with {kind}" for norm, kind in _KINDS.items()]
        lines.append(f"With l = {count} every seed trains up to {' and '.join(parts)}.")
    return "\n".join(f"- {line}" for line in lines)


def _largest(
    places: Mapping[Place, Sequence[Result]], norm: str, loops: int, rates: Sequence[float]
) -> str:
    """The last rate before the first at which a seed does not train, of those that were tried."""
    last = ""
    for rate in rates:
        results = places.get((norm, loops, rate), [])
        if len(_errors(results)) < len(results):
            return last or "none that was tried"
        last = f"{rate:g}" if results else last
    return f"{last} (the largest that was tried)" if last else NOTHING
