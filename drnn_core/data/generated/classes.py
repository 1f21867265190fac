"""The ten classes, in the order of their labels, and the function that draws each.

They are five pairs that share parts: bird and fish, boat and car, cup and teapot, flower and
star, mushroom and tree.
"""

from __future__ import annotations

from collections.abc import Callable

from drnn_core.data.generated import animals, plants, vehicles, wares
from drnn_core.data.generated.draws import Draws
from drnn_core.data.generated.shapes import Part

Builder = Callable[[Draws], list[Part]]

BUILDERS: dict[str, Builder] = {
    "bird": animals.bird,
    "boat": vehicles.boat,
    "car": vehicles.car,
    "cup": wares.cup,
    "fish": animals.fish,
    "flower": plants.flower,
    "mushroom": plants.mushroom,
    "star": wares.star,
    "teapot": wares.teapot,
    "tree": plants.tree,
}
