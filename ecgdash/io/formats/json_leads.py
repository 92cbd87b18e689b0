"""ECGs as JSON: `signal.leads` by name, with sampleRate, duration and numSamples.

Viewers of the ZZU pECG children's data set exchange ECGs like this. The file states no unit of
amplitude; one must be stated, it is never assumed. Rate, duration and number of samples are
compared with each other and with every lead.
"""

import json
import re
from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile, FileTooLarge
from ecgdash.io.about import About
from ecgdash.io.build import Facts, sex_of
from ecgdash.io.hints import ReadHints, gather_hints
from ecgdash.io.identity import identity_of
from ecgdash.io.plain import PlainEcg, plain_record
from ecgdash.io.times import parse_iso

SUFFIXES: Final = (".json",)
ABOUT: Final = About(
    title="JSON with leads",
    versions="`signal.leads`, `sampleRate`, `duration`, `numSamples` (as around ZZU pECG)",
    libraries=("ours",),
    reads="Samples, rate, time, age, sex, patient number and statements.",
    decides=("The unit must be stated, in the call or in `NAME.json.json`: the file states none.",),
    checks=("Rate x duration, the stated number of samples and the length of every lead.",),
    limits=("Other JSON is not read. At most 16 MB.",),
    proven=("the json module on four files",),
)
_MAX_BYTES: Final = 16 * 1024 * 1024
"""Nested parts take up to thirty times their bytes."""
_AGE: Final = re.compile(r"^\s*(\d{1,3}(?:\.\d+)?)\s*(yr|y|years?|mo|months?|d|days?)?\s*$")
_YEARS_PER: Final = {"y": 1.0, "m": 1 / 12, "d": 1 / 365.25}


def sniff(path: Path) -> bool:
    """Whether a JSON file starts with a signal of leads."""
    if path.suffix.lower() not in SUFFIXES:
        return False
    with path.open("rb") as stream:
        head = stream.read(4096)
    return re.match(rb'^(\xef\xbb\xbf)?\s*\{\s*"signal"\s*:\s*\{\s*"leads"', head) is not None


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read an ECG; see `ecgdash.io.read_ecg`."""
    content = _content(path)
    signal = _part(content, "signal", path.name)
    leads = _part(signal, "leads", path.name)
    rate, duration, stated = (
        _number(signal, key, path.name) for key in ("sampleRate", "duration", "numSamples")
    )
    rows = {name: _samples(values, name, path.name) for name, values in leads.items()}
    lengths = {len(row) for row in rows.values()}
    if lengths != {stated} or abs(rate * duration - stated) > 1.0:
        raise CorruptFile(
            f"{stated:g} samples are stated, {duration:g} s at {rate:g} Hz, and leads hold "
            f"{', '.join(map(str, sorted(lengths))) or 'none'}",
            where=path.name,
            todo="Export the ECG again",
        )
    ecg = PlainEcg(rows, rate, facts=_facts(content, zone))
    return plain_record(path, ecg, gather_hints(path, hints), zone, "json")


def _content(path: Path) -> Mapping[str, Any]:
    if path.stat().st_size > _MAX_BYTES:
        raise FileTooLarge(
            "the JSON is larger than 16 MB",
            where=path.name,
            accepted="Accepted: at most 16 MB",
            todo="Cut the recording",
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise CorruptFile(
            "the JSON cannot be decoded", where=path.name, todo="Export the ECG again"
        ) from error
    if not isinstance(content, dict):
        raise CorruptFile("the JSON is no object", where=path.name)
    return content


def _part(content: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    part = content.get(key)
    if not isinstance(part, dict):
        raise CorruptFile(f"{key} is missing or no object", where=where)
    return part


def _number(part: Mapping[str, Any], key: str, where: str) -> float:
    value = part.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e12:
        raise CorruptFile(f"{key} is missing or no plausible number", where=where)
    return float(value)


def _samples(values: Any, lead: str, where: str) -> np.ndarray[Any, Any]:
    try:
        row = np.asarray(values, dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise CorruptFile("the samples of a lead are no numbers", where=where) from error
    if row.ndim != 1 or not isinstance(values, list):
        raise CorruptFile("the samples of a lead are no list of numbers", where=where)
    return row


def _facts(content: Mapping[str, Any], zone: tzinfo) -> Facts:
    patient = content.get("patient")
    diagnosis = content.get("diagnosis")
    said = patient if isinstance(patient, dict) else {}
    found = diagnosis.get("statements") if isinstance(diagnosis, dict) else None
    birth = parse_iso(str(said.get("dob") or ""), zone)
    return Facts(
        moment=parse_iso(str(said.get("testDateTime") or ""), zone),
        patient_id=str(said.get("mrn") or ""),
        age_years=_age(str(said.get("age") or "")),
        sex=sex_of(str(said.get("sex") or "")),
        statements=[text for text in found if isinstance(text, str)]
        if isinstance(found, list)
        else [],
        identity=identity_of([str(said.get("name") or "")], birth.local_day if birth else None),
    )


def _age(text: str) -> float | None:
    found = _AGE.match(text)
    return float(found.group(1)) * _YEARS_PER[(found.group(2) or "y")[0]] if found else None
