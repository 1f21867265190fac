"""The little that Streamlit's theme cannot say, in one style sheet."""

from __future__ import annotations

import streamlit as st

_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 3.4rem 3rem 3rem; max-width: 1480px; }
.st-key-key_figures { gap: 0.9rem 2.8rem; }
[data-testid="stMetric"] { padding: 0; }
[data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
[class*="st-key-figure-"] { position: relative; }
[class*="st-key-figure-"] > [data-testid="stLayoutWrapper"]:has([data-testid="stPopover"]),
[class*="st-key-figure-"] > .stElementContainer:has([data-testid="stPopover"]) {
  position: absolute; top: -2.65rem; right: 0; z-index: 3; width: auto;
}
[class*="st-key-figure-"] [data-testid="stPopover"] button { font-size: 0.8rem; opacity: 0.75; }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 3.2rem 1rem 2rem; }
}
</style>"""


def apply() -> None:
    """Call once in every script run, before the page."""
    st.html(_STYLE)
