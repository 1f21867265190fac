"""LoopNorm equals BatchNorm2d on exactly the images that execute a loop."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.models.norm import NORM_KINDS, LoopNorm
from tests.models.checks import norms
from tests.models.checks.core import real_core
from tests.models.checks.norms import Case

CORE = real_core()


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any kind, any shape, any number of survivors."""
    batch = draw(st.integers(1, 7))
    loops = draw(st.integers(1, 4))
    return Case(
        kind=draw(st.sampled_from(norms.KINDS)),
        loops=loops,
        loop=draw(st.integers(0, loops - 1)),
        batch=batch,
        executed=draw(st.none() | st.integers(0, batch)),
        channels=draw(st.integers(1, 5)),
        height=draw(st.integers(1, 5)),
        width=draw(st.integers(1, 5)),
        seed=draw(st.integers(0, 10_000)),
    )


def test_the_checks_know_every_kind() -> None:
    assert norms.KINDS == NORM_KINDS


@pytest.mark.parametrize("case", norms.EXAMPLES, ids=str)
def test_training_equals_batchnorm_on_each_group(case: Case) -> None:
    norms.check_training(CORE, case)


@given(cases())
def test_training_equals_batchnorm_on_any_group(case: Case) -> None:
    norms.check_training(CORE, case)


@given(cases())
def test_evaluation_equals_batchnorm(case: Case) -> None:
    norms.check_evaluation(CORE, case)


@pytest.mark.parametrize("kind", ["ilvbn", "ilvbn_joint"])
@pytest.mark.parametrize("executed", [1, 3, 5])
def test_images_that_left_change_nothing(kind: str, executed: int) -> None:
    norms.check_others_do_not_matter(CORE, Case(kind, executed=executed))


@pytest.mark.parametrize("kind", ["naive", "lvbn", "ilvbn"])
def test_gradients_by_finite_differences(kind: str) -> None:
    """In float64, through the values and through the moments of both groups.

    ``ilvbn_joint`` takes its moments in float32: its gradient is compared with the reference's.
    """
    norm = LoopNorm(2, 2, kind).double()  # type: ignore[arg-type]
    x = torch.randn(5, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda value: norm(value, 1, 3), (x,))


@pytest.mark.parametrize("kind", norms.KINDS)
@pytest.mark.parametrize("executed", [0, 1, 3, 4, None])
def test_mixed_precision_keeps_type_and_is_close(kind: str, executed: int | None) -> None:
    norm = LoopNorm(3, 2, kind)  # type: ignore[arg-type]
    twin = LoopNorm(3, 2, kind)  # type: ignore[arg-type]
    x = torch.randn(4, 3, 4, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = norm(x.bfloat16(), 1, executed)
    assert got.dtype == torch.bfloat16
    torch.testing.assert_close(
        got.float(), twin(x.bfloat16().float(), 1, executed), rtol=0.02, atol=0.02
    )
    for name, buffer in norm.named_buffers():
        assert buffer.dtype != torch.bfloat16, name
        torch.testing.assert_close(buffer, twin.get_buffer(name), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("executed", [0, 2, 3])
@pytest.mark.parametrize("kind", norms.KINDS)
def test_statistics_carry_no_graph(kind: str, executed: int) -> None:
    """A second training step must not reach back into the first."""
    norm = LoopNorm(3, 2, kind)  # type: ignore[arg-type]
    for _ in range(2):
        norm(torch.randn(4, 3, 2, 2), 0, executed).square().sum().backward()
    assert not any(buffer.requires_grad for buffer in norm.buffers())


def test_naive_has_one_set_and_the_others_one_a_loop() -> None:
    assert {kind: len(LoopNorm(4, 3, kind).norms) for kind in norms.KINDS} == {  # type: ignore[arg-type]
        "naive": 1,
        "lvbn": 3,
        "ilvbn": 3,
        "ilvbn_joint": 3,
    }


def test_wrong_arguments_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"norm kind of .*lvbn.*, got 'batch'"):
        LoopNorm(4, 2, "batch")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1 loop, got 0"):
        LoopNorm(4, 0)
