"""The recursive block: against its literal oracle, and property by property."""

from __future__ import annotations

import math
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.testing import assert_close

from tests.models.checks import oracle
from tests.models.checks.blocks import BlockCase, ScriptedGate, make_block, make_images
from tests.models.checks.core import Core


def check_evaluation_literally(core: Core, case: BlockCase) -> None:
    """Features and trace of every image equal those of a plain loop over that image alone."""
    block = make_block(core, case).eval()
    images = make_images(case)
    with torch.no_grad():
        got, expected = block(images), oracle.evaluate(block, images)
    assert torch.equal(got.trace.asked, expected.asked)
    assert torch.equal(got.trace.ran, expected.ran)
    assert_close(got.trace.prob[expected.asked], expected.prob[expected.asked])
    assert_close(got.features, expected.features, rtol=1e-4, atol=1e-5)
    if case.gated and case.batch > 4 and case.loops > 1:
        loops = expected.ran.sum(dim=1)
        assert len(loops.unique()) > 1, "the check needs images of unequal loops"


def check_training_literally(core: Core, case: BlockCase) -> None:
    """One training step with the same noise: features, trace, statistics and gradients."""
    block = make_block(core, case).train()
    twin = deepcopy(block)
    images = make_images(case)
    torch.manual_seed(case.seed)
    got = block(images)
    expected = oracle.train(twin, images, case.seed)
    assert torch.equal(got.trace.asked, expected.asked)
    assert torch.equal(got.trace.ran, expected.ran)
    asked = expected.asked
    assert_close(got.trace.prob[asked], expected.prob[asked])
    assert_close(got.features, expected.features, rtol=1e-4, atol=1e-4)
    _compare_statistics(block, expected)
    _compare_gradients(block, got, twin, expected)


def _compare_statistics(block: Any, expected: oracle.Result) -> None:
    for (place, index), kept in expected.statistics.items():
        norm = getattr(block.body, f"norm{place}").norms[index]
        assert_close(norm.running_mean, kept.mean, rtol=1e-4, atol=1e-5)
        assert_close(norm.running_var, kept.var, rtol=1e-4, atol=1e-5)
        assert int(norm.num_batches_tracked) == kept.batches


def _compare_gradients(block: Any, got: Any, twin: Any, expected: oracle.Result) -> None:
    upstream = torch.randn(got.features.shape, generator=torch.Generator().manual_seed(7))
    for features, prob in ((got.features, got.trace.prob), (expected.features, expected.prob)):
        # The rate loss reaches the gate through prob, so both ways are compared at once.
        loss = (features * upstream).sum() + (prob * expected.asked).square().sum()
        loss.backward()
    for (name, parameter), other in zip(block.named_parameters(), twin.parameters(), strict=True):
        wanted = torch.zeros_like(other) if other.grad is None else other.grad
        found = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        scale = max(1.0, float(wanted.abs().max()))
        assert_close(found / scale, wanted / scale, rtol=1e-3, atol=1e-4, msg=_named(name))


def _named(name: str) -> Any:
    return lambda message: f"gradient of {name}: {message}"


def check_closed_is_final(core: Core) -> None:
    """In training, where every loop draws new noise, an image that left never comes back."""
    block = make_block(core, BlockCase(loops=4, batch=200, size=2, seed=30)).train()
    with torch.no_grad():
        trace = block(make_images(BlockCase(batch=200, size=2, seed=30))).trace
    loops = trace.ran.sum(dim=1)
    assert len(loops.unique()) == 5, "the check needs images that leave at every loop"
    for loop in range(1, 4):
        assert not bool((trace.ran[:, loop] & ~trace.ran[:, loop - 1]).any())
        assert torch.equal(trace.asked[:, loop], trace.ran[:, loop - 1])
    assert bool(trace.asked[:, 0].all())
    assert not bool((trace.ran & ~trace.asked).any())


