"""Every number of the comparison, as a table that can be sorted and searched."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.easy_hard.texts import DELTA


def show(frame: pd.DataFrame) -> None:
    """Every number of the comparison."""
    form = st.column_config.NumberColumn
    with st.expander(f"All {len(frame)} columns as a table"):
        st.dataframe(
            frame.drop(columns=["column"]),
            hide_index=True,
            width="stretch",
            column_config={
                "label": st.column_config.TextColumn("column", pinned=True),
                "source": st.column_config.TextColumn("of", help="Where the number comes from."),
                "delta": form("δ", format="%+.2f", help=DELTA),
                "low": form("from", format="%+.2f", help="Lower end of δ's 95 % interval."),
                "high": form("to", format="%+.2f", help="Upper end of δ's 95 % interval."),
                "size": st.column_config.TextColumn("size", help="Of δ, in a word."),
                "easy_mean": form("easy, mean", format="%.3g", help="Of the easy images."),
                "hard_mean": form("hard, mean", format="%.3g", help="Of the hard images."),
                "cohens_d": form(
                    "d", format="%+.2f",
                    help="Cohen's d: the difference of the means in pooled standard deviations, "
                    "over all classes.",
                ),
                "delta_overall": form(
                    "δ overall", format="%+.2f",
                    help="Cliff's δ of pairs of any two classes: what the classes' make-up adds is "
                    "in it.",
                ),
                "easy_n": form("easy, n", format="localized", help="Easy images with a number."),
                "hard_n": form("hard, n", format="localized", help="Hard images with a number."),
                "meaning": st.column_config.TextColumn("definition", width="large"),
            },
        )  # fmt: skip
