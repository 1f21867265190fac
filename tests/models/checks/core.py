"""The heart of the project as one object, as it is or with a fault put in on purpose.

The checks of this folder are plain functions of a ``Core``. The tests call them with the real
one, ``tests/mutants`` with damaged ones, on which they must fail.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

# In the order of their imports: a module stands after those that it imports.
MODULES = (
    "drnn_core.models.norm",
    "drnn_core.models.gate",
    "drnn_core.models.recursive",
    "drnn_core.models.bodies",
)


@dataclass(frozen=True)
class Core:
    """The modules under test; typed loosely, since a damaged one is a module made at run time."""

    norm: Any
    gate: Any
    recursive: Any
    bodies: Any


def real_core() -> Core:
    """The modules as everybody imports them."""
    return Core(*(importlib.import_module(name) for name in MODULES))


def source_of(module: str) -> tuple[Path, str]:
    """File and text of a module of the core."""
    origin = importlib.import_module(module).__file__
    assert origin is not None
    path = Path(origin)
    return path, path.read_text(encoding="utf-8")


def damaged_core(sources: Mapping[str, str]) -> Core:
    """A second copy of the core, where the named modules have another source.

    The copies import each other, not the originals, which everybody else keeps.
    """
    with _restored_modules():
        for name in MODULES:
            path, text = source_of(name)
            module = ModuleType(name)
            module.__file__ = str(path)
            sys.modules[name] = module
            exec(compile(sources.get(name, text), f"<copy of {name}>", "exec"), vars(module))
        return Core(*(sys.modules[name] for name in MODULES))


@contextmanager
def _restored_modules() -> Generator[None]:
    originals = {name: importlib.import_module(name) for name in MODULES}
    try:
        yield
    finally:
        sys.modules.update(originals)
