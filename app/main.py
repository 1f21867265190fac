"""Navigation only: the pages, the look that they share, and the choice of the run."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

_APP = Path(__file__).resolve().parent
if str(_APP.parent) not in sys.path:  # `streamlit run` puts this folder there, not the root
    sys.path.insert(0, str(_APP.parent))

from app import runpicker  # noqa: E402

st.set_page_config(page_title="Loopscope", layout="wide", initial_sidebar_state="auto")
page = st.navigation(
    [
        st.Page(_APP / "views" / "inspect.py", title="Inspect", url_path="inspect"),
        st.Page(
            _APP / "views" / "distribution.py",
            title="Distribution",
            url_path="distribution",
            default=True,
        ),
    ]
)
runpicker.choose_run()
page.run()
