"""The sliders and the two pictures, a component of ours.

Streamlit's sliders tell their value only when they are let go, and a box cannot be drawn on its
pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.components.v2 import component

from app.inspection import heat
from app.inspection.components import data_uri
from app.lab.factors import FACTORS
from app.numbers import percent
from app.units import macs_text
from drnn_core.analysis.edits import Box, Edit
from drnn_core.inference.prediction import Prediction

_ASSETS = Path(__file__).resolve().parent / "assets"
_SCRIPTS = ("box.js", "rows.js", "bench.js")
_SMALL = 96  # pixels; a smaller picture is enlarged in blocks
_OVERLAY = 0.75


def bench(
    key: str,
    edit: Edit,
    usual: Box,
    pictures: list[dict[str, str]],
    said: str,
    on_edit: Callable[[], None],
) -> None:
    """Draw it.

    Args:
        key: of the component; in ``on_edit``, ``asked(key)`` is what the user wants changed.
        edit: what is changed.
        usual: where a new box is laid.
        pictures: ``markup`` and ``caption`` of the picture before and after.
        said: of the difference, for who cannot see the picture.
        on_edit: called before the lab is drawn again.
    """
    values = {name: factor.shown(edit.value(name)) for name, factor in FACTORS.items()}
    data = {
        "factors": [_described(name) for name in FACTORS],
        "values": values,
        "box": _percent(edit.box) if edit.box else None,
        "usual": _percent(usual),
        "pictures": pictures,
        "said": said,
        "serial": _state(key).get("serial", 0),
    }
    _component()(key=key, data=data, on_edit_change=on_edit)


def asked(key: str) -> str:
    """What the user wants changed, as text."""
    return str(_state(key).get("text", ""))


def markup(seen: NDArray[np.uint8], words: str, evidence: NDArray[np.float32] | None = None) -> str:
    """A picture, (H, W, 3), with its evidence (H, W) laid over it, if there is any."""
    if evidence is not None:
        return heat.evidence_svg(seen, evidence, _OVERLAY, words)
    blocky = ' class="blocky"' if max(seen.shape[:2]) < _SMALL else ""
    return (
        f'<img{blocky} src="{data_uri(seen)}" alt="{escape(words, quote=True)}" draggable="false">'
    )


def caption(title: str, found: Prediction, before: Prediction | None = None) -> str:
    """What the network says of a picture, and of the one ``before`` it was changed."""
    said, chance = found.top[0]
    flipped = before is not None and before.label != found.label
    answer = f'<strong>{escape(said)}</strong> <span class="chance">{percent(chance)}</span>'
    lines = [
        f"<div>{escape(title)}</div>",
        f'<div class="{"flipped" if flipped else ""}">{answer}</div>',
    ]
    if before is not None and flipped:
        name = before.top[0][0]
        left = percent(float(found.probabilities[before.label]))
        lines.append(f"<div>no longer {escape(name)}: {left}</div>")
    elif before is not None:
        points = 100 * (chance - before.top[0][1])
        more = _signed(points, 1)
        same = more in ("+0.0", "−0.0")
        lines.append(
            f"<div>{'as sure as before' if same else f'{more} points of confidence'}</div>"
        )
    cost = macs_text(found.macs)
    if found.loops_max:
        more = ""
        if before is not None and found.loops != before.loops:
            more = f" ({_signed(found.loops - before.loops, 0)})"
        lines.append(
            f"<div>{found.loops} of {found.loops_max} loops{more} · {cost} multiply-adds</div>"
        )
    return "".join(lines)


def _described(name: str) -> dict[str, Any]:
    factor = FACTORS[name]
    low, high = factor.limits
    return {
        "name": name,
        "label": factor.label,
        "unit": factor.unit,
        "low": low,
        "high": high,
        "most": 100 if name == "occlusion" else high,
        "neutral": factor.neutral,
        "digits": factor.digits,
        "step": 10.0**-factor.digits,
        "help": factor.meaning,
    }


def _percent(box: Box) -> list[float]:
    return [round(100 * side, 2) for side in box]


def _signed(number: float, digits: int) -> str:
    return f"{number:+.{digits}f}".replace("-", "−")


def _state(key: str) -> dict[str, Any]:
    found: Any = st.session_state.get(key) or {}
    return dict(found.get("edit") or {})


@cache
def _component() -> Callable[..., Any]:
    return component(
        "loopscope_bench",
        html=(_ASSETS / "bench.html").read_text("utf-8"),
        css=(_ASSETS / "bench.css").read_text("utf-8"),
        js="\n".join((_ASSETS / name).read_text("utf-8") for name in _SCRIPTS),
    )
