"""Tables from strangers: numbers for images, or one sentence."""

from __future__ import annotations

import contextlib
import io
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.store import measures
from drnn_core.store.measures import MeasuresError, parse_measures, read_measures


def written(folder: Path, text: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def parquet(folder: Path, **columns: Any) -> Path:
    path = folder / "table.bin"  # the content says what it is
    pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), path)
    return path


def test_csv(tmp_path: Path) -> None:
    text = 'id,human,flag,note,empty\n0042,0.5,true,good,\n"a,b",-1e3,false,,\nc,,true,x,\n'
    found = read_measures(written(tmp_path, text))
    assert found.key == "id"
    assert found.columns["id"].tolist() == ["0042", "a,b", "c"]
    assert found.columns["human"].tolist()[:2] == [0.5, -1000]
    assert math.isnan(found.columns["human"][2])
    assert found.columns["flag"].tolist() == [1, 0, 1]
    assert found.ignored == ("note", "empty")
    assert found.names == ["human", "flag"]


def test_the_id_is_preferred_and_the_index_counts(tmp_path: Path) -> None:
    assert read_measures(written(tmp_path, "index,id,x\n1,a,2\n")).key == "id"
    found = read_measures(written(tmp_path, "\ufeffindex,x\r\n3,1\r\n0,inf\r\n"))
    assert found.key == "index"
    assert found.columns["index"].tolist() == [3, 0]
    assert found.columns["x"].tolist()[0] == 1
    assert math.isnan(found.columns["x"][1])


def test_parquet(tmp_path: Path) -> None:
    path = parquet(
        tmp_path, id=["x", "y"], a=[1, 2], b=[True, None], c=[Decimal("1.5"), Decimal("2.0")]
    )
    found = read_measures(path)
    pd.testing.assert_frame_equal(
        found.columns,
        pd.DataFrame({"id": ["x", "y"], "a": [1.0, 2.0], "b": [1.0, math.nan], "c": [1.5, 2.0]}),
        check_dtype=False,
    )
    frame = pd.DataFrame({"index": [2, 0], "score": [0.1, 0.2]}, index=[7, 9])
    frame.to_parquet(tmp_path / "pandas.parquet")
    assert read_measures(tmp_path / "pandas.parquet").names == ["score"]


MALFORMED: list[tuple[str | bytes, str]] = [
    ("", "is empty"),
    ("  \n ", "is empty"),
    ("id,x\n", "a row for each image, got a header without rows"),
    ("name,x\na,1\n", "expected a column 'id' or 'index', got name, x"),
    ("id;x\na;1\n", "got id;x; separate the columns by commas"),
    ("id,x\na,1\na,2\nb,3\n", "expected every id once, got 'a' in 2 rows; average them first"),
    ("index,x\n1,1\n1,2\n", "expected every index once, got 1 in 2 rows"),
    ("id,x,x\na,1,2\n", "got 'x' twice"),
    ("id,,x\na,1,2\n", "got a column without a name"),
    ("id,x\na,1\n,2\n", "expected an id in every row"),
    ("index,x\n0.5,1\n", "expected whole numbers in every row of 'index'"),
    ("index,x\n,1\n2,1\n", "expected whole numbers in every row of 'index'"),
    ("index,x\nfirst,1\n", "expected whole numbers in every row of 'index'"),
    ("index,x\n-1,1\n", "expected 'index' from 0, got -1"),
    ("id,x\na,high\nb,low\n", "expected a column of numbers beside 'id', got x with other values"),
    ("id\na\n", "expected a column of numbers beside 'id', got none"),
    ("id,x\na,1,2\n", "Expected 2 columns, got 3"),
    ("id,x\na\n", "Expected 2 columns, got 1"),
    ("id,x\nä,1\n".encode("latin-1"), "byte 5 is neither: save it as UTF-8"),
    (b"PAR1 and nothing else", "expected Parquet in"),
    (b"\x89PNG\r\n\x1a\n", "is neither: save it as UTF-8"),
]


