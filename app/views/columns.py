"""Your columns."""

from __future__ import annotations

from app.joining import page

page.show()
