"""The gallery's own routes, beside Streamlit's: tiles, sprites, single pictures and records.

Everything is read only, of the runs in the runs folder, and addressed by name and number: no
part of an address ever becomes a path.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from urllib.parse import parse_qsl, urlencode

import numpy as np
from numpy.typing import NDArray
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from app.bounded import BoundedCache
from app.cache import Run, Table, list_runs, table
from app.gallery import source, turns
from app.gallery.sprites import PER_PAGE, png, sprite
from app.images import Pictures, pictures_of, render_ahead
from app.query import QueryError

_SPRITES_BYTES = 64 << 20
_sprites: BoundedCache[tuple[str, str, str, int], bytes] = BoundedCache(_SPRITES_BYTES, len)

# An address with the right version never changes its content.
_KEEP = "private, max-age=604800, immutable"
_FORGET = "no-store"

Endpoint = Callable[[Request], Response]


def _answering(endpoint: Endpoint) -> Endpoint:
    """Faults of the address or of the run as 404 or 400 with a sentence, never a traceback."""

    @wraps(endpoint)
    def answer(request: Request) -> Response:
        try:
            return endpoint(request)
        except QueryError as error:
            raise HTTPException(400, str(error)) from error
        except ValueError as error:  # RunError, RecordsError: the run is not usable
            raise HTTPException(404, str(error)) from error

    return answer


@_answering
def tiles(request: Request) -> Response:
    """What is known of the images of a page."""
    run, records = _records(request)
    rows = _page(request, run, records)
    found = source.tiles_of(run, records, rows, _query(request))
    return JSONResponse({"tiles": found}, headers=_headers(request, run))


@_answering
def sprite_sheet(request: Request) -> Response:
    """Their pictures, in one JPEG."""
    run, records = _records(request)
    pictures = _pictures(run, records)
    page, query = request.path_params["page"], _query(request)

    def paint() -> bytes:
        return sprite(pictures.small(_page(request, run, records)))

    if pictures.drawn:
        render_ahead(records.header)
    version = source.version_of(records, pictures)
    data = _sprites.get_or_make((run.name, query, version, page), paint)
    return Response(data, media_type="image/jpeg", headers=_headers(request, run))


@_answering
def picture(request: Request) -> Response:
    """One picture, every pixel as the network sees it."""
    run, records = _records(request)
    row = _row(request, records.header.rows)
    data = png(_pictures(run, records).pixels(np.array([row], dtype=np.int64))[0])
    return Response(data, media_type="image/png", headers=_headers(request, run))


@_answering
def record_at(request: Request) -> Response:
    """The record at a position of the selection."""
    run, records = _records(request)
    rows = source.rows_of(run, records, _query(request))
    row = int(rows[_row(request, len(rows))])
    found = source.record_of(run, records, row, _query(request))
    return JSONResponse(found, headers=_headers(request, run))


def _records(request: Request) -> tuple[Run, Table]:
    name = request.path_params["run"]
    for run in list_runs():
        if run.name == name and run.info is not None:
            return run, table(run)
    raise HTTPException(404, f"there is no sound run {name!r} here")


def _pictures(run: Run, records: Table) -> Pictures:
    pictures = pictures_of(run, records)
    if not isinstance(pictures, Pictures):
        raise HTTPException(404, pictures.reason)
    return pictures


def _query(request: Request) -> str:
    """The selection's part of the query string, as ``to_query`` writes it: all but the version."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    return urlencode([(name, value) for name, value in pairs if name != "v"])


def _page(request: Request, run: Run, records: Table) -> NDArray[np.int64]:
    rows = source.rows_of(run, records, _query(request))
    first = request.path_params["page"] * PER_PAGE
    if first >= len(rows):
        raise HTTPException(404, f"page {first // PER_PAGE} of {len(rows)} images does not exist")
    return rows[first : first + PER_PAGE]


def _row(request: Request, count: int) -> int:
    row = request.path_params["row"]
    if row >= count:
        raise HTTPException(404, f"expected a number below {count}, got {row}")
    return row


def _headers(request: Request, run: Run) -> dict[str, str]:
    records = table(run)
    current = source.version_of(records, pictures_of(run, records))
    right = request.query_params.get("v") == current
    return {"Cache-Control": _KEEP if right else _FORGET, "X-Content-Type-Options": "nosniff"}


ROUTES = [
    Mount(
        source.PREFIX,
        routes=[
            Route("/{run}/tiles/{page:int}.json", tiles),
            Route("/{run}/sprite/{page:int}.jpg", sprite_sheet),
            Route("/{run}/image/{row:int}.png", picture),
            Route("/{run}/at/{row:int}.json", record_at),
            Route("/painted/{turn}", turns.painted),
        ],
    )
]
