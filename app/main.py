"""Navigation only: the pages, and the choice of the run that they share.

Streamlit runs this file as ``__main__`` at every interaction. Imported, it offers ``app``: the
same script with our own routes, which ``drnn app`` serves and ``streamlit run`` finds by itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

_APP = Path(__file__).resolve().parent
if str(_APP.parent) not in sys.path:  # `streamlit run` puts this folder there, not the root
    sys.path.insert(0, str(_APP.parent))

if __name__ == "__main__":
    from app import look, runpicker

    st.set_page_config(page_title="Loopscope", layout="wide")
    sections = {
        "One image": {"inspect": "Inspect"},
        "A run": {
            "distribution": "Distribution",
            "easy_hard": "Easy & hard",
            "saliency": "Saliency & loops",
            "norms": "Norm statistics",
            "budget": "Budget",
            "columns": "Your columns",
        },
        "Runs and networks": {"compare": "Compare", "models": "Models"},
    }
    pages = {
        section: [
            st.Page(_APP / "views" / f"{name}.py", title=title, url_path=name)
            for name, title in views.items()
        ]
        for section, views in sections.items()
    }
    # Streamlit's default page has no address of its own; so that /inspect has one, the default is
    # a page that only leads there.
    front = st.Page(lambda: None, title="Loopscope", default=True, visibility="hidden")
    page = st.navigation({"": [front], **pages}, expanded=True)
    if page == front:
        st.switch_page(pages["One image"][0], query_params=st.query_params.to_dict())
    look.apply()
    runpicker.choose_run()
    page.run()
else:
    from starlette.middleware import Middleware

    from app import waiting
    from app.gallery.routes import ROUTES
    from app.guard import SameOriginOnly
    from app.settings import settings

    app = st.App(
        __file__,
        routes=[*ROUTES, *waiting.ROUTES],
        middleware=[Middleware(SameOriginOnly, address=settings().address)],
    )
