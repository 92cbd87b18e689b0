"""The command that scores stored ECGs."""

import json
import logging
import sys
from typing import Annotated

import typer

from ecgdash.errors import EcgDashError
from ecgdash.settings import Settings

__all__ = ["score"]

_LOG = logging.getLogger(__name__)


def score(
    patient: Annotated[str | None, typer.Option(help="Id of one patient, or SITE/ID.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Score every patient.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Score stored ECGs by every installed family."""
    from ecgdash.services.exporting import points_json
    from ecgdash.services.monitoring import find_patient, timeline
    from ecgdash.services.scoring import load_engines, score_patients
    from ecgdash.store import open_store

    if (patient is None) == (not everybody):
        raise EcgDashError(
            "whom to score is not stated", accepted="Accepted: --patient ID or --all"
        )
    settings = Settings()
    store = open_store(settings.database_url)
    keys = None if patient is None else [find_patient(store, patient, settings).key]
    engines = load_engines(settings, few=patient is not None)
    report = score_patients(store, engines, keys, _progress)
    if not as_json:
        typer.echo(
            f"{report.n_patients} patients: {report.n_updated} predictions written, "
            f"{report.n_networks} by the network, {report.n_withheld} ECGs withheld; "
            f"{report.n_labelled} ECGs through the label head."
        )
        if not engines:
            typer.echo("No model is installed.", err=True)
        return
    cards = [engine.card for engine in engines]
    found = []
    for key in store.patient_keys() if keys is None else keys:
        course = timeline(store, key, cards)
        head = {"patient": course.patient.id, "site": course.patient.site}
        found.extend(points_json([*course.points, *course.undated], head))
    typer.echo(json.dumps(found, allow_nan=False))


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() or done == total:
        typer.echo(f"scored {done} of {total} patients", err=True)
