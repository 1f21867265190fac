"""Faults of the fast path that somebody could make: each is one replaced piece of source.

``old`` must occur exactly once in its module, so that no fault can rot into one that changes
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One replacement in one module of the package."""

    name: str
    module: str
    old: str
    new: str


FAULTS = (
    # --- folding -----------------------------------------------------------------------------
    Fault(
        "every loop folds the first loop's norm",
        "building",
        "self.block.advance(beside, self.block.body(x, self.loop))",
        "self.block.advance(beside, self.block.body(x, 0))",
    ),
    Fault("the norm's shift is not scaled", "convolution", "self.bias * scale + shift", "shift"),
    Fault(
        "the norm's mean is forgotten",
        "convolution",
        "shift = -norm.running_mean.double() * scale",
        "shift = 0 * norm.running_mean.double()",
    ),
    Fault("another epsilon", "convolution", "+ norm.eps)", "+ 1e-2)"),
    Fault(
        "the chance of survival is not folded into the bias",
        "convolution",
        "bias=self.bias * factor",
        "bias=self.bias",
    ),
    Fault("relu6 becomes relu", "convolution", '("hardtanh", [0.0, 6.0])', '("relu", [])'),
    Fault(
        "weights that follow the network's",
        "gates",
        "layer.weight.detach().float().t().clone()",
        "layer.weight.detach().float().t()",
    ),
    # --- fusing ------------------------------------------------------------------------------
    Fault(
        "the activation behind the sum is lost",
        "convolution",
        "after = None if activation is None else attribute",
        "after = None",
    ),
    Fault(
        "what the images are written over",
        "building",
        "blocks: list[Block] = [StaticBlock([self._lower(network.stem)])]",
        "blocks: list[Block] = [StaticBlock([lambda x: self_stem(x.mul_(1.5).div_(1.4))])]\n"
        "        self_stem = self._lower(network.stem)",
    ),
    Fault(
        "a masked block overwrites what it selects from",
        "building",
        'overwrites = self.asks == "each image"',
        "overwrites = True",
    ),
    Fault(
        "the norm behind a sum is taken for a convolution's",
        "fusing",
        "return fused.activation is None and fused.beside is None",
        "return fused.activation is None",
    ),
    # --- who is computed -----------------------------------------------------------------------
    Fault(
        "the order is not restored",
        "network",
        "in_order[path.who] = logits",
        "in_order[:] = logits",
    ),
    Fault(
        "the order is restored the wrong way round",
        "network",
        "in_order[path.who] = logits",
        "in_order[:] = logits[path.who]",
    ),
    Fault(
        "one image too few is computed",
        "blocks",
        "x = _store(x, count, advance(_first(x, count)))",
        "x = _store(x, count - 1, advance(_first(x, count - 1))) if count > 1 else x",
    ),
    Fault(
        "one image too many is computed",
        "blocks",
        "count = bring_forward(x, path.who, logits > 0)",
        "count = min(bring_forward(x, path.who, logits > 0) + 1, x.shape[0])",
    ),
    Fault(
        "everybody is computed who was asked",
        "blocks",
        "x = _store(x, count, advance(_first(x, count)))",
        "x = torch.cat((advance(x[: len(logits)].clone())[:count], x[count:])) if count else x",
    ),
    Fault(
        "images stay where they lie",
        "rows",
        "for tensor in (images_as_rows(x), who[:, None]):",
        "for tensor in (who[:, None],):",
    ),
    Fault(
        "nobody notes who moved",
        "rows",
        "for tensor in (images_as_rows(x), who[:, None]):",
        "for tensor in (images_as_rows(x),):",
    ),
    Fault(
        "a sum is written over what it reads",
        "lowering",
        "apart = fused.beside is not fused.source",
        "apart = True",
    ),
    Fault(
        "a sum is written over what is read later",
        "lowering",
        "if not self._is_last(read, writer):",
        "if False:",
    ),
    Fault(
        "a sum is written over what somebody views",
        "lowering",
        "return False  # a view of it may live on",
        "pass",
    ),
    Fault(
        "a norm is folded into what others read, too",
        "fusing",
        "if len(source.users) == 1 else None",
        "if True else None",
    ),
    Fault(
        "who moves back is overwritten",
        "rows",
        "array[last] = spare",
        "array[last] = array[first]",
    ),
    Fault(
        "the images behind are counted from the front",
        "rows",
        "np.flatnonzero(staying[count:]) + count",
        "np.flatnonzero(staying[count:])",
    ),
    Fault(
        "the pieces of a batch all note the first piece's images",
        "path",
        "Path(self.logits, self.who[start:stop])",
        "Path(self.logits, self.who[: stop - start])",
    ),
    Fault(
        "images that left a shortcut block keep no activation",
        "blocks",
        "parts.passed(result[count:])",
        "result[count:]",
    ),
    # --- the gates -----------------------------------------------------------------------------
    Fault(
        "the gate is asked of everybody",
        "blocks",
        "logits = gate(_first(x, count))",
        "logits = gate(x)[:count]",
    ),
    Fault(
        "the gate is asked once",
        "building",
        "gates = tuple(gate if block.is_gated(loop) else None for loop in range(block.loops))",
        "gates = tuple(gate if block.is_gated(loop) and not loop else None\n"
        "                      for loop in range(block.loops))",
    ),
    Fault(
        "closed where it should open",
        "blocks",
        "count = bring_forward(x, path.who, logits > 0)",
        "count = bring_forward(x, path.who, logits < 0)",
    ),
    Fault("alone, closed where it should open", "blocks", "runs = logit > 0", "runs = logit < 0"),
    Fault(
        "alone, who left is asked again",
        "blocks",
        "logits += [logit] * (len(parts.loops) - loop)\n                break",
        "logits.append(logit)\n                continue",
    ),
    Fault(
        "the logits of who left are forgotten",
        "blocks",
        "path.note(parts.first_step + loop, self._end, logits)",
        "path.note(parts.first_step + loop, parts.first_step + loop + 1, logits)",
    ),
    Fault(
        "decisions from outside go by place",
        "blocks",
        "logits = told[parts.first_step + loop].index_select(0, path.who[:count])",
        "logits = told[parts.first_step + loop][:count]",
    ),
    Fault(
        "no activation in the gate",
        "gates",
        "x.mean((2, 3), dtype=torch.float32), w1).relu_()",
        "x.mean((2, 3), dtype=torch.float32), w1)",
    ),
    # --- the trace -----------------------------------------------------------------------------
    Fault(
        "asked means ran",
        "path",
        "asked = reached & self.gated[:, None]",
        "asked = ran & self.gated[:, None]",
    ),
    Fault(
        "gates are asked across blocks",
        "path",
        "reached = torch.cat((ran[:1], ran[:-1])) | self._first",
        "reached = torch.cat((ran[:1] | True, ran[:-1]))",
    ),
    Fault(
        "ungated loops count as asked",
        "path",
        "asked = reached & self.gated[:, None]",
        "asked = reached",
    ),
    # --- state ---------------------------------------------------------------------------------
    Fault(
        "a call leaves its path to the next",
        "path",
        "return Path(self._certain.repeat(1, batch), who)",
        "self.kept = getattr(self, 'kept', None)\n"
        "        if self.kept is None or self.kept.who.shape[0] != batch:\n"
        "            self.kept = Path(self._certain.repeat(1, batch), who)\n"
        "        return self.kept",
    ),
    Fault(
        "compiling leaves the network in evaluation",
        "network",
        "network.train(was_training)",
        "pass",
    ),
)
