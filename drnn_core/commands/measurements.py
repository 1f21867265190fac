"""What is measured of every image of a run and stands beside its records, table by table.

=============  ================================================================================
table          columns
=============  ================================================================================
``image``      ``image_brightness`` and so on (``drnn_core/analysis/image_statistics.py``)
``outputs``    ``margin``: probability of the likeliest class minus that of the second
a method's     ``saliency_entropy`` and so on, named by the method of attribution, of the
               evidence for the predicted class (``drnn_core/analysis/saliency_statistics.py``)
=============  ================================================================================
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from drnn_core.analysis.evidence import Method
from drnn_core.analysis.image_statistics import IMAGE_STATISTICS, image_statistics
from drnn_core.analysis.saliency import attribute
from drnn_core.analysis.saliency_statistics import (
    ON_OBJECT,
    SALIENCY_STATISTICS,
    saliency_statistics,
)
from drnn_core.inference.measuring import Measured, Measurement

Columns = dict[str, NDArray[np.float32]]


def measurements(method: Method, masks: bool) -> list[Measurement]:
    """The three tables.

    Args:
        method: of attribution.
        masks: whether the images come with masks of their objects.
    """
    return [
        Measurement("image", tuple(f"image_{name}" for name in IMAGE_STATISTICS), _image),
        Measurement("outputs", ("margin",), _outputs),
        _evidence(method, masks),
    ]


def _image(batch: Measured) -> Columns:
    return {f"image_{name}": values for name, values in image_statistics(batch.pixels).items()}


def _outputs(batch: Measured) -> Columns:
    with torch.inference_mode():
        chances = batch.network(batch.images).double().softmax(dim=1)
    highest = chances.topk(min(2, chances.shape[1]), dim=1).values
    margin = highest[:, 0] - highest[:, 1] if highest.shape[1] > 1 else highest[:, 0]
    return {"margin": margin.float().cpu().numpy()}


def _evidence(method: Method, masks: bool) -> Measurement:
    names = (*SALIENCY_STATISTICS, ON_OBJECT) if masks else SALIENCY_STATISTICS

    def measure(batch: Measured) -> Columns:
        evidence = attribute(batch.network, batch.images, batch.predictions, method)
        found = saliency_statistics(evidence, batch.mask if masks else None)
        return {f"{method}_{name}": values for name, values in found.items()}

    return Measurement(method, tuple(f"{method}_{name}" for name in names), measure)
