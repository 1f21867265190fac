"""Every hostile picture through `drnn predict`, and every kind of false weights through loading."""

from __future__ import annotations

import json
import pickle
import shutil
from collections import Counter
from pathlib import Path

import pytest
import torch

from drnn_core.cli import main
from drnn_core.store.runs import write_run
from tests.hostile_pictures import Bomb, hostile_pictures
from tests.tiny_runs import tiny_info, tiny_network


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    write_run(folder, tiny_network().state_dict(), tiny_info())
    return folder


def test_every_picture_is_predicted_or_refused_with_a_sentence(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All in one call, so that one bad file may not cost the others their prediction."""
    monkeypatch.setattr(Bomb, "path", str(tmp_path / "executed"))
    cases = hostile_pictures()
    assert len(cases) >= 100
    files: list[str] = []
    for index, case in enumerate(cases):
        files.append(str(tmp_path / f"{index:03d}"))  # names are the upload's concern
        Path(files[-1]).write_bytes(case.data)
    assert main(["predict", str(run), *files, "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert [row["image"] for row in rows] == files
    outcome = Counter("refused" in row for row in rows)
    for case, row in zip(cases, rows, strict=True):
        if "refused" in row:
            assert case.expected is None or case.lenient, case.name
            assert 10 < len(row["refused"]) < 400
            assert "Traceback" not in row["refused"]
            assert "\n" not in row["refused"]
        else:
            assert case.expected is not None or case.lenient, case.name
            assert 0 <= row["confidence"] <= 1
    assert not (tmp_path / "executed").exists()
    assert outcome[True] >= 100
    assert outcome[False] >= 100


def _damages() -> dict[str, bytes]:
    whole = b"".join([(200).to_bytes(8, "little"), b"{", b" " * 500])
    return {
        "empty": b"",
        "pickle": pickle.dumps(Bomb()),
        "zip": b"PK\x03\x04" + b"\0" * 100,
        "header longer than the file": (1 << 40).to_bytes(8, "little") + b"{}",
        "no JSON": whole,
        "text": b"weights",
        "zeros": bytes(4096),
    }


@pytest.mark.parametrize("kind", _damages())
@pytest.mark.parametrize("command", ["predict", "evaluate", "records", "verify"])
def test_false_weights_are_a_sentence_and_never_opened(
    command: str,
    kind: str,
    run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Bomb, "path", str(tmp_path / "executed"))
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    (copy / "model.safetensors").write_bytes(_damages()[kind])
    rest = {"predict": ["x.png"], "verify": []}.get(command, ["--data", "generated"])
    assert main([command, str(copy), *rest]) == 1
    said = capsys.readouterr()
    assert "model.safetensors" in said.out + said.err or "classes" in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "executed").exists()


def test_a_checkpoint_of_torch_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(tiny_network().state_dict(), tmp_path / "model.pt")
    assert main(["predict", str(tmp_path / "model.pt"), "x.png"]) == 1
    assert "never from a pickle or .pt file" in capsys.readouterr().err
