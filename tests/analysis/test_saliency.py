"""Attributions against their definitions, written out by hand."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from drnn_core.analysis.evidence import METHODS, Method, share_on, shares
from drnn_core.analysis.saliency import OCCLUSION_STRIDE, OCCLUSION_WINDOW, attribute
from drnn_core.inference.frozen import FrozenNetwork, freeze
from drnn_core.models.network import Network
from drnn_core.models.registry import create_model
from drnn_core.recipes import NETWORKS
from tests.tiny_runs import PREPROCESSING, tiny_images, tiny_network

TARGET = 2


def pixels(count: int = 40) -> torch.Tensor:
    return PREPROCESSING.normalise(tiny_images(count).images(range(count)))


def two_frozen(seed: int = 0) -> tuple[FrozenNetwork, torch.Tensor]:
    """Two images that take different paths, and the network frozen on them."""
    network, images = tiny_network(seed=seed), pixels()
    with torch.no_grad():
        ran = network(images).trace.ran
    loops = ran.sum(dim=1)
    chosen = torch.stack([loops.argmin(), loops.argmax()])
    assert loops.min() < loops.max()
    return freeze(network, ran[chosen]), images[chosen]


class Unfrozen(torch.nn.Module):
    """The dynamic network as it is: each image takes its own path."""

    def __init__(self, frozen: FrozenNetwork) -> None:
        super().__init__()
        self.network = frozen.network
        self.last_features = torch.nn.Identity()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images).logits


@pytest.mark.parametrize("method", METHODS)
def test_a_map_for_each_image_that_does_not_depend_on_its_company(method: Method) -> None:
    frozen, images = two_frozen()
    together = attribute(frozen, images, TARGET, method)
    assert together.shape == (2, 16, 16)
    assert together.dtype == np.float32
    assert np.isfinite(together).all()
    for row in range(2):
        alone = freeze(frozen.network, frozen.ran[row])
        np.testing.assert_allclose(
            attribute(alone, images[row : row + 1], TARGET, method)[0],
            together[row],
            rtol=1e-3,
            atol=1e-4 * np.abs(together[row]).max(),
        )


@pytest.mark.parametrize("method", METHODS)
def test_every_image_may_have_a_target_of_its_own(method: Method) -> None:
    frozen, images = two_frozen()
    together = attribute(frozen, images, torch.tensor([3, 1]), method)
    for row, target in enumerate((3, 1)):
        np.testing.assert_allclose(
            attribute(frozen, images, target, method)[row],
            together[row],
            rtol=1e-3,
            atol=1e-4 * np.abs(together[row]).max(),
        )


def test_saliency_is_the_largest_gradient_of_a_pixel() -> None:
    frozen, images = two_frozen()
    x = images.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(frozen(x)[:, TARGET].sum(), x)
    expected = gradient.abs().amax(dim=1).numpy()
    assert expected.max() > 0
    np.testing.assert_allclose(attribute(frozen, images, TARGET, "saliency"), expected, rtol=1e-5)
    np.testing.assert_allclose(
        attribute(frozen, images, TARGET, "input_x_gradient"),
        (gradient * images).sum(dim=1).numpy(),
        rtol=1e-4,
        atol=1e-5,
    )


def test_saliency_is_the_slope_of_the_logit() -> None:
    """By finite differences in float64, so that autograd itself is under test."""
    frozen, images = two_frozen()
    frozen.network.double()
    image = images[:1].double()
    alone = freeze(frozen.network, frozen.ran[0])
    evidence = attribute(alone, image, TARGET, "saliency")[0]
    row, column = np.unravel_index(evidence.argmax(), evidence.shape)
    slopes: list[float] = []
    for channel in range(3):
        step = torch.zeros_like(image)
        step[0, channel, row, column] = 1e-6
        with torch.no_grad():
            rise = alone(image + step) - alone(image - step)
        slopes.append(abs(float(rise[0, TARGET])) / 2e-6)
    assert max(slopes) == pytest.approx(evidence.max(), rel=1e-4)


def test_integrated_gradients_are_complete() -> None:
    """All pixels together give the difference of the logits of the image and the blank one."""
    frozen, images = two_frozen()
    with torch.no_grad():
        difference = (frozen(images) - frozen(torch.zeros_like(images)))[:, TARGET].numpy()
    assert np.abs(difference).min() > 0.05
    total = attribute(frozen, images, TARGET, "integrated_gradients").sum(axis=(1, 2))
    np.testing.assert_allclose(total, difference, rtol=0.02)


def test_the_decisions_are_frozen() -> None:
    """Unfrozen, the way from the blank image takes other paths, and completeness is lost."""
    network, image = tiny_network(), pixels(1)
    _put_first_gate_on_the_edge(network, 0.6 * image)
    with torch.no_grad():
        ran = network(image).trace.ran
        assert not torch.equal(ran, network(0.5 * image).trace.ran), "the path must change"
    frozen = freeze(network, ran)
    models = {"frozen": frozen, "unfrozen": Unfrozen(frozen)}
    incomplete: dict[str, float] = {}
    for name, model in models.items():
        with torch.no_grad():
            difference = (model(image) - model(0 * image))[0, TARGET].item()
        total = attribute(model, image, TARGET, "integrated_gradients").sum()
        incomplete[name] = abs(total / difference - 1)
    assert incomplete["frozen"] < 0.02
    assert incomplete["unfrozen"] > 0.2


def _put_first_gate_on_the_edge(network: Network, image: torch.Tensor) -> None:
    """Shift the first gate's logit so that ``image`` stands on the edge of its decision."""
    gate: Any = network.recursive_blocks()[0][1].gate
    logits: list[torch.Tensor] = []
    hook = gate.fc.register_forward_hook(lambda _, __, out: logits.append(out))
    with torch.no_grad():
        network(image)
        hook.remove()
        gate.fc[-1].bias -= logits[0].reshape(-1)


