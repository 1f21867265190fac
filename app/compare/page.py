"""The page "Compare", from top to bottom."""

from __future__ import annotations

import streamlit as st

from app import runpicker


def show() -> None:
    """Draw the page for the chosen run."""
    runpicker.require_run()
    st.title("Compare", anchor=False)
