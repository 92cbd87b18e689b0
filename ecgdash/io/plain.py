"""What layouts share that leave rate, unit or leads open: arrays, tables, research files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any

import numpy as np

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile, MissingLeads, UnknownSamplingRate, UnknownUnits
from ecgdash.io.build import (
    Channel,
    Facts,
    build_record,
    lead_name,
    millivolts_per,
    require_unit,
    sex_of,
)
from ecgdash.io.hints import ReadHints
from ecgdash.io.times import parse_iso, resolve_age

__all__ = ["CODE15_NO_UNIT", "PlainEcg", "plain_record", "rate_as_stated"]

CODE15_NO_UNIT = (
    "no amplitude unit is stated, and CODE-15 leaves it open: its ECGs do not look like millivolts"
)
"""Five extracts, read as mV: a second's swing (median over leads) of 1.60 to 2.26 mV, each above
that of 89 % of 353 PTB-XL records, whose median is 1.13 mV (measured by `lead_quality`)."""
_SAME_RATE = 0.01
"""Share by which a rate and the step of a time column may differ: steps are rounded."""


@dataclass
class PlainEcg:
    """An ECG as its layout gives it.

    Attributes
    ----------
    rows : mapping of str to ndarray
        Samples by the name of each signal.
    sampling_hz, units
        As the file or the published description of its layout states them; None: open.
    units_of : mapping of str to str
        Units of single signals, where the file states them.
    no_unit : str
        What to say where no unit is known.
    facts : Facts
        What else is known; its notes say where from.
    """

    rows: Mapping[str, np.ndarray[Any, Any]]
    sampling_hz: float | None = None
    units: str | None = None
    units_of: Mapping[str, str] = field(default_factory=dict)
    no_unit: str = "no amplitude unit is stated"
    facts: Facts = field(default_factory=Facts)


def plain_record(
    path: Path, ecg: PlainEcg, known: ReadHints, zone: tzinfo, file_format: str
) -> EcgRecord:
    """Make a record of named rows once rate and unit are stated.

    Raises
    ------
    UnknownSamplingRate, UnknownUnits, MissingLeads
        If a statement is missing.
    CorruptFile
        If the user's statement contradicts the file's.
    """
    facts = ecg.facts
    rate = rate_as_stated(path, ecg.sampling_hz, known)
    if len({lead_name(name) for name in ecg.rows if lead_name(name)}) == 0:
        raise MissingLeads(
            f"none of {', '.join(ecg.rows)} is one of the twelve leads",
            where=path.name,
            todo="State the leads in a sidecar or in the call",
        )
    unit = _unit_as_stated(path, ecg, known)
    if known.n_samples is not None:
        _check_length(path, ecg, known.n_samples)
    channels = [
        Channel(name, values * _factor(path, ecg, name, unit)) for name, values in ecg.rows.items()
    ]
    stated = [
        f"{word} {value}"
        for word, own, value in (
            ("sampling rate", ecg.sampling_hz, f"{rate:g} Hz"),
            ("unit", ecg.units or ecg.units_of or None, unit),
        )
        if own is None
    ]
    if stated:
        facts.notes.insert(0, f"{' and '.join(stated)} as stated by the user")
    _add_persons_facts(facts, known, zone)
    return build_record(channels, rate, facts, source_name=path.name, file_format=file_format)


def rate_as_stated(path: Path, own_hz: float | None, known: ReadHints) -> float:
    """Return the rate that the file, its description or the user states.

    Raises
    ------
    UnknownSamplingRate
        If nobody does.
    CorruptFile
        If they differ.
    """
    if own_hz is None and known.sampling_hz is None:
        raise UnknownSamplingRate(
            "the sampling rate is not stated",
            where=path.name,
            accepted="Accepted: sampling_hz in a sidecar or in the call",
            todo=f'Write {path.name}.json, for instance {{"sampling_hz": 500, "units": "mV"}}',
        )
    if own_hz is not None and known.sampling_hz is not None:
        if abs(own_hz - known.sampling_hz) > _SAME_RATE * own_hz:
            raise CorruptFile(
                f"the file's rate is {own_hz:g} Hz, the stated one {known.sampling_hz:g} Hz",
                where=path.name,
                todo="Correct the sidecar or the call",
            )
        return known.sampling_hz
    return float(own_hz if own_hz is not None else known.sampling_hz or 0.0)


def _factor(path: Path, ecg: PlainEcg, name: str, unit: str | None) -> float:
    own = ecg.units_of.get(name, unit)
    if own is None and lead_name(name) is not None:
        raise UnknownUnits(
            ecg.no_unit,
            where=path.name,
            accepted="Accepted: nV, uV, mV, V",
            todo="State units in a sidecar or in the call",
        )
    return 1.0 if own is None else require_unit(own, name, path.name)


def _unit_as_stated(path: Path, ecg: PlainEcg, known: ReadHints) -> str | None:
    own = [ecg.units, *ecg.units_of.values()]
    for unit in own:
        if unit and known.units and millivolts_per(unit) != millivolts_per(known.units):
            raise CorruptFile(
                f"the file's unit is {unit}, the stated one {known.units}",
                where=path.name,
                todo="Correct the sidecar or the call",
            )
    return ecg.units or known.units


def _check_length(path: Path, ecg: PlainEcg, n_samples: int) -> None:
    held = {len(row) for row in ecg.rows.values()}
    if held != {n_samples}:
        raise CorruptFile(
            f"the file holds {', '.join(map(str, sorted(held)))} samples, {n_samples} are stated",
            where=path.name,
            todo="Export the ECG again, or correct the statement",
        )


def _add_persons_facts(facts: Facts, known: ReadHints, zone: tzinfo) -> None:
    """Enter what the user states; what the file states stays."""
    stated = {
        "patient_id": known.patient_id,
        "moment": parse_iso(known.recorded_at, zone) if known.recorded_at else None,
        "sex": sex_of(known.sex),
    }
    for name, value in stated.items():
        if value is not None and getattr(facts, name) is None:
            setattr(facts, name, value)
    if known.age_years is not None and facts.age_years is None:
        day = facts.moment.local_day if facts.moment else None
        facts.age_years, notes = resolve_age(known.age_years, None, day)
        facts.notes.extend(notes)