def check_left_features_stay(core: Core) -> None:
    """An image that left after k loops keeps the features it had then, to the bit."""
    case = BlockCase(loops=4, batch=200, size=2, seed=30)
    images = make_images(case)
    results: list[Any] = []
    for loops in range(1, 5):
        block = make_block(core, case).train()
        block.loops = loops
        torch.manual_seed(1)
        with torch.no_grad():
            results.append(block(images))
    features = [images, *(out.features for out in results)]  # after 0, 1, ... loops
    count = results[-1].trace.ran.sum(dim=1)
    assert len(count.unique()) == 5, "the check needs images that leave at every loop"
    for index, loops in enumerate(count.tolist()):
        assert torch.equal(features[-1][index], features[loops][index])


def check_forced_decisions(core: Core) -> None:
    """The features of forced decisions: refused at once means untouched, the rest go on."""
    case = BlockCase(loops=3, batch=5, seed=32)
    decisions = torch.tensor([[0, 1, 1], [1, 0, 1], [1, 1, 0], [1, 1, 1], [0, 0, 0]])
    expected = torch.tensor([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 0]]).bool()
    for training in (True, False):
        block = make_block(core, case).train(training)
        block.gate = ScriptedGate(core, decisions)
        images = make_images(case)
        with torch.no_grad():
            out = block(images)
        assert torch.equal(out.trace.ran, expected)
        assert torch.equal(out.features[[0, 4]], images[[0, 4]])
        assert not bool((out.features[1:4] == images[1:4]).flatten(1).all(dim=1).any())


def check_loops_share_a_cut(core: Core) -> None:
    """Where the batch is cut, later loops run for logits above the first question's cut."""
    case = BlockCase(loops=3, batch=60, seed=54)
    images = make_images(case)
    for first_loop in ("gated", "always"):
        block = make_block(core, case).train()
        block.first_loop = first_loop
        block.gate.share, block.gate.noise = 0.5, 0.0
        asked: list[Any] = []
        block.gate.fc.register_forward_hook(lambda _, __, z, seen=asked: seen.append(z[:, 0]))
        with torch.no_grad():
            trace = block(images).trace
        first = 0 if first_loop == "gated" else 1
        assert int(trace.ran[:, first].sum()) == 30
        rising = asked[0].sort().values
        cut = (rising[29] + rising[30]) / 2
        for number, logits in enumerate(asked[1:], first + 1):
            alive = trace.ran[:, number - 1]
            own = (logits > logits.median()) & alive
            expected = (logits > cut) & alive
            assert not torch.equal(expected, own), "the check needs loops whose own cut differs"
            assert torch.equal(trace.ran[:, number], expected)


def check_order_does_not_matter(core: Core) -> None:
    """In evaluation, images in another order, or alone, get the same results."""
    case = BlockCase(batch=16, seed=33)
    block = make_block(core, case).eval()
    images = make_images(case)
    order = torch.randperm(16)
    with torch.no_grad():
        whole, shuffled = block(images), block(images[order])
        alone = [block(images[index : index + 1]) for index in range(16)]
    assert torch.equal(shuffled.trace.ran, whole.trace.ran[order])
    assert torch.equal(shuffled.trace.asked, whole.trace.asked[order])
    assert_close(shuffled.features, whole.features[order], rtol=1e-5, atol=1e-5)
    assert torch.equal(torch.cat([out.trace.ran for out in alone]), whole.trace.ran)
    assert_close(torch.cat([out.features for out in alone]), whole.features, rtol=1e-5, atol=1e-5)


def check_evaluation_draws_nothing(core: Core) -> None:
    """Evaluation twice gives the same, whatever the random state, and learns nothing."""
    case = BlockCase(batch=64, size=2, seed=34)
    block = make_block(core, case).eval()
    images, before = make_images(case), deepcopy(block.state_dict())
    with torch.no_grad():
        first = block(images)
        torch.manual_seed(1234)
        second = block(images)
    assert torch.equal(first.trace.ran, second.trace.ran)
    assert torch.equal(first.features, second.features)
    for name, tensor in block.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def check_skipped_images_teach_the_gate(core: Core) -> None:
    """Images that were all sent away still carry gradient to the gate that sent them."""
    case = BlockCase(batch=8, seed=35)
    block = make_block(core, case).train()
    with torch.no_grad():
        block.gate.fc[-1].bias.fill_(-4.0)
    torch.manual_seed(0)
    out = block(make_images(case))
    assert not bool(out.trace.ran.any()), "the check needs every image sent away"
    upstream = torch.randn(out.features.shape)
    (out.features * upstream).sum().backward()
    for name, parameter in block.gate.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name
        assert float(parameter.grad.abs().sum()) > 0, name


