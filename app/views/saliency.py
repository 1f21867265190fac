"""Saliency & loops."""

from __future__ import annotations

from app.saliency import page

page.show()
