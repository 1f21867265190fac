"""Numbers out of Plotly's JSON."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np


def numbers(value: Any) -> list[float]:
    """Plotly writes arrays as base64 or as lists."""
    if isinstance(value, dict):
        return np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"]).tolist()
    return list(value)
