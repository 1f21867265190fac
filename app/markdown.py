"""Texts from outside, such as names of files and of classes, where a page takes Markdown."""

from __future__ import annotations

import re


def escaped(text: str) -> str:
    """A text as it is, in Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>()#+\-.!|~$:&])", r"\\\1", text)
