"""Networks as ONNX files that skip: the loops of a block lie in the branches of ``If`` nodes.

Any ONNX runtime executes such a file without a line of this project, and a branch that no image
takes costs nothing. docs/export.md says how to use one. This package needs onnx and onnxruntime,
which nothing else here does.
"""

from drnn_core.inference.export.calls import NotExportableError
from drnn_core.inference.export.checking import (
    Agreement,
    DisagreementError,
    checked_bytes,
    compare,
    drawn_pictures,
)
from drnn_core.inference.export.describing import signature
from drnn_core.inference.export.running import ExportedNetwork, Results
from drnn_core.inference.export.writing import export_network, export_run

__all__ = [
    "Agreement",
    "DisagreementError",
    "ExportedNetwork",
    "NotExportableError",
    "Results",
    "checked_bytes",
    "compare",
    "drawn_pictures",
    "export_network",
    "export_run",
    "signature",
]
