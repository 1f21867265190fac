"""The process that serves the app under measurement: its memory and its folder of runs (Linux)."""

from __future__ import annotations

import re
from pathlib import Path


def resident(address: str) -> float:
    """Resident memory of the server's process, in MB (Linux)."""
    status = Path(f"/proc/{process_of(address)}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return round(int(found.group(1)) / 1024, 1)


def process_of(address: str) -> int:
    """Process that listens at an address (Linux)."""
    port = int(address.rsplit(":", 1)[1])
    table = Path("/proc/net/tcp").read_text().splitlines()[1:]
    inodes = {
        line.split()[9] for line in table
        if int(line.split()[1].split(":")[1], 16) == port and line.split()[3] == "0A"
    }  # fmt: skip
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target.startswith("socket:[") and target[8:-1] in inodes:
            return int(entry.parts[2])
    raise RuntimeError(f"no process listens at {address}")


def folder_of(address: str) -> Path:
    """Folder of the runs that the server at an address serves."""
    command = Path(f"/proc/{process_of(address)}/cmdline").read_text().split("\0")
    return Path(command[command.index("--runs") + 1])
