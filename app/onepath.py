"""Why no image of a run loops more than another, in the words of every page that has to say so."""

from __future__ import annotations

from drnn_core.inference.facts import NetworkFacts


def why_one_path(facts: NetworkFacts) -> str:
    """The end of a sentence that begins with "This network"."""
    if not facts.loops_max:
        return "has no recursive blocks"
    if any(facts.asks):
        return "has gates, but all recorded images took the same number of loops"
    return f"has no gates and runs all of its {facts.loops_max} loops"
