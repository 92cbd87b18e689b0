"""Files that ecgdatakit decodes, turned into our channels and facts.

ecgdatakit knows the layouts; units, lead names, times, ages and what is kept
are decided here and in `build`. Its warnings become notes.
"""

import re
import warnings
from collections.abc import Iterable
from datetime import tzinfo
from pathlib import Path
from typing import Any

import numpy as np

from ecgdash.errors import CorruptFile, UnknownSamplingRate
from ecgdash.io.build import Channel, Facts, lead_name, require_unit, sex_of
from ecgdash.io.identity import identity_of
from ecgdash.io.times import moment_of, resolve_age

__all__ = ["channels_of", "facts_of", "parse_with_kit", "rate_of"]

_QTC_KEYS = ("QTCorrected", "MDC_ECG_TIME_PD_QTc", "QTc Interval", "qtc")
_QUOTED = re.compile(r"""\s*(["'])[^"']*\1""")
_NUMBER = re.compile(r"^\s*(-?\d+(?:\.\d+)?)")
# Warnings about parts that we do not use, and the one that says samples are raw, as we asked for.
_UNIMPORTANT = re.compile(r"auto_scale|median|annotation|Invalid value for VR", re.IGNORECASE)


def parse_with_kit(path: Path, source_format: str, notes: list[str]) -> Any:
    """Decode a file by ecgdatakit and refuse it if that takes it for another format.

    Raises
    ------
    CorruptFile
        If ecgdatakit cannot decode it, or a checksum that the file holds does not fit.
    """
    from ecgdatakit.exceptions import ChecksumWarning, ECGDataKitError
    from ecgdatakit.parsing import FileParser

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            decoded = FileParser.parse(path, auto_scale=False)
        except (ECGDataKitError, OSError, ValueError) as error:
            name, reason = source_format.replace("_", "-"), _without_path(error, path)
            raise CorruptFile(
                f"the {name} file cannot be decoded ({reason})",
                where=path.name,
                todo="Export the ECG again",
            ) from error
    if any(issubclass(warning.category, ChecksumWarning) for warning in caught):
        raise CorruptFile(
            "the checksum in the file does not fit its content",
            where=path.name,
            todo="Export the ECG again: the file was changed or damaged",
        )
    if decoded.source_format != source_format:
        raise CorruptFile(
            f"the content is {decoded.source_format}, not {source_format}", where=path.name
        )
    texts = [_without_path(warning.message, path) for warning in caught]
    notes.extend(f"decoder: {text}" for text in texts if not _UNIMPORTANT.search(text))
    return decoded


def _without_path(message: object, path: Path) -> str:
    """Return a decoder's message without folders and without what it quotes of the content."""
    return _QUOTED.sub("", str(message).replace(str(path), path.name))


def rate_of(decoded: Any, where: str) -> float:
    """Return the one rate of the twelve leads.

    Raises
    ------
    UnknownSamplingRate
        If none is stated, or leads differ.
    """
    rates = {float(lead.sampling_rate) for lead in decoded.leads if lead_name(lead.label)}
    if len(rates) != 1 or 0.0 in rates:
        raise UnknownSamplingRate(
            f"the leads state the sampling rates {sorted(rates) or 'none'}",
            where=where,
            accepted="Accepted: one rate for all leads",
            todo="Export the ECG again",
        )
    return rates.pop()


def channels_of(leads: Iterable[Any], where: str) -> list[Channel]:
    """Convert ecgdatakit's leads to millivolts by each lead's stated unit.

    Raises
    ------
    UnknownUnits
        If one of the twelve leads states no unit of amplitude.
    """
    channels = []
    for lead in leads:
        samples = np.asarray(lead.samples, dtype=np.float64)
        if lead_name(lead.label) is None:
            channels.append(Channel(lead.label, samples))
            continue
        factor = require_unit(lead.resolution_unit or lead.units, lead.label, where)
        if not lead.is_raw:
            channels.append(Channel(lead.label, samples * factor))
            continue
        step_mv = float(lead.resolution) * factor
        exact = lead.offset == 0.0 and bool(np.all(samples == np.rint(samples)))
        millivolts = samples * step_mv + float(lead.offset) * factor
        channels.append(Channel(lead.label, millivolts, step_mv * 1000.0 if exact else None))
    return channels


def facts_of(decoded: Any, zone: tzinfo, notes: list[str]) -> Facts:
    """Collect what ecgdatakit found beside the samples."""
    patient, recording = decoded.patient, decoded.recording
    moment = moment_of(recording.date, zone) if recording.date else None
    birth = patient.birth_date.date() if patient.birth_date else None
    age, age_notes = resolve_age(patient.age, birth, moment.local_day if moment else None)
    notes.extend(age_notes)
    if patient.has_pacemaker:
        notes.append("the file says that the patient has a pacemaker")
    return Facts(
        moment=moment,
        patient_id=patient.patient_id,
        age_years=age,
        sex=sex_of(patient.sex),
        statements=[_joined(*pair) for pair in decoded.interpretation.statements],
        measurements=_measurements(decoded),
        device=" ".join(
            part for part in (recording.device.manufacturer, recording.device.model) if part
        ),
        filters=_filters(recording.acquisition.filters),
        notes=notes,
        identity=identity_of((patient.first_name, patient.last_name), birth),
    )


def _joined(statement: str, qualifier: str) -> str:
    return f"{statement} ({qualifier})" if qualifier else statement


def _measurements(decoded: Any) -> dict[str, float | None]:
    found = decoded.measurements
    rate = found.heart_rate
    if rate is None and found.rr_interval:
        rate = 60_000.0 / found.rr_interval
    return {
        "heart_rate_bpm": rate,
        "pr_ms": found.pr_interval,
        "qrs_ms": found.qrs_duration,
        "qt_ms": found.qt_interval,
        "qtc_ms": _stated_qtc(decoded),
        "p_axis_deg": found.p_axis,
        "qrs_axis_deg": found.qrs_axis,
        "t_axis_deg": found.t_axis,
    }


def _stated_qtc(decoded: Any) -> float | None:
    for key in _QTC_KEYS:
        match = _NUMBER.match(str(decoded.annotations.get(key, "")))
        if match:
            return float(match.group(1))
    bazett: float | None = decoded.measurements.qtc_bazett
    return bazett if bazett is not None else decoded.measurements.qtc_fridericia


def _filters(filters: Any) -> str | None:
    parts = []
    if filters.highpass is not None:
        parts.append(f"high-pass {filters.highpass:g} Hz")
    if filters.lowpass is not None:
        parts.append(f"low-pass {filters.lowpass:g} Hz")
    if filters.notch and filters.notch_active is not False:
        parts.append(f"notch {filters.notch:g} Hz")
    return ", ".join(parts) or None
