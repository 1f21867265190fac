"""Times of the app in a headless browser: cold start, and a click on a bar to a repainted gallery.

    python -m benchmarks.app [--clicks 15] [--starts 5] [--out app.json]

Runs of 500, 10,000 and 50,000 invented records stand in a temporary folder beside a folder of
pictures, a file each as ImageNet's, and every click asks for pages that neither server nor browser
has seen. Times are the browser's own clock: from the press of the
mouse button to the frame in which every tile in view shows what was asked for. Cold start is from
the start of the process to the first such frame, in a browser that is running but has never seen
the app. The load average says how busy the machine was.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from drnn_core.data.datasets import load_split
from drnn_core.data.sets import ImageSet, Subset

ROOT = Path(__file__).resolve().parents[1]
SIZES = (500, 10_000, 50_000)
PICTURES = 250  # different ones
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

# Resolves in the frame after the tiles in view were drawn for another stamp than `old`.
PAINTED = """old => new Promise(done => {
  const find = root => {
    for (const each of root.querySelectorAll("*")) {
      const stamp = each.dataset && each.dataset.painted;
      if (stamp && stamp !== old) return stamp;
      const found = each.shadowRoot && find(each.shadowRoot);
      if (found) return found;
    }
    return null;
  };
  const look = () => {
    const stamp = find(document);
    if (!stamp) return requestAnimationFrame(look);
    requestAnimationFrame(() => done([stamp, performance.timeOrigin + performance.now()]));
  };
  look();
})"""
PRESSED = """() => {
  addEventListener("pointerdown", () => {
    window.pressed = performance.timeOrigin + performance.now();
  }, true);
}"""


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--clicks", type=int, default=15, help="clicks for each number of records")
    parser.add_argument("--starts", type=int, default=5, help="cold starts")
    parser.add_argument("--out", type=Path, default=None, help="also write the JSON here")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), chosen.clicks, chosen.starts)
    text = json.dumps(result, indent=1)
    print(text)
    if chosen.out:
        chosen.out.write_text(text + "\n")


def measure(folder: Path, clicks: int, starts: int) -> dict[str, Any]:
    """All times, with what they were measured on."""
    from playwright.sync_api import sync_playwright

    prepare(folder)
    chromium = chromium_path()
    before = os.getloadavg()[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        cold = [cold_start(browser, folder) for _ in range(starts)]
        with serving(folder) as (address, _):
            times = {f"{size}": click_times(browser, address, size, clicks) for size in SIZES}
        version = browser.version
        browser.close()
    return {
        "cold_start_s": told(cold),
        "click_to_gallery_s": {size: told(found) for size, found in times.items()},
        "load_average": [before, os.getloadavg()[0]],
        "processors": os.cpu_count(),
        "machine": platform.processor() or platform.machine(),
        "chromium": version,
    }


def chromium_path() -> str:
    """The browser on this machine; ends the program with what to do where there is none."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no chromium on this machine (Debian: apt-get install chromium)")
    return chromium


def told(times: list[float]) -> dict[str, Any]:
    """Median, extremes and the times themselves, in seconds."""
    rounded = [round(time, 3) for time in times]
    median = round(statistics.median(times), 3)
    return {
        "n": len(times),
        "median": median,
        "min": min(rounded),
        "max": max(rounded),
        "all": rounded,
    }


def prepare(folder: Path, sizes: Sequence[int] = SIZES) -> None:
    """Runs of each size, and a folder with as many pictures as the largest."""
    sys.path.insert(0, str(ROOT))
    from tests.app.fake_runs import fake_run

    images = pictures(folder / "data", max(sizes))
    for size in sizes:
        of = (images.name, images.fingerprint)
        part = Subset(images, np.arange(size, dtype=np.int64))
        fake_run(folder / "runs" / f"r{size}", images=part, of=of)


def pictures(folder: Path, count: int) -> ImageSet:
    """A folder of ``count`` small pictures in ten classes, and the set that it is."""
    random = np.random.default_rng(0)
    first: list[Path] = []
    for number in range(count):
        path = folder / "val" / f"class{number % 10}" / f"{number // 10:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number < PICTURES:
            coarse = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(np.kron(coarse, np.ones((4, 4, 1), np.uint8))).save(path)
            first.append(path)
        else:
            path.hardlink_to(first[number % PICTURES])
    return load_split(str(folder), "test", 32, originals=True)


@contextmanager
def serving(folder: Path, runs: Path | None = None) -> Generator[tuple[str, float]]:
    """A fresh server; its address, and when its process was started (seconds since the epoch).

    Args:
        folder: of its caches, and of ``runs`` and ``data`` that it serves.
        runs: serve these instead, without data.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "drnn_core", "app", "--port", "0"]
    places = ["--runs", str(runs or folder / "runs")]
    places += [] if runs else ["--data", str(folder / "data")]
    started = time.time()
    process = subprocess.Popen(
        [*command, *places], env=environment, cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                yield found.group().rstrip("/"), started
                break
        else:
            sys.exit("the server did not start")
    finally:
        process.terminate()
        process.wait()


def cold_start(browser: Any, folder: Path) -> float:
    """Seconds from the start of the process to a painted page."""
    with serving(folder) as (address, started):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.goto(f"{address}/distribution?run=r10000")
        _, painted = page.evaluate(PAINTED, "")
        context.close()
    return painted / 1000 - started


def watched(browser: Any, url: str) -> tuple[Any, Any, str]:
    """A painted page that notes when the mouse is pressed: its context, itself, its stamp."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(url)
    stamp, _ = page.evaluate(PAINTED, "")
    page.evaluate(PRESSED)
    page.wait_for_timeout(2000)
    return context, page, stamp


def click_times(browser: Any, address: str, size: int, clicks: int) -> list[float]:
    """Seconds from the press on a bar to the repainted gallery."""
    context, page, stamp = watched(browser, f"{address}/distribution?run=r{size}")
    orders = iter(["fewest loops first", "most loops first", "least confident first", "by class"])
    times: list[float] = []
    for number in range(clicks):
        if number and number % 11 == 0:  # bars of which the pages were seen: another order
            page.get_by_label("Order").click()
            page.get_by_role("option", name=next(orders)).click()
            stamp, _ = page.evaluate(PAINTED, stamp)
            page.wait_for_timeout(700)
        bars = page.locator(".js-plotly-plot").first.locator("g.trace.bars").last
        box = bars.locator("g.point path").nth(2 + number % 11).bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 0.9 * box["height"])
        stamp, painted = page.evaluate(PAINTED, stamp)
        times.append((painted - page.evaluate("window.pressed")) / 1000)
        page.wait_for_timeout(700)
    context.close()
    return times


if __name__ == "__main__":
    main()
