"""WFDB records (.hea with .dat or .mat), read by the wfdb package.

Signal files must lie beside the header, and a gain must be stated: wfdb itself
would take 200 units per millivolt for an uncalibrated record. Comment lines of
PhysioNet/CinC 2021 (Age, Sex, Dx) and of our own writer become facts.
"""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.domain import EcgRecord
from ecgdash.domain.ecg import MEASUREMENT_KEYS
from ecgdash.errors import (
    CorruptFile,
    FileTooLarge,
    UnknownSamplingRate,
    UnknownUnits,
    UnsupportedFormat,
)
from ecgdash.io.build import Channel, Facts, build_record, lead_name, require_unit, sex_of
from ecgdash.io.hints import ReadHints
from ecgdash.io.times import Moment, moment_of, parse_iso, resolve_age

SUFFIXES: Final = (".hea", ".dat", ".mat")
MAX_VALUES: Final = 50_000_000
"""Samples of all signals (our choice: 12 leads at 500 Hz for more than two hours)."""
_RECORD_LINE: Final = re.compile(r"^(?P<name>[\w.-]+)(?P<segments>/\d+)?\s+\d+(\s+\d|\s*$)")
_COMMENT: Final = re.compile(r"^<?([\w .()-]+?)>?\s*:\s*(.*)$")
_ZONE: Final = re.compile(r"^(?:UTC)?([+-])(\d{2}):?(\d{2})$")


def header_of(path: Path) -> Path | None:
    """Return the header that `path` is, or that names it as a signal file; None otherwise."""
    if path.suffix.lower() == ".hea":
        return path
    header = path.with_suffix(".hea")
    if header.is_file() and path.name in signal_files(header):
        return header
    return None


def signal_files(header: Path) -> tuple[str, ...]:
    """Return the names of the signal files that a header lists."""
    lines = _content_lines(header)
    names = [line.split()[0] for line in lines[1:] if line.split()]
    return tuple(dict.fromkeys(name for name in names if name != "~"))


