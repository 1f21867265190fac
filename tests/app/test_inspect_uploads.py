"""Pictures of one's own on the Inspect page: good, bad, many and hostile."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.inspection import inbox
from tests.app.inspect_pages import (
    headings,
    html,
    opened,
    png,
    refusals,
    run_again,
    shelf_of,
    table,
)
from tests.app.inspect_runs import inspect_run
from tests.hostile_pictures import Case, hostile_pictures

BATCH = 80


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return inspect_run(tmp_path_factory.mktemp("inspect") / "tiny")


@pytest.fixture
def runs(finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runs folder of one sound run, which a test may damage."""
    return shelf_of(finished_run, tmp_path, monkeypatch)


def test_one_upload_is_shown_at_once(runs: Path) -> None:
    page = opened(sample="g1001686")
    page.file_uploader[0].upload("red.png", png())
    run_again(page)
    assert headings(page)[0] == "red.png"
    assert "no label to compare with" in html(page)
    assert "sample" not in page.query_params
    assert "of the evidence lies on the object" not in html(page)


def test_a_name_is_shown_as_it_is(runs: Path) -> None:
    page = opened()
    page.file_uploader[0].upload("$5 and $6 ![a](b) :red[c].png", png())
    run_again(page)
    assert page.subheader[0].value == r"\$5 and \$6 \!\[a\]\(b\) \:red\[c\]\.png"
    assert headings(page)[0] == "$5 and $6 ![a](b) :red[c].png"


def test_bad_files_get_a_sentence_each_and_the_others_work(runs: Path) -> None:
    page = opened()
    field = page.file_uploader[0]
    field.upload("red.png", png()).upload("notes.txt", b"hello")
    field.upload("blue.png", png((0, 0, 250)))
    field.upload("empty.jpg", b"")
    run_again(page)
    assert [item["name"] for item in table(page)["items"]] == ["red.png", "blue.png"]
    assert headings(page)[:2] == ["Your 2 pictures", "red.png"]
    assert refusals(page) == [
        "notes.txt is no picture; expected a JPEG, PNG or WebP picture",
        "empty.jpg is empty; expected a JPEG, PNG or WebP picture",
    ]
    for item in table(page)["items"]:
        assert 0 < item["confidence"] <= 1
        assert sum(block["ran"] for block in item["blocks"]) == item["loops"]


def test_pictures_stay_when_another_run_is_chosen(runs: Path) -> None:
    inspect_run(runs / "plain", records=False, gated=False)
    page = opened(run="tiny")
    page.file_uploader[0].upload("red.png", png()).upload("blue.png", png((0, 0, 250)))
    run_again(page)
    page.selectbox(key="run").set_value("plain")
    run_again(page)
    assert [item["name"] for item in table(page)["items"]] == ["red.png", "blue.png"]
    assert not any("Gate by gate" in each for each in headings(page))
    assert "this network has no loops" in html(page)


def test_clearing_forgets_the_pictures(runs: Path) -> None:
    page = opened()
    page.file_uploader[0].upload("red.png", png()).upload("notes.txt", b"hello")
    page.file_uploader[0].upload("blue.png", png((0, 0, 250)))
    run_again(page)
    page.button[0].click()
    run_again(page)
    assert headings(page)[0] == "bird-1"
    assert not refusals(page)
    assert not page.file_uploader[0].value


def test_too_many_pictures_are_refused_by_name(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MOST_PICTURES", 2)
    page = opened()
    for number in range(4):
        page.file_uploader[0].upload(f"{number}.png", png())
    run_again(page)
    assert len(table(page)["items"]) == 2
    assert [line.split(";")[0] for line in refusals(page)] == [
        "2.png is one too many: expected at most 2 pictures at a time",
        "3.png is one too many: expected at most 2 pictures at a time",
    ]


def test_hostile_files_through_the_page(runs: Path, tmp_path: Path) -> None:
    """Each is shown or refused with a sentence of its own; nothing else happens."""
    before = sorted(tmp_path.rglob("*"))
    cases = hostile_pictures()
    assert len(cases) >= 100
    refused = shown = 0
    page = opened()
    for start in range(0, len(cases), BATCH):
        part = cases[start : start + BATCH]
        for case in part:
            # What a browser can send as a name: some text that is not empty.
            name = case.name.encode("utf-8", "replace").decode() or " "
            page.file_uploader[0].upload(name, case.data)
        run_again(page)
        sentences, items = refusals(page), table(page)["items"]
        _check_batch(part, sentences, len(items))
        refused, shown = refused + len(sentences), shown + len(items)
        page.button[0].click()
        run_again(page)
    assert refused + shown == len(cases)
    assert sorted(tmp_path.rglob("*")) == before
    assert not Path("/tmp/owned").exists()


def _check_batch(part: list[Case], sentences: list[str], shown: int) -> None:
    assert len(sentences) + shown == len(part)
    assert shown >= sum(case.expected is not None and not case.lenient for case in part)
    assert len(sentences) >= sum(case.expected is None and not case.lenient for case in part)
    for sentence in sentences:
        assert "Traceback" not in sentence
        assert "<" not in sentence, "names from outside must be text"
        assert re.search("expected", sentence)
