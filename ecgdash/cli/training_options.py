"""Options and small helpers that the training commands share."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ecgdash.training.config import TrainingConfig
    from ecgdash.training.loop import Progress

__all__ = [
    "CPU",
    "DEFAULT_FOLDER",
    "DEMO",
    "Accumulate",
    "Architecture",
    "BatchSize",
    "Bf16",
    "Device",
    "Epochs",
    "Folder",
    "Seed",
    "config_of",
    "lead_set_reporter",
    "reporter",
    "say",
    "with_epochs",
    "work_folder",
]

Folder = Annotated[Path, typer.Option(help="Folder of prepared ECGs and checkpoints.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of weights, crops and order.")]
Epochs = Annotated[int | None, typer.Option(min=1, help="Most epochs of a phase; else as shipped.")]
Bf16 = Annotated[
    bool, typer.Option(help="Mixed precision; faster where the processor has bfloat16.")
]

Architecture = Annotated[
    str, typer.Option(help="Network: demo (the shipped one) or se-resnext-152 (the paper's).")
]
BatchSize = Annotated[
    int | None, typer.Option(min=2, help="ECGs a step, over all processes; else as shipped.")
]
Accumulate = Annotated[
    int, typer.Option(min=1, help="Micro-batches a step in each process, to spare memory.")
]
Device = Annotated[str, typer.Option(help="Where to train: auto, cpu or cuda.")]

DEFAULT_FOLDER = Path("training")
DEMO = "demo"
CPU = "cpu"


def work_folder(out: Path, architecture: str) -> Path:
    """Return the folder of checkpoints; another network's do not lie among the shipped one's."""
    return out / ("work" if architecture == DEMO else f"work-{architecture}")


def config_of(  # noqa: PLR0913, PLR0917 - one parameter an option
    seed: int,
    bf16: bool,
    architecture: str,
    batch_size: int | None,
    accumulate: int,
    device: str,
) -> "TrainingConfig":
    """Return the shipped settings with what the options change."""
    from ecgdash.inference.device import preparing_workers, resolve_device
    from ecgdash.training.config import FitSettings, TrainingConfig, family_name

    config = TrainingConfig(seed=seed, architecture=architecture, device=device)
    if resolve_device(device).type == "cuda":
        config = replace(config, loader_processes=preparing_workers())

    def changed(settings: FitSettings, *, bf16: bool) -> FitSettings:
        size = batch_size or settings.batch_size
        return replace(settings, bf16=bf16, batch_size=size, accumulate=accumulate)

    return replace(
        config,
        family=family_name(architecture, config.lead_set),
        pretrain=changed(config.pretrain, bf16=bf16),
        finetune=changed(config.finetune, bf16=bf16),
        recalibrate=changed(config.recalibrate, bf16=False),
    )


def with_epochs(config: "TrainingConfig", phase: str, epochs: int | None) -> "TrainingConfig":
    """Return the settings with other epochs of one phase; None: as they are."""
    if epochs is None:
        return config
    changed: dict[str, Any] = {phase: replace(getattr(config, phase), epochs=epochs)}
    return replace(config, **changed)


def say(line: str) -> None:
    """Print in the first of the processes that train together."""
    from ecgdash.training.distributed import is_first

    if is_first():
        typer.echo(line)


def lead_set_reporter(lead_set: str) -> "Progress":
    """Return a progress report that names the lead set, for those that train at once."""
    return reporter(f"{lead_set} lead{'s' if lead_set != '1' else ''}, ")


def reporter(prefix: str = "") -> "Progress":
    """Return a progress report on stderr, a line for each percent."""
    shown: dict[str, int] = {}

    def report(what: str, done: int, total: int) -> None:
        percent = 100 * done // total
        if shown.get(what) != percent:
            shown[what] = percent
            print_end = "\n" if done == total else "\r"
            typer.echo(f"{prefix}{what}: {done} of {total}{print_end}", nl=False, err=True)
            sys.stderr.flush()

    return report
