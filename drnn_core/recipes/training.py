"""How networks are trained: the paper's recipes as written, and our own for two CPU cores."""

from __future__ import annotations

from dataclasses import replace

from drnn_core.recipes.schema import TrainingRecipe

# Section 4.1: batch 256, 350 epochs, rate 0.1 divided by ten after 150 and 250 epochs, weight
# decay 0.0005, momentum 0.9; pad 4, random crop, flip.
_CIFAR10 = TrainingRecipe(
    name="paper",
    epochs=350,
    batch=256,
    lr=0.1,
    schedule="steps",
    lr_steps=(150, 250),
)

# Section 4.2: 100 epochs, rate 0.1 divided by ten every 30, weight decay 0.0001, momentum 0.9;
# scale and aspect ratio crops, photometric distortion. The paper prints no batch size and no
# strength of the distortion: 256 and 0.4 are the field's custom. ConvNet-AIG, whose scheme the
# gates follow, used a rate weight of 1 on ImageNet.
_IMAGENET = TrainingRecipe(
    name="paper",
    epochs=100,
    batch=256,
    lr=0.1,
    schedule="steps",
    lr_steps=(30, 60, 90),
    weight_decay=1e-4,
    rate_weight=1.0,
    augment="scale",
    photometric=0.4,
)

# Section 4.2, MobileNetV2: 400 epochs, rate 0.01 divided by ten after 200 and 300.
_IMAGENET_MOBILE = TrainingRecipe(
    name="paper",
    epochs=400,
    batch=256,
    lr=0.01,
    schedule="steps",
    lr_steps=(200, 300),
    weight_decay=1e-4,
    rate_weight=1.0,
    augment="scale",
    photometric=0.4,
)

# Table 3, last row (R-ResNet 53*): rate 0.01, weight decay 0.0005, 180 epochs, divided by ten
# after 100, 130 and 160.
_IMAGENET_SLOW = TrainingRecipe(
    name="paper",
    epochs=180,
    batch=256,
    lr=0.01,
    schedule="steps",
    lr_steps=(100, 130, 160),
    weight_decay=5e-4,
    rate_weight=1.0,
    augment="scale",
    photometric=0.4,
)

# Ours, for two CPU cores: the same data augmentation and losses, one cycle over few epochs.
_SHORT = TrainingRecipe(
    name="short",
    epochs=20,
    batch=128,
    lr=0.2,
    schedule="one_cycle",
    warmup=0.25,
    nesterov=True,
    decay_everything=False,
    noise_until=0.6,
    calibrate_gates=True,
)

# Ours, for a GPU: "short" at the paper's batch, over fifty epochs.
_LONG = TrainingRecipe(
    name="long",
    epochs=50,
    batch=256,
    lr=0.2,
    schedule="one_cycle",
    warmup=0.25,
    nesterov=True,
    decay_everything=False,
    noise_until=0.6,
    calibrate_gates=True,
)

# The same with the rate loss over the whole network: each gate is free as long as their mean rate
# is the target. What it changes is in docs/results.md.
_SHORT_NETRATE = replace(_SHORT, name="short-netrate", rate_loss="network")
_LONG_NETRATE = replace(_LONG, name="long-netrate", rate_loss="network")

# And with a target that falls: all loops run at first, and gates come to leave some out. What it
# changes is in docs/results.md, too.
_SHORT_FALLING = replace(_SHORT, name="short-falling", target_falls=(0.0, 0.6))
_LONG_FALLING = replace(_LONG, name="long-falling", target_falls=(0.0, 0.6))

# And with a rate that each batch holds by itself (training/batch_cut.py).
_SHORT_BATCHRATE = replace(_SHORT, name="short-batchrate", rate_loss="batch")
_LONG_BATCHRATE = replace(_LONG, name="long-batchrate", rate_loss="batch")

# "paper" stands for the recipe that the paper has for a network, named by ``training`` there.
PAPER_TRAININGS: dict[str, TrainingRecipe] = {
    "cifar10": _CIFAR10,
    "imagenet": _IMAGENET,
    "imagenet_slow": _IMAGENET_SLOW,
    "imagenet_mobile": _IMAGENET_MOBILE,
}
OWN_TRAININGS: dict[str, TrainingRecipe] = {
    each.name: each
    for each in (
        *(_SHORT, _LONG, _SHORT_NETRATE, _LONG_NETRATE, _SHORT_FALLING, _LONG_FALLING),
        *(_SHORT_BATCHRATE, _LONG_BATCHRATE),
    )
}
TRAININGS: tuple[str, ...] = ("paper", *OWN_TRAININGS)
