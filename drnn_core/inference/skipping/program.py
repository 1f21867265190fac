"""A straight-line program of tensor functions: what a traced module becomes when it is compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from torch import Tensor


class Step(NamedTuple):
    """One function call on numbered places.

    Attributes:
        run: the function.
        arguments: places of its arguments.
        result: place of its result.
        spent: places that nobody reads any more; emptied, so that memory in the cache is used
            again at once.
    """

    run: Callable[..., Any]
    arguments: tuple[int, ...]
    result: int
    spent: tuple[int, ...]


class Program:
    """Steps that are run one after another; holds no state, so threads may share it.

    Args:
        inputs: how many tensors it takes; they lie on the first places.
        steps: in order.
        result: the place of what it returns.
        places: how many there are.
        keeps_input: it writes into none of its inputs.
    """

    __slots__ = ("_inputs", "_rest", "_result", "_steps", "keeps_input")

    def __init__(
        self, inputs: int, steps: Sequence[Step], result: int, places: int, keeps_input: bool
    ) -> None:
        self._inputs = inputs
        self._steps = tuple(steps)
        self._result = result
        self._rest = (None,) * (places - inputs)
        self.keeps_input = keeps_input

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Run the steps; returns the last input itself where the program overwrote it."""
        values: list[Any] = [*inputs, *self._rest]
        for run, arguments, result, spent in self._steps:
            values[result] = run(*[values[place] for place in arguments])
            for place in spent:
                values[place] = None
        return values[self._result]
