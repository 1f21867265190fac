"""``drnn app``: the web app."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class App:
    """Start the web app on this machine and print its address.

    Args:
        runs: folder of runs; by default the shipped checkpoints.
        data: where the images of the runs' record tables are, if not "generated".
        port: to listen on.
        host: address to listen on; the default is reachable from this machine only.
        open: open the address in a browser.
    """

    runs: Path = Path(__file__).resolve().parents[2] / "checkpoints"
    data: str | None = None
    port: int = 8501
    host: str = "127.0.0.1"
    open: bool = False

    def run(self) -> int:
        """Serve until interrupted."""
        from app.server import serve

        serve(self.runs, self.data, self.port, self.host, self.open)
        return 0
