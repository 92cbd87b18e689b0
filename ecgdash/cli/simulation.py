"""The commands that simulate patients and fill a store with the sample patients."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ecgdash.errors import InvalidValue
from ecgdash.settings import Settings

__all__ = ["demo", "simulate"]


def simulate(
    out: Annotated[Path, typer.Option(help="Folder to write to, absent or empty.")],
    patients: Annotated[int | None, typer.Option(min=1, help="How many patients.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Same seed, same patients.")] = None,
    enrich: Annotated[
        list[str] | None, typer.Option(help="LBBB=K: K further patients of that class.")
    ] = None,
    sampling_hz: Annotated[float, typer.Option(help="Samples per second.")] = 250.0,
    sample_data: Annotated[
        bool, typer.Option("--sample-data", help="Write the sample patients of sample_data/.")
    ] = False,
) -> None:
    """Write simulated patients as WFDB records with echo and diagnosis tables."""
    if sample_data:
        from ecgdash.services.sample_data import write_sample_data

        made = write_sample_data(out, _progress)
    else:
        from ecgdash.services.simulation import parse_enrich, simulate_to_files

        if patients is None or seed is None:
            raise InvalidValue(
                "how many patients to simulate is not stated",
                accepted="Accepted: --patients N --seed S, or --sample-data",
            )
        made = simulate_to_files(
            patients,
            seed,
            out,
            enrich=parse_enrich(enrich or []),
            sampling_hz=sampling_hz,
            on_progress=_progress,
        )
    typer.echo(
        f"{made.n_patients} simulated patients, {made.n_ecgs} ECGs and {made.n_echoes} echoes "
        f"in {made.folder}"
    )


def demo() -> None:
    """Fill an empty store with the sample patients of sample_data/."""
    from ecgdash.services.demo import fill
    from ecgdash.store import open_store

    settings = Settings()
    store = open_store(settings.database_url)
    try:
        fill(store, settings, _tell)
    finally:
        store.close()
    typer.echo("The store holds the sample patients. Open it with: streamlit run app.py")


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() or done == total:
        typer.echo(f"\r{done} of {total}", err=True, nl=done == total)


def _tell(done: int, total: int, message: str) -> None:
    typer.echo(message, err=True)
