"""The CSV that Apple Health exports of a watch's ECG, in any language.

Keys and the names of months are in the language of the phone, so the file is known by its
structure: lines of key and value, among them a value in hertz, one that ends in "I" and one
that is a unit of amplitude; then one number a line. In many languages the decimal sign is a
comma, unquoted in a file separated by commas: the numbers, each alone on its line, decide.
"""

import re
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile, UnknownUnits
from ecgdash.io.about import About
from ecgdash.io.build import Facts, lead_name, millivolts_per
from ecgdash.io.edf_header import long_date
from ecgdash.io.hints import ReadHints, gather_hints
from ecgdash.io.identity import identity_of
from ecgdash.io.number_rows import decoded, lines_of
from ecgdash.io.plain import PlainEcg, plain_record
from ecgdash.io.times import Moment, moment_of

SUFFIXES: Final = (".csv",)
ABOUT: Final = About(
    title="Apple Watch CSV",
    versions="as Apple Health exports it, any language",
    libraries=("ours",),
    reads="Lead I, its rate and unit, the time with its zone, the classification as a statement, "
    "the device.",
    decides=("The decimal sign, comma or point, by all samples: they must agree.",),
    checks=("Every line after the head is a sample, a number of the same form.",),
    limits=(
        "The file states no length: one that is cut at the end of a line cannot be told from a "
        "whole one.",
    ),
    proven=("hand arithmetic on a file with decimal commas",),
)
_HEAD_LINES: Final = 30
_RATE: Final = re.compile(r"^(\d+)(?:[.,](\d+))?\s*(?:hertz|hz)$", re.IGNORECASE)
_STAMP: Final = re.compile(r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} [+-]\d{4}$")
_DEVICE: Final = re.compile(r'^"?(Watch\d+,\d+)"?$')
_BIRTH: Final = re.compile(r"^([A-Z][a-z]{2}) (\d{1,2}), (\d{4})$")
_SAMPLE: Final = re.compile(r"^-?\d+(?:([.,])\d+)?$")


def sniff(path: Path) -> bool:
    """Whether a CSV starts with keys and values, among them a rate in hertz."""
    if path.suffix.lower() not in SUFFIXES:
        return False
    with path.open("rb") as stream:
        raw = stream.read(4096)
    if b"\0" in raw:
        return False
    lines = raw.decode("utf-8-sig", errors="replace").splitlines()[:_HEAD_LINES]
    return any(_RATE.match(_value(line)) for line in lines)


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read a watch's ECG; see `ecgdash.io.read_ecg`."""
    lines = [line.strip() for line in lines_of(decoded(path))]
    start = next((i for i, line in enumerate(lines) if _SAMPLE.match(line)), len(lines))
    if start in (0, len(lines)) or lines[start - 1]:
        raise CorruptFile(
            "no empty line stands before the samples",
            where=path.name,
            todo="Export the ECG again",
        )
    head = [_value(line) for line in lines[:start]]
    samples, comma = _samples(lines[start:], path.name, start)
    unit = next((value for value in head if millivolts_per(value) is not None), None)
    if unit is None:
        raise UnknownUnits(
            "no amplitude unit is stated",
            where=path.name,
            accepted="Accepted: a line with the unit, for instance µV",
            todo="Export the ECG again",
        )
    lead = next((name for value in head if value and (name := _lead(value))), None)
    if lead is None:
        raise CorruptFile("no line names the lead", where=path.name, todo="Export the ECG again")
    notes = ["the decimal sign is a comma, by all samples"] if comma else []
    ecg = PlainEcg(
        {lead: samples}, _rate(head, comma, path.name), unit, facts=_facts(head, zone, notes)
    )
    return plain_record(path, ecg, gather_hints(path, hints), zone, "apple-watch-csv")


def _value(line: str) -> str:
    return line.partition(",")[2].strip()


def _lead(value: str) -> str | None:
    return lead_name(value.split()[-1])


def _samples(lines: list[str], where: str, start: int) -> tuple[np.ndarray[Any, Any], bool]:
    """Return the samples, and whether their decimal sign is a comma."""
    while lines and not lines[-1]:
        lines = lines[:-1]
    signs = set()
    for i, line in enumerate(lines):
        found = _SAMPLE.match(line)
        if found is None:
            raise CorruptFile(
                "a line among the samples is no number",
                where=f"{where}, row {start + i + 1}",
                todo="Export the ECG again",
            )
        signs.add(found.group(1))
    signs.discard(None)
    if len(signs) > 1:
        raise CorruptFile("samples differ in their decimal sign", where=where)
    comma = signs == {","}
    return np.array([line.replace(",", ".") for line in lines], dtype=np.float64), comma


def _rate(head: list[str], comma: bool, where: str) -> float:
    found = next(match for value in head if (match := _RATE.match(value)))
    text = found.group(0)
    if found.group(2) is not None and ("," in text) != comma:
        raise CorruptFile("rate and samples differ in their decimal sign", where=where)
    return float(f"{found.group(1)}.{found.group(2) or 0}")


def _facts(head: list[str], zone: tzinfo, notes: list[str]) -> Facts:
    """Return time, classification, device and, by the two lines before the time, the person."""
    stamp = next((i for i, value in enumerate(head) if _STAMP.match(value)), None)
    moment: Moment | None = None
    statements = []
    if stamp is not None:
        try:
            moment = moment_of(datetime.strptime(head[stamp], "%Y-%m-%d %H:%M:%S %z"), zone)
        except (ValueError, OverflowError):
            notes.append("the stated time is none")
        # Apple writes the classification below the time, whatever the language
        statements = [text for text in head[stamp + 1 : stamp + 2] if text]
    name, birth = (text.strip('"') for text in head[:2]) if stamp == 2 else ("", "")
    device = next((match.group(1) for value in head if (match := _DEVICE.match(value))), None)
    return Facts(
        moment=moment,
        statements=statements,
        device=f"Apple {device}" if device else None,
        notes=notes,
        identity=identity_of([name], _birth(birth)),
    )


def _birth(text: str) -> date | None:
    """Return a birth date as English writes it; months of other languages are not guessed."""
    found = _BIRTH.match(text)
    return long_date(f"{found[2]:0>2}-{found[1]}-{found[3]}") if found else None
