"""``drnn verify``: find any damage in a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from drnn_core.commands.console import emit


@dataclass(frozen=True)
class Verify:
    """Check hashes, schema, row counts and figures of a run; exit code 1 where anything is wrong.

    Args:
        run_folder: of the run.
        json: print the findings as JSON.
    """

    run_folder: tyro.conf.Positional[Path]
    json: bool = False

    def run(self) -> int:
        """Verify and print."""
        from drnn_core.store.integrity import verify_run

        findings = verify_run(self.run_folder)
        if self.json:
            emit({"run": str(self.run_folder), "findings": [vars(found) for found in findings]})
        elif not findings:
            print(f"{self.run_folder}: sound")
        else:
            for found in findings:
                print(f"{found.level}: {found.path}: {found.message}")
        return 1 if findings else 0
