"""What an exported file says of itself: class names, preprocessing, steps, where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import onnx
from onnx import TensorProto

from drnn_core.counting import network_cost
from drnn_core.models.network import Network
from drnn_core.store.runinfo import RunInfo

# Of the properties below; what was exported with another number may mean something else.
FORMAT = 1


def describe(network: Network, image_size: int) -> dict[str, str]:
    """The properties that every network has: what the columns of the trace are, and their cost.

    Args:
        network: that is exported.
        image_size: height and width of its images.

    Returns:
        JSON by name, as ``metadata_of`` reads it.
    """
    cost = network_cost(network, image_size)
    steps = [
        {"block": name, "loop": loop + 1, "gated": block.is_gated(loop)}
        for name, block in network.recursive_blocks()
        for loop in range(block.loops)
    ]
    values = {
        "format": FORMAT,
        "model": network.recipe.name,
        "steps": steps,
        "macs": {
            "fixed": cost.fixed_macs,
            "steps": list(cost.step_macs),
            "gates": list(cost.gate_macs),
        },
    }
    return {name: json.dumps(value) for name, value in values.items()}


def describe_run(info: RunInfo) -> dict[str, str]:
    """The properties that a trained run adds: class names, preprocessing, and which run it is."""
    values: dict[str, Any] = {
        "classes": list(info.classes),
        "preprocessing": info.preprocessing.to_dict(),
        "run": {
            "title": info.title,
            "recipe": info.recipe_name,
            "dataset": info.dataset,
            "weights_sha256": info.weights_sha256,
            "commit": info.commit,
            "error": info.metrics.test.error,
        },
    }
    return {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}


def metadata_of(properties: Mapping[str, str]) -> dict[str, Any]:
    """What the properties of an exported file say, by name.

    Args:
        properties: for example onnxruntime's ``session.get_modelmeta().custom_metadata_map``.
    """
    return {name: json.loads(value) for name, value in properties.items()}


def signature(model: onnx.ModelProto) -> dict[str, Any]:
    """Opset, inputs and outputs of a model as plain values."""
    values = {"inputs": model.graph.input, "outputs": model.graph.output}
    found: dict[str, Any] = {"opset": model.opset_import[0].version}
    for kind, of_kind in values.items():
        found[kind] = [
            {
                "name": value.name,
                "type": TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower(),
                "shape": [
                    size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim
                ],
            }
            for value in of_kind
        ]
    return found
