"""``drnn train``: train a recipe, resumable at any moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from drnn_core.commands.console import StopRequest, emit, errors
from drnn_core.commands.device import check_device
from drnn_core.commands.reporting import Curves, Silent

if TYPE_CHECKING:
    from drnn_core.data.sets import ImageSet
    from drnn_core.data.transforms import Preprocessing
    from drnn_core.models.network import Network
    from drnn_core.models.world import World
    from drnn_core.recipes import Recipe
    from drnn_core.recipes.changes import Changes
    from drnn_core.training.loop import Trainer
    from drnn_core.training.settings import TrainingResult


@dataclass(frozen=True)
class Train:
    """Train a recipe. Stop with Ctrl-C or --minutes; the same command with --resume goes on.

    On several GPUs or machines: torchrun --nproc-per-node N -m drnn_core train RECIPE ...

    Args:
        recipe: <network>_<training>, for example dr_resnet16_l2_short.
        data: "generated", or a folder of images (see the README).
        out: folder of the run.
        epochs: in place of the recipe's number.
        seed: of everything random.
        device: cpu or cuda.
        precision: of the forward pass; bfloat16 pays on GPUs and on CPUs that compute in it (AMX,
            AVX-512 BF16).
        threads: CPU threads; equal bits need an equal number.
        resume: go on with the state in the run's folder.
        minutes: stop after so many minutes, with the state saved.
        save_seconds: save the state at least this often.
        gradients: measure the gradient in each loop at some epochs, and keep it with the run.
        fuse: compile the blocks for a GPU first; pays from some minutes of training on.
        settings: fields of the recipe to change, for example target=0.6 norm=lvbn rate_weight=4;
            lists as 1,3,3. The run's run.json has the recipe as it was trained.
        json: print the result as JSON.
    """

    recipe: tyro.conf.Positional[str]
    data: str
    out: Path
    epochs: int | None = None
    seed: int = 0
    device: Literal["cpu", "cuda"] = "cpu"
    precision: Literal["float32", "bfloat16"] = "float32"
    threads: int | None = None
    resume: bool = False
    minutes: float | None = None
    save_seconds: float = 60.0
    gradients: bool = False
    fuse: bool = False
    settings: Annotated[tuple[str, ...], tyro.conf.arg(name="set")] = ()
    json: bool = False

    def run(self) -> int:
        """Train; 0 also when stopped in time."""
        import torch

        from drnn_core.training.distributed import joined

        check_numbers(self.epochs, self.threads, self.minutes, self.save_seconds, self.seed)
        check_device(self.device)
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        self._check_folder()
        with joined(self.device) as world:
            return self._train(world)

    def _train(self, world: World) -> int:
        from drnn_core.commands.gradient_watch import watched

        first = world.rank == 0  # which alone writes and reports
        trainer = self.trainer(world)
        if self.resume and not trainer.resume() and first:
            errors().print(f"{self.out} holds no saved state: starting from the first step")
        shown = Curves(self.out, trainer.position.step) if first else Silent()
        reporter = watched(shown, trainer) if self.gradients else shown
        with StopRequest().listening() as stop:
            result = trainer.run(reporter, stop)
        shown.close()
        if first:
            finish(self.out, trainer, result)
            self._report(result, trainer)
        return 0

    def _check_folder(self) -> None:
        from drnn_core.training.resume import RESUME_FILE

        check_free(self.out)
        if (self.out / RESUME_FILE).exists() and not self.resume:
            raise ValueError(
                f"{self.out} holds an unfinished training; go on with --resume, "
                f"or remove {self.out / RESUME_FILE} to start over"
            )

    def changed_recipe(self) -> tuple[Recipe, Changes]:
        """The recipe with its training as it is asked for, and all that is to be changed of it."""
        from drnn_core.recipes import get_recipe
        from drnn_core.recipes.changes import parse_changes

        changes = parse_changes(self.settings)
        recipe = get_recipe(self.recipe)
        return replace(recipe, training=changes.of_training(recipe.training)), changes

    def training_set(self, recipe: Recipe, opened: Callable[..., ImageSet]) -> ImageSet:
        """The images to train on, as ``open_split`` or what stands in for it opens them."""
        from drnn_core.data.transforms import Preprocessing

        sizing = Preprocessing.of_network(recipe.network)
        originals = recipe.training.augment == "scale"
        return opened(self.data, "train", sizing.image_size, sizing, originals)

    def trainer(self, world: World, opened: Callable[..., ImageSet] | None = None) -> Trainer:
        """The training that the arguments ask for, at its first step.

        Args:
            world: the processes that train together.
            opened: in place of ``open_split``, for example with the sets kept.
        """
        import torch

        from drnn_core.data.measuring import measure_preprocessing
        from drnn_core.data.transforms import Preprocessing
        from drnn_core.models.registry import create_model
        from drnn_core.training.loop import Trainer
        from drnn_core.training.seeds import derived_seed
        from drnn_core.training.settings import Settings

        check_fuse(self.fuse, self.device)
        recipe, changes = self.changed_recipe()
        sizing, opened = Preprocessing.of_network(recipe.network), opened or open_split
        train_set = self.training_set(recipe, opened)
        test_set = opened(self.data, "test", sizing.image_size, sizing, False)
        torch.manual_seed(derived_seed(self.seed, "weights"))
        network = create_model(
            recipe.network.name, len(train_set.classes), **changes.of(recipe.network)
        )
        check_target(network)
        recipe = replace(recipe, network=network.recipe)  # a backbone's blocks are known by now
        settings = Settings(
            self.out,
            self.seed,
            self.epochs,
            self.device,
            self.precision,
            self.minutes,
            self.save_seconds,
            fuse=self.fuse,
        )
        preprocessing = measure_preprocessing(train_set, sizing)
        return Trainer(network, recipe, train_set, test_set, preprocessing, settings, world)

    def _report(self, result: TrainingResult, trainer: Trainer) -> None:
        if self.json:
            emit(
                {
                    "run": str(self.out),
                    "finished": result.finished,
                    "steps": trainer.position.step,
                    "seconds": result.seconds,
                    "curve": result.curve,
                    "measures": None if result.measures is None else vars(result.measures),
                }
            )
        elif result.finished:
            print(f"done: {self.out}; write its records with: drnn records {self.out} --data D")
        else:
            print(f"stopped after step {trainer.position.step}; the same command with --resume")


def check_numbers(
    epochs: int | None, threads: int | None, minutes: float | None, save_seconds: float, *seeds: int
) -> None:
    """Refuse numbers that no training can have, each where it is given.

    Raises:
        ValueError: no epoch or thread, a seed below 0, or a time, as NaN counts too.
    """
    given = {
        "epochs": (epochs, 1),
        "threads": (threads, 1),
        "minutes": (minutes, 0),
        "save-seconds": (save_seconds, 0),
        "seed": (min(seeds, default=0), 0),
    }
    for name, (value, least) in given.items():
        if value is not None and not value >= least:
            raise ValueError(f"expected --{name} of at least {least}, got {value:.12g}")


def check_target(network: Network) -> None:
    """Refuse a target rate without gates, and gates without one.

    Raises:
        ValueError: either.
    """
    from drnn_core.models.gate import Gate

    gates = any(isinstance(module, Gate) for module in network.modules())
    target = network.recipe.target
    if gates and target is None:
        raise ValueError("expected a target rate of the gates, got none; set target=0.7")
    if target is not None and not gates:
        raise ValueError(
            f"expected a network with gates for the target {target:g}, got one without; set "
            "gated=false and no target, or loops that gates stand before"
        )


def check_fuse(fuse: bool, device: str) -> None:
    """Refuse to compile blocks for a CPU, which nothing does.

    Raises:
        ValueError: it is asked for.
    """
    if fuse and device == "cpu":
        raise ValueError("expected --fuse with --device cuda, got cpu; leave --fuse out")


def check_free(folder: Path) -> None:
    """Refuse a folder that holds a run, which must not be written over.

    Raises:
        ValueError: it does.
    """
    if (folder / "run.json").exists():
        raise ValueError(f"{folder} already holds a finished run; choose another --out")


def open_split(
    source: str, split: Literal["train", "test"], size: int, sizing: Preprocessing, originals: bool
) -> ImageSet:
    """A split of a data source, see ``load_split``."""
    from drnn_core.data.datasets import load_split

    return load_split(source, split, size, sizing=sizing, originals=originals)


def finish(folder: Path, trainer: Trainer, result: TrainingResult) -> None:
    """Write a finished training as a run, in place of its saved state.

    Raises:
        ValueError: the folder holds a finished run by now.
    """
    from drnn_core.store.runs import write_run
    from drnn_core.training.outcome import run_info
    from drnn_core.training.resume import RESUME_FILE

    if result.finished and result.measures is not None:
        check_free(folder)  # another process may have come first; the state stays
        info = run_info(trainer, result, result.measures)
        write_run(folder, trainer.network.state_dict(), info)
        (folder / RESUME_FILE).unlink(missing_ok=True)
