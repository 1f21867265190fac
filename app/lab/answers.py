"""What the network says of changed pictures, kept for a while: the same picture is asked often.

Kept for all sessions, under the picture's own pixels: who has not the picture finds nothing.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app import cache
from app.bounded import BoundedCache
from drnn_core.analysis.edits import Edit, edited
from drnn_core.analysis.saliency import attribute
from drnn_core.inference.frozen import freeze_prediction
from drnn_core.inference.prediction import Prediction
from drnn_core.inference.predictor import Predictor, one_thread

_PREDICTIONS_BYTES, _EVIDENCE_BYTES = 48 << 20, 16 << 20
_RUNS = 64  # whose speed is remembered
_OVERHEAD = 4096  # bytes of a prediction beside its pixels, about
# Multiply-adds of one picture above which a series of them takes seconds.
SLOW_MACS = 10**9

_Key = tuple[str, tuple[int, int], bytes, int, Edit]

_predictions = BoundedCache[_Key, Prediction](
    _PREDICTIONS_BYTES, lambda kept: kept.seen.nbytes + kept.probabilities.nbytes + _OVERHEAD
)
_seconds = BoundedCache[Path, float](_RUNS, lambda _: 1)
_evidence = BoundedCache[_Key, NDArray[np.float32]](_EVIDENCE_BYTES, lambda kept: kept.nbytes)


@dataclass(frozen=True)
class Subject:
    """A picture in the lab, and the network that looks at it.

    Attributes:
        name: of the picture.
        run: of the network.
        predictor: the network.
        original: what it says of the picture as it is.
        number: of the image in its set; its noise depends on it.
    """

    name: str
    run: cache.Run
    predictor: Predictor
    original: Prediction
    number: int

    @property
    def slow(self) -> bool:
        """Whether a series of predictions takes seconds."""
        return self.predictor.cost.macs_max > SLOW_MACS

    def key(self, edit: Edit) -> _Key:
        """Under which what is known of the changed picture is kept."""
        digest = hashlib.sha256(self.original.seen.tobytes()).digest()
        stamp = cache.stamp_of(self.run.folder / "model.safetensors")
        return str(self.run.folder), stamp, digest, self.number, edit


def answer(subject: Subject, edit: Edit) -> Prediction:
    """What the network says of the picture as changed."""
    if not edit.factors:
        return subject.original
    pixels = subject.original.seen
    return _predictions.get_or_make(
        subject.key(edit), lambda: _asked(subject, edited(pixels, edit, subject.number))
    )


def _asked(subject: Subject, pixels: NDArray[np.uint8]) -> Prediction:
    started = time.perf_counter()
    found = subject.predictor.predict_seen(pixels)
    _seconds.put(subject.run.folder, time.perf_counter() - started)
    return found


def known(subject: Subject, edit: Edit) -> Prediction | None:
    """The same where it need not be computed."""
    return _predictions.get(subject.key(edit)) if edit.factors else subject.original


def seconds_of_one(subject: Subject) -> float:
    """What the last prediction took."""
    if _seconds.get(subject.run.folder) is None:
        _asked(subject, subject.original.seen)
    return _seconds.get(subject.run.folder) or 0.0


def evidence(subject: Subject, edit: Edit) -> NDArray[np.float32]:
    """(H, W) gradient saliency of the changed picture for its own answer, decisions frozen."""

    def attributed() -> NDArray[np.float32]:
        found = answer(subject, edit)
        with one_thread():
            frozen = freeze_prediction(subject.predictor, found)
            return attribute(frozen.network, frozen.images, found.label, "saliency")[0]

    return _evidence.get_or_make(subject.key(edit), attributed)
