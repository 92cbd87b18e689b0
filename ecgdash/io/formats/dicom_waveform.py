"""DICOM waveforms (12-lead, general, ambulatory and 32-bit ECG, haemodynamic), by pydicom.

pydicom reads the data set; which group is the ECG, units, samples and leads are decided
here and in `dicom_group`. The rhythm group is read, never the median beat. The smallest
integer marks padding, as does a stated padding value other than 0.
"""

import logging
import re
import struct
import warnings
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any, Final

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile, MissingLeads, UnsupportedFormat
from ecgdash.io.about import About
from ecgdash.io.build import Facts, build_record, sex_of
from ecgdash.io.dicom_file import UID, DicomFile, name_of
from ecgdash.io.dicom_group import Group, channels_of, filters_of, group_of
from ecgdash.io.hints import ReadHints
from ecgdash.io.identity import identity_of
from ecgdash.io.times import Moment, moment_of, resolve_age

__all__ = ["ABOUT", "SUFFIXES", "read", "sniff"]

ABOUT: Final = About(
    title="DICOM waveform",
    versions="12-lead, general, ambulatory and general 32-bit ECG, haemodynamic and cardiac "
    "electrophysiology; 8, 16 and 32 bits, little and big endian",
    libraries=("pydicom",),
    reads="The rhythm group; statements and measurements of the annotations, patient id, sex, "
    "age, time, device and filters.",
    decides=(
        "Groups labelled as median or stated as derived are never read.",
        "Of several rhythm groups the one is read that holds every lead of the others, and of "
        "such the longest.",
        "A lead is named by its SCP-ECG or MDC code, by the meaning of the code or by its label.",
        "Pressures and other channels are dropped with a note.",
        "The smallest integer and a stated padding value other than 0 are absent samples.",
        "Times get the offset that the file states, else the site's zone.",
    ),
    checks=(
        "Samples x channels x bits of each group against the length of its data.",
        "The number of channels against their definitions.",
        "Code, meaning and label of a channel, and code and meaning of its unit, against each "
        "other.",
    ),
    limits=(
        "Leads that stand in several groups (3 leads for 2.5 s each) are refused.",
        "Images, PDFs, deflated and compressed objects are refused.",
    ),
    proven=(
        "pydicom's own waveform arrays, on two real files and on generated ones",
        "The same ECG as HL7 aECG and as SCP-ECG, written by other software",
    ),
)
SUFFIXES: Final = (".dcm",)

