"""Norm statistics."""

from __future__ import annotations

from app.norms import page

page.show()