@pytest.mark.parametrize("method", METHODS)
def test_no_gate_is_asked(method: Method) -> None:
    frozen, images = two_frozen()

    def refuse(*_: object) -> None:
        raise AssertionError("a gate was asked")

    for _, block in frozen.network.recursive_blocks():
        assert block.gate is not None
        block.gate.register_forward_pre_hook(refuse)
    attribute(frozen, images, TARGET, method)


@pytest.mark.parametrize("method", METHODS)
def test_other_weights_and_other_targets_give_another_map(method: Method) -> None:
    """The sanity check of Adebayo et al. 2018: a map that ignores the weights explains nothing."""
    frozen, images = two_frozen()
    other = freeze(tiny_network(seed=1), frozen.ran)
    map_, of_other, of_class = (
        shares(attribute(frozen, images, TARGET, method)),
        shares(attribute(other, images, TARGET, method)),
        shares(attribute(frozen, images, TARGET - 1, method)),
    )
    for row in range(2):
        assert np.corrcoef(map_[row].ravel(), of_other[row].ravel())[0, 1] < 0.9
        assert np.abs(map_[row] - of_class[row]).sum() > 0.05


def test_grad_cam_follows_its_formula() -> None:
    frozen, images = two_frozen()
    with torch.enable_grad():
        features = frozen.network.features(images, frozen.ran)[-1].features
        logits = frozen.network.classify(features)
        (gradient,) = torch.autograd.grad(logits[:, TARGET].sum(), features)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    coarse = torch.relu((weights * features).sum(dim=1, keepdim=True)).detach()
    expected = torch.nn.functional.interpolate(coarse, size=[16, 16], mode="bilinear")[:, 0]
    np.testing.assert_allclose(
        attribute(frozen, images, TARGET, "grad_cam"), expected.numpy(), rtol=1e-4, atol=1e-6
    )


class Blob(torch.nn.Module):
    """Logit 1 sums one square of the image; decisions do not enter."""

    def __init__(self) -> None:
        super().__init__()
        self.last_features = torch.nn.Identity()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        inside = self.last_features(images)[:, :, 4:9, 6:11].sum(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(inside), inside], dim=1)


@pytest.mark.parametrize("method", [m for m in METHODS if m != "grad_cam"])
def test_evidence_lies_where_the_network_looks(method: Method) -> None:
    mask = np.zeros((1, 16, 16), bool)
    mask[:, 4:9, 6:11] = True
    evidence = attribute(Blob(), torch.ones(1, 3, 16, 16), 1, method)
    far = np.ones((1, 16, 16), bool)
    near = OCCLUSION_WINDOW - 1  # a window that touches the square blames its neighbours too
    far[:, 4 - near : 9 + near, 6 - near : 11 + near] = False
    assert float(evidence[mask].min()) > 0
    assert not evidence[far].any()
    if method != "occlusion":
        assert share_on(evidence, mask) == pytest.approx([1.0])


