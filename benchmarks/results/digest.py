"""One number for everything that the page is made from, so that a test sees when it is old.

That is the runs, and what benchmarks measured and the repository keeps.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results.shipped import Shipped

MEASURED = Path("benchmarks/measured")

# What the page reads of run.json, which may come to hold more that it does not read.
_SAID = ("title", "model", "model_args", "recipe_name", "recipe", "dataset", "data_fingerprint",
         "classes", "seed", "epochs", "metrics", "curve", "weights_sha256")  # fmt: skip
# Each is what it stands for, or names it: a manifest holds the hashes of its shards.
_FILES = (
    "records/manifest.json",
    "columns/*/manifest.json",
    "norms.safetensors",
    "budget.json",
    "gradients.json",
    "population.json",
)


def digest(runs: Sequence[Shipped], measured: Path = MEASURED) -> str:
    """Of the runs' names and files and of the measurements; the same on every machine."""
    found = hashlib.sha256()
    for run in sorted(runs, key=lambda run: run.folder.name):
        said = {key: value for key, value in run.info.to_dict().items() if key in _SAID}
        found.update(json.dumps(said, sort_keys=True).encode())
        for path in sorted(_files(run.folder)):
            name = f"{run.folder.name}/{path.relative_to(run.folder).as_posix()}"
            found.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for path in sorted(measured.iterdir()):
        found.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()[:16]


def closing(runs: Sequence[Shipped]) -> str:
    """The page's last line."""
    return f"Made from {len(runs)} runs; digest of what was read: `{digest(runs)}`."


def _files(folder: Path) -> list[Path]:
    return [path for pattern in _FILES for path in folder.glob(pattern)]
