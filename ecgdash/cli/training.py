"""The commands that train a family, on simulated patients or on own data, phase by phase."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgdash.errors import InvalidValue
from ecgdash.settings import Settings

if TYPE_CHECKING:
    from ecgdash.training.config import TrainingConfig
    from ecgdash.training.loop import Progress

__all__ = ["train_app"]

train_app = typer.Typer(
    help="Train the three models of a family, on simulated patients or the store's.",
    no_args_is_help=True,
)

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
        prepare_simulated(SimulatedData(**given), out / "data", _reporter())
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
    origin = prepare_from_store(open_store(Settings().database_url), folder, _reporter())
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

    config = _with_epochs(
        _config(seed, bf16, architecture, batch_size, accumulate, device), "pretrain", epochs
    )
    state = run_pretrain(config, out / "data", _work(out, architecture), _reporter())
    _say(f"phase 1: best validation loss {state.best_loss:.4f} in epoch {state.best_epoch}")


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

    config = _with_epochs(
        _config(seed, bf16, architecture, batch_size, accumulate, device), "finetune", epochs
    )
    state = run_finetune(config, out / "data", _work(out, architecture), _reporter())
    _say(f"phase 2: best validation loss {state.best_loss:.4f} in epoch {state.best_epoch}")


@train_app.command()
def recalibrate(  # noqa: PLR0913, PLR0917 - one parameter an option
    out: Folder = DEFAULT_FOLDER,
    seed: Seed = 1,
    epochs: Epochs = None,
    bf16: Bf16 = False,
    architecture: Architecture = DEMO,
    batch_size: BatchSize = None,
    accumulate: Accumulate = 1,
    device: Device = CPU,
) -> None:
    """Phase 3: learn histories from follow-up pairs; then install the family."""
    from ecgdash.training.run import run_recalibrate

    config = _with_epochs(
        _config(seed, bf16, architecture, batch_size, accumulate, device), "recalibrate", epochs
    )
    models = Settings().models_dir
    card = run_recalibrate(config, out / "data", _work(out, architecture), models, _reporter())
    _say(f"installed {card.family} ({card.weights_sha256[:12]}) in {models}")


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

    config = _config(seed, bf16, architecture, batch_size, accumulate, device)
    for phase in ("pretrain", "finetune", "recalibrate"):
        config = _with_epochs(config, phase, epochs)
    models = Settings().models_dir
    card = train_family(config, out / "data", _work(out, architecture), models, _reporter())
    _say(f"installed {card.family} ({card.weights_sha256[:12]}) in {models}")


@train_app.command()
def grid(  # noqa: PLR0913, PLR0917 - one parameter an option
    out: Folder = DEFAULT_FOLDER,
    seed: Seed = 1,
    lead_sets: Annotated[str, typer.Option(help="Lead sets, comma-separated.")] = "12,6,1",
    bf16: Bf16 = False,
    architecture: Architecture = DEMO,
    batch_size: BatchSize = None,
    accumulate: Accumulate = 1,
    device: Device = CPU,
) -> None:
    """Train every phase and control for 12, 6 and 1 leads; goes on where it was stopped."""
    from ecgdash.training.grid import LEAD_SETS, train_grid

    wanted = [name for name in LEAD_SETS if name in lead_sets.replace(" ", "").split(",")]
    if len(wanted) != len(lead_sets.split(",")):
        raise InvalidValue(
            f"{lead_sets!r} names a lead set that there is not, or one twice",
            accepted=f"Accepted: {', '.join(LEAD_SETS)}",
        )
    config = _config(seed, bf16, architecture, batch_size, accumulate, device)
    models, work = Settings().models_dir, _work(out, architecture)
    for card in train_grid(config, out / "data", work, models, wanted, _reporter()):
        _say(f"installed {card.family} ({card.weights_sha256[:12]}) in {models}")


def _work(out: Path, architecture: str) -> Path:
    """Return the folder of checkpoints; another network's do not lie among the shipped one's."""
    return out / ("work" if architecture == DEMO else f"work-{architecture}")


def _config(  # noqa: PLR0913, PLR0917 - one parameter an option
    seed: int,
    bf16: bool,
    architecture: str,
    batch_size: int | None,
    accumulate: int,
    device: str,
) -> "TrainingConfig":
    from ecgdash.training.config import FitSettings, TrainingConfig, family_name

    config = TrainingConfig(seed=seed, architecture=architecture, device=device)

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


def _with_epochs(config: "TrainingConfig", phase: str, epochs: int | None) -> "TrainingConfig":
    if epochs is None:
        return config
    changed: dict[str, Any] = {phase: replace(getattr(config, phase), epochs=epochs)}
    return replace(config, **changed)


def _say(line: str) -> None:
    """Print in the first of the processes that train together."""
    from ecgdash.training.distributed import is_first

    if is_first():
        typer.echo(line)


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
