"""EDF, EDF+, BDF and BDF+ (16 and 24 bit).

ecgdatakit refuses BDF, rounds sampling rates to whole hertz, reads cut files as far as
they go and joins the records of a discontinuous file; so the header and the records are
decoded here, after the specifications on edfplus.info and biosemi.com. The
local-patient field may hold a name and a birth date; code, sex, birth date and name are told
apart only where it has the four words of EDF+.
"""

import re
from datetime import tzinfo
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import EcgRecord
from ecgdash.errors import FileTooLarge, UnknownSamplingRate
from ecgdash.io.about import About
from ecgdash.io.build import Channel, Facts, build_record, lead_name, require_unit, sex_of
from ecgdash.io.edf_header import (
    BDF,
    EDF,
    Header,
    Signal,
    damaged,
    decimal,
    header_of,
    long_date,
    start_of,
    whole_number,
)
from ecgdash.io.hints import ReadHints
from ecgdash.io.identity import identity_of
from ecgdash.io.times import moment_of, resolve_age

__all__ = ["ABOUT", "SUFFIXES", "read", "sniff"]

ABOUT: Final = About(
    title="EDF and BDF",
    versions="EDF, EDF+, BDF, BDF+; continuous",
    libraries=("ours",),
    reads="Signals named after a lead (also ECG I, EKG I, I-REF), start time, recorder, and, "
    "where the patient field has the four words of EDF+, patient code, sex and age.",
    decides=(
        "Years 85 to 99 are 1985 to 1999, all others 2000 to 2084, unless EDF+ writes all four "
        "digits.",
        "A start of 01.01.85 00:00:00 means that it is not known.",
        "A patient field of free text is dropped: it may hold a name.",
        "A file that its recorder did not close (-1 records) is read if it ends with a whole "
        "record; a note says so.",
        "A file marked as discontinuous is read if its records follow each other without a gap.",
    ),
    checks=(
        "Header length against number of signals.",
        "Length of the file against records, samples and bytes a sample.",
        "The time stamps of EDF+ against number and duration of the records.",
        "The leads share one sampling rate.",
    ),
    limits=(
        "Gaps between records, and signals of one file at different rates among the leads, are "
        "refused.",
        "More than 10 million samples are refused.",
    ),
    proven=(
        "pyedflib, on the EDF of a KardiaMobile 6L and on EDF+ and BDF+ files that pyedflib wrote",
    ),
)
SUFFIXES: Final = (".edf", ".bdf")

_MOST_SAMPLES: Final = 10_000_000
_MOST_RECORDS: Final = 1_000_000
_LABEL: Final = re.compile(r"^(?:E[CK]G[ _-]+)?(.*?)(?:-REF)?$", re.IGNORECASE)
_TIME_STAMP: Final = re.compile(rb"^([+-]\d{1,9}(?:\.\d{1,9})?)(?:\x15[\d.]*)?\x14")


