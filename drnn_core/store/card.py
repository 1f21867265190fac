"""The model card of a run, README.md: written from run.json alone, in plain words."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from drnn_core.store.operating_point import operating_point_of
from drnn_core.store.repeats import changes_of, data_set_of
from drnn_core.store.retraining import training_changes_of
from drnn_core.store.runinfo import Metrics, RunInfo


def model_card(info: RunInfo) -> str:
    """Markdown: what was trained, on what and how, its figures, how to use it, its limits."""
    parts = [
        f"# {_text(info.title)}, trained on {_text(info.dataset)}",
        _summary(info),
        "## Figures",
        _figures(info),
        "## Training",
        _training(info),
        "## Use",
        _use(),
        "## Limits",
        "\n".join(f"- {limit}" for limit in _limits(info)),
    ]
    return "\n\n".join(parts) + "\n"


def _summary(info: RunInfo) -> str:
    size = info.preprocessing.image_size
    looping = info.metrics.test.loops_max > 0
    kind = (
        "A dynamic recursive network: gates decide for every picture how often each recursive "
        "block runs."
        if looping
        else "A plain residual network without recursive blocks: every picture takes one path."
    )
    classes = ", ".join(_text(name) for name in info.classes[:20])
    more = f" and {len(info.classes) - 20} more" if len(info.classes) > 20 else ""
    return (
        f"{kind} It sorts colour pictures of {size}x{size} pixels into {len(info.classes)} "
        f"classes: {classes}{more}."
    )


def _figures(info: RunInfo) -> str:
    test = info.metrics.test
    rows = [("Test images", f"{test.n:,}"), ("Error", f"{test.error:.2f} %")]
    if test.error_top5 is not None:
        rows.append(("Top-5 error", f"{test.error_top5:.2f} %"))
    loss = f"{test.loss:.4f} nats" if math.isfinite(test.loss) else "not finite"
    rows.append(("Cross-entropy", loss))
    if test.loops_max:
        loops = f"{test.loops_mean:.2f} ± {test.loops_std:.2f} of {test.loops_max}"
        rows.append(("Loops per image (mean ± standard deviation)", loops))
    if test.rate is not None:
        target = "" if test.target is None else f" (target {test.target:g})"
        rows.append(("Opening rate of the gates", f"{test.rate:.3f}{target}"))
    rows.append(("Multiply-adds per image", f"{test.macs_mean / 1e6:.2f} million"))
    return _table(("On the test split, final weights", ""), rows)


def _training(info: RunInfo) -> str:
    rows = [
        ("Network", f"`{_text(info.model)}`"),
        ("Recipe", f"`{_text(info.recipe_name)}`"),
        ("Epochs", str(info.epochs)),
        ("Seed", str(info.seed)),
        ("Precision", _text(info.precision)),
        ("Device", _text(info.device)),
        ("Time", _duration(info.seconds)),
        ("Program", f"commit `{_text(info.commit)}`"),
        ("Libraries", ", ".join(f"{_text(k)} {_text(v)}" for k, v in info.versions.items())),
        ("Data fingerprint", f"`{_text(info.data_fingerprint)}`"),
        ("Weights, SHA-256", f"`{info.weights_sha256}`"),
    ]
    settings = _scalars(info.recipe.get("training"))
    text = _table(("How it was trained", ""), rows)
    if settings:
        text += f"\n\nThe recipe's settings: {settings}."
    return text + "\n\nThe curve of every epoch and the whole recipe are in `run.json`."


def _use() -> str:
    return (
        "With FOLDER standing for this folder:\n\n"
        "    drnn predict FOLDER picture.jpg   # class, confidence, loops of every block\n"
        "    drnn evaluate FOLDER --data DATA  # the figures above, measured again\n"
        "    drnn verify FOLDER                # every file against its checksum\n"
        "    drnn app --runs FOLDER/..         # look inside, in the browser\n\n"
        "`model.safetensors` holds the weights, `run.json` everything needed to use them (class "
        "names and preprocessing among it), `records/` one row per test image if they were "
        "recorded."
    )


def _limits(info: RunInfo) -> list[str]:
    test, size = info.metrics.test, info.preprocessing.image_size
    limits = [
        (
            f"It names one of its {len(info.classes)} classes for every picture, also for "
            "pictures of something else. Its confidence is the softmax of its logits and was "
            "not calibrated."
        ),
        f"It sees {size}x{size} pixels, whatever the size of the picture.",
        "The figures are of one training with one seed; another seed gives others.",
        (
            "Nothing is known of its behaviour on data unlike its training data. It is for "
            "study, not for decisions about people."
        ),
    ]
    if changes := (*changes_of(info), *training_changes_of(info)):
        listed = ", ".join(map(_text, changes))
        limits.insert(0, f"It is not what its recipe's name says: {listed}.")
    full = _recipe_epochs(info.recipe)
    if full is not None and full != info.epochs:
        limits.insert(0, f"It was trained for {info.epochs} epochs where its recipe says {full}.")
    limits.extend(_moved_limit(info))
    limits.extend(_rate_limit(test))
    limits.extend(_paper_limit(info))
    return limits


def _moved_limit(info: RunInfo) -> list[str]:
    point = operating_point_of(info)
    if point is None:
        return []
    listed = ", ".join(f"{_text(name)} {value:g}" for name, value in point.thresholds.items())
    return [
        (
            "Its gates were moved after training: they open where the trained gate's probability "
            f"is above a threshold of its own ({listed}; 0.5 in training). All other weights are "
            f"those of the run `{_text(point.run)}` (SHA-256 `{_text(point.weights_sha256)}`), "
            "and so is the curve of its training; records and budget of that run are not of this."
        )
    ]


def _rate_limit(test: Metrics) -> list[str]:
    if test.rate is None or test.target is None or abs(test.rate - test.target) <= 0.05:
        return []
    return [
        (
            f"Its gates open at a rate of {test.rate:.3f}, which is not the {test.target:g} that "
            "training aimed at; its cost is not that of the paper's network."
        )
    ]


def _paper_limit(info: RunInfo) -> list[str]:
    network = _mapping(info.recipe.get("network"))
    paper = _mapping(network.get("paper"))
    error, dataset = paper.get("error"), str(network.get("dataset", ""))
    if not isinstance(error, int | float) or not dataset:
        return []
    if changes_of(info):
        return []  # another network
    source = _text(str(paper.get("source", "")))
    printed = f"The paper prints {error:g} % ({source}) for this network on {_text(dataset)}"
    if data_set_of(info) == dataset:
        gave = f"this training gave {info.metrics.test.error:.2f} % on {_text(info.dataset)}"
        return [f"{printed}; {gave}."]
    return [f"{printed}, which says nothing about {_text(info.dataset)}."]


def _recipe_epochs(recipe: Mapping[str, Any]) -> int | None:
    epochs = _mapping(recipe.get("training")).get("epochs")
    return epochs if isinstance(epochs, int) else None


def _scalars(values: Any) -> str:
    """The settings of a recipe in one line; those that are empty are left out."""
    told: list[str] = []
    for key, value in _mapping(values).items():
        items = list(cast(Sequence[Any], value)) if isinstance(value, list | tuple) else [value]
        if items and items != [None]:
            told.append(f"{_text(key)} {' '.join(_text(str(item)) for item in items)}")
    return ", ".join(told)


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else {}


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} seconds"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "| --- | --- |"]
    return "\n".join(lines + [f"| {name} | {value} |" for name, value in rows])


def _text(value: str) -> str:
    """Words from run.json as they are, not as markup: one line, no table bars, no HTML."""
    return html.escape(" ".join(value.split()), quote=False).replace("|", "\\|").replace("`", "'")
