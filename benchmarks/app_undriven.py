"""Visits of the app's pages in a browser that nothing drives, as people's browsers are.

    python -m benchmarks.app_undriven [--visits 7] [--out undriven.json]

What drives a browser (Playwright, over the DevTools protocol) asks it for stacks and frames, which
costs time that no reader spends. Here a small extension watches the page from within: it asks a
collector for an address, goes there, and says how many milliseconds after the start of the
navigation the page was ready, by the rule of ``app_visits.READY``. The runs, the server and the
order of the pages are those of ``app_pages``; every page is visited in turn, one window stays open,
and the first ``BEFORE`` rounds count for nothing: they fill the caches of server and browser.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.app import FLAGS, chromium_path, serving, told
from benchmarks.app_pages import prepare_pages
from benchmarks.app_visits import BEFORE, PAGES, READY, say, wanted_of

_PATIENCE = 1800  # seconds for all visits
_MANIFEST = {
    "manifest_version": 3,
    "name": "watches the app's pages",
    "version": "1",
    "host_permissions": ["http://127.0.0.1/*"],
    "content_scripts": [
        {"matches": ["http://127.0.0.1/*"], "js": ["watch.js"], "run_at": "document_start"}
    ],
}
# Asks the collector where it is, waits until that is ready, says so and goes to the next address.
_WATCH = """
const ready = READY;
const ask = async (said) => (await fetch("COLLECTOR/?" + new URLSearchParams(said))).json();
ask({at: location.pathname}).then(({wanted}) => {
  const look = async () => {
    const passed = wanted && ready(wanted);
    if (!passed) return requestAnimationFrame(look);
    await new Promise((done) => setTimeout(done, 1000)); // what is left to do is not for the next
    const {next} = await ask({passed});
    if (next) location.href = next;
  };
  requestAnimationFrame(look);
});
"""


class Tour:
    """The addresses to visit, in turn, and what was said of each.

    Args:
        address: of the app.
        rounds: through all pages.
    """

    def __init__(self, address: str, rounds: int) -> None:
        self.stops = [
            (name, f"{address}/{path}") for _ in range(rounds) for name, path in PAGES.items()
        ]
        self.seconds: list[float] = []
        self.over = Event()

    def answer(self, said: dict[str, list[str]]) -> dict[str, Any]:
        """What the page at hand must show, or, once it has said when it was ready, the next one."""
        if "at" in said:
            name = self.stops[len(self.seconds)][0]
            here = PAGES[name].partition("?")[0] == said["at"][0].lstrip("/")
            return {"wanted": wanted_of(name) if here else None}
        self.seconds.append(float(said["passed"][0]) / 1000)
        if len(self.seconds) == len(self.stops):
            self.over.set()
            return {"next": None}
        return {"next": self.stops[len(self.seconds)][1]}

    def by_page(self) -> dict[str, list[float]]:
        """Seconds of each page, without the rounds that fill caches."""
        found: dict[str, list[float]] = {name: [] for name in PAGES}
        visits = list(zip(self.stops, self.seconds, strict=True))
        for (name, _), seconds in visits[BEFORE * len(PAGES) :]:
            found[name].append(seconds)
        return found


@contextmanager
def collecting(tour: Tour) -> Generator[str]:
    """A server that the extension asks; its address."""

    class Collector(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(tour.answer(parse_qs(urlsplit(self.path).query))).encode()
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def visited(address: str, rounds: int, folder: Path) -> dict[str, list[float]]:
    """Seconds to a usable page, by page, of a browser of its own."""
    tour = Tour(address, rounds)
    extension = folder / "extension"
    shutil.rmtree(extension, ignore_errors=True)
    extension.mkdir()
    with collecting(tour) as collector:
        (extension / "manifest.json").write_text(json.dumps(_MANIFEST))
        script = _WATCH.replace("READY", READY).replace("COLLECTOR", collector)
        (extension / "watch.js").write_text(script)
        browser = subprocess.Popen(
            [
                chromium_path(), "--headless", *FLAGS, f"--user-data-dir={folder / 'profile'}",
                f"--load-extension={extension}", "--window-size=1440,900", tour.stops[0][1],
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        ended = tour.over.wait(_PATIENCE)
        browser.terminate()
        browser.wait()
    if not ended:
        raise SystemExit(f"after {len(tour.seconds)} visits the browser said nothing more")
    return tour.by_page()


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--visits", type=int, default=7, help="visits of each page")
    parser.add_argument("--out", type=Path, default=None, help="also write the JSON here")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare_pages(folder)
        say("runs and pictures made")
        before = os.getloadavg()
        with serving(folder) as (address, _):
            found = visited(address, BEFORE + chosen.visits, folder)
    usable = {page: told(seconds) for page, seconds in found.items()}
    text = json.dumps({"usable_s": usable, "load_average": [*before, *os.getloadavg()]}, indent=1)
    print(text)
    if chosen.out:
        chosen.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
