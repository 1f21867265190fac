"""The gallery's routes with a second run beside the first, asked directly."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette

from app import cache
from app.gallery import beside, routes, source
from app.pairs import PairError, pair_of, same_images
from app.settings import RUNS_VARIABLE
from drnn_core.analysis.pair_selection import PairSelection
from tests.app.asgi import Answer, get


@pytest.fixture
def ask(shelf: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(RUNS_VARIABLE, str(shelf))
    monkeypatch.setattr(routes, "render_ahead", lambda header: None)
    app = Starlette(routes=routes.ROUTES)

    def get_one(address: str) -> Answer:
        return get(app, f"/gallery/{address}")

    return get_one


@pytest.fixture
def two(shelf: Path) -> tuple[cache.Run, cache.Run]:
    """300 images of one run, and 60 of them of another."""
    return cache.open_run(shelf / "dr"), cache.open_run(shelf / "plain")


def test_tiles_say_what_both_runs_say(ask, two: tuple[cache.Run, cache.Run]) -> None:
    pair = pair_of(*two)
    selection = PairSelection(("only a", "only b"), loops_a=(2, 16))
    query = beside.to_query(two[1], pair, selection, "b surest")
    tiles = ask(f"dr/tiles/0.json?{query}").json["tiles"]
    a, b = (cache.table(run).frame for run in two)
    right = a["correct"].iloc[:60].to_numpy() != b["correct"].to_numpy()
    wanted = right & (a["loops"].iloc[:60] >= 2).to_numpy()
    assert sorted(tile["index"] for tile in tiles) == sorted(b["index"][wanted])
    for tile in tiles:
        row = b.iloc[tile["other"]["index"]]
        assert tile["other"]["prediction"] == row["prediction"]
        assert tile["other"]["loops"] == row["loops"]
        assert tile["prediction"] == a["prediction"].iloc[tile["index"]]
    sure = [tile["other"]["confidence"] for tile in tiles]
    assert sure == sorted(sure, reverse=True)
    assert ask(f"dr/sprite/0.jpg?{query}").status == 200


def test_the_record_of_both(ask, two: tuple[cache.Run, cache.Run]) -> None:
    query = beside.to_query(two[1], pair_of(*two), PairSelection(), "index")
    record = ask(f"dr/at/7.json?{query}").json
    assert record["index"] == record["other"]["index"] == 7
    assert len(record["blocks"]) == 4
    assert record["other"]["blocks"] == []
    other = cache.table(two[1]).frame.iloc[7]
    assert record["other"]["confidence"] == pytest.approx(other["confidence"], abs=1e-6)
    assert ask(f"dr/at/60.json?{query}").status == 404  # the other run has 60 images


def test_rows_are_those_of_the_selection(two: tuple[cache.Run, cache.Run], ask) -> None:
    pair = pair_of(*two)
    for selection in (
        PairSelection(("other wrong",)),
        PairSelection(loops_differ=False),
        PairSelection(loops_differ=True, loops_b=(0, 0)),
    ):
        query = beside.to_query(two[1], pair, selection, "class")
        rows = source.rows_of(two[0], cache.table(two[0]), query)
        labels = cache.table(two[0]).frame["label"].to_numpy()[rows]
        assert (labels[1:] >= labels[:-1]).all()
        differ = selection.loops_differ
        loops = cache.table(two[0]).frame["loops"].to_numpy()[rows]
        assert differ is None or ((loops != 0) == differ).all()


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("beside=nobody", 404, b"there is no sound run 'nobody' here"),
        ("beside=broken", 404, b"there is no sound run 'broken' here"),
        ("beside=unrecorded", 404, b"unrecorded"),
        ("beside=plain&stamp=old", 404, b"were written anew; reload the page"),
        ("beside=plain&outcome=neither", 400, b"expected outcomes among both right"),
        ("beside=plain&loops_a=3", 400, b"expected loops_a twice"),
        ("beside=plain&loops_b=x&loops_b=3", 400, b"expected loops_b twice"),
        ("beside=plain&differ=perhaps", 400, b"expected differ=yes or differ=no"),
        ("beside=plain&order=sideways", 400, b"expected order to be one of index"),
        ("beside=..%2f..%2fetc", 404, b"no sound run"),
    ],
)
def test_what_is_not_there(ask, query: str, status: int, said: bytes) -> None:
    for address in ("tiles/0.json", "at/0.json"):
        answer = ask(f"dr/{address}?{query}")
        assert answer.status == status
        assert said in answer.body
        assert b"Traceback" not in answer.body


def test_what_a_pairing_leaves_open(shelf: Path, two: tuple[cache.Run, cache.Run]) -> None:
    pair = pair_of(*two)
    assert pair.note is not None
    assert "different fingerprints" in pair.note
    assert not same_images(*two)
    assert same_images(two[0], two[0])
    assert pair_of(two[0], two[0]).note is None
    assert not same_images(two[0], cache.open_run(shelf / "unrecorded"))
    with pytest.raises(PairError, match="one of the two runs only"):
        pair.positions_in_b(pair.table["index_a"].to_numpy()[:3] + 299)
