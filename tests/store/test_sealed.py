"""Sealed JSON notices any change of its values, and is_as_written any change at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.store.sealed import SealError, is_as_written, read_sealed, write_sealed

VALUES: dict[str, Any] = {
    "name": "é \u0007 tab\t",
    "small": 1e-05,
    "list": [1, 2.5, None, True, {"x": []}],
    "zero": -0.0,
}

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=10,
)


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sealed") / "a.json"


@given(values=st.dictionaries(st.text(st.characters(codec="utf-8")), plain))
def test_what_goes_in_comes_out(values: dict[str, Any], scratch: Path) -> None:
    values.pop("sha256", None)
    write_sealed(scratch, values)
    assert read_sealed(scratch) == values
    assert is_as_written(scratch)


def test_every_single_bit_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_sealed(path, VALUES)
    data = path.read_bytes()
    same_values = 0
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            noticed = not is_as_written(path)
        except SealError:
            noticed = True
        try:
            assert read_sealed(path) == VALUES
            same_values += 1
            assert noticed, f"bit {bit} of {data[bit // 8 : bit // 8 + 1]!r}"
        except SealError:
            pass
    # e-05 as E-05, a tone as \u0007 against another case: the values are the same
    assert same_values < 10


def test_formatting_is_not_part_of_the_seal(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_sealed(path, VALUES)
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values, indent=4, sort_keys=True))
    assert read_sealed(path) == VALUES
    assert not is_as_written(path)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "expected JSON"),
        (b"\xff\xfe{}", "expected UTF-8"),
        (b"{", "expected JSON"),
        (b"[]", "expected a JSON object"),
        (b"{}", "its own checksum"),
        (b'{"sha256": 5}', "its own checksum"),
        (b'{"a": NaN, "sha256": "00"}', "values that drnn never writes"),
        (b'{"a": 1, "sha256": "00"}', "was changed after it was written"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "expected plain JSON"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "expected plain JSON"),
        (b'{"a": "\\ud800", "sha256": "00"}', "was changed after it was written"),
    ],
)
def test_damage_is_a_sentence(tmp_path: Path, content: bytes, part: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(SealError, match=part) as caught:
        read_sealed(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 400


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(SealError, match="found none"):
        read_sealed(tmp_path / "none.json")
    with pytest.raises(SealError, match="cannot read"):
        read_sealed(tmp_path)
