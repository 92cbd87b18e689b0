"""The commands that train a family, on simulated patients or on own data, phase by phase."""

from pathlib import Path
from typing import Annotated

import typer

from ecgdash.cli.training_history import recalibrate_base
from ecgdash.cli.training_options import (
    CPU,
    DEFAULT_FOLDER,
    DEMO,
    Accumulate,
    Architecture,
    BatchSize,
    Bf16,
    Device,
    Epochs,
    Folder,
    Seed,
    config_of,
    reporter,
    say,
    with_epochs,
    work_folder,
)
from ecgdash.errors import InvalidValue
from ecgdash.settings import Settings

__all__ = ["train_app"]

train_app = typer.Typer(
    help="Train the three models of a family, on simulated patients or the store's.",
    no_args_is_help=True,
)


@train_app.command()
def prepare(  # noqa: PLR0913, PLR0917 - one parameter an option
    out: Folder = DEFAULT_FOLDER,
    from_store: Annotated[
        bool, typer.Option("--store", help="Own data: the ECGs and echoes of the store.")
    ] = False,
    simulated_patients: Annotated[
        int | None,
        typer.Option(min=100, help="Patients whose baseline pairs train phase 2; else 24,000."),
    ] = None,
    follow_up_patients: Annotated[
        int | None,
        typer.Option(
            min=100, help="Other patients, whose follow-up pairs train phase 3; else 18,000."
        ),
    ] = None,
    pretraining_ecgs: Annotated[
        int | None,
        typer.Option(min=100, help="ECGs with a cart's labels for phase 1; else 32,000."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the simulated patients; else 1.")
    ] = None,
) -> None:
    """Prepare the ECGs of the three phases; goes on where it was stopped."""
    from ecgdash.services.training_data import refuse_other_data
    from ecgdash.training.config import SimulatedData
    from ecgdash.training.simulated import prepare_simulated

    stated = {
        "pretraining_ecgs": pretraining_ecgs,
        "baseline_patients": simulated_patients,
        "follow_up_patients": follow_up_patients,
        "seed": seed,
    }
    given = {name: value for name, value in stated.items() if value is not None}
    if from_store:
        _prepare_own(out / "data", simulated=bool(given))
    else:
        refuse_other_data(out / "data", None)
        prepare_simulated(SimulatedData(**given), out / "data", reporter())
    typer.echo(f"prepared in {out / 'data'}")


def _prepare_own(folder: Path, *, simulated: bool) -> None:
    """Prepare the store's ECGs, and say what became of each."""
    from ecgdash.services.training_data import prepare_from_store
    from ecgdash.services.training_plan import OUTCOMES
    from ecgdash.store import open_store

    if simulated:
        raise InvalidValue(
            "--store takes its patients from the store, and sizes and seed of simulated ones are "
            "given too",
            accepted="Accepted: --store with --out alone, or sizes and seed without --store",
        )
    origin = prepare_from_store(open_store(Settings().database_url), folder, reporter())
    typer.echo(f"{origin['n_patients']} patients; of their ECGs")
    for name, n in origin["ecgs"].items():
        if n:
            typer.echo(f"  {n:8d} {OUTCOMES[name]}")
    for code, n in origin["withheld_by_the_gate"].items():
        typer.echo(f"           {n} of those withheld: {code.replace('_', ' ')}")
    for name, sides in origin["sides"].items():
        words = ", ".join(f"{n} {side}" for side, n in sides.items())
        typer.echo(f"{name.replace('_', ' ').replace('lvsd', 'LVSD')}: {words}")


@train_app.command()
def pretrain(  # noqa: PLR0913, PLR0917 - one parameter an option
    out: Folder = DEFAULT_FOLDER,
    seed: Seed = 1,
    epochs: Epochs = None,
    bf16: Bf16 = False,
    architecture: Architecture = DEMO,
    batch_size: BatchSize = None,
    accumulate: Accumulate = 1,
    device: Device = CPU,
) -> None:
    """Phase 1: learn the cart's labels."""
    from ecgdash.training.run import run_pretrain

    config = with_epochs(
        config_of(seed, bf16, architecture, batch_size, accumulate, device), "pretrain", epochs
    )
    state = run_pretrain(config, out / "data", work_folder(out, architecture), reporter())
    say(f"phase 1: best validation loss {state.best_loss:.4f} in epoch {state.best_epoch}")


@train_app.command()
def finetune(  # noqa: PLR0913, PLR0917 - one parameter an option
    out: Folder = DEFAULT_FOLDER,
    seed: Seed = 1,
    epochs: Epochs = None,
    bf16: Bf16 = False,
    architecture: Architecture = DEMO,
    batch_size: BatchSize = None,
    accumulate: Accumulate = 1,
    device: Device = CPU,
) -> None:
    """Phase 2: learn LVSD from baseline pairs; stem and blocks 1 and 2 stay."""
    from ecgdash.training.run import run_finetune

    config = with_epochs(
        config_of(seed, bf16, architecture, batch_size, accumulate, device), "finetune", epochs
    )
    state = run_finetune(config, out / "data", work_folder(out, architecture), reporter())
    say(f"phase 2: best validation loss {state.best_loss:.4f} in epoch {state.best_epoch}")


@train_app.command()
def recalibrate(  # noqa: PLR0913, PLR0917 - one parameter an option
    ctx: typer.Context,
    out: Folder = DEFAULT_FOLDER,
    seed: Seed = 1,
    epochs: Epochs = None,
    bf16: Bf16 = False,
    architecture: Architecture = DEMO,
    batch_size: BatchSize = None,
    accumulate: Accumulate = 1,
    device: Device = CPU,
    base: Annotated[
        str | None,
        typer.Option(help="Instead: fit a history beside this family, on the store's pairs."),
    ] = None,
    folds: Annotated[
        int, typer.Option(min=3, help="With --base: folds of the cross-validation by patient.")
    ] = 5,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --base: evaluate and install nothing.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="With --base: folder for a report in markdown and CSV.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --base: write JSON to stdout.")
    ] = False,
) -> None:
    """Phase 3: learn histories from follow-up pairs; then install the family.

    With --base no network is trained: a history perceptron is fitted beside any installed
    family, by cross-validation over the patients of the store, and evaluated out of fold. An
    external scorer gets it as its recalibrated variant; a family that has one of its own is
    evaluated only.
    """
    from ecgdash.training.run import run_recalibrate

    _check_options(ctx, with_base=base is not None)
    if base is not None:
        recalibrate_base(
            base,
            folds=folds,
            seed=seed,
            epochs=epochs,
            dry_run=dry_run,
            report=report,
            as_json=as_json,
        )
        return
    config = with_epochs(
        config_of(seed, bf16, architecture, batch_size, accumulate, device), "recalibrate", epochs
    )
    models = Settings().models_dir
    card = run_recalibrate(config, out / "data", work_folder(out, architecture), models, reporter())
    say(f"installed {card.family} ({card.weights_sha256[:12]}) in {models}")


