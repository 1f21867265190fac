"""``serve``: the app with its own routes, in this process, until it is interrupted."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import socket
import threading
import webbrowser
from pathlib import Path

from app import settings

_ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h


class ServeError(ValueError):
    """The server cannot start; the message says why and what to do."""


def serve(
    runs: Path,
    data: str | None,
    port: int,
    host: str = "127.0.0.1",
    open_browser: bool = False,
) -> None:
    """Serve the app until Ctrl-C.

    Args:
        runs: folder of runs.
        data: what ``--data`` takes, for the pictures of the records; None for the generated ones
            only.
        port: to listen on; 0 takes any free one.
        host: address to bind to.
        open_browser: show the app in the machine's browser once it answers.

    Raises:
        ServeError: no such folder, or the port is taken.
    """
    if not runs.is_dir():
        raise ServeError(f"expected a folder of runs, but there is no folder {runs}")
    settings.use(runs, data, host)
    # Interactive inference is fastest on one thread, above all on a busy machine.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    _share_memory()
    with _listening(host, port) as listener:
        address = _address(listener)
        print(f"Loopscope: {address}\nruns: {runs}\nCtrl-C stops it.", flush=True)  # noqa: T201
        if open_browser:
            threading.Timer(1.0, webbrowser.open, (address,)).start()
        _run(listener)


def _share_memory() -> None:
    """Two arenas for all threads, where the C library is glibc (Linux); elsewhere nothing.

    It gives every thread an arena of its own, and each keeps what it once held: with Streamlit's
    threads that is tens of megabytes. Python's threads take turns anyway.
    """
    if platform.libc_ver()[0] == "glibc" and "MALLOC_ARENA_MAX" not in os.environ:
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def _run(listener: socket.socket) -> None:
    import uvicorn  # slow to import

    from app.main import app  # reads the settings

    config = uvicorn.Config(
        app, log_level="warning", access_log=False, ws_max_size=200 << 20, lifespan="on"
    )
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    """A bound socket, so that a taken port is a sentence before anything is loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()  # whoever opens the printed address waits instead of being refused
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise ServeError(
            f"cannot listen on {host}, port {port}: {reason}; take another one with --port"
        ) from error
    listener.set_inheritable(True)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    shown = "localhost" if host in ("0.0.0.0", "::") else host  # noqa: S104
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
