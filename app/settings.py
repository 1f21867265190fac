"""Where the app looks: the folder of runs, and the images that the records speak of.

``drnn app`` sets them; ``streamlit run app/main.py`` takes them from the environment or from
their defaults.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

RUNS_VARIABLE = "LOOPSCOPE_RUNS"
DATA_VARIABLE = "LOOPSCOPE_DATA"
ADDRESS_VARIABLE = "LOOPSCOPE_ADDRESS"

_REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """Where the app looks and listens.

    Attributes:
        runs: folder with one sub-folder for each run.
        data: what ``--data`` takes ("generated" or a folder of images), or None.
        address: that the server is bound to.
    """

    runs: Path
    data: str | None
    address: str


def settings() -> Settings:
    """The settings of this process."""
    runs = os.environ.get(RUNS_VARIABLE)
    return Settings(
        runs=Path(runs) if runs else _REPOSITORY / "checkpoints",
        data=os.environ.get(DATA_VARIABLE) or None,
        address=os.environ.get(ADDRESS_VARIABLE) or "127.0.0.1",
    )


def use(runs: Path, data: str | None, address: str) -> None:
    """Fix the settings for this process and what it starts."""
    os.environ[RUNS_VARIABLE] = str(runs.resolve())
    os.environ[DATA_VARIABLE] = data or ""
    os.environ[ADDRESS_VARIABLE] = address
