"""Compare."""

from __future__ import annotations

from app.compare import page

page.show()
