"""``generated``: our own image set, drawn from seeds, with known difficulty and object masks."""

from __future__ import annotations

from drnn_core.data.generated.cache import SIDE as GENERATED_SIZE
from drnn_core.data.generated.factors import FACTORS, Factors
from drnn_core.data.generated.imageset import DEFAULT_COUNT, FIRST_SEED, GeneratedSet
from drnn_core.data.generated.large import LargeGeneratedSet
from drnn_core.data.generated.rendering import (
    GENERATED_CLASSES,
    GENERATED_VERSION,
    Rendered,
    render,
    render_with,
)

__all__ = [
    "DEFAULT_COUNT",
    "FACTORS",
    "FIRST_SEED",
    "GENERATED_CLASSES",
    "GENERATED_SIZE",
    "GENERATED_VERSION",
    "Factors",
    "GeneratedSet",
    "LargeGeneratedSet",
    "Rendered",
    "render",
    "render_with",
]
