"""The gate: its rate, its noise, its gradient."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.testing import assert_close

from tests.models.checks.core import Core


def check_initial_rate(core: Core, hidden: int | None, rate: float = 0.85) -> None:
    """A fresh gate opens for about ``rate`` of whatever images, in probability and in draws."""
    gate = core.gate.Gate(32, hidden, rate).train()
    features = torch.relu(torch.randn(4000, 32, 2, 2))
    with torch.no_grad():
        decision = gate(features)
    assert abs(float(decision.prob.mean()) - rate) < 0.02
    assert abs(float(decision.open.mean()) - rate) < 0.02 + 5 * math.sqrt(rate * (1 - rate) / 4000)


def check_evaluation_is_deterministic(core: Core) -> None:
    """Evaluation opens exactly where the logit is positive and draws nothing."""
    gate = core.gate.Gate(8, 16, 0.5).eval()
    features = torch.randn(500, 8, 3, 3)
    with torch.no_grad():
        gate.fc[-1].weight.mul_(100)
        gate.fc[-1].bias.sub_(gate.logits(features).median())
    state = torch.get_rng_state()
    first = gate(features)
    assert torch.equal(torch.get_rng_state(), state), "evaluation drew random numbers"
    torch.manual_seed(99)
    second = gate(features)
    assert torch.equal(first.open, second.open)
    assert torch.equal(first.open, (gate.logits(features) > 0).float())
    assert 0.2 < float(first.open.mean()) < 0.8, "the check needs decisions of both kinds"


def check_sampling_frequency(core: Core) -> None:
    """P(open) = sigmoid(logit) within five standard errors, at any temperature."""
    draws = 40_000
    for temperature in (1.0, 0.3):
        for logit in (-3.0, -1.0, 0.0, 0.5, 2.0, 4.0):
            decision = core.gate.decide(torch.full((draws,), logit), True, temperature)
            prob = 1 / (1 + math.exp(-logit))
            error = math.sqrt(prob * (1 - prob) / draws)
            assert abs(float(decision.open.mean()) - prob) < 5 * error, (logit, temperature)
            assert_close(decision.prob, torch.full((draws,), prob))


def check_noise_scale(core: Core) -> None:
    """Noise of scale s: P(open) = sigmoid(logit / s); of scale 0: decided as in evaluation."""
    draws = 40_000
    for noise in (0.25, 0.5, 2.0):
        decision = core.gate.decide(torch.full((draws,), 0.6), True, 1.0, noise)
        chance = 1 / (1 + math.exp(-0.6 / noise))
        error = math.sqrt(chance * (1 - chance) / draws)
        assert abs(float(decision.open.mean()) - chance) < 5 * error, noise
    logits = torch.randn(5000)
    quiet = core.gate.decide(logits, True, 1.0, 0.0)
    assert torch.equal(quiet.open, core.gate.decide(logits, False).open)
    gate = core.gate.Gate(8).train()
    gate.noise = 0.0
    features = torch.randn(500, 8, 2, 2)
    with torch.no_grad():
        gate.fc[-1].bias.sub_(gate.logits(features).median())
        assert torch.equal(gate(features).open, gate.eval()(features).open)


def check_decisions_are_hard(core: Core) -> None:
    """Exactly 0 or exactly 1, to the bit: they select features and count loops."""
    for training in (True, False):
        decision = core.gate.decide(torch.randn(50_000), training)
        assert bool(((decision.open == 0) | (decision.open == 1)).all())
        assert decision.open.dtype == torch.float32


def check_straight_through(core: Core, temperature: float = 1.0) -> None:
    """The hard decision's gradient is the relaxed sample's, with the same noise."""
    logits = torch.randn(2000, requires_grad=True)
    upstream = torch.randn(2000)
    torch.manual_seed(3)
    (core.gate.decide(logits, True, temperature).open * upstream).sum().backward()
    got = logits.grad
    twin = logits.detach().clone().requires_grad_()
    torch.manual_seed(3)
    uniform = torch.rand(2000).clamp(1e-7, 1 - 1e-7)
    noise = torch.log(uniform) - torch.log1p(-uniform)
    relaxed = 1 / (1 + torch.exp(-(twin + noise) / temperature))
    (relaxed * upstream).sum().backward()
    assert got is not None
    assert_close(got, twin.grad, rtol=1e-4, atol=1e-6)


def check_mean_gradient(core: Core) -> None:
    """At logit 0 the relaxed sample is uniform on (0, 1), so its slope is 1/6 on average.

    Holds for any way of drawing logistic noise.
    """
    logits = torch.zeros(60_000, requires_grad=True)
    core.gate.decide(logits, True).open.sum().backward()
    assert logits.grad is not None
    assert abs(float(logits.grad.mean()) - 1 / 6) < 5 * math.sqrt(1 / 180 / 60_000)


def check_cut_by_the_batch(core: Core, noise: float = 0.7) -> None:
    """The share with the highest noisy logits is let in, wherever and however wide these lie."""
    logits = torch.randn(1000)
    torch.manual_seed(3)
    drawn = noise * torch.logit(torch.rand_like(logits).clamp(1e-7, 1 - 1e-7))
    standard = (logits - logits.mean()) / logits.std(correction=0)
    for scale, offset in ((1.0, 0.0), (3.0, -40.0), (200.0, 8.0)):
        for share in (0.7, torch.tensor(0.2), 0.0, 1.0):
            torch.manual_seed(3)
            moved = scale * logits + offset
            decision = core.gate.decide(moved, True, 1.0, noise, torch.rand_like, share)
            count = round(1000 * float(share))
            best = torch.zeros(1000).index_fill_(0, (standard + drawn).topk(count).indices, 1.0)
            assert int((decision.open != best).sum()) <= (0 if scale == 200 else 2)
            assert int(decision.open.sum()) == count
            told = torch.sigmoid((moved - decision.cut.at) / decision.cut.scale)
            assert_close(decision.prob, told)
            assert_close(decision.cut.scale, moved.std(correction=0), rtol=0.01, atol=0.0)


def check_cut_by_the_batch_ranks(core: Core) -> None:
    """Its gradient moves images against each other: neither their mean nor their scale."""
    logits = (3 * torch.randn(500)).requires_grad_()
    decision = core.gate.decide(logits, True, 1.0, 0.5, torch.rand_like, 0.7)
    (decision.open * torch.randn(500).abs()).sum().backward()
    assert logits.grad is not None
    largest = float(logits.grad.abs().max())
    assert largest > 1e-3
    assert abs(float(logits.grad.sum())) < 1e-3 * largest * 500
    along = logits.detach() - logits.detach().mean()
    assert abs(float((logits.grad * along).sum())) < 0.01 * float(logits.grad.abs() @ along.abs())


def check_flat_gates_stay_flat(core: Core) -> None:
    """Logits that differ by rounding alone are not blown up, and noise alone ranks them."""
    logits = (1 + 1e-6 * torch.randn(500)).requires_grad_()
    decision = core.gate.decide(logits, True, 1.0, 1.0, torch.rand_like, 0.7)
    decision.open.sum().backward()
    assert logits.grad is not None
    assert float(decision.cut.scale.detach()) >= 0.09
    assert float(logits.grad.abs().max()) < 10
    assert int(decision.open.sum()) == 350


def check_one_cut_for_all_loops(core: Core) -> None:
    """A later loop is cut where the first one was; evaluation knows no batch."""
    gate = core.gate.Gate(8).train()
    gate.share, gate.noise = 0.5, 0.0
    features = torch.randn(500, 8, 2, 2)
    first = gate(features)
    later = gate(features + 0.3, first.cut)
    assert later.cut is first.cut
    assert torch.equal(later.open, (gate.logits(features + 0.3) > first.cut.at).float())
    assert int(first.open.sum()) == 250
    quiet = gate.eval()(features)
    assert quiet.cut is None
    assert torch.equal(quiet.open, (gate.logits(features) > 0).float())


def check_full_precision(core: Core) -> None:
    """Under bfloat16 autocast the logits are the float32 ones, and so is the decision."""
    gate: Any = core.gate.Gate(16).eval()
    features = torch.randn(64, 16, 4, 4).bfloat16()
    expected = gate.logits(features.float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = gate.logits(features)
        decision = gate(features)
    assert got.dtype == torch.float32
    assert decision.prob.dtype == torch.float32
    assert torch.equal(got, expected)


FAST = (
    lambda core: check_initial_rate(core, 16),
    check_evaluation_is_deterministic,
    check_sampling_frequency,
    check_noise_scale,
    check_decisions_are_hard,
    check_straight_through,
    lambda core: check_straight_through(core, 0.5),
    check_mean_gradient,
    check_cut_by_the_batch,
    check_cut_by_the_batch_ranks,
    check_flat_gates_stay_flat,
    check_one_cut_for_all_loops,
    check_full_precision,
)