def _content_lines(header: Path) -> list[str]:
    text = header.read_bytes()[:1_000_000].decode("utf-8", errors="replace")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def sniff(path: Path) -> bool:
    """Whether the file is a WFDB header, or a signal file with its header beside it."""
    header = header_of(path)
    if header is None:
        return False
    lines = _content_lines(header)
    return bool(lines) and _RECORD_LINE.match(lines[0]) is not None


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read a WFDB record; see `ecgdash.io.read_ecg`."""
    import wfdb

    header = header_of(path) or path
    _check_header(header)
    try:
        record = wfdb.rdrecord(str(header.with_suffix("")), return_res=64)
    except (ValueError, IndexError, OSError, KeyError, TypeError) as error:
        raise CorruptFile(
            f"the WFDB record cannot be decoded ({type(error).__name__})",
            where=header.name,
            todo="Check that its signal files are complete",
        ) from error
    notes: list[str] = []
    channels = _channels(record, header, notes)
    facts = _facts(record, zone, notes)
    return build_record(
        channels, float(record.fs), facts, source_name=header.name, file_format="wfdb"
    )


def _check_header(header: Path) -> None:
    """Refuse what wfdb would read but should not: far files, segments, missing rate or gain."""
    where = header.name
    lines = _content_lines(header)
    match = _RECORD_LINE.match(lines[0]) if lines else None
    if match is None:
        raise CorruptFile("the first line is no WFDB record line", where=where)
    if match["segments"]:
        raise UnsupportedFormat(
            "the WFDB record has several segments",
            where=where,
            accepted="Accepted: single-segment records",
            todo="Join it with WFDB's xform",
        )
    if len(lines[0].split()) < 3:
        raise UnknownSamplingRate("the header states no sampling rate", where=where)
    _check_claims(lines[0], where)
    for name in signal_files(header):
        if "/" in name or "\\" in name or name.startswith(".."):
            raise CorruptFile(
                "the header names a signal file outside its folder",
                where=where,
                accepted="Accepted: signal files beside the header",
                todo="Put them there and correct the header",
            )
        if not (header.parent / name).is_file():
            raise CorruptFile(
                f"the signal file {name} is missing",
                where=where,
                accepted="Accepted: the header with all its signal files",
                todo="Put both into one folder, or into one ZIP",
            )
    _check_gains(lines[1:], where)


def _check_claims(record_line: str, where: str) -> None:
    """Refuse a header that claims more than any file holds: wfdb allocates what is claimed."""
    words = record_line.split()
    n_samples = int(words[3]) if len(words) > 3 and words[3].isdigit() else 0
    if int(words[1]) * max(n_samples, 1) > MAX_VALUES:
        raise FileTooLarge(
            f"the header claims {words[1]} signals of {n_samples} samples",
            where=where,
            accepted=f"Accepted: at most {MAX_VALUES} samples in all",
            todo="Correct the header, or cut the recording",
        )


def _check_gains(lines: list[str], where: str) -> None:
    for line in lines:
        words = line.split()
        lead = words[8] if len(words) > 8 else "?"
        if lead_name(lead) is None:
            continue
        gain = re.match(r"^[\d.eE+-]+", words[2])
        if gain is None or float(gain.group()) == 0.0:
            raise UnknownUnits(
                f"lead {lead}: the record is uncalibrated (no gain)",
                where=where,
                accepted="Accepted: a gain in units per millivolt",
                todo="State the gain in the header",
            )


def _channels(record: Any, header: Path, notes: list[str]) -> list[Channel]:
    per_frame = record.samps_per_frame or [1]
    if len(set(per_frame)) > 1:
        raise UnknownSamplingRate("signals differ in sampling rate", where=header.name)
    gain_fields = [line.split()[2] for line in _content_lines(header)[1:]]
    if any("/" not in field for field in gain_fields):
        notes.append("the header states no unit; the WFDB format defines millivolts then")
    channels = []
    for index, name in enumerate(record.sig_name):
        values = np.asarray(record.p_signal[:, index], dtype=np.float64)
        if lead_name(name or "") is None:
            channels.append(Channel(name or "", values))
            continue
        factor = require_unit(record.units[index], name, header.name)
        lsb_uv = factor * 1000.0 / record.adc_gain[index]
        channels.append(Channel(name, values * factor, lsb_uv))
    return channels


def _facts(record: Any, zone: tzinfo, notes: list[str]) -> Facts:
    said = _said(record.comments or [])
    moment = _moment(record, said, zone)
    age_text = re.match(r"^\d+(?:\.\d+)?", said.get("age", [""])[0])
    age, age_notes = resolve_age(float(age_text.group()) if age_text else None, None, None)
    notes.extend(age_notes)
    if moment is None and "ecg date" in said:
        notes.append("a date in the comments was not used: its order of day and month is unstated")
    codes = [code.strip() for text in said.get("dx", []) for code in text.split(",")]
    snomed = [f"SNOMED code {code}" for code in codes if code.isdigit()]
    return Facts(
        moment=moment,
        patient_id=said.get("patient id", [""])[0],
        age_years=age,
        sex=sex_of(said.get("sex", [""])[0]),
        statements=snomed + said.get("statement", []),
        measurements=_measurements(said),
        device=said.get("device", [""])[0],
        filters=said.get("filters", [""])[0],
        notes=notes,
    )


def _said(comments: list[str]) -> dict[str, list[str]]:
    """Return the comments by lower-case key; `<age>: 28  <sex>: M` holds two on one line."""
    said: dict[str, list[str]] = {}
    for comment in comments:
        parts = re.split(r"\s{2,}(?=<)", comment.strip()) if "<" in comment else [comment.strip()]
        for part in parts:
            match = _COMMENT.match(part)
            if match:
                said.setdefault(match.group(1).strip().lower(), []).append(match.group(2).strip())
    return said


def _measurements(said: dict[str, list[str]]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for key in MEASUREMENT_KEYS:
        for text in said.get(key, []):
            try:
                found[key] = float(text)
            except ValueError:
                continue
    return found


def _moment(record: Any, said: dict[str, list[str]], zone: tzinfo) -> Moment | None:
    day: date | None = record.base_date
    if day is None:
        return None
    clock = record.base_time
    stated = datetime.combine(day, clock or datetime.min.time())
    own_zone = _stated_zone(said.get("time zone", [""])[0])
    if own_zone is not None:
        stated = stated.replace(tzinfo=own_zone)
    moment = moment_of(stated, zone, has_time=clock is not None)
    local = parse_iso(said.get("local day", [""])[0], zone)
    return replace(moment, local_day=local.local_day) if local else moment


def _stated_zone(text: str) -> tzinfo | None:
    match = _ZONE.match(text.strip())
    if match is None:
        return None
    sign = -1 if match.group(1) == "-" else 1
    return timezone(sign * timedelta(hours=int(match.group(2)), minutes=int(match.group(3))))