def sniff(path: Path) -> bool:
    """Whether the file starts with the version field of EDF or BDF and a header length."""
    with path.open("rb") as stream:
        head = stream.read(256)
    return head[:8] in (EDF, BDF) and len(head) == 256 and head[184:192].strip().isdigit()


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read an EDF or BDF file; see `ecgdash.io.read_ecg`."""
    notes: list[str] = []
    data = path.read_bytes()
    header = header_of(data, path.name)
    records = _records(data, header, path.name, notes)
    _check_time_stamps(records, header, path.name, notes)
    leads = [signal for signal in header.signals if lead_name(_plain_label(signal)) is not None]
    n_samples = len(records) * sum(signal.n_each for signal in leads)
    if n_samples > _MOST_SAMPLES:
        raise _too_large(f"the leads hold {n_samples} samples", _MOST_SAMPLES, path.name)
    channels = [
        _channel(signal, records, header.width, path.name)
        for signal in header.signals
        if not _is_annotations(signal)
    ]
    return build_record(
        channels,
        _rate(leads, header, path.name),
        _facts(header, leads, zone, notes),
        source_name=path.name,
        file_format="edf",
    )


def _too_large(what: str, most: int, where: str) -> FileTooLarge:
    return FileTooLarge(
        what, where=where, accepted=f"Accepted: at most {most}", todo="Cut the recording"
    )


def _records(data: bytes, header: Header, where: str, notes: list[str]) -> NDArray[np.uint8]:
    """Return the bytes of the records, shape (n_records, bytes of a record).

    Raises
    ------
    CorruptFile
        If the file is shorter or longer than its header states.
    """
    held = len(data) - header.n_bytes
    n_records = header.n_records
    if n_records == -1:
        n_records = held // header.record_bytes
        notes.append(f"the recorder did not close the file; it holds {n_records} records")
    if n_records <= 0 or held != n_records * header.record_bytes:
        raise damaged(
            f"the header states {header.n_records} records of {header.record_bytes} bytes, "
            f"the file holds {held} bytes of them",
            where,
        )
    if n_records > _MOST_RECORDS:
        raise _too_large(f"the file holds {n_records} records", _MOST_RECORDS, where)
    body = np.frombuffer(data, dtype=np.uint8, offset=header.n_bytes)
    return body.reshape(n_records, header.record_bytes)


def _check_time_stamps(
    records: NDArray[np.uint8], header: Header, where: str, notes: list[str]
) -> None:
    """Compare the time stamps of EDF+ with number and duration of the records."""
    gaps_allowed = header.reserved[3:5] == "+D"
    stamps = []
    clock = next(filter(_is_annotations, header.signals), None)
    if clock is not None and header.reserved[3:4] == "+":
        first, last = clock.start * header.width, (clock.start + clock.n_each) * header.width
        found = [_TIME_STAMP.match(row.tobytes()) for row in records[:, first:last]]
        stamps = [float(match.group(1)) for match in found if match is not None]
    if len(stamps) != len(records):
        if gaps_allowed or stamps:
            raise damaged(f"{len(stamps)} of {len(records)} records state their time", where)
        return
    expected = stamps[0] + header.duration_s * np.arange(len(stamps))
    late = np.flatnonzero(np.abs(expected - stamps) > 1e-3)
    if late.size:
        raise damaged(
            f"record {late[0] + 1} starts {stamps[late[0]] - stamps[0]:g} s after the first; its "
            f"place and the duration of a record put it at {expected[late[0]] - stamps[0]:g} s",
            where,
        )
    if gaps_allowed:
        notes.append("the file is marked as discontinuous, but its records have no gaps")


def _is_annotations(signal: Signal) -> bool:
    return signal.label in ("EDF Annotations", "BDF Annotations")


def _plain_label(signal: Signal) -> str:
    match = _LABEL.match(signal.label)
    return match.group(1) if match else signal.label


def _rate(leads: list[Signal], header: Header, where: str) -> float:
    counts = sorted({signal.n_each for signal in leads})
    if leads and (len(counts) > 1 or header.duration_s <= 0):
        raise UnknownSamplingRate(
            f"the leads state {counts} samples in each record of {header.duration_s:g} s",
            where=where,
            accepted="Accepted: one rate for all leads",
            todo="Export the ECG again",
        )
    return counts[0] / header.duration_s if leads else 0.0


def _channel(signal: Signal, records: NDArray[np.uint8], width: int, where: str) -> Channel:
    name = _plain_label(signal)
    if lead_name(name) is None:
        return Channel(signal.label, np.empty(0))
    factor = require_unit(signal.unit, name, where)
    low, high = (decimal(text, "physical range", where) for text in signal.physical)
    dig_low, dig_high = (whole_number(t.encode(), "digital range", where) for t in signal.digital)
    if dig_high <= dig_low or high == low:
        raise damaged(
            f"lead {name} maps the digital range {dig_low} to {dig_high} "
            f"to {low:g} to {high:g} {signal.unit}",
            where,
        )
    columns = slice(signal.start * width, (signal.start + signal.n_each) * width)
    counts = _counts(np.ascontiguousarray(records[:, columns]), width)
    gain = (high - low) / (dig_high - dig_low)
    steps = low / gain - dig_low
    whole = round(steps) if abs(steps - round(steps)) < 1e-9 * max(1.0, abs(steps)) else None
    lsb_uv = None if whole is None else abs(gain) * factor * 1000.0
    millivolts = (counts + (steps if whole is None else whole)) * (gain * factor)
    return Channel(name, millivolts, lsb_uv)


def _counts(raw: NDArray[np.uint8], width: int) -> NDArray[np.float64]:
    if width == 2:
        return raw.reshape(-1).view("<i2").astype(np.float64)
    # 24 bits, placed in the upper three bytes of 32 so that the sign is kept
    padded = np.zeros((raw.size // 3, 4), dtype=np.uint8)
    padded[:, 1:] = raw.reshape(-1, 3)
    return (padded.reshape(-1).view("<i4") >> 8).astype(np.float64)


def _has_four_fields(words: list[str]) -> bool:
    """Tell code, sex, birth date and name from free text, whose first word may be a name."""
    if len(words) < 4 or words[1].upper() not in {"M", "F", "X"}:
        return False
    return words[2].upper() == "X" or long_date(words[2]) is not None


def _facts(header: Header, leads: list[Signal], zone: tzinfo, notes: list[str]) -> Facts:
    start = start_of(header, notes)
    words = header.patient.split()
    is_edf_plus = _has_four_fields(words)
    if words and not is_edf_plus:
        notes.append("the patient field is free text and was dropped; the patient id is unknown")
    birth = long_date(words[2]) if is_edf_plus else None
    age, age_notes = resolve_age(None, birth, start.date() if start else None)
    notes.extend(age_notes)
    filters = {signal.filters for signal in leads}
    fields = header.recording.split()
    recorder = fields[4] if len(fields) > 4 and fields[0] == "Startdate" else "X"
    return Facts(
        moment=moment_of(start, zone) if start else None,
        patient_id=words[0] if is_edf_plus else None,
        age_years=age,
        sex=sex_of(words[1]) if is_edf_plus else None,
        device="" if recorder == "X" else recorder.replace("_", " "),
        filters=filters.pop() if len(filters) == 1 else None,
        notes=notes,
        identity=identity_of([words[3].replace("_", " ")], birth) if is_edf_plus else None,
    )
