"""Times of the counterfactual lab in a headless browser: a key on a slider to the path.

    python -m benchmarks.lab [--moves 20] [--run RUN] [--out lab.json]

The app is served as `drnn app` serves it, on the shipped runs. Each move is one press of an arrow
key on a slider, to a picture that was never asked before. Times are the browser's own clock: from
the key to the frame after both the new path and the new picture, with its saliency or without, are
in the page. The load average says how busy the machine was.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.app import chromium_path

ROOT = Path(__file__).resolve().parents[1]
RUN = "generated_dr_resnet32_l4"
# So that every move is a picture of its own, whatever was asked before.
MOVES = (("blur", "ArrowRight"), ("noise", "ArrowRight"), ("rotation", "ArrowLeft"))
PAUSE_MS = 400  # between moves: the chart below is drawn after the path

# Resolves, once all that the selectors find in their components has changed, with the milliseconds
# from the key press to the frame after.
WATCH = """([slider, watched]) => {
  const rootOf = name => [...document.querySelectorAll(`.st-key-${name} *`)]
    .map(each => each.shadowRoot).find(Boolean);
  const drawn = ([holder, selector]) => rootOf(holder)?.querySelector(selector)?.innerHTML;
  const range = rootOf("lab_bench").querySelector(`#range-${slider}`);
  const old = watched.map(drawn);
  window.moved = new Promise(done => {
    range.addEventListener("keydown", () => {
      const pressed = performance.now();
      const look = () => {
        const now = watched.map(drawn);
        if (!now.every((each, place) => each && each !== old[place])) {
          return requestAnimationFrame(look);
        }
        requestAnimationFrame(() => done(performance.now() - pressed));
      };
      look();
    }, { once: true });
  });
  range.focus();
}"""
PATH = ("lab_path", ".path-picture")
PICTURE = ("lab_bench", "figure:nth-of-type(2) .pixels")
SALIENCY = ("lab_bench", "figure:nth-of-type(2) .pixels svg")


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--moves", type=int, default=20, help="of each kind")
    parser.add_argument("--runs", type=Path, default=ROOT / "checkpoints", help="folder of runs")
    parser.add_argument("--run", default=RUN, help="name of the run")
    parser.add_argument("--out", type=Path, default=None, help="also write the JSON here")
    chosen = parser.parse_args()
    text = json.dumps(measure(chosen.runs, chosen.run, chosen.moves), indent=1)
    print(text)
    if chosen.out:
        chosen.out.write_text(text + "\n")


def measure(runs: Path, run: str, moves: int) -> dict[str, Any]:
    """All times, with what they were measured on."""
    from playwright.sync_api import sync_playwright

    chromium = chromium_path()
    before = os.getloadavg()[0]
    with sync_playwright() as playwright, serving(runs) as address:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(120_000)
        plain = times(page, address, run, moves, saliency=False)
        with_saliency = times(page, address, run, moves, saliency=True)
        version = browser.version
        browser.close()
    return {
        "run": run,
        "slider_to_path_s": plain,
        "slider_to_path_and_saliency_s": with_saliency,
        "load_average": [before, os.getloadavg()[0]],
        "processors": os.cpu_count(),
        "machine": platform.processor() or platform.machine(),
        "chromium": version,
    }


def times(page: Any, address: str, run: str, moves: int, saliency: bool) -> dict[str, Any]:
    """Seconds of each move, after two that do not count."""
    edit = "blur+0.3+noise+2+rotation+60" if saliency else "blur+0.3+noise+1+rotation+70"
    query = f"run={run}&view=Counterfactual+lab&edit={edit}" + (
        "&saliency=true" if saliency else ""
    )
    page.goto(f"{address}/inspect?{query}")
    page.get_by_role("heading", name="Along one factor").wait_for()
    page.wait_for_timeout(3000)
    watched = [PATH, SALIENCY if saliency else PICTURE]
    found: list[float] = []
    for number in range(moves + 2):
        name, key = MOVES[number % len(MOVES)]
        page.evaluate(WATCH, [name, watched])
        page.keyboard.press(key)
        found.append(page.evaluate("() => window.moved") / 1000)
        page.wait_for_timeout(PAUSE_MS)
    return told(found[2:])


def told(seconds: list[float]) -> dict[str, Any]:
    """Median, extremes and the times themselves."""
    rounded = [round(each, 3) for each in seconds]
    return {
        "n": len(rounded),
        "median": round(statistics.median(seconds), 3),
        "min": min(rounded),
        "max": max(rounded),
        "all": rounded,
    }


@contextmanager
def serving(runs: Path) -> Generator[str]:
    """A fresh server; its address."""
    command = [sys.executable, "-m", "drnn_core", "app", "--port", "0", "--runs", str(runs)]
    process = subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                yield found.group().rstrip("/")
                break
        else:
            sys.exit("the server did not start")
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
