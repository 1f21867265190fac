"""The headline numbers of a run's records, worked out once for all sessions."""

from __future__ import annotations

from app import cache
from app.bounded import BoundedCache
from drnn_core.querying.headline import Headline, headline

_KEPT = 256
_headlines: BoundedCache[tuple[str, str], Headline] = BoundedCache(_KEPT, lambda _: 1)


def headline_of(run: cache.Run, table: cache.Table) -> Headline:
    """Error, loops, cost and opening rate of all records, with intervals."""
    facts = cache.facts(run)
    return _headlines.get_or_make(
        (str(run.folder), table.stamp), lambda: headline(table.records, facts.layout, facts.asks)
    )
