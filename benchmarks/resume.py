"""kill -9 at random moments of a real training: are the final weights those of an unbroken one?

    python benchmarks/resume.py [--kills 20] [--seed 0] [--processes 1]

Trains DR-Res 16 by the real command line on a small image Parquet, once unbroken, once killed
and resumed until it is done, and compares model.safetensors byte by byte. A kill comes at a
random time after the training's first step, so it also lands inside saves, which happen after
every step. With several processes, torchrun starts them and all are killed at once. Prints one
JSON object.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

RECIPE = "dr_resnet16_l2_short"


def write_images(folder: Path, train: int = 256, test: int = 20) -> None:
    """A small image Parquet of random pictures in four classes."""
    draw = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for split, count in (("train", train), ("test", test)):
        images: list[dict[str, object]] = []
        for index in range(count):
            out = io.BytesIO()
            Image.fromarray(draw.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(out, "PNG")
            images.append({"bytes": out.getvalue(), "path": f"{split}/{index}.png"})
        labels = pa.array(draw.integers(0, 4, count), pa.int64())
        pq.write_table(pa.table({"image": images, "label": labels}), folder / f"{split}.parquet")


def command(data: Path, out: Path, epochs: int, processes: int) -> list[str]:
    """The training, saved after every step."""
    flags = f"--seed 3 --threads 1 --save-seconds 0 --resume --epochs {epochs}"
    # torchrun's module; --standalone finds a free port by itself
    launcher = f"-m torch.distributed.run --standalone --nproc-per-node {processes}"
    program = [sys.executable, *(launcher.split() if processes > 1 else []), "-m", "drnn_core"]
    return [*program, "train", RECIPE, "--data", str(data), "--out", str(out), *flags.split()]


def steps_done(out: Path) -> int:
    """Steps that the saved state holds; the file is always whole."""
    from safetensors import safe_open

    file = out / "resume.safetensors"
    if not file.exists():
        return 0
    with safe_open(file, framework="np") as state:
        return int(json.loads(state.metadata()["position"])["step"])


def kill(process: subprocess.Popen[bytes], processes: int) -> None:
    """SIGKILL to the training, or to all processes that torchrun started; it ends with them."""
    victims = [process.pid]
    if processes > 1:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        victims = [int(child) for child in children.split()]
    for victim in victims:
        os.kill(victim, signal.SIGKILL)


def train(data: Path, out: Path, epochs: int, kill_after: float | None, processes: int = 1) -> bool:
    """Run the training; kill it so many seconds after this call's first step. True if it ended."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    before = steps_done(out)
    with subprocess.Popen(
        command(data, out, epochs, processes),
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        if kill_after is not None:
            while process.poll() is None and steps_done(out) == before:
                time.sleep(0.02)
            time.sleep(kill_after)
            kill(process, processes)
        _, errors = process.communicate()
    if kill_after is None and process.returncode:
        raise RuntimeError(errors.decode())
    return process.returncode == 0


def broken_training(
    folder: Path, kills: int, seed: int, epochs: int, processes: int = 1
) -> dict[str, object]:
    """Compare an unbroken training with one that was killed ``kills`` times."""
    draw = random.Random(seed)
    data, whole, broken = folder / "data", folder / "whole", folder / "broken"
    write_images(data)
    train(data, whole, epochs, None, processes)
    points: list[int] = []
    for _ in range(kills):
        if train(data, broken, epochs, draw.uniform(0, 0.6), processes):
            break
        points.append(steps_done(broken))
    if not (broken / "run.json").exists():
        train(data, broken, epochs, None, processes)
    weights = [(run / "model.safetensors").read_bytes() for run in (whole, broken)]
    return {
        "kills": len(points),
        "killed_at_steps": points,
        "steps": epochs * 2,
        "processes": processes,
        "identical": weights[0] == weights[1],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        epochs = 2 * arguments.kills
        result = broken_training(
            Path(folder), arguments.kills, arguments.seed, epochs, arguments.processes
        )
    print(json.dumps(result))
    sys.exit(0 if result["identical"] and result["kills"] == arguments.kills else 1)


if __name__ == "__main__":
    main()
