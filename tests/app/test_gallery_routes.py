"""The gallery's routes, asked directly."""

from __future__ import annotations

import io
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette

from app import cache, images
from app.gallery import routes, source
from app.gallery.sprites import PER_PAGE
from app.query import from_query, to_query
from app.settings import RUNS_VARIABLE
from drnn_core.analysis.loops import Selection
from drnn_core.data.generated import render
from tests.app.asgi import Answer, get


@pytest.fixture
def ask(shelf: Path, monkeypatch: pytest.MonkeyPatch):
    """GET below /gallery/; nothing is rendered ahead."""
    monkeypatch.setenv(RUNS_VARIABLE, str(shelf))
    monkeypatch.setattr(routes, "render_ahead", lambda header: None)
    app = Starlette(routes=routes.ROUTES)

    def get_one(address: str) -> Answer:
        return get(app, f"/gallery/{address}")

    return get_one


def open_table(shelf: Path, name: str = "dr") -> tuple[cache.Run, cache.Table]:
    run = cache.open_run(shelf / name)
    return run, cache.table(run)


def test_tiles_of_a_selection_in_its_order(ask, shelf: Path) -> None:
    query = to_query(Selection(loops=(5, 9), correct=False), "loops down")
    tiles = ask(f"dr/tiles/0.json?{query}").json["tiles"]
    _, table = open_table(shelf)
    frame = table.frame
    wanted = frame[frame["loops"].between(5, 9) & ~frame["correct"]]
    assert sorted(tile["index"] for tile in tiles) == sorted(wanted["index"])[:PER_PAGE]
    loops = [tile["loops"] for tile in tiles]
    assert loops == sorted(loops, reverse=True)
    assert all(tile["label"] != tile["prediction"] for tile in tiles)


def test_pages_join_without_gap_or_overlap(ask) -> None:
    pages = [ask(f"dr/tiles/{page}.json").json["tiles"] for page in range(5)]
    assert [tile["index"] for page in pages for tile in page] == list(range(300))
    assert ask("dr/tiles/5.json").status == 404


def test_a_sprite_shows_the_images_of_its_page(ask) -> None:
    answer = ask("dr/sprite/1.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    sheet = np.asarray(Image.open(io.BytesIO(answer.body))).astype(int)
    third = render(1_000_000 + PER_PAGE + 2).image.astype(int)
    assert np.abs(sheet[:32, 64:96] - third).mean() < 6


def test_a_picture_is_exact(ask) -> None:
    shown = np.asarray(Image.open(io.BytesIO(ask("dr/image/7.png").body)))
    assert (shown == render(1_000_007).image).all()
    assert ask("dr/image/300.png").status == 404


def test_the_record_at_a_position(ask, shelf: Path) -> None:
    query = to_query(Selection(), "loops down")
    record = ask(f"dr/at/0.json?{query}").json
    _, table = open_table(shelf)
    row = table.frame.iloc[record["row"]]
    assert record["loops"] == table.frame["loops"].max() == row["loops"]
    assert [block["ran"] for block in record["blocks"]] == list(row["block_loops"])
    assert sum(len(block["gates"]) for block in record["blocks"]) == 16
    asked = [gate is not None for block in record["blocks"] for gate in block["gates"]]
    assert asked == list(~np.isnan(row["gate_prob"]))
    names = [name for name, _, _ in record["facts"]]
    meanings = {name: meaning for name, _, meaning in record["facts"]}
    assert names[:2] == ["name in the set", "multiply-adds"]
    assert {"blur (known)", "occlusion (known)", "noise (known)"} <= set(names)
    assert meanings["blur (known)"] == "Standard deviation of the scene's blur, in pixels."
    assert "label" not in names
    assert ask("dr/at/300.json").status == 404


def test_content_is_kept_only_under_its_own_version(ask, shelf: Path) -> None:
    run, table = open_table(shelf)
    version = source.version_of(table, images.pictures_of(run, table))
    assert "immutable" in ask(f"dr/tiles/0.json?v={version}").headers["cache-control"]
    assert ask("dr/tiles/0.json?v=0123").headers["cache-control"] == "no-store"
    assert ask("dr/tiles/0.json").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("nobody/tiles/0.json", 404),
        ("broken/tiles/0.json", 404),
        ("unrecorded/tiles/0.json", 404),
        ("elsewhere/sprite/0.jpg", 404),
        ("elsewhere/tiles/0.json", 200),
        ("dr/tiles/0.json?loops=x&loops=2", 400),
        ("dr/tiles/0.json?order=sideways", 400),
        ("dr/tiles/0.json?loops=40&loops=41", 404),
        ("dr/tiles/-1.json", 404),
        ("dr/tiles/zero.json", 404),
        ("dr/nothing", 404),
        ("..%2f..%2fetc/tiles/0.json", 404),
        ("%2e%2e/tiles/0.json", 404),
    ],
)
def test_what_is_not_there(ask, address: str, status: int) -> None:
    answer = ask(address)
    assert answer.status == status
    assert b"Traceback" not in answer.body


def test_a_step_beyond_the_network_is_a_sentence(ask) -> None:
    answer = ask("dr/tiles/0.json?step=9&step=0")
    assert answer.status == 404
    assert b"expected a block below 4" in answer.body


def test_describe_speaks_of_what_is_served(ask, shelf: Path) -> None:
    run, table = open_table(shelf)
    query = to_query(Selection(labels=(1,)), "class")
    told = source.describe(run, table, query, images.pictures_of(run, table), None)
    assert told["count"] == int((table.frame["label"] == 1).sum())
    assert told["pictures"] is True
    assert (told["loopsMax"], told["tile"]) == (16, 32)
    assert from_query(parse_qs(told["query"]))[0].labels == (1,)
    answer = ask(
        told["url"].removeprefix("/gallery/") + f"/tiles/0.json?{query}&v={told['version']}"
    )
    assert "immutable" in answer.headers["cache-control"]


def test_without_pictures_the_gallery_says_why(ask, shelf: Path) -> None:
    run, table = open_table(shelf, "elsewhere")
    told = source.describe(run, table, "", images.pictures_of(run, table), None)
    assert told["pictures"] is False
    assert "drnn app --data" in told["notice"]
    assert "CIFAR-10" in told["notice"]
