"""Distribution: how many loops the images of a run took, and which images those are."""

from __future__ import annotations

from app.distribution.page import show

show()
