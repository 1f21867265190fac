"""A network with its gates' decisions fixed: one function of the image, for attribution.

An attribution method asks how the logits change as the image does: integrated gradients walks
from a blank image to the given one, occlusion hides a part. A dynamic network would answer by
changing itself, because every such image meets the gates anew and may take another path, and the
result would mix the evidence in the image with a change of network. Frozen, the loops that the
given image ran are run for every image, and no gate is asked.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from drnn_core.inference.prediction import Prediction
from drnn_core.inference.predictor import Predictor
from drnn_core.models.network import Network
from drnn_core.trace import ran_of


class FrozenNetwork(nn.Module):
    """Logits of normalised images under given decisions, in evaluation mode.

    It holds no state but the decisions, so many may share one network, in threads too.

    Args:
        network: in evaluation mode; neither copied nor changed.
        ran: (B, S) bool, ``Trace.ran`` of the B images to attribute.

    Attributes:
        last_features: the last stage's features (B, C, H, W) pass through it on their way to the
            classifier; a place for the hooks of layer attribution.

    Raises:
        ValueError: the network is in training mode, where its norms depend on the batch, or
            ``ran`` is not of its S steps.
    """

    def __init__(self, network: Network, ran: Tensor) -> None:
        super().__init__()
        if network.training:
            raise ValueError("expected a network in evaluation mode, got one in training mode")
        steps = sum(block.loops for block in network.layout)
        if ran.ndim != 2 or ran.shape[1] != steps:
            raise ValueError(
                f"expected decisions of shape (images, {steps}), got {tuple(ran.shape)}; "
                "pass the trace that this network made"
            )
        self.network = network
        self.last_features = nn.Identity()
        self.ran: Tensor
        self.register_buffer("ran", ran.bool(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Classify the B images, or copies of all of them one after another.

        Args:
            images: (K * B, 3, H, W): K variants of the B images, stacked as Captum stacks them:
                the first variant of every image in the order of ``ran``, then the second, ...

        Returns:
            (K * B, classes) logits.

        Raises:
            ValueError: the number of images is no multiple of B.
        """
        variants, rest = divmod(images.shape[0], max(self.ran.shape[0], 1))
        if rest:
            raise ValueError(
                f"expected a multiple of {self.ran.shape[0]} images, as many as the trace has, "
                f"got {images.shape[0]}"
            )
        stages = self.network.features(images, self.ran.repeat(variants, 1))
        return self.network.classify(self.last_features(stages[-1].features))


def freeze(network: Network, ran: Tensor | NDArray[np.bool_]) -> FrozenNetwork:
    """A network with the decisions of one image (S,) or of B images (B, S) fixed."""
    decisions = torch.as_tensor(ran)
    return FrozenNetwork(network, decisions if decisions.ndim == 2 else decisions[None])


class FrozenImages(NamedTuple):
    """A network with the decisions of B images fixed, and the images as its input.

    Attributes:
        network: the frozen network.
        images: (B, 3, H, W), normalised.
    """

    network: FrozenNetwork
    images: Tensor


def freeze_prediction(predictor: Predictor, prediction: Prediction) -> FrozenImages:
    """What the predictor's network computed for a picture, as one fixed function.

    Its logits for ``images`` are those of the prediction.
    """
    seen = torch.from_numpy(prediction.seen).permute(2, 0, 1)[None]
    images = predictor.info.preprocessing.normalise(seen)
    return FrozenImages(freeze(predictor.network, prediction.ran), images)


def freeze_recorded(
    predictor: Predictor, pixels: NDArray[np.uint8], block_loops: NDArray[np.integer]
) -> FrozenImages:
    """The predictor's network on the paths that images took when they were recorded.

    Args:
        predictor: of the run.
        pixels: (B, H, W, 3), as the network sees them before normalisation.
        block_loops: (B, blocks) executed loops, of the records.

    Raises:
        ValueError: loops of other blocks than the network's.
    """
    loops = torch.from_numpy(np.asarray(block_loops, dtype=np.int64))
    ran = ran_of(loops, predictor.network.layout)
    seen = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    return FrozenImages(
        freeze(predictor.network, ran), predictor.info.preprocessing.normalise(seen)
    )
