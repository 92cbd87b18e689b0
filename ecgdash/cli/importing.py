"""The commands that import files and show a patient's timeline."""

import json
import sys
import time
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
    from ecgdash.store import ImportRow, Store

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
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Worker processes; left out: one per core.")
    ] = None,
    recognise: Annotated[
        bool,
        typer.Option(
            "--recognise/--no-recognise",
            help="Take whose ECG each file is, echoes and diagnoses from tables among the paths.",
        ),
    ] = True,
    mapping: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Read tables by the mapping saved under this name."),
    ] = None,
    undo: Annotated[
        str | None, typer.Option(metavar="KEY", help="Take this import back as a whole.")
    ] = None,
    sampling_hz: SamplingHz = None,
    units: Units = None,
    leads: Leads = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Import ECGs, echoes and diagnoses into the store."""
    from ecgdash.services.import_data_sets import DataSets
    from ecgdash.services.importing import import_paths
    from ecgdash.store import open_store

    settings = Settings()
    if undo is not None:
        _undo(open_store(settings.database_url), settings, undo, as_json)
        return
    if not paths and echo is None and diagnoses is None:
        raise InputFileError(
            "nothing to import was named",
            accepted="Accepted: files, folders, ZIPs, --echo FILE, --diagnoses FILE",
        )
    named = paths or []
    with DataSets.of(named, settings, mapping) if recognise else DataSets() as every:
        sets = every.without((echo, patient_table, diagnoses), records=patient_table is not None)
        for sentence in sets.sentences():
            typer.echo(printable(f"recognised: {sentence}"), err=True)
        store = open_store(settings.database_url)
        report = import_paths(
            store,
            named,
            settings=settings,
            echo=echo,
            patient_table=patient_table,
            diagnoses=diagnoses,
            site=site,
            hints=hints_of(sampling_hz, units, leads),
            on_progress=_Progress().tell,
            jobs=jobs,
            data_sets=sets,
        )
    _renew_histories(store, settings, report)
    if as_json:
        for part in report.json_parts():
            typer.echo(part, nl=False)
        typer.echo()
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
    if report.n_resumed:
        typer.echo(f"{report.n_resumed} of them were done by an earlier run that was stopped.")
    if report.n_same_waveform:
        typer.echo(
            f"{report.n_same_waveform} kept that repeat a waveform of another patient or time."
        )
    for row in report.needs_a_look:
        _tell_row(row.outcome, row)
    for row in report.audited:
        _tell_row("look at", row)
    for table in report.tables:
        typer.echo(f"{table.file}: {table.n_accepted} new, {table.n_duplicate} stored already.")
        for problem in (*table.remarks, *table.problems):
            typer.echo(printable(f"  {problem}"))
    for source in report.sources:
        for column, meaning in source["label_definitions"].items():
            typer.echo(printable(f"low EF by {column}: LVEF {meaning} %"))
    typer.echo(f"'python -m ecgdash import --undo={report.key}' takes this import back.")


def _tell_row(word: str, row: "ImportRow") -> None:
    typer.echo(printable(f"  {word}  {row.file}: {_sentences(row.reason, row.todo)}"))


def _undo(store: "Store", settings: Settings, key: str, as_json: bool) -> None:
    """Take an import back and tell what went with it."""
    from ecgdash.services.importing import undo_import
    from ecgdash.services.scoring import load_engines

    undone = undo_import(store, key, settings=settings, engines=load_engines(settings))
    told = {
        "undone": key,
        "ecgs": undone.n_ecgs,
        "echoes": undone.n_echoes,
        "diagnoses": undone.n_diagnoses,
        "patients": undone.n_patients,
        "marks": undone.n_marks,
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(
        f"Removed: {undone.n_ecgs} ECGs, {undone.n_echoes} echoes, {undone.n_diagnoses} diagnoses, "
        f"{undone.n_patients} patients that had nothing else, {undone.n_marks} marks on them."
    )


def _sentences(*parts: str) -> str:
    """Join parts with one full stop each."""
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


class _Progress:
    """Tells on stderr how far an import is, how fast it goes and how long it still takes."""

    def __init__(self) -> None:
        self._started = self._told_at = time.monotonic()
        self._done_before: int | None = None

    def tell(self, done: int, total: int) -> None:
        """Say it: a line that is written over on a terminal, else one every ten seconds."""
        if self._done_before is None:
            self._done_before = done - 1  # by an earlier run that was stopped
        now = time.monotonic()
        on_terminal = sys.stderr.isatty()
        if done != total and now - self._told_at < (0.2 if on_terminal else 10.0):
            return
        self._told_at = now
        rate = (done - self._done_before) / max(now - self._started, 1e-6)
        of = f" of {total}" if total else ""
        left = f", {_clock((total - done) / rate)} left" if done < total else ""
        line = f"read {done}{of} files, {rate:.1f} ECG/s{left}"
        typer.echo(f"\r{line:<70}" if on_terminal else line, err=True, nl=not on_terminal)
        if on_terminal and done == total:
            typer.echo(err=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def timeline(
    patient: Annotated[str, typer.Argument(help="Id of the patient, or SITE/ID.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Show a patient's ECGs, scores and echoes in order of time."""
    from ecgdash.services.exporting import timeline_json
    from ecgdash.services.monitoring import find_patient
    from ecgdash.services.monitoring import timeline as build_timeline
    from ecgdash.services.scoring import installed_cards
    from ecgdash.store import open_store

    settings = Settings()
    store = open_store(settings.database_url)
    found = find_patient(store, patient, settings)
    course = build_timeline(store, found.key, installed_cards(settings))
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
