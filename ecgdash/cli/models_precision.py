"""The command that measures what a lower precision does to a family's scores."""

import json
from typing import Annotated

import typer

from ecgdash.settings import Settings

__all__ = ["precision"]


def precision(
    family: str,
    ecgs: Annotated[int, typer.Option(min=4, help="Analysable simulated ECGs, at least.")] = 400,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulated patients.")] = 5101,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Measure lower precisions against float32, and keep the outcome beside the weights."""
    from ecgdash.inference import Engine
    from ecgdash.inference.precision_record import precision_document
    from ecgdash.services.precision import install_precision, measure_precision, result_words

    settings = Settings()
    engine = Engine.load(family, settings.device, settings.models_dir)
    found = measure_precision(engine, ecgs, seed, lambda told: typer.echo(told, err=True))
    install_precision(found, settings.models_dir)
    if as_json:
        typer.echo(json.dumps(precision_document(found), indent=1, allow_nan=False))
        return
    typer.echo(f"{found.family}: {found.data}")
    for one in found.results:
        typer.echo(f"  {result_words(one)}")
    if not found.results:
        typer.echo("  this machine has no lower precision to measure")
