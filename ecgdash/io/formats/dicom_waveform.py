"""DICOM waveforms (12-lead, general and 32-bit ECG), read by pydicom.

pydicom applies sensitivity and baseline but converts no unit; here the unit
that each channel states decides. The rhythm group is read, never the median
beat. The smallest integer marks padding. A stated padding value is not used:
files state 0 there, which is also a valid sample.
"""

import logging
import re
import warnings
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile
from ecgdash.io.build import Channel, Facts, build_record, lead_name, require_unit, sex_of
from ecgdash.io.hints import ReadHints
from ecgdash.io.times import Moment, moment_of, resolve_age

SUFFIXES: Final = (".dcm",)

# SCP-ECG lead numbers, which MDC codes share ("5.6.3-9-1" and "2:1" are lead I).
_LEAD_BY_NUMBER: Final = {
    "1": "I", "2": "II", "61": "III", "62": "aVR", "63": "aVL", "64": "aVF",
    "3": "V1", "4": "V2", "5": "V3", "6": "V4", "7": "V5", "8": "V6",
}  # fmt: skip
_LEAD_CODE: Final = re.compile(r"^(?:5\.6\.3-9-|2:)(\d+)$")
_YEARS_PER: Final = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
_MEASUREMENT_OF: Final = {
    "ventricular heart rate": "heart_rate_bpm",
    "heart rate": "heart_rate_bpm",
    "pr interval": "pr_ms",
    "qrs duration": "qrs_ms",
    "qt interval": "qt_ms",
    "qtc interval": "qtc_ms",
    "p axis": "p_axis_deg",
    "qrs axis": "qrs_axis_deg",
    "t axis": "t_axis_deg",
}


