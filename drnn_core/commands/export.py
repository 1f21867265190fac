"""``drnn export``: a run as an ONNX file that skips."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from drnn_core.commands.console import emit, errors

if TYPE_CHECKING:
    from drnn_core.inference.export import Agreement

_NEEDED = ("onnx", "onnxruntime")
_PICTURES = 8


@dataclass(frozen=True)
class Export:
    """Write a run as an ONNX file, in which a loop that no image runs is not computed.

    Before it is written, it is run in onnxruntime beside the network on drawn pictures: decisions
    and logits must be the same.

    Args:
        run_folder: of the run.
        out: the file, whose name ends in .onnx.
        pixels: take uint8 pixels (0 to 255) and normalise them in the file.
        thresholds: take the probability above which each gate opens as a second input.
        json: print what was written as JSON.
    """

    run_folder: tyro.conf.Positional[Path]
    out: Path
    pixels: bool = False
    thresholds: bool = False
    json: bool = False

    def run(self) -> int:
        """Export, check, write, print."""
        from drnn_core.inference.predictor import one_thread
        from drnn_core.store.files import atomic_write_bytes
        from drnn_core.store.runs import load_network

        if self.out.suffix != ".onnx" or self.out.is_dir():
            raise ValueError(f"expected --out to name a file that ends in .onnx, got {self.out}")
        network, info = load_network(self.run_folder)
        try:
            from drnn_core.inference import export
        except ModuleNotFoundError as error:
            if error.name not in _NEEDED:
                raise
            raise ValueError(
                f"expected the packages {' and '.join(_NEEDED)}, which only the export needs; "
                f"install them: pip install {' '.join(_NEEDED)}"
            ) from error
        errors().print("exporting ...", style="dim")
        with one_thread():
            model = export.export_run(network, info, self.pixels, self.thresholds)
            data = export.checked_bytes(model)
            exported = export.ExportedNetwork(model, threads=1)
            pictures = export.drawn_pictures(_PICTURES, info.preprocessing)
            agreement = export.compare(exported, network, info.preprocessing, pictures)
        atomic_write_bytes(self.out, data)
        found = {"file": str(self.out), "bytes": len(data), **export.signature(model)}
        if self.json:
            emit({**found, "check": asdict(agreement)})
        else:
            _print(info.title, found, agreement)
        return 0


def _print(title: str, found: dict[str, Any], agreement: Agreement) -> None:
    print(f"{title} as {found['file']}, {found['bytes'] / 1e6:.1f} MB, opset {found['opset']}")
    for kind in ("inputs", "outputs"):
        for value in found[kind]:
            shape = ", ".join(map(str, value["shape"]))
            print(f"  {kind[:-1]:7s} {value['name']} ({shape}) {value['type']}")
    print(
        f"  checked in {agreement.runtime} on {agreement.pictures} drawn pictures: "
        f"{agreement.loops} of {agreement.steps} loops ran, the same as in the network; "
        f"logits within {agreement.logits:.1e} of the largest"
    )
