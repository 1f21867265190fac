"""Starting the server: a taken port or a missing folder is one sentence."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from app.main import app
from app.server import ServeError, serve
from app.settings import settings, use


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match=r"there is no folder .*nowhere"):
        serve(tmp_path / "nowhere", None, 0)


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=rf"cannot listen on 127.0.0.1, port {port}.*--port"):
            serve(tmp_path, None, port)


@pytest.mark.parametrize("port", [-1, 70000])
def test_an_impossible_port_is_said(tmp_path: Path, port: int) -> None:
    with pytest.raises(ServeError, match="--port"):
        serve(tmp_path, None, port)


def test_an_impossible_address_is_said(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match=r"cannot listen on 203\.0\.113\.7"):
        serve(tmp_path, None, 0, host="203.0.113.7")


def test_settings_reach_the_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOPSCOPE_RUNS", "LOOPSCOPE_DATA", "LOOPSCOPE_ADDRESS"):
        monkeypatch.setenv(name, "")
    assert settings().runs.name == "checkpoints"
    assert settings().data is None
    use(tmp_path, "generated", "127.0.0.1")
    assert settings().runs == tmp_path
    assert settings().data == "generated"


def test_the_app_has_our_routes_and_safe_settings() -> None:
    from streamlit import config

    paths = [getattr(route, "path", "") for route in app._user_routes]
    assert paths == ["/gallery", "/waiting/{name}"]
    wanted = {
        "browser.gatherUsageStats": False,
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "server.address": "127.0.0.1",
        "client.showErrorDetails": "none",
    }
    assert {name: config.get_option(name) for name in wanted} == wanted
