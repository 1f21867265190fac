"""Pictures of the app's pages for the documents, of the shipped runs, by a headless browser.

    python -m benchmarks.pictures [NAME...] [--out docs]

Each is of a whole page or of its upper part, 1440 pixels wide, in 256 colours, taken once nothing
on the page moves any more. Names: of ``VIEWS``, all unless some are given.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from benchmarks.app import FLAGS, ROOT, chromium_path, serving

_DR, _PLAIN = "generated_dr_resnet32_l4", "generated_resnet20"
_WIDTH, _HEIGHT = 1440, 900
_STILL = 6  # looks in a row at a page that does not change
_LOOK_MS, _WAIT_MS = 500, 180_000


class View(NamedTuple):
    """A page to take.

    Attributes:
        path: after the server's address.
        heading: one that its lowest part has.
        height: how much of it, in pixels; None takes all.
    """

    path: str
    heading: str
    height: int | None = None


VIEWS = {
    "inspect": View(f"inspect?run={_DR}", "Inspect", 1170),
    "distribution": View(f"distribution?run={_DR}", "Distribution"),
    "easy_hard": View(f"easy_hard?run={_DR}", "What separates them", 1690),
    "saliency": View(f"saliency?run={_DR}", "Images at both ends"),
    "norms": View(f"norms?run={_DR}", "The network"),
    "budget": View(f"budget?run={_DR}", "Take it along"),
    "compare": View(f"compare?run={_DR}&with={_PLAIN}", "Training"),
    "models": View(f"models?run={_DR}", "Models", 1330),
}


def main() -> None:
    """Take them."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", default=list(VIEWS), help="which, by default all")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder of the pictures")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(VIEWS):
        sys.exit(f"expected some of {', '.join(VIEWS)}, got {', '.join(sorted(unknown))}")
    chromium = chromium_path()
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), ROOT / "checkpoints") as (address, _),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for name in chosen.names:
            taken = take(browser, address, VIEWS[name])
            taken.save(chosen.out / f"{name}.png", optimize=True)
            print(f"{name}: {taken.width} x {taken.height}", flush=True)
        browser.close()


def take(browser: Any, address: str, view: View) -> Image.Image:
    """One page as it stands when all is drawn."""
    context = browser.new_context(viewport={"width": _WIDTH, "height": _HEIGHT})
    page = context.new_page()
    page.set_default_timeout(_WAIT_MS)
    page.goto(f"{address}/{view.path}")
    page.get_by_role("heading", name=view.heading).first.wait_for()
    still(page)
    page.set_viewport_size({"width": _WIDTH, "height": view.height or whole_height(page)})
    taken = Image.open(io.BytesIO(still(page))).convert("RGB")
    context.close()
    return taken.quantize(256, dither=Image.Dither.NONE)


def still(page: Any) -> bytes:
    """The picture of a page that has looked the same for a while."""
    before, same = b"", 0
    while same < _STILL:
        page.wait_for_timeout(_LOOK_MS)
        now = page.screenshot()
        same = same + 1 if now == before else 0
        before = now
    return before


def whole_height(page: Any) -> int:
    """Of all that can be scrolled to."""
    return int(page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight"))


if __name__ == "__main__":
    main()
