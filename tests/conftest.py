"""What every test stands on: one thread, a fixed seed, no network, a browser if there is one."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import torch

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Deterministic by default: a red test is a fault, not bad luck. `HYPOTHESIS_PROFILE=explore`
# looks for new counterexamples.
hypothesis.settings.register_profile(
    "default", deadline=None, derandomize=True, max_examples=40, database=None
)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=1000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

torch.set_num_threads(1)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
_NO_BROWSER = "no chromium on this machine (Debian: apt-get install chromium)"


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--browser``: which tests run, for a real browser needs the machine for itself."""
    parser.addoption(
        "--browser", choices=("with", "without", "only"), default="with",
        help="run tests that drive a browser, too (the default), leave them out, or run no others",
    )  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the tests that ``--browser`` asks for; leave those out that miss their browser."""
    asked = config.getoption("--browser")
    driven = [item for item in items if item.get_closest_marker("browser")]
    if asked != "with":
        taken = driven if asked == "only" else [item for item in items if item not in driven]
        config.hook.pytest_deselected(items=[item for item in items if item not in taken])
        items[:] = taken
    if not CHROMIUM:
        for item in driven:
            item.add_marker(pytest.mark.skip(reason=_NO_BROWSER))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was left out, in a line of its own."""
    skipped = terminalreporter.stats.get("skipped", [])
    if count := sum(_NO_BROWSER in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(f"LEFT OUT: {count} browser tests: {_NO_BROWSER}", red=True)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of the machine's chromium."""
    if CHROMIUM is None:
        pytest.skip(_NO_BROWSER)
    return CHROMIUM


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    """The machine's chromium, headless, driven by Playwright."""
    from playwright.sync_api import sync_playwright  # slow to import

    with sync_playwright() as playwright:
        # --no-sandbox: chromium refuses to run as root with it, as containers do.
        launched = playwright.chromium.launch(
            executable_path=chromium_path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield launched
        launched.close()


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test draws the same random numbers, alone or in company."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections that leave this machine."""
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in (
            "127.0.0.1",
            "::1",
            "localhost",
        ):
            raise OSError(f"a test tried to reach {address}; tests use no network")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", local_only)


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the clone."""
    return Path(__file__).resolve().parents[1]
