"""Whoever only looks at runs has no torch in memory: 180 MB, and two seconds to import it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.settings import RUNS_VARIABLE
from tests.app.evidence_columns import write_evidence
from tests.app.fake_runs import fake_run
from tests.app.norm_runs import fake_norms

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "distribution": {},
    "easy_hard": {},
    # Of images elsewhere, for here is a network run to show where the evidence lies.
    "saliency": {"run": "elsewhere"},
    "norms": {},
    "budget": {},
    "joining": {},
    "compare": {"with": "plain"},
    "models": {},
}

# Draws every page in turn, then asks for a sprite; prints what was wrong.
BROWSE = """
import json, sys
from streamlit.testing.v1 import AppTest

pages, heavy = json.loads(sys.argv[1]), sys.argv[2].split(",")
faults = []
for name, parameters in pages.items():
    script = "from app import runpicker; runpicker.choose_run()"
    page = AppTest.from_string(f"{script}; from app.{name} import page; page.show()")
    for key, value in {"run": "dr", **parameters}.items():
        page.query_params[key] = value
    page.run(timeout=240)
    faults += [f"{name} fails: {error.value}" for error in page.exception]
    if not page.main.children:
        faults.append(f"{name} is empty")
    faults += [f"{name} imports {module}" for module in heavy if module in sys.modules]

from starlette.applications import Starlette
from app.gallery import routes
from tests.app.asgi import get

routes.render_ahead = lambda header: None
answer = get(Starlette(routes=routes.ROUTES), "/gallery/dr/sprite/0.jpg")
if answer.status != 200:
    faults.append(f"the gallery answers {answer.status}")
faults += [f"the gallery imports {module}" for module in heavy if module in sys.modules]
print(json.dumps(faults))
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("light")
    fake_run(folder / "dr", 120)
    fake_run(folder / "plain", 120, "resnet20")
    fake_run(folder / "elsewhere", 120, of=("CIFAR-10", "ab" * 32))
    fake_norms(folder / "dr")
    write_evidence(folder / "elsewhere")
    return folder


def browsed(runs: Path, pages: dict[str, Any], heavy: str) -> list[str]:
    environment = {**os.environ, RUNS_VARIABLE: str(runs), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", BROWSE, json.dumps(pages), heavy],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_no_page_that_runs_no_network_imports_torch(runs: Path) -> None:
    assert browsed(runs, PAGES, "torch,torchvision,captum") == []


def test_what_is_imported_is_found(runs: Path) -> None:
    assert browsed(runs, {"models": {}}, "pandas") == [
        "models imports pandas",
        "the gallery imports pandas",
    ]