_ECG_CLASSES: Final = {
    UID + "5.1.4.1.1.9.1": "waveform storage (trial)",
    UID + "5.1.4.1.1.9.1.1": "12-lead ECG",
    UID + "5.1.4.1.1.9.1.2": "general ECG",
    UID + "5.1.4.1.1.9.1.3": "ambulatory ECG",
    UID + "5.1.4.1.1.9.1.4": "general 32-bit ECG",
    UID + "5.1.4.1.1.9.2.1": "haemodynamic waveform",
    UID + "5.1.4.1.1.9.3.1": "cardiac electrophysiology",
}
_UNDECODABLE: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What pydicom throws at broken content."""
_KEYWORDS: Final = (
    "AcquisitionDate", "AcquisitionDateTime", "AcquisitionTime", "ContentDate", "ContentTime",
    "Manufacturer", "ManufacturerModelName", "PatientAge", "PatientBirthDate", "PatientID",
    "PatientName", "PatientSex", "SOPClassUID", "SpecificCharacterSet", "StudyDate", "StudyTime",
    "TimezoneOffsetFromUTC", "WaveformAnnotationSequence", "WaveformSequence",
)  # fmt: skip
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
    from pydicom.errors import BytesLengthException, InvalidDicomError

    # pydicom warns and logs about values that break the standard's grammar, and quotes them
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    notes: list[str] = []
    data = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            file = _open(data, path.name)
            group = _rhythm_group(file, path.name, notes)
            channels = channels_of(group, path.name, notes)
            facts = _facts(file, group, zone, notes)
        except (*_UNDECODABLE, BytesLengthException, InvalidDicomError) as error:
            # the cause is not kept: its text can quote what the file holds
            raise CorruptFile(
                f"the DICOM waveform cannot be decoded ({type(error).__name__})",
                where=path.name,
                todo="Export the ECG again",
            ) from None
    return build_record(channels, group.rate_hz, facts, source_name=path.name, file_format="dicom")


def _open(data: bytes, where: str) -> DicomFile:
    """Open the file; refuse what holds no waveform of an ECG."""
    file = DicomFile(data, _KEYWORDS, where)
    sop_class = str(file.root.get("SOPClassUID") or "")
    if sop_class not in _ECG_CLASSES or "WaveformSequence" not in file.root:
        raise UnsupportedFormat(
            f"the DICOM file ({name_of(sop_class)}) holds no waveform of an ECG",
            where=where,
            accepted=f"Accepted: {', '.join(_ECG_CLASSES.values())}",
            todo="Export the ECG as a waveform, not as an image or PDF",
        )
    return file


def _rhythm_group(file: DicomFile, where: str, notes: list[str]) -> Group:
    """Return the one group that holds all leads that any rhythm group does.

    Raises
    ------
    CorruptFile
        If a group contradicts itself, or none is a rhythm.
    MissingLeads
        If no group holds a lead, or the leads stand in several groups.
    """
    items = file.items(file.root, "WaveformSequence")
    rhythm = [
        group_of(file, index, item, where)
        for index, item in enumerate(items)
        if "MEDIAN" not in str(item.get("MultiplexGroupLabel", "")).upper()
        and str(item.get("WaveformOriginality", "ORIGINAL")).upper() != "DERIVED"
    ]
    if not rhythm:
        raise CorruptFile("the DICOM file holds only derived waveforms", where=where)
    leads = frozenset[str]().union(*(group.leads for group in rhythm))
    complete = [group for group in rhythm if group.leads == leads]
    if not leads or not complete:
        found = "; ".join(
            ", ".join(sorted(group.leads)) or ", ".join(group.names) for group in rhythm
        )
        raise MissingLeads(
            f"no waveform group holds all leads of the ECG: {found}",
            where=where,
            accepted="Accepted: one group with all leads, recorded together",
            todo="Export the ECG with simultaneous leads",
        )
    chosen = max(complete, key=lambda group: group.n_samples / group.rate_hz)
    if len(items) > 1:
        notes.append(f"{len(items)} waveform groups; the rhythm group was read")
    if chosen.offset_ms:
        notes.append(
            f"the rhythm starts {chosen.offset_ms:g} ms after the stated start of the recording"
        )
    return chosen


def _names(dataset: Any) -> list[str]:
    """Return given, middle and family name in the first spelling; others follow after "="."""
    spellings = str(dataset.get("PatientName") or "").split("=")
    parts = next((text for text in spellings if text.strip("^ ")), "").split("^")
    return [*parts[1:3], parts[0]]


def _facts(file: DicomFile, group: Group, zone: tzinfo, notes: list[str]) -> Facts:
    dataset = file.root
    moment = _moment(dataset, zone)
    birth = _day(str(dataset.get("PatientBirthDate") or ""))
    age, age_notes = resolve_age(
        _stated_age(str(dataset.get("PatientAge") or "")),
        birth,
        moment.local_day if moment else None,
    )
    notes.extend(age_notes)
    statements, measurements = _annotations(file)
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
        filters=filters_of(group),
        notes=notes,
        identity=identity_of(_names(dataset), birth),
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


def _annotations(file: DicomFile) -> tuple[list[str], dict[str, float | None]]:
    statements: list[str] = []
    measurements: dict[str, float | None] = {}
    for entry in file.items(file.root, "WaveformAnnotationSequence"):
        text = str(entry.get("UnformattedTextValue") or "").strip()
        if text:
            statements.append(text)
        concept = file.items(entry, "ConceptNameCodeSequence")
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
