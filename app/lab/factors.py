"""The factors as the lab shows them, and a picture's changes as a line of text.

The text stands in the address and in a field: names and numbers in the units of the screen, for
example ``blur 1.2 rotation -20 box 25 30 40 40`` (left, top, width and height in % of the picture).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from drnn_core.analysis.corruptions import CORRUPTIONS
from drnn_core.analysis.edits import BOTH_WAYS, Box, Edit, bounds, check

BOX = "box"
_BOX_DIGITS = 1  # of a percent


@dataclass(frozen=True)
class Factor:
    """A factor on the screen.

    Attributes:
        name: of ``drnn_core.analysis.corruptions``.
        label: for people.
        unit: behind the number; "" for none.
        times: what the number is times, of the value.
        digits: of the number, after the point.
        meaning: its definition.
    """

    name: str
    label: str
    unit: str
    times: float
    digits: int
    meaning: str

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest number on the screen."""
        low, high = bounds(self.name)
        return self.shown(low), self.shown(high)

    @property
    def neutral(self) -> float:
        """The number that changes nothing."""
        return self.shown(CORRUPTIONS[self.name].unchanged)

    def shown(self, value: float) -> float:
        """The number on the screen of a value."""
        return round(value * self.times, self.digits) + 0.0  # never -0

    def value(self, shown: float) -> float:
        """The value of a number on the screen, rounded as it is there, and within its bounds."""
        low, high = bounds(self.name)
        return min(max(round(shown, self.digits) / self.times, low), high)

    def in_words(self, value: float, sign: bool = False) -> str:
        """A value with its unit, for example "16 %" or, with ``sign``, "+16 %"."""
        number = self.shown(value)
        space = "" if self.unit in ("", "°") else " "
        plus = "+" if sign and self.name in BOTH_WAYS else ""
        return f"{number:{plus}.{self.digits}f}{space}{self.unit}".replace("-", "−")


FACTORS = {
    one.name: one
    for one in (
        Factor(
            "blur", "Blur", "px", 1, 1, "Standard deviation of a Gaussian, in 32nds of the side."
        ),
        Factor(
            "occlusion", "Occlusion", "%", 100, 0,
            "Share of the picture under a box of its mean colour. Drag the box on the picture.",
        ),
        Factor("noise", "Noise", "%", 100, 1, "Standard deviation, of the full range."),
        Factor("jpeg", "JPEG", "", 1, 0, "Quality of a JPEG file that it went through; 100: none."),
        Factor("contrast", "Contrast", "%", 100, 0, "Distance from the mean colour, of its own."),
        Factor("brightness", "Brightness", "%", 100, 0, "Added to every channel, of its range."),
        Factor("rotation", "Rotation", "°", 1, 0, "Degrees, clockwise above 0; edges repeated."),
        Factor("scale", "Scale", "%", 100, 0, "Side of the picture in its frame; edges repeated."),
    )
}  # fmt: skip


def to_text(edit: Edit) -> str:
    """The changes as text; "" where there are none."""
    words: list[str] = []
    for name, factor in FACTORS.items():
        if name == "occlusion":
            if edit.box is not None:
                words += [BOX, *(_number(100 * side, _BOX_DIGITS) for side in edit.box)]
        elif name in edit.factors:
            words += [name, _number(factor.shown(edit.value(name)), factor.digits)]
    return " ".join(words)


def from_text(text: str) -> tuple[Edit, list[str]]:
    """Read ``to_text``'s result, or what a user typed.

    Returns:
        The changes, and a phrase for everything in the text that was left out.
    """
    words = text.replace(",", " ").replace("=", " ").lower().split()
    edit, problems = Edit(), list[str]()
    at = 0
    while at < len(words):
        name, count = words[at], 4 if words[at] == BOX else 1
        numbers = [number for word in words[at + 1 : at + 1 + count] for number in _numbers(word)]
        if name != BOX and (name not in FACTORS or name == "occlusion"):
            problems.append(f"{name[:20]!r} is no change")
            at += 1
            continue
        if len(numbers) != count:
            expected = "4 numbers (left, top, width, height in %)" if count == 4 else "a number"
            problems.append(f"{name} needs {expected}")
            at += 1 + len(numbers)
            continue
        try:
            edit = _with(edit, name, numbers)
        except ValueError as error:
            problems.append(str(error))
        at += 1 + count
    return edit, problems


def _with(edit: Edit, name: str, numbers: list[float]) -> Edit:
    if name == BOX:
        return replace(edit, box=_box(*(number / 100 for number in numbers)))
    factor = FACTORS[name]
    low, high = factor.limits
    if not low <= numbers[0] <= high:
        raise ValueError(f"{name} goes from {low:g} to {high:g}, not to {numbers[0]:g}")
    return replace(edit, **{name: factor.value(numbers[0])})


def _box(left: float, top: float, width: float, height: float) -> Box:
    """A box; one that leaves the picture by no more than a rounding reaches to the edge."""
    near = 10**-_BOX_DIGITS / 100
    if 1 < left + width <= 1 + near:
        width = 1 - left
    if 1 < top + height <= 1 + near:
        height = 1 - top
    box = Box(left, top, width, height)
    try:
        check(Edit(box=box))
    except ValueError:
        raise ValueError("the box leaves the picture, or has no sides") from None
    return box


def _number(number: float, digits: int) -> str:
    return f"{number:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{number:.0f}"


def _numbers(word: str) -> list[float]:
    """The number that a word is, as a list of one; empty if it is none."""
    try:
        number = float(word.replace("−", "-"))
    except ValueError:
        return []
    return [number] if abs(number) < 1e6 else []  # not NaN or infinite either
