"""Shapes of what every module of a backbone takes and gives, without computing anything.

The backbone runs on "meta" tensors, which have shapes and no values: no memory for features, no
arithmetic, and the same for a backbone whose weights are on the CPU, on a GPU or nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

# Two sizes tell which dimensions are spatial. 224 is what most backbones are made for; 448 is a
# multiple of every stride up to 64 and of the windows that some backbones cut their features into.
SMALL, LARGE = 224, 448
_BATCH = 2


@dataclass(frozen=True)
class Call:
    """Shapes of a module's input and output; ``image_size`` pixels in height and width went in."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    image_size: int

    @property
    def stride(self) -> int:
        """Pixels of the input to one of the output's features (B, C, H, W)."""
        return round(self.image_size / self.after[2])


def dry_run(model: nn.Module, image_size: int) -> dict[str, Call]:
    """Shapes by path of every module that was called once, with one tensor for one tensor.

    Args:
        model: in evaluation mode; left as it is.
        image_size: height and width of the images, 3 channels.

    Raises:
        ValueError: the model cannot run on such images, or not on "meta".
    """
    calls: dict[str, list[Call | None]] = {}
    handles = [
        module.register_forward_hook(_recorder(calls, name, image_size), with_kwargs=True)
        for name, module in modules_of(model)
    ]
    tensors: dict[str, Tensor] = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    shapes = {name: torch.empty_like(tensor, device="meta") for name, tensor in tensors.items()}
    images = torch.empty((_BATCH, 3, image_size, image_size), device="meta")
    try:
        with torch.no_grad():
            torch.func.functional_call(model, shapes, (images,))
    except (RuntimeError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError,
            AssertionError) as error:  # fmt: skip
        raise ValueError(
            f"expected a forward that takes images of (B, 3, {image_size}, {image_size}), "
            f"got {type(error).__name__}: {error}"
        ) from error
    finally:
        for handle in handles:
            handle.remove()
    return {
        name: found[0] for name, found in calls.items() if len(found) == 1 and found[0] is not None
    }


def _recorder(calls: dict[str, list[Call | None]], name: str, image_size: int) -> Any:
    def record(_: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], out: Any) -> None:
        plain = len(args) == 1 and not kwargs
        call = None
        if plain and isinstance(args[0], Tensor) and isinstance(out, Tensor):
            call = Call(tuple(args[0].shape), tuple(out.shape), image_size)
        calls.setdefault(name, []).append(call)

    return record


def modules_of(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """(path, module) of every module, the model itself as "" among them, parents first."""
    named = cast("Iterator[tuple[str, nn.Module]]", model.named_modules())
    return list(named)


def keeps_features(small: Call, large: Call | None) -> str | None:
    """Why a module does not turn features (B, C, H, W) into features of the same shape, or None.

    Args:
        small, large: its calls with images of two sizes; without the second, only what the
            first can tell.
    """
    if len(small.before) != 4:
        return f"its features are of shape {small.before}, not (B, C, H, W)"
    if small.before != small.after:
        return f"it makes {small.after} of features {small.before}"
    if large is None:
        return None
    grows = [b > a for a, b in zip(small.before, large.before, strict=True)]
    if grows != [False, False, True, True]:
        return (
            f"its features are {small.before} for images of {small.image_size} pixels and "
            f"{large.before} for {large.image_size}, so they are not (B, C, H, W)"
        )
    return None
