"""The commands that import files and show a patient's timeline."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecgdash.cli.hints import Leads, SamplingHz, Units, hints_of
from ecgdash.errors import InputFileError, printable
from ecgdash.settings import Settings

if TYPE_CHECKING:
    from ecgdash.domain.timeline import RiskTimeline
    from ecgdash.services.import_report import ImportReport
    from ecgdash.store import Store

__all__ = ["import_", "timeline"]


def import_(  # noqa: PLR0913 - one argument an option
    paths: Annotated[
        list[Path] | None, typer.Argument(readable=False, help="Files, folders or ZIPs with ECGs.")
    ] = None,
    echo: Annotated[
        Path | None, typer.Option(readable=False, help="CSV of measured LVEFs.")
    ] = None,
    patient_table: Annotated[
        Path | None,
        typer.Option(
            readable=False, help="Table of whose ECG each file is; ptbxl_database.csv as is."
        ),
    ] = None,
    diagnoses: Annotated[
        Path | None, typer.Option(readable=False, help="CSV of coded diagnoses.")
    ] = None,
    site: Annotated[str, typer.Option(help="Whose patient ids these are.")] = "local",
    sampling_hz: SamplingHz = None,
    units: Units = None,
    leads: Leads = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Import ECGs, echoes and diagnoses into the store."""
    from ecgdash.services.importing import import_paths
    from ecgdash.store import open_store

    settings = Settings()
    if not paths and echo is None and diagnoses is None:
        raise InputFileError(
            "nothing to import was named",
            accepted="Accepted: files, folders, ZIPs, --echo FILE, --diagnoses FILE",
        )
    store = open_store(settings.database_url)
    report = import_paths(
        store,
        paths or [],
        settings=settings,
        echo=echo,
        patient_table=patient_table,
        diagnoses=diagnoses,
        site=site,
        hints=hints_of(sampling_hz, units, leads),
        on_progress=_progress,
    )
    _renew_histories(store, settings, report)
    if as_json:
        typer.echo(json.dumps(report.as_json(), allow_nan=False))
    else:
        _tell(report)
    if not report.any_accepted:
        raise InputFileError(_why_none(report), todo="See the rows of the report")


def _renew_histories(store: "Store", settings: Settings, report: "ImportReport") -> None:
    """Bring scores that exist already in line with new ECGs and echoes."""
    scored = [key for key in report.patient_keys if store.predictions_of(key)]
    if not scored:
        return
    from ecgdash.services.scoring import load_engines, score_patients

    engines = load_engines(settings)
    if engines:
        score_patients(store, engines, scored)


def _why_none(report: "ImportReport") -> str:
    n_files = len(report.rows)
    if n_files == 0 and report.tables:
        problems = [problem for table in report.tables for problem in table.problems]
        first_problem = problems[0] if problems else "there are none"
        return f"no row of {report.tables[0].file} was accepted; the first, {first_problem}"
    if n_files == 0:
        return "no ECG file was found there"
    first = report.rows[0]
    return f"none of {n_files} files was accepted; the first, {first.file}: {first.reason}"


def _tell(report: "ImportReport") -> None:
    counts = ", ".join(f"{n} {outcome}" for outcome, n in report.counts.items())
    typer.echo(f"{len(report.rows)} files in {report.seconds:.1f} s: {counts}.")
    if report.n_same_waveform:
        typer.echo(
            f"{report.n_same_waveform} kept that repeat a waveform of another patient or time."
        )
    for row in report.needs_a_look:
        typer.echo(printable(f"  {row.outcome}  {row.file}: {_sentences(row.reason, row.todo)}"))
    for table in report.tables:
        typer.echo(f"{table.file}: {table.n_accepted} new, {table.n_duplicate} stored already.")
        for problem in table.problems:
            typer.echo(printable(f"  {problem}"))


def _sentences(*parts: str) -> str:
    """Join parts with one full stop each."""
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() or done == total:
        typer.echo(f"read {done} of {total} files", err=True)


def timeline(
    patient: Annotated[str, typer.Argument(help="Id of the patient, or SITE/ID.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Show a patient's ECGs, scores and echoes in order of time."""
    from ecgdash.services.exporting import timeline_json
    from ecgdash.services.monitoring import timeline as build_timeline
    from ecgdash.services.scoring import installed_cards
    from ecgdash.store import open_store

    settings = Settings()
    course = build_timeline(open_store(settings.database_url), patient, installed_cards(settings))
    if as_json:
        typer.echo(json.dumps(timeline_json(course), allow_nan=False))
    else:
        _show(course)


def _show(course: "RiskTimeline") -> None:
    from ecgdash.domain.prediction import VariantScore
    from ecgdash.services.monitoring import summary

    told = summary(course, datetime.now(UTC))
    typer.echo(told.first_sentence)
    typer.echo(told.rest)
    for point in (*course.points, *course.undated):
        when = "undated" if point.recorded_at is None else f"{point.recorded_at:%Y-%m-%d %H:%M}"
        scores = "  ".join(
            f"{name} {score.value:.2f}"
            for name, score in point.scores.items()
            if isinstance(score, VariantScore)
        )
        reasons = "; ".join(point.reasons)
        typer.echo(f"{when}  {point.lead_set or '-'} leads  {point.status}  {scores}{reasons}")
    for echo in course.echoes:
        paired = "" if echo.paired_ecg else "  not paired"
        typer.echo(f"{echo.study.local_day}  LVEF {echo.study.lvef_percent:.0f} %{paired}")
    typer.echo("Research use only.")
