"""Small drawn parts of the page: figures, bars and meters, as HTML with their words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import streamlit as st

from app.charts import Palette
from app.columns import Column, known
from app.inspection.components import data_uri
from app.inspection.pictures import Picture
from app.numbers import percent
from app.units import macs_text
from drnn_core.data.transforms import Preprocessing
from drnn_core.inference.prediction import Prediction

_STYLE = Path(__file__).resolve().parent / "assets" / "inspect.css"
# Below so many pixels a picture is enlarged in blocks, not smoothed.
_SMALL = 96


def style(colours: Palette) -> None:
    """The look of the parts, in the colours of the theme."""
    names = ("ran", "ran_soft", "skipped", "wrong", "text", "muted", "grid", "surface")
    values = ";".join(f"--ls-{name.replace('_', '-')}:{getattr(colours, name)}" for name in names)
    st.html(f"<style>:root{{{values}}}{_STYLE.read_text('utf-8')}</style>")


def pair(picture: Picture, prediction: Prediction, sizing: Preprocessing) -> str:
    """The picture as it came beside the pixels that the network saw, by the run's ``sizing``."""
    width, height = picture.size
    side = prediction.seen.shape[0]
    blocky = " ls-pixels" if max(width, height) < _SMALL else ""
    drawn = picture.seed is not None
    original = f"as it came, {width} × {height}"
    if drawn:
        original = "the scene, drawn finer" if width > side else f"the scene, {width} × {height}"
    cut = sizing.scaled(width, height) != (side, side)
    part = " of its middle" if cut else ""
    part += ", squashed" if width != height and not sizing.keep_aspect else ""
    return (
        '<div class="ls-pair">'
        f'<figure><img class="ls-picture{blocky}" src="{data_uri(picture.preview)}" '
        f'alt="{escape(picture.name, quote=True)}, {original}">'
        f"<figcaption>{original}</figcaption></figure>"
        f'<figure><img class="ls-picture ls-pixels" src="{data_uri(prediction.seen)}" '
        f'alt="the {side} by {side} pixels that the network sees">'
        f"<figcaption>what the network sees, {side} × {side}{part}</figcaption></figure></div>"
    )


def top_bars(prediction: Prediction, classes: Sequence[str], truth: str | None) -> str:
    """The five likeliest classes, and the true one if it is not among them."""
    rows = list(prediction.top)
    if truth is not None and truth in classes and truth not in dict(rows):
        rows.append((truth, float(prediction.probabilities[list(classes).index(truth)])))
    bars = "".join(
        _bar(name, chance, name == truth, place == 0) for place, (name, chance) in enumerate(rows)
    )
    return f'<ol class="ls-bars" aria-label="Likeliest classes">{bars}</ol>'


def _bar(name: str, chance: float, true: bool, first: bool) -> str:
    mark = ' <span class="ls-true">true class</span>' if true else ""
    return (
        f'<li class="{"ls-first" if first else ""}"><span class="ls-name">{escape(name)}{mark}'
        f'</span><span class="ls-value">{percent(chance)}</span>'
        f'<span class="ls-track"><span style="width:{100 * chance:.2f}%"></span></span></li>'
    )


def verdict(prediction: Prediction, classes: Sequence[str], truth: str | None) -> str:
    """Name of the prediction, and whether it is right, where that is known."""
    said, chance = prediction.top[0]
    if truth is None:
        note = '<span class="ls-chip">no label to compare with</span>'
    elif truth not in classes:
        note = f'<span class="ls-chip">is a {escape(truth)}, which this run does not know</span>'
    elif said == truth:
        note = '<span class="ls-chip ls-right">right</span>'
    else:
        note = f'<span class="ls-chip ls-wrong">wrong, it is {escape(truth)}</span>'
    return (
        f'<p class="ls-verdict"><strong>{escape(said)}</strong> '
        f"<span>{percent(chance)}</span>{note}</p>"
    )


def defined(term: str, meaning: str) -> str:
    """A term with its definition on hover."""
    return f'<abbr title="{escape(meaning, quote=True)}">{escape(term)}</abbr>'


def meter(label: str, meaning: str, value: str, share: float, mean: float | None, note: str) -> str:
    """A quantity against its most, with a tick at the run's mean (both shares of the most)."""
    tick = "" if mean is None else f'<i style="left:{100 * mean:.2f}%"></i>'
    return (
        f'<div class="ls-meter"><div class="ls-line"><span>{defined(label, meaning)}</span>'
        f"<strong>{escape(value)}</strong></div>"
        f'<div class="ls-track"><span style="width:{100 * share:.2f}%"></span>{tick}</div>'
        f"<small>{escape(note)}</small></div>"
    )


def cost_meters(prediction: Prediction) -> str:
    """Loops and multiply-adds spent, against the most and against the run's mean."""
    meters: list[str] = []
    if most := prediction.loops_max:
        mean, std = prediction.loops_mean_of_run, prediction.loops_std_of_run
        meters.append(
            meter(
                "Loops",
                "Executed loops of this image, summed over all recursive blocks. The tick is the "
                "mean of the run's test images.",
                f"{prediction.loops} of {most}",
                prediction.loops / most,
                mean / most,
                f"mean of the run's test images {mean:.2f}\u00a0±\u00a0{std:.2f}",
            )
        )
    spent, limit = prediction.macs, prediction.macs_max
    mean = prediction.macs_mean_of_run
    note = f"{spent / limit:.0%} of the most; mean of the run {macs_text(mean)}"
    if not prediction.loops_max:
        note = "the same for every image: this network has no loops"
    tick = mean / limit if prediction.loops_max else None
    value = f"{macs_text(spent)} of {macs_text(limit)}"
    meaning = (
        "Multiply-adds spent on this image, gates included, of what an image costs that runs every "
        "loop. The tick is the mean of the run's test images."
        if prediction.loops_max
        else "Multiply-adds that an image costs."
    )
    meters.append(meter("Multiply-adds", meaning, value, spent / limit, tick, note))
    return "".join(meters)


def known_factors(picture: Picture) -> str:
    """How hard the generator made the image, in its own units; empty for other pictures."""
    if picture.scene is None:
        return ""
    shown = {
        "blur": "{:.2f} px",
        "occlusion": "{:.0%}",
        "noise": "{:.1%}",
        "contrast": "{:.0%}",
        "clutter": "{:.2f}",
        "scale": "{:.0%}",
        "rotation": "{:.0f}°",
    }
    facts = [
        (name, known(name).meaning, shown.get(name, "{:.3g}").format(value))
        for name, value in picture.scene.factors.items()
    ]
    return _listed("how hard the generator made it", "How hard the image was made", facts)


def own_columns(found: Sequence[tuple[Column, float]]) -> str:
    """What the user's columns say of the image."""
    facts = [(column.label, column.meaning, f"{value:.4g}") for column, value in found]
    return _listed("your columns", "What your columns say of the image", facts)


def _listed(note: str, label: str, facts: Sequence[tuple[str, str, str]]) -> str:
    """A list of (name, definition, value)."""
    rows = "".join(
        f"<div><dt>{defined(name, meaning)}</dt><dd>{escape(value)}</dd></div>"
        for name, meaning, value in facts
    )
    return f'<p class="ls-note">{note}</p><dl class="ls-factors" aria-label="{label}">{rows}</dl>'
