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
        "weight = layer.weight.detach().float().clone()",
        "weight = layer.weight.detach().float()",
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
        "logits[torch.tensor(path.who, device=self.device)] = x",
        "logits[:] = x",
    ),
    Fault(
        "the order is restored the wrong way round",
        "network",
        "logits[torch.tensor(path.who, device=self.device)] = x",
        "logits[:] = x[torch.tensor(path.who, device=self.device)]",
    ),
    Fault(
        "one image too few is computed",
        "blocks",
        "active = x[window.start : window.stop]",
        "active = x[window.start : window.stop - 1]",
    ),
    Fault(
        "one image too many is computed",
        "blocks",
        "active = x[window.start : window.stop]",
        "active = x[window.start : window.stop + 1]",
    ),
    Fault(
        "everybody is computed who was asked",
        "blocks",
        "active = x[window.start : window.stop]",
        "active = x[window.start : window.stop]\n"
        "                    x[window.start : window.stop] = advance(x.clone())"
        "[window.start : window.stop]\n"
        "                    step += 1\n"
        "                    continue",
    ),
    Fault(
        "images stay where they lie",
        "rows",
        "_swap(images_as_rows(x), movers, holes)",
        "_swap(images_as_rows(x.clone()), movers, holes)",
    ),
    Fault(
        "nobody notes who moved",
        "rows",
        "who[mover], who[hole] = who[hole], who[mover]",
        "pass",
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
        "two[:] = spare",
        "two[:] = one",
    ),
    Fault(
        "places are counted from the start of the window",
        "rows",
        "enumerate(logits, window.start)",
        "enumerate(logits)",
    ),
    Fault(
        "the pieces of a batch all note the first piece's images",
        "path",
        "Path(self.who[start:stop], self.told, self.notes)",
        "Path(self.who[: stop - start], self.told, self.notes)",
    ),
    Fault(
        "images that left a shortcut block keep no activation",
        "blocks",
        "self._parts.passed(left)",
        "pass",
    ),
    # --- the gates -----------------------------------------------------------------------------
    Fault(
        "the gate is asked of everybody",
        "blocks",
        "logits = path.ask(step, window.start, gate.many(active))",
        "logits = path.ask(step, window.start, gate.many(x)[window.start : window.stop])",
    ),
    Fault(
        "the gate is asked once",
        "building",
        "tuple(gate if block.is_gated(loop) else None for loop in range(block.loops))",
        "tuple(gate if block.is_gated(loop) and not loop else None for loop in range(block.loops))",
    ),
    Fault(
        "closed where it should open",
        "blocks",
        "bring_together(x, path.who, window, logits)",
        "bring_together(x, path.who, window, [-logit for logit in logits])",
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
        "path",
        "np.where(np.isnan(found[steps]), found[steps - 1], found[steps])",
        "np.where(np.isnan(found[steps]), 0.0, found[steps])",
    ),
    Fault(
        "decisions from outside go by place",
        "path",
        "values = [row[image] for image in who]",
        "values = list(row[start : start + len(who)])",
    ),
    Fault(
        "no activation in the gate",
        "gates",
        "across).relu_()",
        "across)",
    ),
    Fault("no bias in a gate of one layer", "gates", "@ share + bias", "@ share"),
    Fault(
        "a gate of one layer sums in place of the mean",
        "gates",
        "np.full(places, 1 / places, dtype=np.float32)",
        "np.ones(places, dtype=np.float32)",
    ),
    Fault(
        "a gate of one layer reads features of another size as if they were usual",
        "gates",
        "if x.numel() != images * places * channels:",
        "if x.numel() < images * places * channels:",
    ),
    Fault("alone, no activation in the gate", "gates", "if not value <= 0.0:", "if True:"),
    Fault("alone, no bias in the gate", "gates", "logit = constant", "logit = 0.0"),
    Fault(
        "features of another size are read as if they were usual",
        "gates",
        "if x.numel() != len(x) * size:",
        "if x.numel() < len(x) * size:",
    ),
    # --- the trace -----------------------------------------------------------------------------
    Fault(
        "asked means ran",
        "path",
        "asked[:, 1:] = ran[:, :-1]",
        "asked[:, 1:] = ran[:, 1:]",
    ),
    Fault(
        "gates are asked across blocks",
        "path",
        "asked[:, self._first] = True",
        "asked[:, 0] = True",
    ),
    Fault(
        "ungated loops count as asked",
        "path",
        "asked &= self._gated",
        "pass",
    ),
    # --- state ---------------------------------------------------------------------------------
    Fault(
        "a call leaves its path to the next",
        "network",
        "path = Path(list(range(batch)), told, [])",
        "path = self.__dict__.setdefault('kept', {}).setdefault(\n"
        "            batch, Path(list(range(batch)), told, [])\n"
        "        )",
    ),
    Fault(
        "compiling leaves the network in evaluation",
        "network",
        "with in_mode(network, training=False):",
        "if network.eval() is network:",
    ),
)
