"""What run.json says, typed: one trained network, how it came about and what it measures.

``RunInfo`` and run.json correspond key by key. Unknown keys are kept in ``extra`` and written
back; a missing or mistyped key is refused with a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, cast

from drnn_core.data.transforms import Preprocessing
from drnn_core.store.counted import Counted
from drnn_core.store.fields import Fields

RUN_FORMAT = 1

# Larger inputs than any network here takes; a run that asks for more is damaged or hostile.
_MOST_PIXELS = 4096


class RunError(ValueError):
    """A run that is missing, damaged or foreign; the message is one sentence for the user."""


@dataclass(frozen=True)
class Metrics:
    """Measured on a whole split, with the final weights.

    Attributes:
        n: images.
        error: top-1 error in %.
        loss: mean cross-entropy in nats; NaN where it is not finite, as of a network whose
            running statistics have run away.
        loops_mean, loops_std: executed loops per image, over images (std with n - 1).
        loops_max: the most that the network can run; 0 for plain networks.
        rate: opening rate of the gates among the images that asked, mean over gates; None
            without gates.
        target: t, the rate that training aimed at; None without gates.
        macs_mean: multiply-adds per image.
        error_top5: in %; None where it was not measured.
        gate_rates: opening rate of each step; None where no image asked.
    """

    n: int
    error: float
    loss: float
    loops_mean: float
    loops_std: float
    loops_max: int
    rate: float | None
    target: float | None
    macs_mean: float
    error_top5: float | None = None
    gate_rates: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class RunMetrics:
    """Metrics by split."""

    test: Metrics


@dataclass(frozen=True)
class CurvePoint:
    """One epoch of training.

    Attributes:
        epoch: counted from 1.
        train_loss: mean of the epoch, nats.
        test_error: in %, after the epoch; None where it was not measured.
        rate: realised opening rate after the epoch, as evaluation decides; None without gates.
        lr: learning rate of the epoch's last update.
        seconds: of training up to the epoch's end.
        sampled_rate: opening rate of the noisy decisions during the epoch; None without gates.
    """

    epoch: int
    train_loss: float
    test_error: float | None
    rate: float | None
    lr: float
    seconds: float
    sampled_rate: float | None = None


@dataclass(frozen=True)
class RunInfo:
    """run.json.

    Attributes:
        title: for people, for example "DR-Res 16 (l = 2)".
        model, model_args: what ``create_model`` takes, besides the number of classes.
        recipe_name, recipe: of the training, and a literal copy of it.
        dataset, data_fingerprint: ``ImageSet.name`` and ``ImageSet.fingerprint`` of the images
            that it was trained on.
        classes: their names; a label is a position among them.
        preprocessing: from pixels to network input. Read from here and from nowhere else.
        seed, epochs: of this training.
        precision: of its arithmetic, for example "float32".
        commit: of the program that trained it, of several in turn; "-dirty" where its files
            differed. Runs written before December 2026 name the checkout at the training's end.
        versions: of the libraries, by name.
        device: for people.
        seconds: of training.
        metrics: measured with the final weights.
        curve: one point per epoch.
        network: its stages and what it costs; ``write_run`` fills it in. None in runs that were
            written before there was this key.
        weights_sha256: of model.safetensors; ``write_run`` fills it in.
        card_sha256: of README.md; ``write_run`` fills it in.
        format: of run.json.
        extra: keys that this version does not know.
    """

    title: str
    model: str
    model_args: Mapping[str, Any]
    recipe_name: str
    recipe: Mapping[str, Any]
    dataset: str
    data_fingerprint: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    seed: int
    epochs: int
    precision: str
    commit: str
    versions: Mapping[str, str]
    device: str
    seconds: float
    metrics: RunMetrics
    curve: tuple[CurvePoint, ...]
    network: Counted | None = None
    weights_sha256: str = ""
    card_sha256: str = ""
    format: int = RUN_FORMAT
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in the order of run.json; NaN in optional figures is null."""
        known = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        del known["extra"]
        known["preprocessing"] = self.preprocessing.to_dict()
        known["metrics"] = {"test": _plain(self.metrics.test)}
        known["curve"] = [_plain(point) for point in self.curve]
        if self.network is None:
            del known["network"]
        else:
            known["network"] = self.network.to_dict()
        return {"format": known.pop("format"), **_listed(known), **self.extra}

    @classmethod
    def from_dict(cls, values: Any, where: str) -> RunInfo:
        """Read ``to_dict``'s result as it comes back from JSON.

        Args:
            values: the object.
            where: its file, for messages.

        Raises:
            RunError: a key is missing or mistyped; the message says which, what was expected
                and what was found.
        """
        read = Fields(values, where, RunError)
        version = read.integer("format", least=1)
        if version > RUN_FORMAT:
            raise RunError(
                f"{where}: expected format {RUN_FORMAT}, got {version}; "
                "a newer version of this program wrote the run: update to read it"
            )
        return cls(**_identity(read), **_training(read), extra=_unknown(read.values))


