"""The checks of the compiler are sharp: every fault of ``faults.py`` fails at least one of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import torch

from tests.inference.skipping.checks import CHECKS, check_foreign
from tests.inference.skipping.engine import damaged_engine, real_engine, source
from tests.inference.skipping.faults import FAULTS, Fault
from tests.inference.skipping.foreign import KINDS

# Cases that between them meet every part of the package.
_CASES = ("basic", "AIG bottleneck", "first loop always", "stochastic depth", "inverted residual")


def failures(engine: Any, module: str = "") -> Iterator[Exception]:
    """How the checks fail, those first that ``module`` is likely to fail."""
    foreign: list[tuple[Any, Any]] = [(check_foreign, kind) for kind in KINDS]
    networks: list[tuple[Any, Any]] = list(product(CHECKS, _CASES))
    lowers = module in ("convolution", "fusing", "lowering", "program")
    for check, case in foreign + networks if lowers else networks + foreign:
        torch.manual_seed(0)
        try:
            check(engine, case)
        except Exception as error:  # noqa: BLE001  # a damaged engine may fail in any way
            yield error


def damaged(fault: Fault) -> Any:
    """The package with one fault in it."""
    text = source(fault.module)
    count = text.count(fault.old)
    assert count == 1, (
        f"expected the text of fault {fault.name!r} once in {fault.module}.py, found it {count} "
        "times; the source has changed: bring the fault up to date"
    )
    return damaged_engine({fault.module: text.replace(fault.old, fault.new)})


def test_a_sound_copy_passes_every_check() -> None:
    copy = damaged_engine({})
    assert copy.blocks is not real_engine().blocks
    assert copy.building.SkippingBlock is copy.blocks.SkippingBlock
    assert list(failures(copy)) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_fails_a_check(fault: Fault) -> None:
    """By what the check asserts: a fault that cannot even run would prove nothing."""
    assert any(
        isinstance(error, AssertionError) for error in failures(damaged(fault), fault.module)
    )
