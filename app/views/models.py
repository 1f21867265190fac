"""Models: the networks of the paper, counted, compared and drawn."""

from __future__ import annotations

from app.models import page

page.show()
