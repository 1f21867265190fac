"""The methods of attribution in words."""

from __future__ import annotations

from drnn_core.analysis.evidence import METHODS, Method

METHOD_TITLES: dict[Method, str] = {
    "saliency": "Saliency",
    "input_x_gradient": "Input × gradient",
    "integrated_gradients": "Integrated gradients",
    "grad_cam": "Grad-CAM",
    "occlusion": "Occlusion",
}
METHOD_MEANINGS: dict[Method, str] = {
    "saliency": "How steeply the class's logit rises or falls with a pixel: the largest absolute "
    "gradient of its three channels.",
    "input_x_gradient": "The pixel's value times the gradient, summed over its channels.",
    "integrated_gradients": "The gradient along the way from a blank image (the training set's "
    "mean colour) to this one, times the difference; all pixels together give the difference of "
    "the two logits.",
    "grad_cam": "Where in the last stage the features stand that raise the class's logit; as "
    "coarse as that stage's grid.",
    "occlusion": "How far the class's logit falls when a window around the pixel, 5 × 5 of "
    "32 × 32, is blanked (the training set's mean colour).",
}
# Their evidence may speak against a class too.
SIGNED_METHODS: tuple[Method, ...] = ("input_x_gradient", "integrated_gradients", "occlusion")


def method_of(column: str) -> Method | None:
    """The method that the name of a column of a run begins with, as those of its evidence do."""
    return next((method for method in METHODS if column.startswith(f"{method}_")), None)
