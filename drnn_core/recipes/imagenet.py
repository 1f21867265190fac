"""The networks of tables 2 and 3 (ImageNet, section 4.2).

Bottleneck ResNets with the stride on the first 1x1 convolution. In the DR- and R- networks the
third and fourth stage loop, but for their downsampling blocks; the fourth stage's block loops
twice, "for computational equality".
"""

from __future__ import annotations

from dataclasses import replace

from drnn_core.recipes.schema import NetworkRecipe, PaperNumbers


def _table2(top1: float, top5: float, params: float, flops: float) -> PaperNumbers:
    return PaperNumbers("table 2", top1=top1, top5=top5, params=params, flops=flops)


def _table3(top1: float | None, params: float, flops: float) -> PaperNumbers:
    return PaperNumbers("table 3", top1=top1, params=params, flops=flops)


_RESNET = NetworkRecipe(
    "resnet50",
    "ResNet-50",
    blocks=(3, 4, 6, 3),
    loops=(1, 1, 1, 1),
    widths=(256, 512, 1024, 2048),
    strides=(1, 2, 2, 2),
    plain=(1, 1, 1, 1),
    form="resnet",
    dataset="ImageNet",
    num_classes=1000,
    image_size=224,
    resize=256,
    training="imagenet",
    paper=_table2(76.45, 92.90, 25.56, 3.8),
)

_MOBILENETV2 = replace(
    _RESNET,
    name="mobilenetv2",
    title="MobileNetV2",
    blocks=(1, 2, 3, 4, 3, 3, 1),
    loops=(1, 1, 1, 1, 1, 1, 1),
    widths=(16, 24, 32, 64, 96, 160, 320),
    strides=(1, 2, 2, 2, 1, 2, 1),
    plain=(1, 1, 1, 1, 1, 1, 1),
    form="mobilenetv2",
    training="imagenet_mobile",
    paper=_table2(71.8, 90.27, 3.40, 0.300),
)

_DR_RESNET53 = replace(
    _RESNET,
    name="dr_resnet53_l3",
    title="DR-ResNet 53 (l = 3, t = 0.7)",
    blocks=(3, 4, 8, 2),
    loops=(1, 1, 3, 2),
    target=0.7,
    counterpart="resnet101",
    paper=_table2(77.96, 93.86, 23.60, 4.92),
)

_R_RESNET53 = replace(
    _DR_RESNET53,
    name="r_resnet53_l3",
    title="R-ResNet 53 + L",
    norm="lvbn",
    gated=False,
    target=None,
    paper=_table3(77.22, 23.39, 7.6),
)

IMAGENET_NETWORKS = (
    replace(
        _RESNET,
        name="resnet101",
        title="ResNet-101",
        blocks=(3, 4, 23, 3),
        paper=_table2(77.95, 93.86, 44.54, 7.6),
    ),
    replace(
        _RESNET,
        name="sd_resnet101",
        title="Stochastic Depth ResNet-101",
        blocks=(3, 4, 23, 3),
        survival=0.5,
        counterpart="resnet101",
        paper=_table2(77.20, 93.56, 44.54, 7.6),
    ),
    replace(
        _RESNET,
        name="aig_resnet101",
        title="AIG-ResNet-101",
        blocks=(3, 4, 23, 3),
        gate_every_block=True,
        target=0.7,
        counterpart="resnet101",
        paper=_table2(77.93, 93.85, 46.23, 5.11),
    ),
    replace(
        _DR_RESNET53,
        name="dr_resnet65_l2",
        title="DR-ResNet 65 (l = 2)",
        blocks=(3, 4, 12, 2),
        loops=(1, 1, 2, 2),
        paper=_table2(78.12, 93.90, 28.12, 5.49),
    ),
    _DR_RESNET53,
    replace(
        _DR_RESNET53,
        name="dr_resnet53_l3_t65",
        title="DR-ResNet 53 (l = 3, t = 0.65)",
        target=0.65,
        paper=_table2(77.14, 93.52, 23.60, 4.62),
    ),
    replace(
        _DR_RESNET53,
        name="dr_resnet53_l3_t60",
        title="DR-ResNet 53 (l = 3, t = 0.6)",
        target=0.6,
        paper=_table2(76.91, 93.51, 23.60, 4.35),
    ),
    replace(
        _DR_RESNET53,
        name="dr_resnet47_l4",
        title="DR-ResNet 47 (l = 4)",
        blocks=(3, 4, 6, 2),
        loops=(1, 1, 4, 2),
        paper=_table2(77.41, 93.54, 21.34, 4.56),
    ),
    replace(
        _DR_RESNET53,
        name="dr_resnet44_l5",
        title="DR-ResNet 44 (l = 5)",
        blocks=(3, 4, 5, 2),
        loops=(1, 1, 5, 2),
        paper=_table2(77.27, 93.53, 20.21, 4.25),
    ),
    _RESNET,
    replace(
        _RESNET,
        name="sd_resnet50",
        title="Stochastic Depth ResNet-50",
        survival=0.5,
        counterpart="resnet50",
        paper=_table2(72.25, 90.86, 25.56, 3.8),
    ),
    replace(
        _RESNET,
        name="aig_resnet50",
        title="AIG-ResNet 50",
        gate_every_block=True,
        target=0.8,
        counterpart="resnet50",
        paper=_table2(76.42, 93.17, 26.56, 3.15),
    ),
    # The second stage: downsampling, one plain and one recursive block.
    replace(
        _RESNET,
        name="dr_resnet35_l2",
        title="DR-ResNet 35 (l = 2)",
        blocks=(3, 3, 3, 2),
        loops=(1, 2, 2, 2),
        plain=(1, 2, 1, 1),
        target=0.8,
        counterpart="resnet50",
        paper=_table2(76.48, 92.92, 17.61, 3.12),
    ),
    _MOBILENETV2,
    replace(
        _MOBILENETV2,
        name="dr_mobilenetv2",
        title="DR-MobileNetV2",
        blocks=(1, 2, 2, 2, 2, 2, 1),
        loops=(1, 1, 2, 3, 2, 2, 1),
        gate_hidden=None,
        target=0.9,
        counterpart="mobilenetv2",
        paper=_table2(71.8, 90.28, 2.96, 0.275),
    ),
    replace(
        _R_RESNET53,
        name="r_resnet53_l3_naive",
        title="R-ResNet 53",
        norm="naive",
        paper=_table3(None, 23.39, 7.6),
    ),
    _R_RESNET53,
    replace(
        _DR_RESNET53,
        name="dr_resnet53_l3_lvbn",
        title="R-ResNet 53 + L + G",
        norm="lvbn",
        paper=_table3(77.52, 23.60, 4.92),
    ),
    replace(
        _R_RESNET53,
        name="r_resnet53_l3_slow",
        title="R-ResNet 53* + L",
        training="imagenet_slow",
        paper=_table3(78.38, 23.39, 7.6),
    ),
)
