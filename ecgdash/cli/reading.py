"""The command `read`: what a file, folder or ZIP holds, and whether it could be scored."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import typer

from ecgdash.cli.hints import Leads, SamplingHz, Units, hints_of
from ecgdash.domain import EcgRecord, GateResult
from ecgdash.errors import InputFileError, UnsupportedFormat, printable
from ecgdash.io import FoundFile, ReadHints, find_ecg_files, read_ecg
from ecgdash.settings import Settings

__all__ = ["read"]


def read(
    paths: list[Path] = typer.Argument(
        ..., metavar="PATH...", readable=False, help="ECG files, folders or ZIP archives."
    ),
    sampling_hz: SamplingHz = None,
    units: Units = None,
    leads: Leads = None,
    as_json: bool = typer.Option(False, "--json", help="Print JSON only."),
) -> None:
    """Show what files, folders or ZIP archives hold."""
    n_accepted = n_found = 0
    entries: list[dict[str, Any]] = []
    last_refusal: dict[str, Any] | None = None
    for entry in _entries(paths, hints_of(sampling_hz, units, leads)):
        n_found += 1
        n_accepted += "error" not in entry
        last_refusal = entry if "error" in entry else last_refusal
        if as_json:
            entries.append(entry)
        else:
            typer.echo(printable(_line(entry)))
    if as_json:
        typer.echo(json.dumps(entries, indent=2, allow_nan=False))
    if n_accepted:
        return
    _fail(n_found, last_refusal)


def _fail(n_found: int, last_refusal: dict[str, Any] | None) -> None:
    """End with exit code 2 and one sentence on stderr."""
    if n_found == 1 and last_refusal is not None:
        typer.echo(last_refusal["error"], err=True)
    elif n_found:
        typer.echo(
            f"None of {n_found} files could be read; the report names each reason.", err=True
        )
    else:
        nothing = UnsupportedFormat("no ECG file was found", todo="Check the path")
        typer.echo(nothing.sentence, err=True)
    raise typer.Exit(2)


def _entries(paths: list[Path], hints: ReadHints) -> Iterator[dict[str, Any]]:
    settings = Settings()
    for found in find_ecg_files(paths, settings):
        try:
            yield _accepted(found, _open(found, settings, hints))
        except InputFileError as error:
            yield {"file": found.display_name, "error": printable(error.sentence)}


def _open(found: FoundFile, settings: Settings, hints: ReadHints) -> EcgRecord:
    if found.error is not None:
        raise found.error
    return read_ecg(
        found.path,
        zone=settings.zone,
        hints=hints,
        member=found.member,
        max_file_mb=settings.max_file_mb,
    )


def _accepted(found: FoundFile, record: EcgRecord) -> dict[str, Any]:
    from ecgdash.inference.gate import gate

    verdict: GateResult = gate(record)
    return {
        "file": found.display_name,
        "format": record.file_format,
        "leads": list(record.leads),
        "sampling_hz": record.sampling_hz,
        "n_samples": record.n_samples,
        "duration_s": record.duration_s,
        "patient_id": record.patient_id,
        "recorded_at": record.recorded_at.isoformat() if record.recorded_at else None,
        "age_years": record.age_years,
        "sex": record.sex,
        "statements": list(record.statements),
        "measurements": dict(record.measurements),
        "device": record.device,
        "filters": record.filters,
        "min_mv": _extremes(record, np.fmin),
        "max_mv": _extremes(record, np.fmax),
        "sha256": record.sha256,
        "notes": list(record.notes),
        "gate": {
            "status": verdict.status,
            "reasons": list(verdict.reasons),
            "notes": list(verdict.notes),
            "findings": [
                {**asdict(finding), "leads": list(finding.leads)} for finding in verdict.findings
            ],
            "window_s": None if verdict.window_s is None else list(verdict.window_s),
        },
    }


def _extremes(record: EcgRecord, pick: np.ufunc) -> dict[str, float | None]:
    """Return the extreme of each lead in mV; None where every sample is absent."""
    values = pick.reduce(record.signal_mv, axis=1)
    return {
        name: round(float(value), 6) if np.isfinite(value) else None
        for name, value in zip(record.leads, values, strict=True)
    }


def _line(entry: dict[str, Any]) -> str:
    if "error" in entry:
        sentence = entry["error"].removeprefix(f"{PurePath(entry['file']).name}: ")
        return f"{entry['file']}: refused. {sentence[:1].upper()}{sentence[1:]}"
    when = entry["recorded_at"] or "undated"
    reasons = "; ".join(entry["gate"]["reasons"])
    status = entry["gate"]["status"] + (f" ({reasons})" if reasons else "")
    return (
        f"{entry['file']}: {entry['format']}, {len(entry['leads'])} leads, "
        f"{entry['sampling_hz']:g} Hz, {entry['duration_s']:.1f} s, "
        f"patient {entry['patient_id'] or 'unknown'}, {when}, {status}"
    )
