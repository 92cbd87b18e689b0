"""The commands that train a family on simulated patients, phase by phase."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecgdash.errors import InvalidValue
from ecgdash.settings import Settings

if TYPE_CHECKING:
    from ecgdash.training.config import TrainingConfig
    from ecgdash.training.loop import Progress

__all__ = ["train_app"]

train_app = typer.Typer(
    help="Train the three models of a family on simulated patients.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Option(help="Folder of prepared ECGs and checkpoints.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of weights, crops and order.")]
Epochs = Annotated[int | None, typer.Option(min=1, help="Most epochs; else the shipped setting.")]
Bf16 = Annotated[
    bool, typer.Option(help="Mixed precision; faster where the processor has bfloat16.")
]

DEFAULT_FOLDER = Path("training")


@train_app.command()
def prepare(
    out: Folder = DEFAULT_FOLDER,
    simulated_patients: Annotated[
        int, typer.Option(min=100, help="Patients whose baseline pairs train phase 2.")
    ] = 24_000,
    follow_up_patients: Annotated[
        int, typer.Option(min=100, help="Other patients, whose follow-up pairs train phase 3.")
    ] = 18_000,
    pretraining_ecgs: Annotated[
        int, typer.Option(min=100, help="ECGs with a cart's labels for phase 1.")
    ] = 32_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulated patients.")] = 1,
) -> None:
    """Simulate and store the ECGs of the three phases; goes on where it was stopped."""
    from ecgdash.training.config import SimulatedData
    from ecgdash.training.simulated import prepare_simulated

    data = SimulatedData(pretraining_ecgs, simulated_patients, follow_up_patients, seed)
    prepare_simulated(data, out / "data", _reporter())
    typer.echo(f"prepared in {out / 'data'}")


@train_app.command()
def pretrain(
    out: Folder = DEFAULT_FOLDER, seed: Seed = 1, epochs: Epochs = None, bf16: Bf16 = False
) -> None:
    """Phase 1: learn the cart's labels."""
    from ecgdash.training.run import run_pretrain

    state = run_pretrain(
        _config(seed, "pretrain", epochs, bf16), out / "data", _work(out), _reporter()
    )
    typer.echo(f"phase 1: best validation loss {state.best_loss:.4f} in epoch {state.best_epoch}")


@train_app.command()
def finetune(
    out: Folder = DEFAULT_FOLDER, seed: Seed = 1, epochs: Epochs = None, bf16: Bf16 = False
) -> None:
    """Phase 2: learn LVSD from baseline pairs; stem and blocks 1 and 2 stay."""
    from ecgdash.training.run import run_finetune

    state = run_finetune(
        _config(seed, "finetune", epochs, bf16), out / "data", _work(out), _reporter()
    )
    typer.echo(f"phase 2: best validation loss {state.best_loss:.4f} in epoch {state.best_epoch}")


@train_app.command()
def recalibrate(
    out: Folder = DEFAULT_FOLDER, seed: Seed = 1, epochs: Epochs = None, bf16: Bf16 = False
) -> None:
    """Phase 3: learn histories from follow-up pairs; then install the family."""
    from ecgdash.training.run import run_recalibrate

    config = _config(seed, "recalibrate", epochs, bf16)
    card = run_recalibrate(config, out / "data", _work(out), Settings().models_dir, _reporter())
    typer.echo(f"installed {card.family} ({card.weights_sha256[:12]}) in {Settings().models_dir}")


@train_app.command("all")
def run_all(
    out: Folder = DEFAULT_FOLDER,
    seed: Seed = 1,
    bf16: Bf16 = False,
) -> None:
    """Run the three phases on what `prepare` stored, and install the family."""
    from ecgdash.training.run import train_family

    config = _config(seed, None, None, bf16)
    card = train_family(config, out / "data", _work(out), Settings().models_dir, _reporter())
    typer.echo(f"installed {card.family} ({card.weights_sha256[:12]}) in {Settings().models_dir}")


@train_app.command()
def grid(
    out: Folder = DEFAULT_FOLDER,
    seed: Seed = 1,
    lead_sets: Annotated[str, typer.Option(help="Lead sets, comma-separated.")] = "12,6,1",
    bf16: Bf16 = False,
) -> None:
    """Train every phase and control for 12, 6 and 1 leads; goes on where it was stopped."""
    from ecgdash.training.grid import LEAD_SETS, train_grid

    wanted = [name for name in LEAD_SETS if name in lead_sets.replace(" ", "").split(",")]
    if len(wanted) != len(lead_sets.split(",")):
        raise InvalidValue(
            f"{lead_sets!r} names a lead set that there is not, or one twice",
            accepted=f"Accepted: {', '.join(LEAD_SETS)}",
        )
    config = _config(seed, None, None, bf16)
    models = Settings().models_dir
    for card in train_grid(config, out / "data", _work(out), models, wanted, _reporter()):
        typer.echo(f"installed {card.family} ({card.weights_sha256[:12]}) in {models}")


def _work(out: Path) -> Path:
    return out / "work"


def _config(seed: int, phase: str | None, epochs: int | None, bf16: bool) -> "TrainingConfig":
    from ecgdash.training.config import FitSettings, TrainingConfig

    config = TrainingConfig(seed=seed)

    def changed(name: str, settings: FitSettings) -> FitSettings:
        wanted = epochs if name == phase and epochs is not None else settings.epochs
        return replace(settings, epochs=wanted, bf16=bf16 and name != "recalibrate")

    return replace(
        config,
        pretrain=changed("pretrain", config.pretrain),
        finetune=changed("finetune", config.finetune),
        recalibrate=changed("recalibrate", config.recalibrate),
    )


def _reporter() -> "Progress":
    """Return a progress report on stderr, a line for each percent."""
    shown: dict[str, int] = {}

    def report(what: str, done: int, total: int) -> None:
        percent = 100 * done // total
        if shown.get(what) != percent:
            shown[what] = percent
            print_end = "\n" if done == total else "\r"
            typer.echo(f"{what}: {done} of {total}{print_end}", nl=False, err=True)
            sys.stderr.flush()

    return report
