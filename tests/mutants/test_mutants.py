"""The checks of the core are sharp: every fault of ``faults.py`` fails at least one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from tests.models.checks import gates, norms, recursion
from tests.models.checks.blocks import CASES
from tests.models.checks.core import Core, damaged_core, real_core, source_of
from tests.mutants.faults import FAULTS, Fault

Check = Callable[[Core], None]


def all_checks() -> Iterator[tuple[str, Check]]:
    """Every fast check of the core, with a name."""
    for case in norms.EXAMPLES:
        yield f"norm in training, {case}", lambda core, case=case: norms.check_training(core, case)
        yield (
            f"norm in evaluation, {case}",
            lambda core, case=case: norms.check_evaluation(core, case),
        )
    for check in gates.FAST:
        yield f"gate, {check.__name__}", check
    for case in CASES:
        yield (
            f"block in evaluation, {case}",
            lambda core, case=case: recursion.check_evaluation_literally(core, case),
        )
        yield (
            f"block in training, {case}",
            lambda core, case=case: recursion.check_training_literally(core, case),
        )
    for check in recursion.FAST:
        yield f"block, {check.__name__}", check


def failed_checks(core: Core) -> Iterator[tuple[str, Exception]]:
    """The checks that this core does not pass, and how."""
    for name, check in all_checks():
        torch.manual_seed(0)
        try:
            check(core)
        except Exception as error:  # noqa: BLE001  # a damaged core may fail in any way
            yield name, error


def damaged(fault: Fault) -> Core:
    """The core with one fault in it."""
    path, source = source_of(fault.module)
    count = source.count(fault.old)
    assert count == 1, (
        f"expected the text of fault {fault.name!r} once in {path.name}, found it {count} times; "
        "the source has changed: bring the fault up to date"
    )
    return damaged_core({fault.module: source.replace(fault.old, fault.new)})


@pytest.mark.parametrize("make", [real_core, lambda: damaged_core({})], ids=["real", "copy"])
def test_the_sound_core_passes_every_check(make: Callable[[], Core]) -> None:
    assert list(failed_checks(make())) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_fails_a_check(fault: Fault) -> None:
    """By what the check asserts: a fault that cannot even run would prove nothing."""
    errors = (error for _, error in failed_checks(damaged(fault)))
    assert any(isinstance(error, AssertionError) for error in errors)


def test_copies_leave_the_real_core_alone() -> None:
    before = real_core()
    copy = damaged_core({})
    assert copy.recursive is not before.recursive
    assert copy.bodies.LoopNorm is copy.norm.LoopNorm
    assert copy.bodies.LoopNorm is not before.norm.LoopNorm
    assert real_core() == before
