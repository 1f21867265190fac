"""What stands behind the Inspect page: the inbox, the overlay, and the words beside the charts."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from app.charts import LIGHT
from app.inspection import heat, parts
from app.inspection.inbox import MOST_BYTES, Inbox
from app.inspection.pictures import Picture, seed_of, short_name
from app.inspection.standing import standing_figure, standing_in_words
from drnn_core.data.generated import render
from drnn_core.data.transforms import Preprocessing


def png(width: int = 20, height: int = 10) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (9, 99, 199)).save(buffer, "PNG")
    return buffer.getvalue()


@dataclass
class FakeUpload:
    name: str
    file_id: str
    data: bytes = field(default_factory=png)
    claimed: int | None = None

    @property
    def size(self) -> int:
        return len(self.data) if self.claimed is None else self.claimed

    def getvalue(self) -> bytes:
        return self.data


def uploads(*names: str) -> list[FakeUpload]:
    return [FakeUpload(name, f"id {name}") for name in names]


class TestInbox:
    def test_follows_what_is_added_and_removed(self) -> None:
        box = Inbox()
        assert box.follow(uploads("a", "b"), changed=True) == ["upload-id a", "upload-id b"]
        assert box.follow(uploads("b", "c"), changed=True) == ["upload-id c"]
        assert [picture.name for picture in box.pictures.values()] == ["b", "c"]

    def test_a_fresh_uploader_takes_nothing_away(self) -> None:
        """Streamlit forgets the list when another page was shown meanwhile."""
        box = Inbox()
        box.follow(uploads("a", "b"), changed=True)
        assert box.follow([], changed=False) == []
        assert len(box.pictures) == 2
        box.follow(uploads("c"), changed=True)
        assert [picture.name for picture in box.pictures.values()] == ["a", "b", "c"]

    def test_removing_the_last_one_takes_it_away(self) -> None:
        box = Inbox()
        box.follow(uploads("a"), changed=True)
        box.follow([], changed=True)
        assert not box.pictures

    def test_a_refused_file_is_forgotten_with_its_upload(self) -> None:
        box = Inbox()
        bad = FakeUpload("bad.gif", "1", b"GIF89a")
        assert box.follow([bad], changed=True) == []
        (sentence,) = box.refused.values()
        assert sentence == "bad.gif is a GIF picture; expected a JPEG, PNG or WebP picture"
        box.follow([], changed=True)
        assert not box.refused

    def test_what_was_taken_before_an_interruption_is_not_taken_twice(self) -> None:
        box = Inbox()

        def interrupt(count: int, of: int, picture: Picture | None) -> None:
            if count == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            box.follow(uploads("a", "b", "c"), changed=True, progress=interrupt)
        assert box.follow(uploads("a", "b", "c"), changed=True) == ["upload-id c"]
        assert [picture.name for picture in box.pictures.values()] == ["a", "b", "c"]

    def test_more_than_there_is_room_for_is_refused_unread(self) -> None:
        box = Inbox()
        box.follow([FakeUpload("huge.png", "1", claimed=MOST_BYTES + 1)], changed=True)
        (sentence,) = box.refused.values()
        assert sentence.startswith("huge.png does not fit: expected at most 256 MB")

    def test_clearing_asks_for_a_fresh_uploader(self) -> None:
        box = Inbox()
        box.follow(uploads("a"), changed=True)
        box.clear()
        assert (box.pictures, box.refused, box.listed, box.generation) == ({}, {}, set(), 1)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\pictures\\cat.png", "cat.png"),
        ("line\nbreak.png", "line?break.png"),
        ("", "picture without a name"),
        ("x" * 100 + ".jpeg", "x" * 47 + "…" + "x" * 7 + ".jpeg"),
    ],
)
def test_names_are_short_and_printable(name: str, shown: str) -> None:
    assert short_name(name) == shown
    assert len(shown) <= 60


@pytest.mark.parametrize(
    ("id_", "seed"),
    [("g12", 12), ("g0", 0), ("12", None), ("g", None), ("g1²", None), ("x/g1", None)],
)
def test_the_seed_of_an_id(id_: str, seed: int | None) -> None:
    assert seed_of(id_) == seed


def test_a_generated_picture_is_the_image_of_its_set() -> None:
    picture = Picture("sample-g5", "five", png(128, 128), seed=5)
    np.testing.assert_array_equal(np.asarray(picture.open(32)), render(5).image)
    assert picture.open(64).size == (128, 128), "no image of the set at this size: the file"
    assert Picture("upload-1", "one", png()).open(32).size == (20, 10)


class TestHeat:
    def test_colour_says_the_sign_and_alpha_the_size(self) -> None:
        evidence = np.array([[0.0, 1.0], [-2.0, 2.0]], np.float32)
        pixels = heat.heat(evidence)
        assert tuple(pixels[0, 1, :3]) == heat.FOR
        assert tuple(pixels[1, 0, :3]) == heat.AGAINST
        assert pixels[..., 3].tolist() == [[0, 128], [255, 255]]

    def test_no_evidence_is_transparent(self) -> None:
        assert not heat.heat(np.zeros((4, 4), np.float32))[..., 3].any()

    @given(arrays.arrays(bool, st.tuples(st.integers(1, 6), st.integers(1, 6))))
    def test_the_outline_runs_along_every_edge_of_the_mask(self, mask: np.ndarray) -> None:
        edges = 0
        for y, x in np.argwhere(mask):
            for beside in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                inside = all(
                    0 <= place < size for place, size in zip(beside, mask.shape, strict=True)
                )
                edges += not (inside and mask[beside])
        assert heat.outline(mask).count("M") == edges

    def test_the_overlay_is_one_svg_with_its_words(self) -> None:
        seen, evidence = np.zeros((8, 8, 3), np.uint8), np.ones((8, 8), np.float32)
        mask = np.eye(8, dtype=bool)
        svg = ET.fromstring(heat.evidence_svg(seen, evidence, 0.5, 'for "<a>"', mask))
        assert svg.get("aria-label") == 'for "<a>"'
        assert [child.tag.rpartition("}")[2] for child in svg] == ["image", "image", "path", "path"]


class TestStanding:
    counts = np.array([0, 10, 30, 60])

    @pytest.mark.parametrize(
        ("loops", "sentence"),
        [
            (0, "0 loops: more than 0% of the 100 recorded images, as many as 0%, fewer than 100%"),
            (1, "1 loop: more than 0% of the 100 recorded images, as many as 10%, fewer than 90%"),
            (3, "3 loops: more than 40% of the 100 recorded images, as many as 60%, fewer than 0%"),
        ],
    )
    def test_in_words(self, loops: int, sentence: str) -> None:
        assert standing_in_words(self.counts, loops) == f"{sentence}."

    def test_the_bar_of_the_image_is_marked(self) -> None:
        (bars,) = cast(Any, standing_figure(self.counts, 2, LIGHT).data)
        assert list(bars.marker.color) == [LIGHT.skipped, LIGHT.skipped, LIGHT.ran, LIGHT.skipped]

    def test_of_no_records(self) -> None:
        assert standing_in_words(np.zeros(4, int), 2) == "The records hold no images."


@pytest.mark.parametrize(
    ("size", "resize", "keep_aspect", "words"),
    [
        ((40, 40), 32, True, "32 × 32"),
        ((40, 40), 32, False, "32 × 32"),
        ((40, 40), 36, True, "32 × 32 of its middle"),
        ((40, 40), 36, False, "32 × 32 of its middle"),
        ((60, 40), 32, True, "32 × 32 of its middle"),
        ((60, 40), 32, False, "32 × 32, squashed"),
        ((60, 40), 36, True, "32 × 32 of its middle"),
        ((60, 40), 36, False, "32 × 32 of its middle, squashed"),
    ],
    ids=str,
)
def test_what_is_cut_off_and_squashed_is_said(
    size: tuple[int, int], resize: int, keep_aspect: bool, words: str
) -> None:
    sizing = Preprocessing(32, resize, keep_aspect, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    seen: Any = SimpleNamespace(seen=np.zeros((32, 32, 3), np.uint8))
    drawn = parts.pair(Picture("upload-1", "x.png", png(*size)), seen, sizing)
    assert f"<figcaption>what the network sees, {words}</figcaption>" in drawn