def _identity(read: Fields) -> dict[str, Any]:
    return {
        "format": read.integer("format"),
        "title": read.text("title"),
        "model": read.text("model"),
        "model_args": read.mapping("model_args"),
        "recipe_name": read.text("recipe_name"),
        "recipe": read.mapping("recipe"),
        "dataset": read.text("dataset"),
        "data_fingerprint": read.text("data_fingerprint"),
        "classes": _classes(read),
        "preprocessing": _preprocessing(read),
        "weights_sha256": _digest(read, "weights_sha256"),
        "card_sha256": _digest(read, "card_sha256"),
    }


def _training(read: Fields) -> dict[str, Any]:
    versions = read.object("versions")
    return {
        "seed": read.integer("seed"),
        "epochs": read.integer("epochs", least=0),
        "precision": read.text("precision"),
        "commit": read.text("commit"),
        "versions": {name: versions.text(name) for name in versions.values},
        "device": read.text("device"),
        "seconds": read.number("seconds"),
        "metrics": RunMetrics(_metrics(read.object("metrics").object("test"))),
        "curve": tuple(_curve_point(point) for point in read.objects("curve")),
        "network": _network(read),
    }


def _unknown(values: Mapping[str, Any]) -> dict[str, Any]:
    known = {entry.name for entry in fields(RunInfo)}
    return {key: value for key, value in values.items() if key not in known}


def _classes(read: Fields) -> tuple[str, ...]:
    classes = read.texts("classes")
    if not classes or len(set(classes)) != len(classes):
        raise RunError(
            f"{read.where}: expected 'classes' to name each class once, got {list(classes)[:5]}..."
        )
    return classes


def _digest(read: Fields, key: str) -> str:
    digest = read.text(key)
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise RunError(
            f"{read.where}: expected {key!r} to be a SHA-256 of 64 hex digits, got {digest[:70]!r}"
        )
    return digest


def _preprocessing(read: Fields) -> Preprocessing:
    values = read.object("preprocessing")
    size = values.integer("image_size", least=1, most=_MOST_PIXELS)
    values.integer("resize", least=size, most=_MOST_PIXELS)
    values.flag("keep_aspect")
    for key in ("mean", "std"):
        found = values.numbers_or_none(key)
        if len(found) != 3 or None in found or (key == "std" and 0 in found):
            raise RunError(
                f"{values.where}: expected {key!r} to be three numbers"
                f"{' other than 0' if key == 'std' else ''}, got {list(found)}"
            )
    return Preprocessing.from_dict(values.values)


def _metrics(read: Fields) -> Metrics:
    optional = Fields({"error_top5": None, "gate_rates": [], **read.values}, read.where, RunError)
    loss = read.number_or_none("loss")
    return Metrics(
        n=read.integer("n", least=1),
        error=read.number("error"),
        loss=math.nan if loss is None else loss,
        loops_mean=read.number("loops_mean"),
        loops_std=read.number("loops_std"),
        loops_max=read.integer("loops_max", least=0),
        rate=read.number_or_none("rate"),
        target=read.number_or_none("target"),
        macs_mean=read.number("macs_mean"),
        error_top5=optional.number_or_none("error_top5"),
        gate_rates=optional.numbers_or_none("gate_rates"),
    )


def _network(read: Fields) -> Counted | None:
    return Counted.from_fields(read.object("network")) if "network" in read.values else None


def _curve_point(read: Fields) -> CurvePoint:
    optional = Fields({"sampled_rate": None, **read.values}, read.where, RunError)
    return CurvePoint(
        epoch=read.integer("epoch", least=0),
        train_loss=read.number("train_loss"),
        test_error=read.number_or_none("test_error"),
        rate=read.number_or_none("rate"),
        lr=read.number("lr"),
        seconds=read.number("seconds"),
        sampled_rate=optional.number_or_none("sampled_rate"),
    )


_OPTIONAL = {"loss", "rate", "target", "error_top5", "test_error", "gate_rates", "sampled_rate"}


def _plain(figures: Metrics | CurvePoint) -> dict[str, Any]:
    """A dataclass of figures as a dict; NaN ("nobody asked") is null where a figure is optional."""
    found: dict[str, Any] = {entry.name: getattr(figures, entry.name) for entry in fields(figures)}
    return {name: _null(value) if name in _OPTIONAL else value for name, value in found.items()}


def _null(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_null(item) for item in cast(tuple[Any, ...], value)]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _listed(value: Any) -> Any:
    """Tuples as lists, all the way down: what JSON gives back."""
    if isinstance(value, Mapping):
        items = cast(Mapping[Any, Any], value).items()
        return {str(key): _listed(item) for key, item in items}
    if isinstance(value, list | tuple):
        return [_listed(item) for item in cast(Sequence[Any], value)]
    return value
