"""GE CardioSoft XML (root CardiologyXML), by defusedxml alone: ecgdatakit does not read it.

The rhythm stands in StripData; the median beat in MedianSamples is never read. Every lead is a
list of whole numbers in steps of `Resolution`, whose unit must be microvolts.
"""

from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ecgdash.domain import EcgRecord
from ecgdash.domain.ecg import Identity
from ecgdash.errors import CorruptFile, UnknownSamplingRate, UnknownUnits
from ecgdash.io.about import About
from ecgdash.io.build import Channel, Facts, build_record, lead_name, sex_of
from ecgdash.io.hints import ReadHints
from ecgdash.io.identity import identity_of
from ecgdash.io.times import Moment, moment_of, resolve_age
from ecgdash.io.xml_safety import parse_xml, root_tag

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SUFFIXES: Final = (".xml",)
ABOUT: Final = About(
    title="GE CardioSoft XML",
    versions="CardioSoft 6 (root `CardiologyXML`)",
    libraries=("defusedxml",),
    reads="The rhythm strip, never the median; time, patient id, age, sex, statements, "
    "measurements, filters and device.",
    decides=("An observation of the year 2000 on its first day at midnight is a placeholder.",),
    checks=(
        "Number of leads and samples that the strip states against its lists.",
        "Units of rate (Hz) and resolution (uV).",
    ),
    limits=("A file without StripData is refused.",),
    proven=("numpy on the numbers of one file",),
)
_MEASUREMENTS: Final = {
    "VentricularRate": "heart_rate_bpm",
    "PQInterval": "pr_ms",
    "QRSDuration": "qrs_ms",
    "QTInterval": "qt_ms",
    "QTCInterval": "qtc_ms",
    "PAxis": "p_axis_deg",
    "RAxis": "qrs_axis_deg",
    "TAxis": "t_axis_deg",
}
_PLACEHOLDER: Final = datetime(2000, 1, 1)
_MAX_SAMPLES: Final = 10_000_000


