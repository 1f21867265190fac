"""Where the app looks: the folder of runs, and the images that the records speak of.

``drnn app`` sets both; ``streamlit run app/main.py`` takes them from the environment or from
their defaults.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

RUNS_VARIABLE = "LOOPSCOPE_RUNS"
DATA_VARIABLE = "LOOPSCOPE_DATA"

_REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """Attributes:
    runs: folder with one sub-folder for each run.
    data: what ``--data`` takes ("generated" or a folder of images), or None.
    """

    runs: Path
    data: str | None


def settings() -> Settings:
    """The settings of this process."""
    runs = os.environ.get(RUNS_VARIABLE)
    data = os.environ.get(DATA_VARIABLE)
    return Settings(Path(runs) if runs else _REPOSITORY / "checkpoints", data or None)


def use(runs: Path, data: str | None) -> None:
    """Fix the settings for this process and what it starts."""
    os.environ[RUNS_VARIABLE] = str(runs.resolve())
    os.environ[DATA_VARIABLE] = data or ""
