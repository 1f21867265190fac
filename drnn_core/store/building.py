"""Build the network that run.json names, without its weights, and count it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from drnn_core.store.counted import MOST_MODULES, Counted, count
from drnn_core.store.runinfo import RunError, RunInfo

if TYPE_CHECKING:
    from drnn_core.models.network import Network


def counted_network(info: RunInfo) -> Counted:
    """The network of a run, counted: as run.json has it, or else by building it (needs torch).

    Raises:
        RunError: run.json does not have it, and names a network that cannot be built.
    """
    return info.network or count_run(info)


def count_run(info: RunInfo) -> Counted:
    """Build the network of a run without its weights and count it.

    Raises:
        RunError: run.json names a network that cannot be built.
    """
    _check_size(info)
    # "meta": shapes alone. However wide run.json says the network is, it takes no memory, and no
    # random number is drawn.
    import torch

    try:
        with torch.device("meta"):
            return count(_created(info), info.preprocessing.image_size)
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
        raise RunError(f"cannot build the network {info.model!r} of the run: {error}") from error


def _created(info: RunInfo) -> Network:
    from drnn_core.models.registry import create_model

    return create_model(info.model, num_classes=len(info.classes), **info.model_args)


def _check_size(info: RunInfo) -> None:
    """Refuse more blocks and loops than any network has, before modules are made of them."""
    for key in ("blocks", "loops"):
        numbers: Any = info.model_args.get(key)
        listed = cast("list[Any]", numbers) if isinstance(numbers, list | tuple) else [numbers]
        if any(isinstance(number, int) and number > MOST_MODULES for number in listed):
            raise RunError(
                f"cannot build the network {info.model!r} of the run: expected at most "
                f"{MOST_MODULES} {key} in a stage, got {numbers}"
            )
