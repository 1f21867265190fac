"""Lists of class names, in which a label is a position: are two the same?"""

from __future__ import annotations

from collections import Counter
from itertools import zip_longest

from drnn_core.data.sets import DataError, ImageSet

# Names that a message lists.
_SHOWN = 5


def check_same_classes(train_set: ImageSet, test_set: ImageSet) -> None:
    """Refuse splits whose classes differ, and classes of one name.

    Raises:
        DataError: they do, and a label would mean something else; or a name stands for several
            classes, and a run, which names each class once, could never be written.
    """
    if train_set.classes != test_set.classes:
        raise DataError(
            f"expected the test set to have the training set's {len(train_set.classes)} classes, "
            f"got {difference(train_set.classes, test_set.classes)}; give both splits the same "
            "classes, in the same order"
        )
    counts = Counter(train_set.classes)
    if doubled := [repr(name) for name, count in counts.items() if count > 1]:
        others = f" and {len(doubled) - _SHOWN} others" if len(doubled) > _SHOWN else ""
        raise DataError(
            f"expected each of the {len(train_set.classes)} classes to have a name of its own, got "
            f"{', '.join(doubled[:_SHOWN])}{others} more than once; rename one of each, in both "
            "splits"
        )


def told_apart(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of classes by label, those of one name with their label behind it: "crane (label 134)".

    ImageNet has two cranes, a bird and a machine; a run names each of its classes once.
    """
    counts = Counter(names)
    return tuple(
        f"{name} (label {label})" if counts[name] > 1 else name for label, name in enumerate(names)
    )


def difference(expected: tuple[str, ...], got: tuple[str, ...]) -> str:
    """How many there are and the first that is another, in words, of two lists that differ."""
    pairs = enumerate(zip_longest(expected, got))
    label, (wanted, found) = next((place, pair) for place, pair in pairs if pair[0] != pair[1])
    return (
        f"{len(got)}; the first that differs is label {label}: expected {_named(wanted)}, got "
        f"{_named(found)}"
    )


def _named(name: str | None) -> str:
    return "none" if name is None else repr(name)
