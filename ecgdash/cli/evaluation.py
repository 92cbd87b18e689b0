"""The command that evaluates a family."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ecgdash.errors import InvalidValue
from ecgdash.settings import Settings

__all__ = ["evaluate"]


def evaluate(
    store: Annotated[
        bool, typer.Option("--store", help="Evaluate the pairs of the store.")
    ] = False,
    scores: Annotated[Path | None, typer.Option(help="CSV of scores and LVEFs.")] = None,
    simulated_patients: Annotated[
        int | None, typer.Option(min=1, help="How many patients to simulate, per seed.")
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option(help="Seed of the simulation; several are pooled.")
    ] = None,
    enrich: Annotated[
        list[str] | None,
        typer.Option(help="LBBB=K: K further patients who count in that subgroup only."),
    ] = None,
    controls: Annotated[bool, typer.Option(help="Add the controls.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Folder for a report in markdown and CSV.")
    ] = None,
    family: Annotated[str, typer.Option(help="Installed family.")] = "deepecg-lvsd-12",
    cache: Annotated[
        Path | None, typer.Option(help="Folder that keeps the scores of simulated ECGs.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes for simulated ECGs.")] = 1,
) -> None:
    """Evaluate a family on the store, on a table of scores or on simulated patients."""
    from ecgdash.services import evaluation as service
    from ecgdash.services.simulation import parse_enrich

    if [store, scores is not None, simulated_patients is not None].count(True) != 1:
        raise InvalidValue(
            "what to evaluate is not stated, or twice",
            accepted="Accepted: one of --store, --scores CSV, --simulated-patients N --seed S",
        )
    settings = Settings()
    if scores is not None:
        result = service.evaluate_scores(scores)
    elif simulated_patients is None:
        result = service.evaluate_store(settings, family)
    else:
        if not seed:
            raise InvalidValue("--simulated-patients needs --seed", todo="Add --seed 1001")
        source = service.SimulatedSource(
            simulated_patients, seed[0], parse_enrich(enrich or []), cache, workers
        )
        result = service.evaluate_simulated(settings, source, seed, family, _progress)
    _show(result, with_controls=controls, as_json=as_json, folder=report)


def _show(
    result: dict[str, Any], *, with_controls: bool, as_json: bool, folder: Path | None
) -> None:
    from ecgdash.services import evaluation as service

    if not with_controls:
        for part in (result, *result.get("per_seed", [])):
            part.pop("controls", None)
    if folder is not None:
        for path in service.write_report(result, folder):
            typer.echo(f"written: {path}", err=True)
    if as_json:
        typer.echo(json.dumps(service.jsonable(result), allow_nan=False))
    else:
        typer.echo(service.markdown_report(result))


def _progress(text: str) -> None:
    """Rewrite one line on a terminal; elsewhere write every line."""
    typer.echo(f"\r{text}  " if sys.stderr.isatty() else text, err=True, nl=not sys.stderr.isatty())
