import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.recipes.schema import RateLoss
from drnn_core.trace import Trace, empty_trace
from drnn_core.training.losses import rate_loss


def trace_of(prob: list[list[float]], asked: list[list[bool]], ran: list[list[bool]]) -> Trace:
    return Trace(torch.tensor(prob, requires_grad=True), torch.tensor(asked), torch.tensor(ran))


def value(trace: Trace, target: float, kind: RateLoss = "both") -> float:
    return float(rate_loss(trace, target, kind).detach())


def test_by_hand() -> None:
    # Gate 1: asked by all four, three opened; gate 2: asked by those three, one opened.
    asked = [[True, True], [True, True], [True, True], [True, False]]
    ran = [[True, True], [True, False], [True, False], [False, False]]
    prob = [[0.9, 0.6], [0.6, 0.6], [0.4, 0.4], [0.4, 0.9]]
    trace = trace_of(prob, asked, ran)
    sampled = ((0.7 - 3 / 4) ** 2 + (0.7 - 1 / 3) ** 2) / 2
    deterministic = ((0.7 - 2 / 4) ** 2 + (0.7 - 2 / 3) ** 2) / 2
    assert value(trace, 0.7, "sampled") == pytest.approx(sampled)
    assert value(trace, 0.7, "deterministic") == pytest.approx(deterministic)
    assert value(trace, 0.7, "both") == pytest.approx((sampled + deterministic) / 2)


def test_over_the_network_only_the_mean_rate_counts() -> None:
    asked = [[True, True], [True, True], [True, True], [True, False]]
    ran = [[True, True], [True, False], [True, False], [False, False]]
    trace = trace_of([[0.5, 0.5]] * 4, asked, ran)
    mean = (3 / 4 + 1 / 3) / 2
    assert value(trace, 0.7, "network") == pytest.approx((0.7 - mean) ** 2)
    rate_loss(trace, 0.7, "network").backward()
    gradient = trace.prob.grad
    assert gradient is not None
    # below the target as a whole: also the gate that is above it by itself is to open
    assert (gradient[:, 0] < 0).all()
    assert gradient[3, 1] == 0
    nobody = trace_of([[0.9, 0.1]], [[True, False]], [[True, False]])
    assert value(nobody, 0.7, "network") == pytest.approx(0.09)


def test_gradient_pushes_towards_the_target_and_spares_the_unasked() -> None:
    trace = trace_of([[0.9, 0.9], [0.8, 0.8]], [[True, True], [True, False]], [[True, True]] * 2)
    rate_loss(trace, 0.7, "deterministic").backward()
    gradient = trace.prob.grad
    assert gradient is not None
    assert (gradient[:, 0] > 0).all(), "open too often: the probabilities must fall"
    assert gradient[0, 1] > 0
    assert gradient[1, 1] == 0, "an image that did not ask the gate has no say"


def test_a_gate_that_nobody_asked_does_not_count() -> None:
    asked, ran = [[True, False]], [[True, False]]
    alone = trace_of([[0.9]], [[True]], [[True]])
    beside = trace_of([[0.9, 0.1]], asked, ran)
    assert value(beside, 0.7) == pytest.approx(value(alone, 0.7))


def test_without_gates_it_is_zero() -> None:
    for kind in ("sampled", "both", "network"):
        assert value(Trace(*(t[:, :0] for t in empty_trace(3))), 0.7, kind) == 0


def test_constant_probability_satisfies_the_sampled_loss_only() -> None:
    """Why there is a deterministic loss: P = .7 for all is at the target, and always open."""
    ran = torch.arange(10)[:, None] < 7
    trace = Trace(torch.full((10, 1), 0.7), torch.ones(10, 1, dtype=torch.bool), ran)
    assert value(trace, 0.7, "sampled") == pytest.approx(0, abs=1e-12)
    assert value(trace, 0.7, "deterministic") == pytest.approx(0.09, abs=1e-6)


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 1000))
def test_is_zero_at_the_target_and_bounded(batch: int, steps: int, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    ran = torch.rand((batch, steps), generator=draw) < 0.5
    trace = Trace(torch.rand((batch, steps), generator=draw), torch.ones_like(ran), ran)
    rates = ran.float().mean(dim=0)
    for target in (0.0, 0.7, 1.0):
        expected = (target - rates).square().mean()
        assert value(trace, target, "sampled") == pytest.approx(float(expected))
        assert 0 <= value(trace, target) <= 1
