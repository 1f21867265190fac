"""A real server and a real browser: every page is watched for errors and for foreign requests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.app.fake_runs import fake_run

START_SECONDS = 120
WAIT_MS = 60_000


@dataclass
class Server:
    """A running app."""

    address: str
    runs: Path


@pytest.fixture(scope="session")
def start_app(
    tmp_path_factory: pytest.TempPathFactory, repository: Path
) -> Iterator[Callable[..., Server]]:
    """``start_app(runs, *arguments)`` runs ``drnn app`` on a free port until the session ends."""
    started: list[subprocess.Popen[str]] = []
    elsewhere = tmp_path_factory.mktemp("elsewhere")  # not the repository: nothing may depend on it

    def start(runs: Path, *arguments: str) -> Server:
        environment = {
            **os.environ,
            "PYTHONPATH": str(repository),
            "XDG_CACHE_HOME": str(tmp_path_factory.getbasetemp() / "cache"),
        }
        command = [sys.executable, "-m", "drnn_core", "app", "--runs", str(runs), "--port", "0"]
        process = subprocess.Popen(
            [*command, *arguments], cwd=elsewhere, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        started.append(process)
        return Server(_address(process), runs)

    yield start
    for process in started:
        process.terminate()
        process.wait(20)
        if process.stdout:
            process.stdout.close()


def _address(process: subprocess.Popen[str]) -> str:
    """The address that the server prints once it listens; it answers when it is ready."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if found := re.search(r"http://\S+", line):
            address = found.group().rstrip("/")
            with urllib.request.urlopen(
                f"{address}/_stcore/health", timeout=START_SECONDS
            ) as answer:
                assert answer.status == 200
            return address
    raise AssertionError(f"the server did not start:\n{said}")


@pytest.fixture(scope="session")
def server(start_app: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    """An app on runs of ``generated``: one of 400 records, one of 50,000, one damaged."""
    runs = tmp_path_factory.mktemp("browser") / "runs"
    fake_run(runs / "dr", 400)
    fake_run(runs / "large", 50_000)
    fake_run(runs / "elsewhere", 50, of=("CIFAR-10", "ab" * 32))
    (runs / "broken").mkdir()
    (runs / "broken" / "run.json").write_text("{")
    return start_app(runs)


@dataclass
class Watched:
    """What a page asked for and complained of."""

    foreign: list[str] = field(default_factory=list[str])
    errors: list[str] = field(default_factory=list[str])


@pytest.fixture
def open_page(new_page: Callable[..., Any], server: Server) -> Callable[..., Any]:
    """``open_page(path, width=, height=, dark=)``: a page of ``new_page`` that shows the path."""

    def open_one(path: str, **look: Any) -> Any:
        page = new_page(**look)
        page.goto(f"{server.address}/{path}")
        return page

    return open_one


@pytest.fixture
def new_page(browser: Any, server: Server) -> Iterator[Callable[..., Any]]:
    """``new_page(width=, height=, dark=)``, empty; nothing foreign is asked and nothing fails."""
    watched = Watched()
    contexts: list[Any] = []

    def make_one(width: int = 1440, height: int = 900, dark: bool = False) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        watch(page, server.address, watched)
        return page

    yield make_one
    for context in contexts:
        context.close()
    assert watched.foreign == []
    assert watched.errors == []


@pytest.fixture
def page(new_page: Callable[..., Any]) -> Any:
    """An empty page of ``new_page``."""
    return new_page()


def watch(page: Any, address: str, watched: Watched) -> None:
    """Note requests that leave the app, failed answers of our own routes, and script errors."""
    own = (address, address.replace("http", "ws", 1), "data:", "blob:")

    def asked(request: Any) -> None:
        if not request.url.startswith(own):
            watched.foreign.append(request.url)

    def answered(response: Any) -> None:
        if "/gallery/" in response.url and response.status >= 400:
            watched.errors.append(f"{response.status} {response.url}")

    page.on("request", asked)
    page.on("response", answered)
    page.on("websocket", asked)
    page.on("pageerror", lambda error: watched.errors.append(str(error)))


def settled(page: Any) -> None:
    """Wait until the server has run the page to its end."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')


@pytest.fixture
def status_of(server: Server) -> Callable[..., int]:
    """Status of a plain request to the server."""

    def ask(path: str, **headers: str) -> int:
        request = urllib.request.Request(f"{server.address}/{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    return ask
