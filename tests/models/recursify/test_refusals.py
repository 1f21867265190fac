"""What cannot be made recursive is refused, and the message says why."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from drnn_core.models.recursify import recursify
from drnn_core.models.registry import create_model
from tests.models.recursify.backbones import backbone


class Block(nn.Module):
    """A residual block."""

    def __init__(self, norm: nn.Module | None = None, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, stride, padding=1)
        self.norm = nn.BatchNorm2d(8) if norm is None else norm

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.norm(self.conv(x)))


class Curious(Block):
    """Branches on what a tracer does not know."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if x.shape[2] > 1 else x


class Blind(Block):
    """Looks at values, of which a dry run has none."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if float(x.sum()) > 0 else x


class Absent(Block):
    """Does nothing in training."""

    def forward(self, x: Tensor) -> Tensor:
        return x if self.training else super().forward(x)


class Straight(Block):
    """Adds nothing."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(x)))


class Shifted(Block):
    """Adds a parameter to its input."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(8, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(x + self.shift)))


class Tail(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))


class Skipping(nn.Module):
    """Its classifier reads the stem, too."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 4, 1)
        self.blocks = nn.Sequential(Block(), Block())

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return (self.blocks(x) + x).mean(dim=(2, 3))


class TwoAnswers(nn.Sequential):
    def forward(self, input: Tensor) -> Any:  # noqa: A002
        x = super().forward(input)
        return x, x


def chain(*blocks: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3, 4, 1), nn.Sequential(*blocks), Tail())


REFUSED = {
    "vgg16": r"nothing repeats",
    "densenet121": r"nothing repeats",
    "squeezenet1_0": r"nothing repeats",
    "shufflenet_v2_x0_5": r"stage2\.1: it does not add to its input, so it is not residual",
    "vit_b_16": r"encoder_layer_0: its features are of shape \(2, 197, 768\), not \(B, C, H, W\)",
    "swin_t": r"features\.1\.0: its features are \(2, 56, 56, 96\) for images of 224 pixels and "
    r"\(2, 112, 112, 96\) for 448, so they are not \(B, C, H, W\)",
}


@pytest.mark.parametrize("name", REFUSED)
def test_backbones_of_torchvision(name: str) -> None:
    with torch.device("meta"):
        model = backbone(name)
    with pytest.raises(ValueError, match=f"cannot recursify .*{REFUSED[name]}"):
        recursify(model)


def test_a_plain_sequential() -> None:
    convolutions = nn.Sequential(*(nn.Conv2d(8, 8, 3, padding=1) for _ in range(3)))
    model = nn.Sequential(nn.Conv2d(3, 8, 3), convolutions, Tail())
    with pytest.raises(ValueError, match=r"Sequential: .*1\.0: .*not residual \(3 alike\)"):
        recursify(model)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (chain(Straight(), Straight()), "not residual"),
        (chain(Shifted(), Shifted()), "not residual"),
        (chain(Curious(), Curious()), "cannot be traced by torch.fx"),
        (chain(Blind(), Blind()), "images of .* cannot be called on meta tensors"),
        (chain(Absent(), Absent()), "other things in training than in evaluation"),
        (chain(Block(nn.SyncBatchNorm(8)), Block(nn.SyncBatchNorm(8))), "norm is a SyncBatchNorm"),
        (
            chain(*(Block(nn.BatchNorm2d(8, momentum=None)) for _ in range(2))),
            "without scale and shift, running statistics or a momentum",
        ),
        (Skipping(), "reads its features only"),
        (TwoAnswers(*chain(Block(), Block()).children()), r"logits \(B, classes\), got something"),
        (nn.Sequential(nn.Conv2d(3, 8, 3), Block(), Block()), r"logits \(B, classes\), got \(2, 8"),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(48, 2)),
            r"forward that takes images of \(B, 3, 224",
        ),
    ],
)
def test_reasons(model: nn.Module, reason: str) -> None:
    with pytest.raises(ValueError, match=f"cannot recursify .*{reason}"):
        recursify(model)


def test_a_chain_that_can_be_converted() -> None:
    """What the refused ones are variations of."""
    network = recursify(chain(Block(), Block(), Block()), loops=3)
    assert [block.loops for block in network.layout] == [3]
    assert len(recursify(chain(Block(), Block()), loops=2).layout) == 1


def test_blocks_that_are_read_in_between_are_not_folded() -> None:
    class Dense(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Conv2d(3, 8, 3, 4, 1)
            self.blocks = nn.ModuleList(Block() for _ in range(4))
            self.last = nn.Conv2d(16, 8, 1)
            self.end = Block()

        def forward(self, x: Tensor) -> Tensor:
            x = self.blocks[1](self.blocks[0](self.stem(x)))
            y = self.blocks[3](self.blocks[2](x))
            return self.end(self.last(torch.cat([x, y], dim=1))).mean(dim=(2, 3))

    network = recursify(Dense(), loops=4)
    assert [block.loops for block in network.layout] == [2, 2]


def test_nothing_repeats_but_single_blocks() -> None:
    with pytest.raises(ValueError, match=r"nothing repeats: .*\(1\.0\); loops=1 gives each a gate"):
        recursify(chain(Block()), loops=3)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"loops": 0}, "at least 1 loop"),
        ({"keep": "best"}, "keep to be one of"),
        ({"norm": "batch"}, "expected a norm kind"),
    ],
)
def test_arguments(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        recursify(chain(Block(), Block()), **changes)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("dr:torchvision/resnet51", "torchvision has no image classifier called 'resnet51'; did"),
        ("dr:torchvision/fcn_resnet50", "no image classifier called"),
        ("dr:torchvision/", "no backbone is called"),
        ("dr:resnet50", "expected torchvision/<model> or timm/<model>"),
        ("dr:keras/resnet50", "no backbone is called 'keras/resnet50'"),
        ("dr:torchvision/vgg11", "cannot recursify torchvision/vgg11: nothing repeats"),
        ("resnet51", "or a backbone such as dr:torchvision/resnet50"),
    ],
)
def test_names(name: str, reason: str) -> None:
    with torch.device("meta"), pytest.raises(ValueError, match=reason):
        create_model(name)


def test_options() -> None:
    with pytest.raises(ValueError, match=r"no recursified network has an option blocks; expected"):
        create_model("dr:torchvision/resnet18", blocks=(1, 2))
