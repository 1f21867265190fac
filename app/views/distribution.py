"""Distribution: how many loops the images of a run took."""

from __future__ import annotations

import streamlit as st

from app import runpicker

run = runpicker.require_run()
st.title("Distribution")
