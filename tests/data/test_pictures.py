"""decode_picture: the right picture or one clear sentence, whatever comes."""

from __future__ import annotations

import builtins
import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drnn_core.data.pictures import (
    MOST_BYTES,
    PictureError,
    as_decoded,
    decode_picture,
    quiet_decoders,
)
from tests.hostile_pictures import Bomb, Case, encode, exif, hostile_pictures, scene

CASES = hostile_pictures()


def check_sentence(error: PictureError) -> None:
    """One line that says what was expected or what is wrong, and shows no raw bytes."""
    text = str(error)
    assert 20 < len(text) < 250
    assert text.isprintable()
    assert "expected" in text
    assert "Traceback" not in text


def difference(found: Image.Image, expected: Image.Image) -> float:
    return float(np.abs(np.asarray(found).astype(int) - np.asarray(expected).astype(int)).mean())


def test_there_are_more_than_a_hundred_cases() -> None:
    assert len(CASES) >= 200
    assert sum(case.expected is None for case in CASES) >= 90


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case.name)[:40])
def test_a_picture_or_a_sentence(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bomb, "path", str(tmp_path / "owned"))
    monkeypatch.setattr(builtins, "open", lambda *_: pytest.fail("a file was opened"))
    monkeypatch.setattr(io, "open", lambda *_: pytest.fail("a file was opened"))
    try:
        found = decode_picture(case.data, case.name)
    except PictureError as error:
        if case.expected is not None and not case.lenient:
            pytest.fail(f"refused: {error}")
        check_sentence(error)
        return
    assert case.expected is not None, "should have been refused"
    assert found.mode == "RGB"
    assert found.info == {}
    if case.lenient and case.tolerance == 256:
        return
    assert found.size == case.expected.size
    assert difference(found, case.expected) <= case.tolerance


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.expected is not None and not case.lenient],
    ids=lambda case: ascii(case.name)[:40],
)
def test_what_pil_opened_becomes_the_same(case: Case) -> None:
    with quiet_decoders, Image.open(io.BytesIO(case.data)) as opened:
        mode, transparent = opened.mode, opened.info.get("transparency")
        found = as_decoded(opened)
        assert (opened.mode, opened.info.get("transparency")) == (mode, transparent)
    wanted = decode_picture(case.data)
    assert found.mode == "RGB"
    assert found.size == wanted.size
    # of the depth in which a transparent colour is written PIL says nothing
    if not isinstance(transparent, int | tuple):
        assert difference(found, wanted) == 0


def test_a_picture_beyond_the_limits_is_refused_when_pil_opened_it() -> None:
    with pytest.raises(PictureError, match="longer side of at most 100 times"):
        as_decoded(Image.new("RGB", (1, 3000)))


@pytest.mark.parametrize(
    ("case", "part"),
    [
        (Case("x.gif", b"GIF89a"), "x.gif is a GIF picture"),
        (Case("x.jpg", b""), "x.jpg is empty"),
        (Case("", b""), "the file is empty"),
        (Case("../../up.png", b"PK\3\4"), "up.png is a zip archive"),
        (Case("big.png", b"\0" * (MOST_BYTES + 1)), "big.png has 20.0 MB; expected at most 20 MB"),
    ],
)
def test_the_sentence_says_what_came(case: Case, part: str) -> None:
    with pytest.raises(PictureError) as caught:
        decode_picture(case.data, case.name)
    assert part in str(caught.value)
    assert ".." not in str(caught.value)


def test_sizes_are_checked_before_any_pixel_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("decoded"))
    for case in CASES:
        if " x " in case.name or " wide" in case.name:
            with pytest.raises(PictureError, match=r"pixels|damaged"):
                decode_picture(case.data, case.name)


def test_only_the_decoder_of_the_content_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[list[str]] = []

    def note(_: io.BytesIO, formats: list[str]) -> Image.Image:
        opened.append(formats)
        raise ValueError("enough")

    monkeypatch.setattr(Image, "open", note)
    for kind in ("JPEG", "PNG", "WEBP"):
        with pytest.raises(PictureError):
            decode_picture(encode(scene(), kind), "other.gif")
    assert opened == [["JPEG"], ["PNG"], ["WEBP"]]


def test_a_huge_webp_is_not_even_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("opened"))
    huge = [case for case in CASES if case.name.endswith(".webp") and "16" in case.name]
    for case in (case for case in huge if case.expected is None and "bytes" not in case.name):
        with pytest.raises(PictureError, match="pixels; expected at most 25 million"):
            decode_picture(case.data)
    assert len(huge) >= 3


def test_no_warning_leaks_and_the_filters_stay_as_they_were() -> None:
    spoiled = encode(scene(), "JPEG", exif=exif(6)[:-9])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        before = list(warnings.filters)
        decode_picture(spoiled)
        assert list(warnings.filters) == before
    assert caught == []


def test_no_metadata_survives() -> None:
    data = encode(scene(), "JPEG", exif=exif(6), comment=b"a secret", dpi=(300, 300))
    picture = decode_picture(data)
    assert b"secret" not in encode(picture, "PNG")
    assert not picture.getexif()


@given(st.binary(max_size=300), st.text(max_size=20), st.sampled_from(["", "JPEG", "PNG", "WEBP"]))
def test_any_bytes_and_any_name(data: bytes, name: str, kind: str) -> None:
    heads = {
        "": b"",
        "JPEG": b"\xff\xd8\xff",
        "PNG": b"\x89PNG\r\n\x1a\n",
        "WEBP": b"RIFF\0\1\0\0WEBP",
    }
    with pytest.raises(PictureError) as caught:
        decode_picture(heads[kind] + data, name)
    check_sentence(caught.value)
