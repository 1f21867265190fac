"""A gate before every request: the app answers itself only.

A page of another site may make a browser send requests to this machine, and a name that such a
site owns may be made to point here. Streamlit checks its WebSocket; this checks our routes too,
and does so before Streamlit asks an outside service for this machine's public address.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_LOCAL = {"localhost", "127.0.0.1", "::1", "testserver"}
_EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104


class SameOriginOnly:
    """ASGI middleware: 403 for requests of other sites, and for names that are not this machine's.

    Args:
        app: what is guarded.
        address: that the server is bound to; where it is bound to every address, any name may be
            right, and only the origin is checked.
    """

    def __init__(self, app: ASGIApp, address: str = "127.0.0.1") -> None:
        self.app = app
        self.names = None if address in _EVERYWHERE else _LOCAL | {address}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] not in ("http", "websocket") or self._is_ours(Headers(scope=scope)):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "of another site"})
        else:
            answer = PlainTextResponse("This server answers its own pages only.", 403)
            await answer(scope, receive, send)

    def _is_ours(self, headers: Headers) -> bool:
        host = headers.get("host", "")
        origin = headers.get("origin")
        if self.names is not None and _name(f"//{host}") not in self.names:
            return False
        return origin is None or urlsplit(origin).netloc == host


def _name(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""
