"""WFDB records (.hea with .dat, .mat or other signal files), of one or several segments.

What the header says is taken strictly, samples are decoded by the wfdb package and compared
with sizes, first values and checksums, segments are joined with gaps between them (all in
`ecgdash.io.wfdb_record`). A gain must be stated: wfdb itself would
take 200 units per millivolt for an uncalibrated record. Comment lines of PhysioNet/CinC
2021 (Age, Sex, Dx) and of our own writer become facts.
"""

import re
from dataclasses import replace
from datetime import datetime, time, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Final

from ecgdash.domain import EcgRecord
from ecgdash.domain.ecg import MEASUREMENT_KEYS
from ecgdash.errors import CorruptFile
from ecgdash.io.about import About
from ecgdash.io.build import Facts, build_record, sex_of
from ecgdash.io.hints import ReadHints
from ecgdash.io.times import Moment, moment_of, parse_iso, resolve_age
from ecgdash.io.wfdb_record.header import Header, content_lines, parse_header, record_files
from ecgdash.io.wfdb_record.segments import read_channels

SUFFIXES: Final = (".hea", ".dat", ".mat")
ABOUT: Final = About(
    title="WFDB",
    versions="Records of one or several segments (fixed and variable layout); signal formats 8, "
    "16, 24, 32, 61, 80, 160, 212, 310, 311 and FLAC (508, 516, 524); PhysioNet/CinC .mat + .hea",
    libraries=("wfdb",),
    reads="The leads in millivolts; start, age, sex, SNOMED codes and our own writer's facts "
    "from the first line and the comments.",
    decides=(
        "A signal without unit is in millivolts, as the WFDB format defines (noted).",
        "A missing length is taken from the signal files' size (noted).",
        "Leads of several samples a frame keep all of them; the rate is theirs (noted).",
        "A signal's lag (skew) is taken back; its end is filled with absent samples (noted).",
        "Gaps between segments are absent samples (noted).",
        "Signals that are none of the twelve leads (vx, vy, vz, pressures) are dropped (noted).",
        "A start that is not HH:MM:SS DD/MM/YYYY is not used (noted): PhysioNet/CinC 2021 writes "
        "the day of conversion there.",
        "A comment of a date whose order of day and month is unstated is not used (noted).",
    ),
    checks=(
        "Every field of the header must be understood whole.",
        "The number of signals or segments must be that of the lines.",
        "Each signal file must hold exactly the bytes that length, signals and format ask for.",
        "First values and checksums must be those of the samples, where the header states them.",
        "A MATLAB file's own rows, columns, type and start must be the header's.",
        "A FLAC stream's channels, bits, length and digest must fit header and samples.",
        "Segments must have the rate and signals of the record, and the lengths it states.",
    ),
    limits=(
        "Leads without a gain are refused: the record is uncalibrated.",
        "Leads that differ in sampling rate are refused.",
        "Files outside the header's folder, and segments that are themselves of several "
        "segments, are refused.",
        "At most 24 million samples of all signals, derived limb leads included.",
        "Annotation files are not read.",
    ),
    proven=(
        "wfdb: 706 PTB-XL headers, 60 of PhysioNet/CinC 2021, PTB s0010_re, a Brugada record, "
        "a103l with and without length, 100_3chan; records of every format, FLAC and several "
        "segments that wfdb wrote",
        "PTB-XL's records at 100 Hz against those at 500 Hz",
    ),
)
_RECORD_LINE: Final = re.compile(r"^[\w.-]+(/\d+)?\s+-?\d+(\s|$)")
_COMMENT: Final = re.compile(r"^<?([\w .()-]+?)>?\s*:\s*(.*)$")
_ZONE: Final = re.compile(r"^(?:UTC)?([+-])(\d{2}):?(\d{2})$")
_DAY_MINUTES: Final = 24 * 60
_NAME_TAIL: Final = re.compile(r"[_.-]?[^_.-]*$")


def header_of(path: Path) -> Path | None:
    """Return the header that `path` is, or that names it as a signal file; None otherwise.

    A signal file may have another name than its header: of `rec_a.dat` the headers
    `rec_a.hea` and `rec.hea` are asked.
    """
    if path.suffix.lower() == ".hea":
        return path
    stem = path.stem
    while stem:
        header = path.with_name(f"{stem}.hea")
        if header.is_file() and path.name in signal_files(header):
            return header
        stem = _NAME_TAIL.sub("", stem) if path.suffix.lower() in SUFFIXES else ""
    return None


def signal_files(header: Path) -> tuple[str, ...]:
    """Return the names of all files beside a header that belong to its record.

    Of a record of several segments these are their headers and signal files.
    """
    return record_files(header)


def sniff(path: Path) -> bool:
    """Whether the file is a WFDB header, or a signal file with its header beside it."""
    header = header_of(path)
    if header is None:
        return False
    lines = content_lines(header)
    return bool(lines) and _RECORD_LINE.match(lines[0]) is not None


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read a WFDB record; see `ecgdash.io.read_ecg`."""
    file = header_of(path) or path
    header = parse_header(file)
    notes: list[str] = []
    channels, sampling_hz = read_channels(header, file.parent, notes)
    facts = _facts(header, zone, notes)
    return build_record(channels, sampling_hz, facts, source_name=file.name, file_format="wfdb")


def _facts(header: Header, zone: tzinfo, notes: list[str]) -> Facts:
    said = _said(header.comments)
    moment = _moment(header, said, zone)
    age_text = re.match(r"^\d{1,4}(?:\.\d+)?", said.get("age", [""])[0])
    age, age_notes = resolve_age(float(age_text.group()) if age_text else None, None, None)
    notes.extend(age_notes)
    if header.odd_start:
        notes.append(
            "the start in the header is not HH:MM:SS DD/MM/YYYY and was not used (PhysioNet/CinC "
            "2021 writes the day of conversion there)"
        )
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


def _said(comments: tuple[str, ...]) -> dict[str, list[str]]:
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


def _moment(header: Header, said: dict[str, list[str]], zone: tzinfo) -> Moment | None:
    if header.day is None:
        return None
    stated = datetime.combine(header.day, header.clock or time())
    own_zone = _stated_zone(said.get("time zone", [""])[0])
    if own_zone is not None:
        stated = stated.replace(tzinfo=own_zone)
    try:
        moment = moment_of(stated, zone, has_time=header.clock is not None)
    except OverflowError as error:
        raise CorruptFile(
            "the start of the recording lies outside the calendar",
            where=header.where,
            todo="Correct the header",
        ) from error
    local = parse_iso(said.get("local day", [""])[0], zone)
    return replace(moment, local_day=local.local_day) if local else moment


def _stated_zone(text: str) -> tzinfo | None:
    match = _ZONE.match(text.strip())
    if match is None:
        return None
    minutes = int(match.group(2)) * 60 + int(match.group(3))
    if minutes >= _DAY_MINUTES:
        return None
    return timezone(timedelta(minutes=-minutes if match.group(1) == "-" else minutes))
