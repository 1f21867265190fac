"""What the comparison found, in sentences that are honest about size."""

from __future__ import annotations

from collections.abc import Sequence

from app.easy_hard.comparison import Compared, View
from drnn_core.analysis.effects import SIZES, size_of
from drnn_core.analysis.galleries import make_up

_NAMED = 3  # differences
_EVEN = 0.005  # so little the classes' shares may differ to be called equal


def largest(pairs: Sequence[Compared]) -> list[str]:
    """The largest differences as sentences: of the pictures, and of the network itself."""
    pictures = [pair for pair in pairs if pair.source != "network"]
    network = [pair for pair in pairs if pair.source == "network" and pair.column.name != "correct"]
    said = [_of_pictures(pictures)]
    both = [
        next((p for p in network if (p.column.kind == "output") == is_answer), None)
        for is_answer in (True, False)
    ]
    told = [pair for pair in both if pair is not None and _worth_telling(pair)]
    if told:
        told.sort(key=pairs.index)  # the larger first
        listed = _joined([_in_pairs(pair) for pair in told])
        said.append(
            f"Of the network itself, hard images have {listed}. The same network made these and "
            "the loops: they say how its answers go with its loops, not what the pictures are like."
        )
    return said


def _of_pictures(pairs: Sequence[Compared]) -> str:
    if not pairs:
        return (
            "The records hold no number of the pictures themselves, so only the network's own "
            "answers can be compared."
        )
    largest = [pair for pair in pairs if _worth_telling(pair)][:_NAMED]
    if largest:
        return (
            "Take a hard and an easy image of the same class: the hard one has "
            f"{_joined([_in_pairs(pair) for pair in largest])}. 50 % would be no difference."
        )
    return (
        "Nothing known of the pictures clearly separates hard from easy images of the same class. "
        f"The largest difference: {_in_pairs(pairs[0])}, where 50 % would be none."
    )


def _worth_telling(pair: Compared) -> bool:
    return pair.sure and size_of(pair.effect.within.value) != SIZES[0][0]


def _in_pairs(pair: Compared) -> str:
    """For example: lower **contrast** in **80 %** of such pairs (77 to 84 %, large)."""
    found = pair.effect.within
    sign = 1 if found.value > 0 else -1
    low, high = sorted((sign * found.low, sign * found.high))
    share, least, most = (f"{50 * (1 + value):.0f}" for value in (abs(found.value), low, high))
    more = "higher" if found.value > 0 else "lower"
    words = (
        f"{more} **{pair.column.label}** in **{share} %** of such pairs ({least} to {most} %, "
        f"{size_of(found.value)})"
    )
    return words.replace(" %", "\u00a0%")


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def classes_in(view: View, pairs: Sequence[Compared]) -> str:
    """What the classes have to do with it, in one or two sentences."""
    apart = make_up(view.found)
    if apart < _EVEN:
        told = "Each class has one share of the easy and of the hard images, and δ compares "
        told += "within classes: "
        told += "which classes are easy makes no difference here."
    else:
        told = (
            f"Easy and hard images are not of the same classes ({100 * apart:.0f} % would have to "
            "be of another), but δ compares within classes, so that this makes no difference."
        )
    only = [
        pair.column.label
        for pair in pairs
        if not pair.sure and pair.effect.delta.low * pair.effect.delta.high > 0
    ]
    if only and apart >= _EVEN:
        told += (
            f" Over all classes together hard images also differ in {_joined(only)}, where within "
            "classes no difference is sure: that may be the make-up of the classes."
        )
    return told
