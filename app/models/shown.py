"""Which of our trainings stands in a row of a table: of one schedule where rows are compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from app.models.ours import OwnTraining, results_of
from app.models.tables import Model, View


def shown_results(
    view: View, groups: Mapping[str, Sequence[Model]], trainings: Sequence[OwnTraining]
) -> dict[str, list[OwnTraining]]:
    """Every training of each network of a table by the network's name, that to show first.

    That is the longest. Rows of the ablation are steps from one to the next, so each of its groups
    shows one schedule: the one by which most of its rows were trained, of equally many the longest.
    A row that was not trained so shows its longest training.
    """
    found: dict[str, list[OwnTraining]] = {}
    for models in groups.values():
        own = {model.name: results_of(model.name, trainings) for model in models}
        if view == "ablation":
            schooling = _most_shared(own.values())
            for results in own.values():
                results.sort(key=lambda each: each.schooling != schooling)
        found |= own
    return found


def most_epochs(shown: Mapping[str, Sequence[OwnTraining]]) -> int:
    """Epochs of the longest training that a table shows; 0 where it shows none."""
    return max((results[0].info.epochs for results in shown.values() if results), default=0)


def _most_shared(rows: Collection[Sequence[OwnTraining]]) -> str:
    """The schooling that most rows have; "" of no training."""
    epochs = {each.schooling: each.info.epochs for row in rows for each in row}
    shared = Counter(way for row in rows for way in dict.fromkeys(one.schooling for one in row))
    return max(epochs, key=lambda way: (shared[way], epochs[way]), default="")