def sniff(path: Path) -> bool:
    """Whether the file has DICOM's preamble."""
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read the rhythm group of a DICOM waveform; see `ecgdash.io.read_ecg`."""
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    # pydicom warns and logs about values that break the standard's grammar, and quotes them
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = dcmread(path)
            notes: list[str] = []
            index = _rhythm_group(dataset, path.name, notes)
            group = dataset.WaveformSequence[index]
            channels = _channels(dataset, index, path.name, notes)
            rate = float(group.SamplingFrequency)
            facts = _facts(dataset, zone, notes)
        except (InvalidDicomError, AttributeError, KeyError, ValueError, EOFError) as error:
            raise CorruptFile(
                f"the DICOM waveform cannot be decoded ({type(error).__name__})",
                where=path.name,
                todo="Export the ECG again",
            ) from error
    return build_record(channels, rate, facts, source_name=path.name, file_format="dicom")


def _rhythm_group(dataset: Any, where: str, notes: list[str]) -> int:
    """Return the index of the longest group that is not a median or derived one."""
    groups = list(dataset.get("WaveformSequence") or [])
    if not groups:
        raise CorruptFile(
            f"the DICOM file ({dataset.get('Modality') or 'no modality'}) holds no waveform",
            where=where,
            accepted="Accepted: DICOM ECG waveform objects",
            todo="Export the ECG as a waveform, not as an image or PDF",
        )
    rhythm = [
        index
        for index, group in enumerate(groups)
        if "MEDIAN" not in str(group.get("MultiplexGroupLabel", "")).upper()
        and str(group.get("WaveformOriginality", "ORIGINAL")).upper() != "DERIVED"
    ]
    if not rhythm:
        raise CorruptFile("the DICOM file holds only derived waveforms", where=where)
    if len(groups) > 1:
        notes.append(f"{len(groups)} waveform groups; the rhythm group was read")

    def seconds(index: int) -> float:
        group = groups[index]
        return float(group.NumberOfWaveformSamples) / float(group.SamplingFrequency)

    return max(rhythm, key=seconds)


def _channels(dataset: Any, index: int, where: str, notes: list[str]) -> list[Channel]:
    from pydicom.waveforms.numpy_handler import multiplex_array

    group = dataset.WaveformSequence[index]
    counts = multiplex_array(dataset, index, as_raw=True)  # (n_samples, n_channels)
    padding = np.iinfo(counts.dtype).min if counts.dtype.kind == "i" else None
    channels = []
    for column, definition in enumerate(group.ChannelDefinitionSequence):
        name = _channel_name(definition)
        values = counts[:, column].astype(np.float64)
        if lead_name(name) is None:
            channels.append(Channel(name, values))
            continue
        channels.append(_scaled(name, values, definition, padding, where))
    if padding is not None and bool(np.any(counts == padding)):
        notes.append(f"samples equal to {padding} are padding and were marked as absent")
    return channels


def _scaled(
    name: str, values: np.ndarray[Any, Any], definition: Any, padding: int | None, where: str
) -> Channel:
    units = definition.get("ChannelSensitivityUnitsSequence")
    factor = require_unit(str(units[0].CodeValue) if units else None, name, where)
    step = float(definition.ChannelSensitivity)
    step *= float(definition.get("ChannelSensitivityCorrectionFactor") or 1.0)
    baseline = float(definition.get("ChannelBaseline") or 0.0)
    if padding is not None:
        values = np.where(values == padding, np.nan, values)
    exact = baseline == round(baseline)
    millivolts = (values + baseline) * step * factor
    return Channel(name, millivolts, step * factor * 1000.0 if exact else None)


def _channel_name(definition: Any) -> str:
    source = (definition.get("ChannelSourceSequence") or [None])[0]
    code = _LEAD_CODE.match(str(source.get("CodeValue", ""))) if source is not None else None
    if code and code.group(1) in _LEAD_BY_NUMBER:
        return _LEAD_BY_NUMBER[code.group(1)]
    meaning = str(source.get("CodeMeaning", "")) if source is not None else ""
    return meaning or str(definition.get("ChannelLabel", ""))


def _facts(dataset: Any, zone: tzinfo, notes: list[str]) -> Facts:
    moment = _moment(dataset, zone)
    birth = _day(str(dataset.get("PatientBirthDate") or ""))
    age, age_notes = resolve_age(
        _stated_age(str(dataset.get("PatientAge") or "")),
        birth,
        moment.local_day if moment else None,
    )
    notes.extend(age_notes)
    statements, measurements = _annotations(dataset)
    maker = str(dataset.get("Manufacturer") or "")
    model = str(dataset.get("ManufacturerModelName") or "")
    return Facts(
        moment=moment,
        patient_id=str(dataset.get("PatientID") or ""),
        age_years=age,
        sex=sex_of(str(dataset.get("PatientSex") or "")),
        statements=statements,
        measurements=measurements,
        device=" ".join(part for part in (maker, model) if part and part.lower() != "unknown"),
        notes=notes,
    )


def _moment(dataset: Any, zone: tzinfo) -> Moment | None:
    """Return the time of acquisition, with the offset that the file states, if any."""
    offset = str(dataset.get("TimezoneOffsetFromUTC") or "").strip()
    stamp = str(dataset.get("AcquisitionDateTime") or "").strip()
    if not stamp:
        for kind in ("Acquisition", "Content", "Study"):
            day = str(dataset.get(f"{kind}Date") or "").strip()
            if day:
                stamp = day + str(dataset.get(f"{kind}Time") or "").strip()
                break
    match = re.match(r"^(\d{8})(\d{4}(?:\d{2})?)?(?:\.\d+)?([+-]\d{4})?$", stamp)
    if match is None:
        return None
    day, clock, own_offset = match.groups()
    text = day + (clock or "").ljust(6, "0") + (own_offset or offset)
    form = "%Y%m%d%H%M%S" + ("%z" if own_offset or offset else "")
    return moment_of(datetime.strptime(text, form), zone, has_time=clock is not None)


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None


def _stated_age(text: str) -> float | None:
    match = re.match(r"^(\d{1,3})([YMWD])$", text.strip())
    return int(match.group(1)) * _YEARS_PER[match.group(2)] if match else None


def _annotations(dataset: Any) -> tuple[list[str], dict[str, float | None]]:
    statements: list[str] = []
    measurements: dict[str, float | None] = {}
    for entry in dataset.get("WaveformAnnotationSequence") or []:
        text = str(entry.get("UnformattedTextValue") or "").strip()
        if text:
            statements.append(text)
        concept = entry.get("ConceptNameCodeSequence")
        value = entry.get("NumericValue")
        if not concept or value in (None, ""):
            continue
        meaning = str(concept[0].get("CodeMeaning", "")).strip().lower()
        number = float(value[0] if isinstance(value, list) else value)
        if meaning in _MEASUREMENT_OF:
            measurements.setdefault(_MEASUREMENT_OF[meaning], number)
        elif meaning == "rr interval" and number > 0:
            measurements.setdefault("heart_rate_bpm", 60_000.0 / number)
    return statements, measurements
