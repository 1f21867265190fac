"""Tables from strangers on their way into the app: plain names, limits, and a sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.joining import intake
from app.joining.intake import free_names, join, plain
from app.joining.keeping import slug
from app.markdown import escaped
from drnn_core.store.measures import MeasuresError

RECORDS = pd.DataFrame({"id": ["a", "b", "c"], "index": [0, 1, 2], "blur": [0.1, 0.2, 0.3]})


def joined(text: str, name: str = "t.csv") -> intake.Joined:
    return join(text.encode(), name, RECORDS, "images", set(RECORDS.columns))


def test_what_was_matched_is_told() -> None:
    found = joined("id,human,note,blur\nc,1,x,5\nz,2,y,6\na,,w,7\n")
    assert (found.rows, found.matched, found.unmatched, found.missing) == (3, 2, 1, 1)
    assert (found.key, list(found.examples), list(found.ignored)) == ("id", ["z"], ["note"])
    assert found.fingerprint == "images"
    np.testing.assert_array_equal(found.values["human"], [np.nan, np.nan, 1.0])
    # the run has a blur of its own
    np.testing.assert_array_equal(found.values["blur (yours)"], [7.0, np.nan, 5.0])
    assert found.renamed == {"blur (yours)": "blur"}


def test_hostile_names_become_plain_words() -> None:
    header = "id,<img src=x onerror=alert(1)>,![p](http://evil/x.png),:red[x],$x^2$"
    found = joined(f"{header}\na,1,2,3,4\n", "../../<b>`table`</b>.csv")
    marks = set("<>[]!:$`*|~\\{}")
    for text in (found.source, *found.values):
        assert not marks & set(text)
    assert len(found.values) == 4
    assert len(found.renamed) == 4


@given(st.lists(st.text(max_size=80), unique=True, max_size=12), st.sets(st.text(max_size=3)))
def test_every_column_has_a_name_of_its_own(names: list[str], taken: set[str]) -> None:
    found = free_names(names, taken)
    assert list(found) == names
    assert len(set(found.values())) == len(names)
    assert not set(found.values()) & taken
    assert all(value.strip() for value in found.values())


def test_plain_words_stay() -> None:
    assert plain("human rating (0-5), %") == "human rating (0-5), %"
    assert plain("größe") == "größe"
    assert plain("a\nb") == "a_b"
    assert len(plain("x" * 500)) == 60
    assert plain("  ") == "_"


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ",".join(f"c{n}" for n in range(31))
    with pytest.raises(MeasuresError, match="at most 30 columns of numbers, got 31"):
        joined(f"id,{names}\na,{','.join('1' * 31)}\n")
    with pytest.raises(MeasuresError, match=r"t\.csv: expected images of the records, but none"):
        joined("id,x\nq,1\n")
    monkeypatch.setattr(intake, "MOST_BYTES", 10)
    with pytest.raises(MeasuresError, match="at most 20 MB"):
        joined("id,x\na,12345\n")


def test_a_sentence_stays_what_it_is_in_markdown() -> None:
    assert escaped("a*b [c](d) <e> :f: 'g'") == r"a\*b \[c\]\(d\) \<e\> \:f\: 'g'"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("Human Ratings (v2).csv", "human_ratings_v2"),
        ("2024.csv", "table_2024"),
        ("___.parquet", "table"),
        ("x" * 60 + ".csv", "x" * 36),
        ("größe.csv", "gr_e"),
    ],
)
def test_a_name_for_a_table(source: str, name: str) -> None:
    assert slug(source) == name
