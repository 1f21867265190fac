"""Counts as the pages write them, with a unit that keeps the number short."""

from __future__ import annotations


def macs_text(macs: float) -> str:
    """Multiply-adds: "83.0 M", "5.61 G"."""
    return f"{macs / 1e9:.2f}\u00a0G" if macs >= 1e9 else f"{macs / 1e6:.1f}\u00a0M"


def params_text(params: float) -> str:
    """Parameters: "0.303 M", "23.53 M"."""
    return f"{params / 1e6:.{3 if params < 1e7 else 2}f}\u00a0M"
