"""Files are whole or absent, whatever happens while they are written."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from drnn_core.store.files import (
    atomic_write_bytes,
    atomic_write_json,
    is_temporary,
    sha256_of,
)


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "a.bin"
    atomic_write_bytes(path, b"old")
    atomic_write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]
    assert sha256_of(path) == hashlib.sha256(b"new").hexdigest()


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        atomic_write_bytes(tmp_path / "a", b"")
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("failing", ["os.fsync", "pathlib.Path.replace"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, error: type[BaseException]
) -> None:
    path = tmp_path / "a"
    atomic_write_bytes(path, b"old")

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(failing, fail)
    with pytest.raises(error):
        atomic_write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_data_rename_and_folder_reach_the_disk_in_this_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def note_fsync(descriptor: int) -> None:
        target = Path(f"/proc/self/fd/{descriptor}").resolve()
        events.append("folder" if target.is_dir() else "data")
        fsync(descriptor)

    def note_replace(self: Path, target: Path) -> Path:
        assert is_temporary(self)
        assert self.parent == target.parent
        events.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    atomic_write_bytes(tmp_path / "a", b"data")
    assert events == ["data", "rename", "folder"]


def test_json_is_readable_and_keeps_its_order(tmp_path: Path) -> None:
    atomic_write_json(tmp_path / "a.json", {"z": 1, "a": "größer"})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text == '{\n "z": 1,\n "a": "größer"\n}\n'
    assert list(json.loads(text)) == ["z", "a"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": {1, 2}}, object()])
def test_json_refuses_what_it_cannot_say(tmp_path: Path, value: Any) -> None:
    with pytest.raises(ValueError, match=r"JSON|float"):
        atomic_write_json(tmp_path / "a.json", value)
    assert list(tmp_path.iterdir()) == []


def test_temporary_names() -> None:
    assert is_temporary(Path("x/.run.json.0123456789abcdef.partial"))
    assert not is_temporary(Path("x/run.json"))
    assert not is_temporary(Path("x/.gitignore"))
