"""What loops go with in every training: one table for each data set, over seeds where there are."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from benchmarks.results.loops_spread import varied
from benchmarks.results.stability import records_of
from benchmarks.results.tables import NOTHING, correlation_by_seeds, relation, table
from benchmarks.results.trainings import Trained
from drnn_core.analysis.relations import Relation, spearman, within
from drnn_core.analysis.saliency_statistics import ON_OBJECT, SALIENCY_STATISTICS
from drnn_core.analysis.seeds import correlation_over_seeds
from drnn_core.data.generated import FACTORS

OPENING = """Spearman's ρ of an image's loops with what else is known of it, for every training with
gates; in brackets how many seeds. Of three seeds and more: mean, and its 95 % interval of Student's
t over seeds (of Fisher's transform). Of two: mean, and the ρ of either. Of one: its ρ, and the 95 %
bootstrap interval over images, which says nothing of other seeds. Bold: the interval leaves out 0,
as one in twenty does by chance. `image_` columns are of the picture, `saliency_` columns of the
gradient's evidence for the predicted class (`drnn saliency`), the last rows of `generated` are what
its images were drawn from."""

_ANSWERS = ("correct", "confidence", "entropy", "margin", "loss")
_ALL, _INSIDE = "all images", "within classes"


def loops_with(groups: Sequence[Trained]) -> str:
    """Two tables for each data set: over all images, and within classes; "" without any."""
    there = varied(groups)
    parts: list[str] = []
    for data in dict.fromkeys(one.training.data for one in there):
        own = [one for one in there if one.training.data == data]
        heads = ["loops with", *(_head(one) for one in own)]
        frames = [records_of(one, groups) for one in own]
        for where in (_ALL, _INSIDE):
            rows = [
                [f"`{name}`", *(_cell(each, name, where) for each in frames)]
                for name in _names(frames)
            ]
            images = " or ".join(dict.fromkeys(f"{len(each[0]):,}" for each in frames))
            parts.append(f"{data}, {where} (n = {images}):\n\n{table(heads, rows)}")
    return "\n\n".join([OPENING, *parts]) if parts else ""


def _head(one: Trained) -> str:
    return f"{one.title}, {one.schedule} ({len(one.runs)})"


def _names(frames: Sequence[Sequence[pd.DataFrame]]) -> list[str]:
    """Columns that some run has, from the answer's to the scene's."""
    there = {str(name) for runs in frames for frame in runs for name in frame.columns}
    evidence = [f"saliency_{name}" for name in (*SALIENCY_STATISTICS, ON_OBJECT)]
    images = sorted(name for name in there if name.startswith("image_"))
    return [name for name in (*_ANSWERS, *images, *evidence, *FACTORS) if name in there]


def _cell(frames: Sequence[pd.DataFrame], name: str, where: str) -> str:
    if any(name not in frame for frame in frames):
        return NOTHING
    if len(frames) == 1:
        found = _relation(frames[0], name, where)
        return _marked(relation(found), found.low > 0 or found.high < 0)
    rhos = [_relation(frame, name, where, resamples=1).rho for frame in frames]
    told = len(rhos) > 2 and correlation_over_seeds(rhos).sign != 0
    return _marked(correlation_by_seeds(rhos), told)


def _marked(text: str, told: bool) -> str:
    return f"**{text}**" if told else text


def _relation(frame: pd.DataFrame, name: str, where: str, resamples: int = 1000) -> Relation:
    if where == _INSIDE:
        return within(frame["loops"], frame[name], frame["label"], resamples=resamples)
    return spearman(frame["loops"], frame[name], resamples=resamples)