def check_skipped_images_leave_no_trace(core: Core, kind: str) -> None:
    """I-LVBN in training: executed images and statistics do not depend on those that left."""
    case = BlockCase(kind, loops=2, batch=9, seed=36)
    decisions = torch.tensor(
        [[1, 0], [0, 1], [1, 1], [0, 0], [1, 1], [0, 1], [1, 0], [1, 1], [0, 1]]
    )
    images = make_images(case)
    changed = images.clone()
    changed[decisions[:, 0] == 0] *= 50
    results: list[tuple[Tensor, dict[str, Tensor]]] = []
    for pixels in (images, changed):
        block = make_block(core, case).train()
        block.gate = ScriptedGate(core, decisions)
        with torch.no_grad():
            features = block(pixels).features[decisions[:, 0] == 1]
        results.append((features, block.body.state_dict()))
    assert torch.equal(results[0][0], results[1][0])
    for name, tensor in results[0][1].items():
        assert torch.equal(tensor, results[1][1][name]), name


class _Nothing(nn.Module):
    """A body that adds nothing, so that a simulation of the gates costs nothing."""

    def forward(self, x: Tensor, loop: int = 0, executed: int | None = None) -> Tensor:
        return torch.zeros_like(x)


def check_expected_loops(core: Core, images: int = 6000) -> None:
    """DR-ResNet 53's blocks at t = .7, drawn: 11.921 loops on average (figure 8).

    Seven blocks of three loops and one of two; loop k runs with probability t^k. Mean and
    variance over images, and the rate of every step, within five standard errors.
    """
    rate, sizes = 0.7, (3, 3, 3, 3, 3, 3, 3, 2)
    x = torch.ones(images, 1, 1, 1)
    ran: list[Tensor] = []
    for loops in sizes:
        gate = core.gate.Gate(1, None, rate)
        nn.init.zeros_(gate.fc.weight)
        block = core.recursive.RecursiveBlock(_Nothing(), loops, gate).train()
        with torch.no_grad():
            ran.append(block(x).trace.ran)
    for block_ran in ran:
        for loop in range(block_ran.shape[1]):
            chance = rate ** (loop + 1)
            error = math.sqrt(chance * (1 - chance) / images)
            assert abs(float(block_ran[:, loop].float().mean()) - chance) < 5 * error
    total = torch.cat(ran, dim=1).sum(dim=1).double()
    mean, variance = _moments_of_loops(rate, sizes)
    assert round(mean, 3) == 11.921
    assert abs(float(total.mean()) - mean) < 5 * math.sqrt(variance / images)
    assert abs(float(total.var()) - variance) < 5 * variance * math.sqrt(2 / images)


def _moments_of_loops(rate: float, sizes: tuple[int, ...]) -> tuple[float, float]:
    """Mean and variance of the sum of independent blocks' loops, from P(loops >= k) = t^k."""
    mean = variance = 0.0
    for loops in sizes:
        first = sum(rate**k for k in range(1, loops + 1))
        second = sum((2 * k - 1) * rate**k for k in range(1, loops + 1))
        mean += first
        variance += second - first**2
    return mean, variance


FAST = (
    check_closed_is_final,
    check_left_features_stay,
    check_forced_decisions,
    check_loops_share_a_cut,
    check_order_does_not_matter,
    check_evaluation_draws_nothing,
    check_skipped_images_teach_the_gate,
    lambda core: check_skipped_images_leave_no_trace(core, "ilvbn"),
    lambda core: check_skipped_images_leave_no_trace(core, "ilvbn_joint"),
    check_expected_loops,
)
