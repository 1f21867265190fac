"""``drnn predict``: classify pictures, and say how far each one looped."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from drnn_core.commands.console import emit

if TYPE_CHECKING:
    from drnn_core.inference.prediction import Prediction
    from drnn_core.inference.predictor import Predictor


@dataclass(frozen=True)
class Predict:
    """Classify pictures: class, confidence, loops per block, gate probabilities.

    Args:
        run_folder: of the run.
        images: picture files (JPEG, PNG, WEBP).
        json: print the predictions as JSON.
    """

    run_folder: tyro.conf.Positional[Path]
    images: tyro.conf.Positional[tuple[Path, ...]]
    json: bool = False

    def run(self) -> int:
        """Predict each picture; those that cannot be read are named, the others go on."""
        from drnn_core.data.pictures import PictureError, decode_picture
        from drnn_core.inference.predictor import Predictor

        if not self.images:
            raise ValueError("expected at least one picture to predict, got none")
        predictor = Predictor(self.run_folder)
        rows: list[dict[str, Any]] = []
        refused = 0
        for file in self.images:
            try:
                prediction = predictor.predict(decode_picture(file.read_bytes(), file.name))
            except (PictureError, OSError) as error:
                refused += 1
                rows.append({"image": str(file), "refused": str(error)})
                print(f"drnn: {file}: {error}", file=sys.stderr)
                continue
            rows.append(_row(file, prediction, predictor))
            if not self.json:
                _print(rows[-1])
        if self.json:
            emit(rows)
        return 1 if refused else 0


def _row(file: Path, prediction: Prediction, predictor: Predictor) -> dict[str, Any]:
    name, confidence = prediction.top[0]
    probs = prediction.prob.tolist()
    asked = prediction.asked.tolist()
    blocks: dict[str, Any] = {}
    start = 0
    for block, loops in zip(predictor.layout, prediction.block_loops.tolist(), strict=True):
        steps = range(start, start + block.loops)
        blocks[block.name] = {
            "loops": loops,
            "of": block.loops,
            "gate_prob": [probs[step] if asked[step] else None for step in steps],
        }
        start += block.loops
    return {
        "image": str(file),
        "class": name,
        "confidence": confidence,
        "top": [{"class": each, "confidence": chance} for each, chance in prediction.top],
        "loops": prediction.loops,
        "blocks": blocks,
        "macs": prediction.macs,
        "macs_max": prediction.macs_max,
    }


def _print(row: dict[str, Any]) -> None:
    share = row["macs"] / row["macs_max"]
    print(
        f"{row['image']}: {row['class']} ({row['confidence']:.1%}), {row['loops']} loops, "
        f"{row['macs'] / 1e6:.1f} M MACs ({share:.0%} of the most)"
    )
    for name, block in row["blocks"].items():
        probs = "  ".join("  –  " if p is None else f"{p:.3f}" for p in block["gate_prob"])
        print(f"  block {name}: {block['loops']} of {block['of']} loops   gate {probs}")
