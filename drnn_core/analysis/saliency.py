"""Which pixels a prediction rests on: attributions by Captum, and their share on the object.

Every function here takes a network that returns logits and is one fixed function of the image. A
dynamic network is none: freeze its decisions first (``drnn_core/inference/frozen.py``).

An attribution is reduced to *evidence*, one number per pixel:

=========================  ====================================================================
method                     evidence of a pixel for the target's logit
=========================  ====================================================================
``saliency``               largest absolute gradient of its channels (Simonyan et al. 2014);
                           never negative
``input_x_gradient``       sum over channels of value times gradient (Shrikumar et al. 2016)
``integrated_gradients``   sum over channels of the gradient, integrated from the blank image to
                           this one, times the difference of the two (Sundararajan et al. 2017);
                           all pixels together give the logit's difference
``grad_cam``               the last stage's channels weighted by their mean gradient, positive
                           part, interpolated to the image (Selvaraju et al. 2017); never negative
``occlusion``              fall of the logit when a window around the pixel is blanked, mean over
                           the windows that hold it (Zeiler and Fergus 2014)
=========================  ====================================================================

The blank image is 0 after normalisation: the training set's mean colour.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from drnn_core.analysis.evidence import METHODS, Method

Target = int | Tensor | NDArray[np.int64]
_Classes = int | Tensor

INTEGRATION_STEPS = 64
# In pixels of a 32 x 32 image; larger images are occluded by windows that are larger in
# proportion, so that the number of forward passes stays the same.
OCCLUSION_WINDOW = 5
OCCLUSION_STRIDE = 2
_OCCLUDED_AT_ONCE = 32
# Pixels of the variants of an image that pass through the network together: ten of 224 x 224,
# whose features a laptop's memory holds, or more small ones than any method asks for.
_PIXELS_AT_ONCE = 1 << 19


class Attributable(Protocol):
    """A network that attribution can differentiate."""

    @property
    def last_features(self) -> nn.Module:
        """The module through which the features (B, C, h, w) go that Grad-CAM explains."""
        ...

    def __call__(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, classes) logits; the same function at every call."""
        ...


def attribute(
    network: Attributable, images: Tensor, target: Target, method: Method
) -> NDArray[np.float32]:
    """Evidence of each pixel for a class.

    Args:
        network: in evaluation mode, decisions frozen.
        images: (B, 3, H, W) float, normalised.
        target: the class whose logit is explained, one for all images or (B,) int64.
        method: see the module's table.

    Returns:
        (B, H, W) float32, in logits (``saliency``: logits per unit of normalised input;
        ``grad_cam``: the scale of its features).

    Raises:
        ValueError: no such method.
    """
    if method not in METHODS:
        raise ValueError(f"no attribution method is called {method!r}; expected one of {METHODS}")
    inputs = images.detach().clone().requires_grad_(True)
    classes = target if isinstance(target, int) else torch.as_tensor(target)
    with torch.enable_grad():
        evidence = _EVIDENCE[method](network, inputs, classes)
    return evidence.detach().to(torch.float32).cpu().numpy()


def _saliency(network: Attributable, images: Tensor, target: _Classes) -> Tensor:
    captum = _captum()
    return captum.Saliency(network).attribute(images, target=target, abs=True).amax(dim=1)


def _input_x_gradient(network: Attributable, images: Tensor, target: _Classes) -> Tensor:
    captum = _captum()
    return captum.InputXGradient(network).attribute(images, target=target).sum(dim=1)


def _integrated_gradients(network: Attributable, images: Tensor, target: _Classes) -> Tensor:
    captum = _captum()
    integrated = captum.IntegratedGradients(network).attribute(
        images,
        baselines=torch.zeros_like(images),
        target=target,
        n_steps=INTEGRATION_STEPS,
        method="gausslegendre",
        internal_batch_size=len(images) * _at_once(images, INTEGRATION_STEPS),
    )
    return integrated.sum(dim=1)


def _grad_cam(network: Attributable, images: Tensor, target: _Classes) -> Tensor:
    captum = _captum()
    coarse = captum.LayerGradCam(network, network.last_features).attribute(
        images, target=target, relu_attributions=True
    )
    size = list(images.shape[-2:])
    return nn.functional.interpolate(cast(Tensor, coarse), size=size, mode="bilinear")[:, 0]


def _occlusion(network: Attributable, images: Tensor, target: _Classes) -> Tensor:
    captum = _captum()
    channels = images.shape[1]
    scale = max(1, min(images.shape[-2:]) // 32)
    window = min(OCCLUSION_WINDOW * scale, images.shape[-2], images.shape[-1])
    stride = OCCLUSION_STRIDE * scale
    with torch.no_grad():
        occluded = captum.Occlusion(network).attribute(
            images.detach(),
            sliding_window_shapes=(channels, window, window),
            strides=(channels, stride, stride),
            baselines=0.0,
            target=target,
            perturbations_per_eval=_at_once(images, _OCCLUDED_AT_ONCE),
        )
    return occluded[:, 0]  # a window spans all channels, so all of them carry the same value


def _at_once(images: Tensor, most: int) -> int:
    """Variants of each of the images that may pass through the network together."""
    return max(1, min(most, _PIXELS_AT_ONCE // images[:, 0].numel()))


_EVIDENCE: dict[str, Callable[[Attributable, Tensor, _Classes], Tensor]] = {
    "saliency": _saliency,
    "input_x_gradient": _input_x_gradient,
    "integrated_gradients": _integrated_gradients,
    "grad_cam": _grad_cam,
    "occlusion": _occlusion,
}


def _captum() -> Any:
    """Captum, imported at the first attribution: it takes seconds."""
    from captum import attr

    return attr
