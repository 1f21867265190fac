"""Easy & hard."""

from __future__ import annotations

from app.easy_hard import page

page.show()
