"""The device that a command computes on."""

from __future__ import annotations


def check_device(device: str) -> None:
    """Refuse a GPU where there is none.

    Args:
        device: "cpu" or "cuda".

    Raises:
        ValueError: "cuda" on a machine without a CUDA GPU.
    """
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("expected a CUDA GPU for --device cuda, found none; use --device cpu")
