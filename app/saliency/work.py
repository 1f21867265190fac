"""Running the network for the page, in the background: maps of a few images, samples, checks."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app import cache
from app.images import Pictures
from app.jobs import Job, Jobs, Tell, me
from app.saliency.subject import View, column_of
from drnn_core.analysis.evidence import SLOW_METHODS, Method
from drnn_core.analysis.saliency_sanity import SanityCheck, sanity_check
from drnn_core.analysis.saliency_statistics import saliency_statistics
from drnn_core.analysis.sampling import spread_sample

if TYPE_CHECKING:  # the page is drawn without torch until the network is run
    from drnn_core.inference.predictor import Predictor
    from drnn_core.models.network import Network

# Maps and samples are megabytes each on large images and record tables.
MAPS, SAMPLES, CHECKS = Jobs(32), Jobs(16), Jobs()
DRAWS = 2  # of random weights

Maps = NDArray[np.float32]
Rows = NDArray[np.int64]

_AT_ONCE, _SLOW_AT_ONCE = 16, 2  # images while others who want the network wait
_WAITING = "saliency_waiting"


class Scene(NamedTuple):
    """What the network is run on.

    Attributes:
        view: the run and its records.
        predictor: its network.
        pictures: of the records.
    """

    view: View
    predictor: Predictor
    pictures: Pictures


class Attributed(NamedTuple):
    """Evidence of B images: ``seen`` (B, H, W, 3), ``maps`` (B, H, W), ``masks`` or None."""

    seen: NDArray[np.uint8]
    maps: Maps
    masks: NDArray[np.bool_] | None


def maps_of(scene: Scene, method: Method, rows: Rows) -> tuple[Hashable, Job]:
    """Begin to attribute a few rows of the records; the result is an ``Attributed``."""
    key = (*_key(scene.view, method), tuple(rows.tolist()))

    def work(tell: Tell) -> Attributed:
        parts = list(_attributed(scene, method, rows, tell))
        masks = [part.masks for part in parts if part.masks is not None]
        return Attributed(
            np.concatenate([part.seen for part in parts]),
            np.concatenate([part.maps for part in parts]),
            np.concatenate(masks) if len(masks) == len(parts) else None,
        )

    return key, MAPS.start(key, work, me())


def sample_key(view: View, method: Method, count: int) -> Hashable:
    """Under which a sample that was measured on the page is kept."""
    return (*_key(view, method), count)


def sample_of(scene: Scene, method: Method, count: int) -> Job:
    """Begin to measure ``count`` images; the result is name -> (N,) values, NaN elsewhere."""
    view = scene.view
    rows = spread_sample(len(view.keep), count)

    def work(tell: Tell) -> dict[str, Maps]:
        found: dict[str, Maps] = {}
        done = 0
        for part in _attributed(scene, method, rows, tell):
            here = rows[done : done + len(part.maps)]
            done += len(part.maps)
            for statistic, values in saliency_statistics(part.maps, part.masks).items():
                name = column_of(method, statistic)
                column = found.setdefault(name, np.full(len(view.keep), np.nan, np.float32))
                column[here] = values
        return found

    return SAMPLES.start(sample_key(view, method, count), work, me())


def check_of(scene: Scene, method: Method, count: int) -> tuple[Hashable, Job]:
    """Begin to check a method by random weights on ``count`` images: a ``SanityCheck``."""
    key = (*_key(scene.view, method), count, "check")
    rows = spread_sample(len(scene.view.keep), count)

    def work(tell: Tell) -> SanityCheck:
        from drnn_core.analysis.saliency import attribute
        from drnn_core.inference.frozen import freeze
        from drnn_core.inference.predictor import one_thread

        done, calls = 0, 0

        def explain(network: Network) -> Maps:
            nonlocal done
            maps: list[Maps] = []
            for part in _parts(rows, method):
                with one_thread():
                    frozen, predictions, _ = _frozen(scene, part)
                    fixed = freeze(network, frozen.network.ran)
                    maps.append(attribute(fixed, frozen.images, predictions, method))
                done += len(part)
                tell(done, max(calls, 1) * len(rows))
            return np.concatenate(maps)

        def progress(_: int, total: int) -> None:
            nonlocal calls
            calls = total

        return sanity_check(scene.predictor.network, explain, DRAWS, progress=progress)

    return key, CHECKS.start(key, work, me())


def leave_others(jobs: Jobs, wanted: Sequence[Hashable]) -> None:
    """This session waits for these jobs only; what nobody waits for ends."""
    state: dict[int, set[Hashable]] = st.session_state.setdefault(_WAITING, {})
    for key in state.get(id(jobs), set[Hashable]()) - set(wanted):
        jobs.leave(key, me())
    state[id(jobs)] = set(wanted)


def _key(view: View, method: Method) -> tuple[Hashable, ...]:
    folder = view.run.folder
    stamp = cache.stamp_of(folder / "model.safetensors")
    return (str(folder), stamp, view.table.stamp, view.table.header.data_fingerprint, method)


def _parts(rows: Rows, method: Method) -> list[Rows]:
    size = _SLOW_AT_ONCE if method in SLOW_METHODS else _AT_ONCE
    return [rows[first : first + size] for first in range(0, len(rows), size)]


def _attributed(scene: Scene, method: Method, rows: Rows, tell: Tell) -> Iterator[Attributed]:
    from drnn_core.analysis.saliency import attribute
    from drnn_core.inference.predictor import one_thread

    done = 0
    for part in _parts(rows, method):
        with one_thread():
            frozen, predictions, seen = _frozen(scene, part)
            maps = attribute(frozen.network, frozen.images, predictions, method)
        masks = scene.pictures.images.masks(_indices(scene.view, part))
        done += len(part)
        tell(done, len(rows))
        yield Attributed(seen, maps, masks)


def _frozen(scene: Scene, rows: Rows):
    from drnn_core.inference.frozen import freeze_recorded

    view = scene.view
    seen = scene.pictures.pixels(_indices(view, rows))
    frozen = freeze_recorded(scene.predictor, seen, view.table.block_loops[rows])
    predictions = view.table.frame["prediction"].to_numpy()[rows].astype(np.int64)
    return frozen, predictions, seen


def _indices(view: View, rows: Rows) -> Rows:
    return view.table.frame["index"].to_numpy()[rows].astype(np.int64)