def test_occlusion_is_the_mean_fall_of_the_logit() -> None:
    """Window after window, written out."""
    fall, windows = np.zeros((16, 16)), np.zeros((16, 16))
    size, last = OCCLUSION_WINDOW, 16 - OCCLUSION_WINDOW
    starts = [*range(0, last, OCCLUSION_STRIDE), last]
    square = np.zeros((16, 16))
    square[4:9, 6:11] = 3
    for top in starts:
        for left in starts:
            window = np.s_[top : top + size, left : left + size]
            fall[window] += square[window].sum()
            windows[window] += 1
    evidence = attribute(Blob(), torch.ones(1, 3, 16, 16), 1, "occlusion")[0]
    inner = np.s_[:last, :last]  # Captum lets the last window hang over the edge
    np.testing.assert_allclose(evidence[inner], (fall / windows)[inner], rtol=1e-5)


@given(
    arrays.arrays(
        np.float32, (2, 4, 4), elements=st.floats(-1e4, 1e4, width=32, allow_subnormal=False)
    )
)
def test_shares_sum_to_one_and_split_by_a_mask(evidence: np.ndarray) -> None:
    mask = np.zeros((2, 4, 4), bool)
    mask[:, :2] = True
    share = shares(evidence)
    assert (share >= 0).all()
    on, off = share_on(evidence, mask), share_on(evidence, ~mask)
    for row in range(2):
        if np.abs(evidence[row]).sum(dtype=np.float64) == 0:
            assert not share[row].any()
            assert np.isnan(on[row])
        else:
            assert share[row].sum() == pytest.approx(1, abs=1e-5)
            assert on[row] + off[row] == pytest.approx(1)
            assert on[row] == pytest.approx(share[row][mask[row]].sum(), abs=1e-5)


def test_wrong_input_gets_a_sentence() -> None:
    network = Blob()
    with pytest.raises(ValueError, match="no attribution method is called 'lime'"):
        attribute(network, torch.ones(1, 3, 16, 16), 1, "lime")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"mask of shape \(1, 2, 2\), got \(2, 2\)"):
        share_on(np.ones((1, 2, 2), np.float32), np.ones((2, 2), bool))


def test_nothing_is_printed_or_left_behind(capfd: pytest.CaptureFixture[str]) -> None:
    frozen, images = two_frozen()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for method in METHODS:
            attribute(frozen, images, TARGET, method)
    assert not images.requires_grad
    assert all(parameter.grad is None for parameter in frozen.network.parameters())
    assert not frozen.last_features._forward_hooks
    out, err = capfd.readouterr()
    assert out == ""
    assert err == ""


# A network of each form, with classes and size of ImageNet where it has them.
FORMS = [
    *("resnet20", "dr_resnet32_l4", "aig_resnet110", "sd_resnet110", "preact_resnet110"),
    *("rcnn160", "resnet50", "dr_resnet53_l3", "r_resnet53_l3", "dr_mobilenetv2"),
]


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_network_can_be_attributed(name: str) -> None:
    """The maps that need no integration, at a size that keeps the largest network quick."""
    network = create_model(name).eval()
    side = 64 if NETWORKS[name].image_size > 32 else 32
    image = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        frozen = freeze(network, network(image).trace.ran)
    for method in ("saliency", "input_x_gradient", "grad_cam"):
        evidence = attribute(frozen, image, TARGET, method)
        assert evidence.shape == (1, side, side)
        assert np.isfinite(evidence).all()
        assert method == "grad_cam" or np.abs(evidence).max() > 0


def test_large_images_are_occluded_by_larger_windows_and_integrated_in_parts() -> None:
    """As many windows at 224 pixels as at 32; never more than ten variants at a time."""
    sizes: list[int] = []

    class Watched(torch.nn.Module):
        last_features = torch.nn.Identity()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            sizes.append(len(images))
            return images.mean(dim=(2, 3))

    for side in (32, 224):
        sizes.clear()
        evidence = attribute(Watched(), torch.randn(1, 3, side, side), TARGET, "occlusion")
        assert evidence.shape == (1, side, side)
        # the windows, and the image itself
        assert sum(sizes) == 15 * 15 + 1
    assert max(sizes) == 10
    sizes.clear()
    integrated = attribute(Watched(), torch.randn(1, 3, 224, 224), TARGET, "integrated_gradients")
    assert np.isfinite(integrated).all()
    assert max(sizes) == 10
    assert sum(sizes) >= 64
