"""The commands that train and evaluate the whole grid, and one of its cells again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecgdash.cli.training_options import (
    CPU,
    DEFAULT_FOLDER,
    DEMO,
    Accumulate,
    Architecture,
    BatchSize,
    Bf16,
    Device,
    Folder,
    Seed,
    config_of,
    lead_set_reporter,
    reporter,
    say,
    work_folder,
)
from ecgdash.errors import InvalidValue, NotReproduced
from ecgdash.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecgdash.domain.leads import LeadSet
    from ecgdash.services.evaluation_simulated import SimulatedSource

__all__ = ["cell", "grid"]

Seeds = Annotated[str, typer.Option(help="Seeds of unseen simulated patients, comma-separated.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes that score.")]


def grid(  # noqa: PLR0913, PLR0917 - one parameter an option
    out: Folder = DEFAULT_FOLDER,
    seed: Seed = 1,
    lead_sets: Annotated[str, typer.Option(help="Lead sets, comma-separated.")] = "12,6,1",
    bf16: Bf16 = False,
    architecture: Architecture = DEMO,
    batch_size: BatchSize = None,
    accumulate: Accumulate = 1,
    device: Device = CPU,
    jobs: Annotated[
        int, typer.Option(min=1, help="Lead sets that train at once; 1 under torchrun.")
    ] = 2,
    patients: Annotated[int, typer.Option(min=1, help="Simulated patients a seed.")] = 8_500,
    seeds: Seeds = "4001,4002,4003,4004,4005",
    shifted_seeds: Annotated[
        str, typer.Option(help="Seeds of patients of the shifted site; empty: none.")
    ] = "4101",
    workers: Workers = 2,
) -> None:
    """Train every phase and control for 12, 6 and 1 leads, evaluate them, write one results file.

    Simulated patients are prepared if nothing is; every step goes on where it was stopped. The
    epochs of the demo network's 24 cells, added up, took 2 h 10 min on a busy core, and the
    evaluation 1 h on two.
    """
    from ecgdash.training.distributed import is_first, n_planned
    from ecgdash.training.grid import LEAD_SETS, train_grid
    from ecgdash.training.grid import config_of as of_lead_set

    wanted = [name for name in LEAD_SETS if name in _parts(lead_sets)]
    if len(wanted) != len(_parts(lead_sets)):
        raise InvalidValue(
            f"{lead_sets!r} names a lead set that there is not, or one twice",
            accepted=f"Accepted: {', '.join(LEAD_SETS)}",
        )
    sources = _sources(out, patients, seeds, shifted_seeds, workers)
    _prepare(out / "data")
    config = config_of(seed, bf16, architecture, batch_size, accumulate, device)
    models, work = Settings().models_dir, work_folder(out, architecture)
    cards = train_grid(
        config,
        out / "data",
        work,
        models,
        wanted,
        lead_set_reporter,
        jobs=1 if n_planned() > 1 else jobs,
    )
    for card in cards:
        say(f"installed {card.family} ({card.weights_sha256[:12]}) in {models}")
    families = {name: of_lead_set(config, name).family for name in wanted}
    if is_first():
        _evaluate(out, work, models, families, sources)


def _prepare(data: Path) -> None:
    """Simulate the patients that train, where none are prepared."""
    from ecgdash.services.training_data import refuse_other_data
    from ecgdash.training.config import SimulatedData
    from ecgdash.training.distributed import n_planned
    from ecgdash.training.simulated import prepare_simulated

    if (data / "follow_up" / "courses.jsonl").exists():
        return
    if n_planned() > 1:
        raise InvalidValue(
            "several processes cannot prepare the ECGs",
            todo="Run 'python -m ecgdash train prepare' first, without torchrun",
        )
    refuse_other_data(data, None)  # own data whose preparation was stopped
    prepare_simulated(SimulatedData(), data, reporter())


def _evaluate(
    out: Path,
    work: Path,
    models: Path,
    families: "dict[LeadSet, str]",
    sources: "Sequence[SimulatedSource]",
) -> None:
    from ecgdash.services.grid import GridPlan, evaluate_grid, is_simulated, write_results

    if not is_simulated(out / "data"):
        say("Own data: evaluate each family with 'python -m ecgdash evaluate --store --family F'")
        return
    plan = GridPlan(work, out / "data", models, families, tuple(sources))
    for path in write_results(*evaluate_grid(plan, _tell), out / "results"):
        say(f"written: {path}")


def cell(
    name: Annotated[str, typer.Argument(help="For instance control_2000.")],
    lead_set: Annotated[str, typer.Option(help="12, 6 or 1.")] = "1",
    results: Annotated[Path, typer.Option(help="The results file to compare with.")] = Path(
        "docs/results.json"
    ),
    out: Annotated[Path, typer.Option(help="Folder of its ECGs and checkpoints.")] = Path(
        "training-cell"
    ),
    workers: Workers = 2,
) -> None:
    """Train one cell of the grid again, from nothing, and compare it with the results file."""
    from ecgdash.services.grid import read_results
    from ecgdash.services.grid_cell import train_cell

    again = train_cell(read_results(results), lead_set, name, out, workers, reporter(), _tell)
    difference = again.found - again.published
    typer.echo(
        f"{again.cell}, lead set {again.lead_set}, seed {again.seed}: AUROC {again.found:.4f}, "
        f"in the results file {again.published:.4f}, difference {difference:+.4f}, "
        f"tolerance {again.tolerance:.4f}"
    )
    if abs(difference) > again.tolerance:
        raise NotReproduced(
            f"the cell {name} differs from the results file by {difference:+.4f}",
            accepted=f"Accepted: {again.tolerance:.4f} either way",
        )


def _sources(
    out: Path, patients: int, seeds: str, shifted: str, workers: int
) -> "list[SimulatedSource]":
    from ecgdash.services.grid import sources_of

    return sources_of(patients, _numbers(seeds), _numbers(shifted), out / "scores", workers)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _numbers(text: str) -> list[int]:
    parts = _parts(text)
    if not all(part.isdecimal() for part in parts):
        raise InvalidValue(f"{text!r} is no list of seeds", accepted="Accepted: 4001,4002")
    return [int(part) for part in parts]


def _tell(text: str) -> None:
    typer.echo(text, err=True)