def sniff(path: Path) -> bool:
    """Whether the root element is CardiologyXML."""
    return root_tag(path) == "cardiologyxml"


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read a CardioSoft file; see `ecgdash.io.read_ecg`."""
    root = parse_xml(path)
    strips = root.findall("StripData")
    if len(strips) != 1:
        raise CorruptFile(
            f"the file holds {len(strips)} rhythm strips",
            where=path.name,
            accepted="Accepted: one StripData",
            todo="Export the ECG again with its rhythm",
        )
    strip = strips[0]
    rate, stated = _number(strip, "SampleRate", path.name), strip.find("SampleRate")
    if rate is None or stated is None or stated.get("units", "Hz") != "Hz":
        raise UnknownSamplingRate(
            "the strip states no sampling rate in Hz", where=path.name, todo="Export it again"
        )
    channels = _channels(strip, path.name)
    notes: list[str] = []
    return build_record(
        channels,
        rate,
        _facts(root, zone, notes),
        source_name=path.name,
        file_format="cardiosoft-xml",
    )


def _number(parent: "Element", tag: str, where: str) -> float | None:
    text = (parent.findtext(tag) or "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise CorruptFile(f"{tag} is no number", where=where) from error
    if not np.isfinite(value):
        raise CorruptFile(f"{tag} is no finite number", where=where)
    return value


def _channels(strip: "Element", where: str) -> list[Channel]:
    step_uv = _number(strip, "Resolution", where)
    resolution = strip.find("Resolution")
    unit = "" if resolution is None else resolution.get("units", "")
    if step_uv is None or step_uv <= 0 or unit.lower() != "uvperlsb":
        raise UnknownUnits(
            "the strip states no resolution in microvolts",
            where=where,
            accepted="Accepted: Resolution in uVperLsb",
            todo="Export the ECG again",
        )
    leads = strip.findall("WaveformData")
    n_samples = _number(strip, "ChannelSampleCountTotal", where)
    n_leads = _number(strip, "NumberOfLeads", where)
    if n_samples is None or n_leads is None or len(leads) != n_leads:
        raise CorruptFile(
            f"{'no number of' if n_leads is None else f'{n_leads:g}'} leads and "
            f"{'no number of' if n_samples is None else f'{n_samples:g}'} samples are stated, "
            f"{len(leads)} leads follow",
            where=where,
            todo="Export the ECG again",
        )
    channels = []
    for lead in leads:
        name = lead.get("lead", "")
        counts = _counts(lead.text or "", where)
        if len(counts) != n_samples:
            raise CorruptFile(
                f"lead {lead_name(name) or '?'} holds {len(counts)} samples, {n_samples:g} stated",
                where=where,
                todo="Export the ECG again",
            )
        channels.append(Channel(name, counts * (step_uv / 1000.0), step_uv))
    return channels


def _counts(text: str, where: str) -> np.ndarray[Any, Any]:
    words = text.replace("\n", " ").split(",")
    try:
        return np.array([int(word) for word in words[:_MAX_SAMPLES]], dtype=np.float64)
    except (ValueError, OverflowError) as error:
        raise CorruptFile("a sample is no whole number", where=where) from error


def _facts(root: "Element", zone: tzinfo, notes: list[str]) -> Facts:
    moment = _moment(root, zone, notes)
    person = root.find("PatientInfo")
    age: float | None = None
    identity: Identity | None = None
    if person is not None:
        birth = _birth(person)
        names = (person.findtext("Name/GivenName"), person.findtext("Name/FamilyName"))
        identity = identity_of(names, birth)
        age, more = resolve_age(
            _years(person.findtext("Age")), birth, moment.local_day if moment else None
        )
        notes.extend(more)
        if (person.findtext("PaceMaker") or "").strip().lower() == "yes":
            notes.append("the file says that the patient has a pacemaker")
    measured = root.find("RestingECGMeasurements")
    device = root.find("ClinicalInfo/DeviceInfo")
    return Facts(
        moment=moment,
        patient_id=None if person is None else person.findtext("PID"),
        age_years=age,
        sex=None if person is None else sex_of(person.findtext("Gender")),
        statements=[
            element.text or "" for element in root.findall("Interpretation/Diagnosis/DiagnosisText")
        ],
        measurements={
            key: None if measured is None else _loose(measured.findtext(tag))
            for tag, key in _MEASUREMENTS.items()
        },
        device=None
        if device is None
        else f"{device.findtext('Desc') or ''} {device.findtext('SoftwareVer') or ''}",
        filters=_filters(root.find("FilterSetting")),
        notes=notes,
        identity=identity,
    )


def _loose(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _years(text: str | None) -> float | None:
    value = _loose(text)
    return value if value is not None and value > 0 else None


def _parts(parent: "Element | None", *tags: str) -> list[int]:
    texts = [] if parent is None else [(parent.findtext(tag) or "").strip() for tag in tags]
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 5]


def _birth(person: "Element") -> date | None:
    parts = _parts(person.find("BirthDateTime"), "Year", "Month", "Day")
    try:
        return date(*parts) if len(parts) == 3 else None
    except ValueError:
        return None


def _moment(root: "Element", zone: tzinfo, notes: list[str]) -> Moment | None:
    stated = root.find("ObservationDateTime")
    parts = _parts(stated, "Year", "Month", "Day", "Hour", "Minute", "Second")
    try:
        when = datetime(*parts) if len(parts) == 6 else None  # type: ignore[arg-type]
        if when == _PLACEHOLDER:
            notes.append("the stated time, 1 January 2000 at midnight, is a placeholder")
            return None
        return None if when is None else moment_of(when, zone)
    except (ValueError, OverflowError):
        return None


def _filters(setting: "Element | None") -> str | None:
    if setting is None:
        return None
    parts = []
    low = (setting.findtext("LowPass") or "").strip()
    if low:
        parts.append(f"low-pass {low} Hz")
    parts += [
        f"notch {hertz} Hz"
        for hertz in (50, 60)
        if (setting.findtext(f"Filter{hertz}Hz") or "").strip().lower() == "yes"
    ]
    if (setting.findtext("CubicSpline") or "").strip().lower() == "yes":
        parts.append("baseline by cubic spline")
    return ", ".join(parts) or None
