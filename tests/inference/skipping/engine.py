"""The compiler of networks as one object, as it is or with a fault put in on purpose."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

from tests.models.checks.core import source_of

_PACKAGE = "drnn_core.inference.skipping"
# In the order of their imports: a module stands after those that it imports.
MODULES = (
    *("convolution", "program", "fusing", "lowering", "gates", "rows", "path", "blocks"),
    *("cutting", "building", "network"),
)


def real_engine() -> Any:
    """The modules as everybody imports them, by their names."""
    return SimpleNamespace(
        **{name: importlib.import_module(f"{_PACKAGE}.{name}") for name in MODULES}
    )


def source(module: str) -> str:
    """The text of a module of the package."""
    return source_of(f"{_PACKAGE}.{module}")[1]


def damaged_engine(sources: Mapping[str, str]) -> Any:
    """A second copy of the package, where the named modules have another source.

    The copies import each other, not the originals, which everybody else keeps.
    """
    originals = {name: importlib.import_module(f"{_PACKAGE}.{name}") for name in MODULES}
    copies: dict[str, ModuleType] = {}
    try:
        for name in MODULES:
            full = f"{_PACKAGE}.{name}"
            copies[name] = ModuleType(full)
            copies[name].__file__ = str(source_of(full)[0])
            sys.modules[full] = copies[name]
            text = sources.get(name, source(name))
            exec(compile(text, f"<copy of {full}>", "exec"), vars(copies[name]))
        return SimpleNamespace(**copies)
    finally:
        for name, module in originals.items():
            sys.modules[f"{_PACKAGE}.{name}"] = module
