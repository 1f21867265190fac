"""The one place that imports torchvision.

A registry's torchvision is a CUDA build; beside a CPU-only torch its import fails because two
operators that it registers fake implementations for were never declared. Declaring their
schemas first is enough for transforms, data sets and models; where they exist, nothing is done.
"""

from __future__ import annotations

import importlib
from types import ModuleType

import torch

_SCHEMAS = {
    "torchvision::nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "torchvision::qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def _load() -> ModuleType:
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    for name, schema in _SCHEMAS.items():
        torch.library.define(name, schema)
    return importlib.import_module("torchvision")


torchvision = _load()


def functional() -> ModuleType:
    """torchvision.transforms.v2.functional, which ``import torchvision`` leaves out."""
    return importlib.import_module("torchvision.transforms.v2.functional")
