"""Inspect: one image all the way through the network."""

from __future__ import annotations

from app import runpicker
from app.inspection import page

page.show(runpicker.require_run())
