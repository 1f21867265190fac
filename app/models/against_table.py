"""The table of our trainings against their plain counterparts, as HTML and as data."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from app.models import markup
from app.models.against import Against
from app.models.cells import DASH, Cell, Column
from app.numbers import between, number, p_value
from drnn_core.recipes import NETWORKS
from drnn_core.recipes.readings import mark_of, source_of

_COLUMNS = (
    Column(
        "difference",
        "error, points",
        "Network minus plain",
        "mean over seeds: above 0 the network errs more",
    ),
    Column(
        "p",
        "p",
        "Network minus plain",
        "McNemar's test over all seeds, two-sided; seeds share the images, which are its clusters "
        "(Obuchowski 1998)",
    ),
    Column(
        "printed",
        "paper's",
        "Network minus plain",
        "the same difference of the errors that the paper prints; its plain rows are those of "
        "He et al., who trained otherwise",
    ),
    Column("over_seeds", "over seeds", "95 % interval, points", "of Student's t over seeds"),
    Column(
        "over_images",
        "over images",
        "95 % interval, points",
        "bootstrap over images, the seeds as they are",
    ),
    Column("recipe", "recipe", "", "of both, and its epochs", words=True),
    Column("seeds", "seeds", "", "that both were trained with: pairs of equal batches"),
    Column(
        "plain",
        "plain",
        "",
        "its counterpart in the paper, or its own blocks each run once; trained alike",
        words=True,
    ),
    Column("data", "data set", "", "that both were trained and tested on", words=True),
    Column(
        "loss",
        "mean",
        "Cross-entropy, nats",
        "network minus plain, mean over seeds: above 0 the network's is higher. Counts how sure "
        "answers are, too",
    ),
    Column(
        "loss_over_seeds",
        "over seeds",
        "Cross-entropy, nats",
        "95 % interval of Student's t over seeds",
    ),
    Column(
        "loss_over_images",
        "over images",
        "Cross-entropy, nats",
        "95 % bootstrap interval over images, the seeds as they are",
    ),
    Column("network_only", "network", "Only right", "answers that it alone gets right, all seeds"),
    Column("plain_only", "plain", "Only right", "answers that the plain one alone gets right"),
)


def against_html(found: Sequence[Against]) -> str:
    """A row for each training; a click draws its network."""
    body = [_row(each) for each in found]
    return markup.table("Against the plain counterpart", "Network", _COLUMNS, body)


def _row(each: Against) -> str:
    errors = each.errors
    by_seed = "; ".join(f"seed {seed}: {number(d, '+.2f')}" for seed, d in errors.by_seed.items())
    over, losses = errors.over_seeds, each.losses
    loss_by_seed = "; ".join(
        f"seed {seed}: {number(d, '+.3f')}" for seed, d in losses.by_seed.items()
    )
    printed = number(each.printed, "+.2f")
    cells = [
        Cell(number(over.mean, "+.2f"), by_seed),
        Cell(p_value(errors.p).removeprefix("p = ").removeprefix("p "), f"p = {errors.p:.2g}"),
        Cell(DASH)
        if printed == DASH
        else Cell(printed + mark_of(each.ours.network), source_of(each.ours.network)),
        Cell(between(over.low, over.high, "+.2f")),
        Cell(between(errors.over_images.low, errors.over_images.high, "+.2f")),
        Cell(f"{each.ours.info.recipe_name.rpartition('_')[2]}, {each.ours.info.epochs:,}"),
        Cell(str(len(errors.by_seed)), by_seed),
        Cell(_title(each.plain.network)),
        Cell(each.ours.data_set),
        Cell(number(losses.over_seeds.mean, "+.3f"), loss_by_seed),
        Cell(between(losses.over_seeds.low, losses.over_seeds.high, "+.3f")),
        Cell(between(losses.over_images.low, losses.over_images.high, "+.3f")),
        Cell(f"{errors.only_second:,}"),
        Cell(f"{errors.only_first:,}"),
    ]
    title = _title(each.ours.network)
    if each.plain.network != NETWORKS[each.ours.network or ""].counterpart:
        title = f"{title} against {_title(each.plain.network)}"  # the same network has two rows
    return markup.row(each.ours.network, title, zip(_COLUMNS, cells, strict=True))


def _title(network: str | None) -> str:
    return NETWORKS[network].title if network else DASH


def against_data(found: Sequence[Against]) -> pd.DataFrame:
    """A row for each training and seed, with the figures over all seeds beside it."""
    return pd.DataFrame(
        [
            {
                "network": each.ours.network,
                "plain": each.plain.network,
                "data_set": each.ours.data_set,
                "recipe": each.ours.info.recipe_name,
                "epochs": each.ours.info.epochs,
                "seed": seed,
                "difference": difference,
                "mean_over_seeds": each.errors.over_seeds.mean,
                "low_over_seeds": each.errors.over_seeds.low,
                "high_over_seeds": each.errors.over_seeds.high,
                "low_over_images": each.errors.over_images.low,
                "high_over_images": each.errors.over_images.high,
                "loss_difference": each.losses.by_seed[seed],
                "loss_mean_over_seeds": each.losses.over_seeds.mean,
                "loss_low_over_seeds": each.losses.over_seeds.low,
                "loss_high_over_seeds": each.losses.over_seeds.high,
                "loss_low_over_images": each.losses.over_images.low,
                "loss_high_over_images": each.losses.over_images.high,
                "only_network": each.errors.only_second,
                "only_plain": each.errors.only_first,
                "p": each.errors.p,
                "printed": each.printed,
            }
            for each in found
            for seed, difference in each.errors.by_seed.items()
        ]
    )
