"""The gate: starts at its rate, draws at its probability, learns by the relaxed sample."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.models.gate import Gate, decide
from tests.models.checks import gates
from tests.models.checks.core import real_core

CORE = real_core()


@pytest.mark.parametrize("hidden", [16, None])
@pytest.mark.parametrize("rate", [0.85, 0.3])
def test_starts_at_its_initial_rate(hidden: int | None, rate: float) -> None:
    gates.check_initial_rate(CORE, hidden, rate)


def test_the_papers_initial_rate_is_the_default() -> None:
    assert Gate(4).initial_rate == 0.85
    assert Gate(4).temperature == 1.0


def test_evaluation_is_deterministic() -> None:
    gates.check_evaluation_is_deterministic(CORE)


def test_draws_at_its_probability() -> None:
    gates.check_sampling_frequency(CORE)


def test_noise_has_a_scale() -> None:
    gates.check_noise_scale(CORE)


def test_decisions_are_zero_or_one_to_the_bit() -> None:
    gates.check_decisions_are_hard(CORE)


@pytest.mark.parametrize("temperature", [1.0, 0.5, 2.0])
def test_gradient_is_the_relaxed_samples(temperature: float) -> None:
    gates.check_straight_through(CORE, temperature)


def test_gradient_on_average() -> None:
    gates.check_mean_gradient(CORE)


@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_a_batch_is_cut_at_its_share(noise: float) -> None:
    gates.check_cut_by_the_batch(CORE, noise)


def test_a_cut_batch_learns_its_order() -> None:
    gates.check_cut_by_the_batch_ranks(CORE)


def test_a_flat_gate_is_not_blown_up() -> None:
    gates.check_flat_gates_stay_flat(CORE)


def test_the_loops_of_a_block_share_a_cut() -> None:
    gates.check_one_cut_for_all_loops(CORE)


def test_equal_logits_cannot_be_cut() -> None:
    """All on one side, as it would be in evaluation, and a gradient that is a number."""
    logits = torch.full((100,), 0.3, requires_grad=True)
    decision = decide(logits, True, 1.0, 0.0, share=0.7)
    assert float(decision.open.detach().sum()) in (0, 100)
    decision.open.sum().backward()
    assert logits.grad is not None
    assert bool(logits.grad.isfinite().all())


def test_stays_in_full_precision() -> None:
    gates.check_full_precision(CORE)


@given(st.floats(-200, 200, width=32), st.sampled_from([0.1, 1.0, 5.0]))
def test_any_logit_gives_finite_decisions_and_gradients(logit: float, temperature: float) -> None:
    logits = torch.full((64,), logit, requires_grad=True)
    decision = decide(logits, True, temperature)
    (decision.open.sum() + decision.prob.sum()).backward()
    assert logits.grad is not None
    assert bool(logits.grad.isfinite().all())
    assert bool(decision.prob.isfinite().all())


def test_evaluation_has_no_gradient_but_through_prob() -> None:
    """A deterministic decision is a step; only its probability has a slope."""
    logits = torch.tensor([-1.0, 2.0], requires_grad=True)
    decision = decide(logits, False)
    assert not decision.open.requires_grad
    assert decision.prob.requires_grad


def test_each_image_is_judged_by_itself() -> None:
    gate = Gate(6)
    features = torch.randn(10, 6, 3, 3)
    alone = torch.cat([gate.logits(features[i : i + 1]) for i in range(10)])
    torch.testing.assert_close(gate.logits(features), alone)


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, 1.5])
def test_impossible_rates_are_refused_in_words(rate: float) -> None:
    with pytest.raises(ValueError, match=rf"between 0 and 1, got {rate}"):
        Gate(4, initial_rate=rate)


def test_impossible_temperatures_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="positive temperature, got 0"):
        Gate(4, temperature=0)