def _check_options(ctx: typer.Context, *, with_base: bool) -> None:
    """Refuse options that the other way to recalibrate takes."""
    others = (
        ("out", "bf16", "architecture", "batch_size", "accumulate", "device")
        if with_base
        else ("folds", "dry_run", "report", "as_json")
    )
    given = [name for name in others if str(ctx.get_parameter_source(name)).endswith("COMMANDLINE")]
    if given:
        names = ", ".join("--json" if n == "as_json" else f"--{n.replace('_', '-')}" for n in given)
        raise InvalidValue(
            f"{names} {'says nothing with' if with_base else 'needs'} --base",
            accepted="Accepted with --base: --folds, --seed, --epochs, --dry-run, --report, --json",
        )


@train_app.command("all")
def run_all(  # noqa: PLR0913, PLR0917 - one parameter an option
    out: Folder = DEFAULT_FOLDER,
    seed: Seed = 1,
    epochs: Epochs = None,
    bf16: Bf16 = False,
    architecture: Architecture = DEMO,
    batch_size: BatchSize = None,
    accumulate: Accumulate = 1,
    device: Device = CPU,
) -> None:
    """Run the three phases on what `prepare` stored, and install the family."""
    from ecgdash.training.run import train_family

    config = config_of(seed, bf16, architecture, batch_size, accumulate, device)
    for phase in ("pretrain", "finetune", "recalibrate"):
        config = with_epochs(config, phase, epochs)
    models = Settings().models_dir
    card = train_family(config, out / "data", work_folder(out, architecture), models, reporter())
    say(f"installed {card.family} ({card.weights_sha256[:12]}) in {models}")
