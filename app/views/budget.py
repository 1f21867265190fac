"""Budget."""

from __future__ import annotations

from app.budget import page

page.show()
