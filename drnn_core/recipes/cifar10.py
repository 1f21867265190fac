"""The networks of table 1 (CIFAR-10, section 4.1) and the baselines beside them.

Blocks are copied from the paper's networks, not computed: its formula floor((n - 1) / l) + 1
gives the wrong depth for DR-Res 66.
"""

from __future__ import annotations

from drnn_core.recipes.schema import NetworkRecipe, PaperNumbers


def _table1(error: float, params: float, flops: float | None) -> PaperNumbers:
    return PaperNumbers("table 1", error=error, params=params, flops=flops)


CIFAR10_NETWORKS = (
    NetworkRecipe("resnet20", "ResNet-20", (3, 3, 3), paper=_table1(8.75, 0.27, 0.041)),
    NetworkRecipe("resnet56", "ResNet-56", (9, 9, 9), paper=_table1(6.97, 0.85, 0.127)),
    NetworkRecipe("resnet110", "ResNet-110", (18, 18, 18), paper=_table1(6.61, 1.7, 0.255)),
    NetworkRecipe(
        "dr_resnet16_l2",
        "DR-Res 16 (l = 2)",
        blocks=(3, 2, 2),
        loops=(1, 2, 2),
        target=0.7,
        counterpart="resnet20",
        paper=_table1(8.14, 0.18, 0.032),
    ),
    NetworkRecipe(
        "dr_resnet32_l4",
        "DR-Res 32 (l = 4)",
        blocks=(9, 3, 3),
        loops=(1, 4, 4),
        target=0.7,
        counterpart="resnet56",
        paper=_table1(6.73, 0.310, 0.099),
    ),
    NetworkRecipe(
        "dr_resnet40_l2",
        "DR-Res 40 (l = 2)",
        blocks=(9, 5, 5),
        loops=(1, 2, 2),
        target=0.7,
        counterpart="resnet56",
        paper=_table1(6.51, 0.50, 0.110),
    ),
    NetworkRecipe(
        "dr_resnet54_l5",
        "DR-Res 54 (l = 5)",
        blocks=(18, 4, 4),
        loops=(1, 5, 5),
        target=0.7,
        counterpart="resnet110",
        paper=_table1(5.97, 0.45, 0.192),
    ),
    NetworkRecipe(
        "dr_resnet58_l4",
        "DR-Res 58 (l = 4)",
        blocks=(18, 5, 5),
        loops=(1, 4, 4),
        target=0.7,
        counterpart="resnet110",
        paper=_table1(5.79, 0.55, 0.197),
    ),
    NetworkRecipe(
        "dr_resnet66_l3",
        "DR-Res 66 (l = 3)",
        blocks=(18, 7, 7),
        loops=(1, 3, 3),
        target=0.7,
        counterpart="resnet110",
        paper=_table1(5.66, 0.73, 0.214),
    ),
    NetworkRecipe(
        "dr_resnet74_l2",
        "DR-Res 74 (l = 2)",
        blocks=(18, 9, 9),
        loops=(1, 2, 2),
        target=0.7,
        counterpart="resnet110",
        paper=_table1(5.21, 0.92, 0.220),
    ),
    NetworkRecipe(
        "aig_resnet110",
        "AIG-ResNet 110",
        blocks=(18, 18, 18),
        gate_every_block=True,
        target=0.7,
        counterpart="resnet110",
        paper=_table1(5.76, 1.78, 0.215),
    ),
    NetworkRecipe(
        "sd_resnet110",
        "SD-ResNet 110",
        blocks=(18, 18, 18),
        survival=0.5,
        counterpart="resnet110",
        paper=_table1(5.25, 1.7, 0.255),
    ),
    NetworkRecipe(
        "preact_resnet110",
        "Pre-ResNet 110",
        blocks=(18, 18, 18),
        form="preact_resnet",
        counterpart="resnet110",
        paper=_table1(6.37, 1.7, 0.255),
    ),
    NetworkRecipe(
        "rcnn160",
        "RCNN-160",
        blocks=(2, 2),
        loops=(3, 3),
        widths=(160, 160),
        strides=(1, 2),
        plain=(0, 0),
        form="rcnn",
        gated=False,
        counterpart="resnet110",
        paper=_table1(7.09, 1.86, None),
    ),
    # Not in the paper: DR-Res 16 without its loops, each of its blocks run once. What loops add
    # to the parameters that are there anyway is told against it.
    NetworkRecipe("resnet16", "ResNet-16 (3-2-2)", (3, 2, 2), counterpart="resnet20"),
    # Table 3's ablation at the size of table 1: DR-Res 16 and 32 without gates, and both
    # without I-LVBN.
    NetworkRecipe(
        "r_resnet16_l2",
        "R-Res 16 + L (l = 2)",
        blocks=(3, 2, 2),
        loops=(1, 2, 2),
        norm="lvbn",
        gated=False,
        counterpart="resnet20",
    ),
    NetworkRecipe(
        "dr_resnet16_l2_lvbn",
        "R-Res 16 + L + G (l = 2)",
        blocks=(3, 2, 2),
        loops=(1, 2, 2),
        norm="lvbn",
        target=0.7,
        counterpart="resnet20",
    ),
    # What the paper leaves open, beside DR-Res 16: the second reading of I-LVBN, and a first loop
    # that runs unasked.
    NetworkRecipe(
        "dr_resnet16_l2_joint",
        "DR-Res 16, I-LVBN read jointly (l = 2)",
        blocks=(3, 2, 2),
        loops=(1, 2, 2),
        norm="ilvbn_joint",
        target=0.7,
        counterpart="resnet20",
    ),
    NetworkRecipe(
        "dr_resnet16_l2_always",
        "DR-Res 16, first loop unasked (l = 2)",
        blocks=(3, 2, 2),
        loops=(1, 2, 2),
        first_loop="always",
        target=0.7,
        counterpart="resnet20",
    ),
    NetworkRecipe(
        "dr_resnet32_l4_always",
        "DR-Res 32, first loop unasked (l = 4)",
        blocks=(9, 3, 3),
        loops=(1, 4, 4),
        first_loop="always",
        target=0.7,
        counterpart="resnet56",
    ),
    NetworkRecipe(
        "dr_resnet40_l2_always",
        "DR-Res 40, first loop unasked (l = 2)",
        blocks=(9, 5, 5),
        loops=(1, 2, 2),
        first_loop="always",
        target=0.7,
        counterpart="resnet56",
    ),
    NetworkRecipe(
        "r_resnet32_l4_naive",
        "R-Res 32 (l = 4)",
        blocks=(9, 3, 3),
        loops=(1, 4, 4),
        norm="naive",
        gated=False,
        counterpart="resnet56",
    ),
    NetworkRecipe(
        "r_resnet32_l4",
        "R-Res 32 + L (l = 4)",
        blocks=(9, 3, 3),
        loops=(1, 4, 4),
        norm="lvbn",
        gated=False,
        counterpart="resnet56",
    ),
    NetworkRecipe(
        "dr_resnet32_l4_lvbn",
        "R-Res 32 + L + G (l = 4)",
        blocks=(9, 3, 3),
        loops=(1, 4, 4),
        norm="lvbn",
        target=0.7,
        counterpart="resnet56",
    ),
)
