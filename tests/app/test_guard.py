"""The server answers its own pages only."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from app.guard import SameOriginOnly
from tests.app.asgi import get


async def inner(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("inside")(scope, receive, send)


@pytest.mark.parametrize(
    ("headers", "address", "status"),
    [
        ({}, "127.0.0.1", 200),
        ({"host": "localhost:8501", "origin": "http://localhost:8501"}, "127.0.0.1", 200),
        ({"host": "[::1]:8501"}, "::1", 200),
        ({"host": "192.168.1.5:8501"}, "192.168.1.5", 200),
        ({"host": "lab.example:8501", "origin": "http://lab.example:8501"}, "0.0.0.0", 200),
        ({"host": "lab.example:8501"}, "127.0.0.1", 403),
        ({"host": "lab.example:8501", "origin": "http://evil.example"}, "0.0.0.0", 403),
        ({"origin": "http://evil.example"}, "127.0.0.1", 403),
        ({"origin": "http://127.0.0.1:9999"}, "127.0.0.1", 403),
        ({"origin": "null"}, "127.0.0.1", 403),
        ({"host": ""}, "127.0.0.1", 403),
        ({"host": "[oops"}, "127.0.0.1", 403),
    ],
)
def test_who_may_ask(headers: dict[str, str], address: str, status: int) -> None:
    assert get(SameOriginOnly(inner, address), "/", headers).status == status


def test_a_websocket_of_another_site_is_closed() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def never(*_: Any) -> None:
        raise AssertionError("the app was reached")

    headers = [(b"host", b"127.0.0.1:8501"), (b"origin", b"http://evil.example")]
    scope = {"type": "websocket", "headers": headers}
    asyncio.run(SameOriginOnly(never)(scope, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_lifespan_passes() -> None:
    reached: list[str] = []

    async def app(scope: Any, *_: Any) -> None:
        reached.append(scope["type"])

    nobody: Any = None
    asyncio.run(SameOriginOnly(app)({"type": "lifespan"}, nobody, nobody))
    assert reached == ["lifespan"]
