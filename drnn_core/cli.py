"""Dynamic recursive neural networks: train, record, look inside.

Exit codes: 0 done, 1 failed with a one-line reason, 2 wrong usage.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import tyro

from drnn_core.commands.app import App
from drnn_core.commands.bench import Bench
from drnn_core.commands.budget import Budget
from drnn_core.commands.evaluate import Evaluate
from drnn_core.commands.export import Export
from drnn_core.commands.join import Join
from drnn_core.commands.models import Models
from drnn_core.commands.norms import Norms
from drnn_core.commands.population import Population
from drnn_core.commands.predict import Predict
from drnn_core.commands.records import Records
from drnn_core.commands.saliency import Saliency
from drnn_core.commands.series import Series
from drnn_core.commands.sweep import SweepCommand
from drnn_core.commands.train import Train
from drnn_core.commands.verify import Verify

Command = (
    Annotated[Models, tyro.conf.subcommand("models")]
    | Annotated[Train, tyro.conf.subcommand("train")]
    | Annotated[Series, tyro.conf.subcommand("series")]
    | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
    | Annotated[Records, tyro.conf.subcommand("records")]
    | Annotated[Saliency, tyro.conf.subcommand("saliency")]
    | Annotated[SweepCommand, tyro.conf.subcommand("sweep")]
    | Annotated[Norms, tyro.conf.subcommand("norms")]
    | Annotated[Population, tyro.conf.subcommand("population")]
    | Annotated[Budget, tyro.conf.subcommand("budget")]
    | Annotated[Join, tyro.conf.subcommand("join")]
    | Annotated[Predict, tyro.conf.subcommand("predict")]
    | Annotated[Export, tyro.conf.subcommand("export")]
    | Annotated[Verify, tyro.conf.subcommand("verify")]
    | Annotated[Bench, tyro.conf.subcommand("bench")]
    | Annotated[App, tyro.conf.subcommand("app")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code."""
    command: Any = tyro.cli(
        tyro.conf.OmitSubcommandPrefixes[tyro.conf.FlagCreatePairsOff[Command]],
        prog="drnn",
        description=__doc__,
        args=arguments,
    )
    try:
        return command.run()
    except KeyboardInterrupt:
        print("drnn: stopped", file=sys.stderr)
    except (ValueError, RuntimeError, OSError) as error:
        print(f"drnn: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
