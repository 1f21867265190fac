"""Faults of the core that somebody could make: each is one replaced piece of source.

``old`` must occur exactly once, so that no fault can rot into one that changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One replacement in one module of the core."""

    name: str
    module: str
    old: str
    new: str


def _norm(name: str, old: str, new: str) -> Fault:
    return Fault(name, "drnn_core.models.norm", old, new)


def _gate(name: str, old: str, new: str) -> Fault:
    return Fault(name, "drnn_core.models.gate", old, new)


def _block(name: str, old: str, new: str) -> Fault:
    return Fault(name, "drnn_core.models.recursive", old, new)


FAULTS = (
    # --- the norms -------------------------------------------------------------------------
    _norm(
        "I-LVBN normalises by statistics of all images",
        'if executed is None or self.kind in ("naive", "lvbn"):',
        "if True:",
    ),
    _norm(
        "the joint reading takes statistics of all images",
        "_normalise_jointly(norm, inside, x)\n    if",
        "_normalise_jointly(norm, x, x)\n    if",
    ),
    _norm(
        "joint: biased variance in the running statistics",
        "var.detach() * (count / (count - 1))",
        "var.detach()",
    ),
    _norm(
        "joint: unbiased variance normalises the batch",
        "dim=(0, 2, 3), correction=0)",
        "dim=(0, 2, 3), correction=1)",
    ),
    _norm(
        "joint: batches are not counted",
        "norm.num_batches_tracked.add_(1)",
        "norm.num_batches_tracked.add_(0)",
    ),
    _norm(
        "joint: momentum the wrong way round",
        "norm.running_var.lerp_(unbiased_var, norm.momentum)",
        "norm.running_var.lerp_(unbiased_var, 1 - norm.momentum)",
    ),
    _norm(
        "joint: no gradient through the mean",
        "norm.bias - mean * scale",
        "norm.bias - mean.detach() * scale",
    ),
    _norm(
        "the norm of the wrong loop",
        'self.norms[0 if self.kind == "naive" else loop]',
        'self.norms[0 if self.kind == "naive" else loop - 1]',
    ),
    _norm(
        "one norm for all loops",
        'self.norms[0 if self.kind == "naive" else loop]',
        "self.norms[0]",
    ),
    _norm(
        "skipped images change the running statistics",
        "x, None, None, norm.weight, norm.bias, training=True",
        "x, norm.running_mean, norm.running_var, norm.weight, norm.bias, training=True",
    ),
    _norm(
        "skipped images are normalised by the executed ones",
        "return torch.cat([_normalise(norm, inside), _normalise_apart(norm, outside)])",
        "return _normalise_jointly(norm, inside, x)",
    ),
    _norm(
        "skipped images are normalised by the population",
        "return torch.cat([_normalise(norm, inside), _normalise_apart(norm, outside)])",
        "return torch.cat([_normalise(norm, inside), _with_population(norm, outside)])",
    ),
    _norm(
        "a group without variance is not normalised",
        "return norm(x) if _has_moments(x) else _with_population(norm, x)",
        "return norm(x) if _has_moments(x) else x",
    ),
    _norm(
        "evaluation by batch statistics",
        "        if not self.training:\n            return norm(x)",
        "        if not self.training:\n            norm.train()\n            return norm(x)",
    ),
    _norm("another epsilon", "training=True, eps=norm.eps", "training=True, eps=0.1"),
    # --- the gate --------------------------------------------------------------------------
    _gate("noise in evaluation", "if not training:", "if False:"),
    _gate("no noise in training", "torch.logit(uniform)", "(0 * uniform)"),
    _gate("the scale of the noise is forgotten", "noise * torch.logit", "torch.logit"),
    _gate(
        "a gate ignores its own noise",
        "self.temperature, self.noise, self.draw, self.share, cut",
        "self.temperature, 1.0, self.draw, self.share, cut",
    ),
    _gate(
        "Gaussian in place of logistic noise",
        "torch.logit(uniform)",
        "torch.randn_like(uniform)",
    ),
    _gate(
        "straight-through gradient detached",
        "hard + (soft - soft.detach())",
        "hard + (soft - soft).detach()",
    ),
    _gate(
        "gradient of the probability in place of the relaxed sample",
        "hard + (soft - soft.detach())",
        "hard + (prob - prob.detach())",
    ),
    _gate("soft decisions", "hard + (soft - soft.detach())", "soft"),
    _gate("the batch is cut without its noise", "/ scale + drawn).sort()", "/ scale).sort()"),
    _gate(
        "the cut lets the rest in",
        "between[len(logits) - round(share * len(logits))]",
        "between[round(share * len(logits))]",
    ),
    _gate(
        "the cut lets the rest in, on a device",
        "len(logits) - (share * len(logits)).round().long()",
        "(share * len(logits)).round().long()",
    ),
    _gate("the cut has no gradient", "return Cut(mean + scale", "return Cut(mean.detach() + scale"),
    _gate("its unit has no gradient", "* level, scale)", "* level, scale.detach())"),
    _gate("flat logits are blown up", "+ _LEAST_VARIANCE).sqrt()", ").sqrt()"),
    _gate(
        "every loop makes a cut of its own",
        "if cut is None and share is not None:",
        "if share is not None:",
    ),
    _gate(
        "evaluation cuts its batch, too", "if not training:", "if share is None and not training:"
    ),
    _gate(
        "decisions that are one but for rounding",
        "hard + (soft - soft.detach())",
        "hard + soft - soft.detach()",
    ),
    _gate("temperature forgotten", "/ temperature)", "/ 1.0)"),
    _gate("closed where it should open", "(logits > 0)", "(logits < 0)"),
    _gate("starts half open", "math.log(initial_rate / (1 - initial_rate))", "0.0"),
    _gate("half precision under autocast", "enabled=False", "enabled=True"),
    # --- the recursive block ---------------------------------------------------------------
    _block("a gate that is not final", "alive = alive * decision.open", "alive = decision.open"),
    _block(
        "no gradient to decisions before the last",
        "alive = alive * decision.open",
        "alive = decision.open * still_in",
    ),
    _block(
        "a loop forgets where the batch was cut",
        "return self.gate(x) if cut is None else self.gate(x, cut)",
        "return self.gate(x)",
    ),
    _block(
        "the gate is asked once",
        'return self.gate is not None and (loop > 0 or self.first_loop == "gated")',
        "return self.gate is not None and loop == 0",
    ),
    _block(
        "the first loop is never asked",
        '(loop > 0 or self.first_loop == "gated")',
        "loop > 0",
    ),
    _block(
        "executed images are not told apart",
        "if self.groups_apart\n"
        "            else self.body(permute_images(x, order, inverse), loop, count)",
        "if False\n            else self.body(permute_images(x, order, inverse), loop, None)",
    ),
    _block(
        "images that left are run like those that execute",
        "left = self.body(x[leave], loop, 0)",
        "left = self.body(x[leave], loop, len(leave))",
    ),
    _block(
        "no gradient to the executed images",
        "residual = self.body(pick_images(x, stay), loop, len(stay))",
        "residual = self.body(pick_images(x, stay), loop, len(stay)).detach()",
    ),
    _block(
        "images that left have no residual",
        "joined = torch.cat([residual, left])",
        "joined = torch.cat([residual, 0 * left])",
    ),
    _block(
        "bodies whose norms see the whole batch are run group by group",
        'self.groups_apart = bool(getattr(body, "groups_apart", False))',
        "self.groups_apart = True",
    ),
    _block(
        "the wrong images count as executed",
        "torch.argsort(executed.logical_not(), stable=True)",
        "torch.argsort(executed.to(torch.int8), stable=True)",
    ),
    _block(
        "residuals land on other images",
        "return permute_images(residual, inverse, order)",
        "return residual",
    ),
    _block(
        "the permutation's gradient is not undone",
        "return grads[0][inverse], None, None",
        "return grads[0], None, None",
    ),
    _block(
        "the executed images' gradient goes to others",
        "return whole.index_copy_(0, here, grads[0]), None",
        "return whole.index_copy_(0, here.flip(0), grads[0]), None",
    ),
    _block(
        "skipped images carry no gradient to the gate",
        "alive.to(x.dtype)[:, None, None, None]",
        "(alive.detach() + (alive - alive.detach()) * executed).to(x.dtype)[:, None, None, None]",
    ),
    _block(
        "every loop uses the first norm",
        "residual = self.body(pick_images(x, stay), loop, len(stay))",
        "residual = self.body(pick_images(x, stay), 0, len(stay))",
    ),
    _block(
        "evaluation uses the first norm in every loop",
        "if not self.training:\n            return self.body(x, loop)",
        "if not self.training:\n            return self.body(x, 0)",
    ),
    _block(
        "one loop too few",
        "for loop in range(self.loops):",
        "for loop in range(max(1, self.loops - 1)):",
    ),
    _block(
        "no activation after the sum",
        "return torch.relu(beside + residual) if self.activation else beside + residual",
        "return beside + residual",
    ),
    _block(
        "the body replaces the features",
        "after = self.advance(beside, self._body",
        "after = self.advance(0 * beside, self._body",
    ),
    _block(
        "asked means ran",
        "asked.append(still_in if consulted",
        "asked.append(executed if consulted",
    ),
    # --- the bodies ------------------------------------------------------------------------
    Fault(
        "the body forgets who executes",
        "drnn_core.models.bodies",
        "return self.norm2(self.conv2(x), loop, executed)",
        "return self.norm2(self.conv2(x), loop)",
    ),
    Fault(
        "the body forgets the loop",
        "drnn_core.models.bodies",
        "self.norm1(self.conv1(x), loop, executed))\n        return self.norm2",
        "self.norm1(self.conv1(x), 0, executed))\n        return self.norm2",
    ),
)