@pytest.mark.parametrize(("text", "message"), MALFORMED)
def test_a_malformed_table_is_one_sentence(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(MeasuresError) as caught:
        read_measures(written(tmp_path, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(MeasuresError, match="but there is no"):
        read_measures(tmp_path / "nothing.csv")
    with pytest.raises(MeasuresError, match="got the folder"):
        read_measures(tmp_path)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = written(tmp_path_factory.getbasetemp(), b"id,x\n" + data, "any.csv")
    with contextlib.suppress(MeasuresError):
        assert read_measures(path).names == ["x"]


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path, id=["x", "y"], a=[1, 2])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(MeasuresError, match="which is damaged"):
        read_measures(path)


def packed(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd")
    return buffer.getvalue()


def test_bytes_are_read_as_files_are(tmp_path: Path) -> None:
    text = "id,x\na,1\nb,2\n"
    found = parse_measures(text.encode(), "../../<b>any</b>")
    pd.testing.assert_frame_equal(found.columns, read_measures(written(tmp_path, text)).columns)
    with pytest.raises(MeasuresError, match=r"but \.\./\.\./nowhere\.csv is empty"):
        parse_measures(b"", "../../nowhere.csv")
    assert not (tmp_path.parent / "nowhere.csv").exists()


def test_what_would_unpack_to_much_more_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "_MOST_CELLS", 1000)
    same = packed(index=pa.array(range(600)), x=pa.array([1.0] * 600))
    with pytest.raises(MeasuresError, match="at most 1,000 numbers, got 600 rows of 2 columns"):
        parse_measures(same, "many.parquet")
    # a column that is no number is not unpacked, and does not count
    words = packed(index=pa.array(range(400)), x=pa.array([1.0] * 400), y=pa.array(["w"] * 400))
    assert parse_measures(words, "words.parquet").ignored == ("y",)


def test_long_ids_are_refused_before_every_row_has_its_own() -> None:
    long = packed(id=pa.array(["x" * 2000] * 50_000), x=pa.array([1.0] * 50_000))
    assert len(long) < 30_000  # unpacked they are 100 million letters
    with pytest.raises(MeasuresError, match="ids of at most 1,000 letters, got one of 2,000"):
        parse_measures(long, "long.parquet")
    with pytest.raises(MeasuresError, match="ids of at most 1,000 letters"):
        parse_measures(f"id,x\n{'y' * 1001},1\n".encode(), "long.csv")


def test_too_many_columns() -> None:
    names = ",".join(f"c{place}" for place in range(1000))
    with pytest.raises(MeasuresError, match="at most 1,000 columns, got 1,001"):
        parse_measures(f"id,{names}\n".encode(), "wide.csv")
    with pytest.raises(MeasuresError, match="at most 1,000 columns, got 1,001"):
        parse_measures(packed(**{f"c{n}": [1] for n in range(1001)}), "wide.parquet")


def test_ids_that_are_neither_text_nor_number() -> None:
    assert parse_measures(packed(id=[1, 2], x=[1.0, 2.0]), "t").columns["id"].tolist() == ["1", "2"]
    for ids in ([b"a"], [{"a": 1}], [0.5]):
        with pytest.raises(MeasuresError, match="expected ids as text or whole numbers"):
            parse_measures(packed(id=ids, x=[1.0]), "t")


def test_a_position_that_is_no_number_in_parquet() -> None:
    with pytest.raises(MeasuresError, match="whole numbers in every row of 'index'"):
        parse_measures(packed(index=["a"], x=[1.0]), "t.parquet")


def test_whole_numbers_beyond_floats_are_rounded(tmp_path: Path) -> None:
    found = read_measures(parquet(tmp_path, id=["a", "b"], stamp=[2**53 + 1, 2**62]))
    assert found.columns["stamp"].tolist() == [float(2**53), float(2**62)]
