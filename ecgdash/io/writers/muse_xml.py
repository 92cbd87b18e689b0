"""XML in the layout of GE MUSE: eight stored leads, base64 int16, 4.88 uV per bit."""

import base64
import zlib
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import EcgRecord
from ecgdash.errors import InvalidValue

__all__ = ["MUSE_STEP_UV", "STORED_LEADS", "write_muse_xml"]

MUSE_STEP_UV: Final = 4.88
STORED_LEADS: Final = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
_INT16_MAX: Final = 32767
_MEASUREMENT_TAGS: Final = {
    "heart_rate_bpm": "VentricularRate",
    "pr_ms": "PRInterval",
    "qrs_ms": "QRSDuration",
    "qt_ms": "QTInterval",
    "qtc_ms": "QTCorrected",
    "p_axis_deg": "PAxis",
    "qrs_axis_deg": "RAxis",
    "t_axis_deg": "TAxis",
}


def write_muse_xml(record: EcgRecord, path: Path | str) -> Path:
    """Write a 12-lead record in the layout of GE MUSE.

    Samples are rounded to 4.88 uV, MUSE's step; III, aVR, aVL and aVF are not
    stored, as in MUSE, and a reader derives them. Times are written in UTC
    without saying so, because the layout has no place for a zone.

    Raises
    ------
    InvalidValue
        If a stored lead is absent, a sample is absent, the rate is no whole number, or the
        record is in arbitrary units.
    """
    record.require_millivolts("MUSE XML")
    missing = [name for name in STORED_LEADS if name not in record.leads]
    if missing:
        raise InvalidValue(f"MUSE XML needs the leads {', '.join(missing)}")
    if record.sampling_hz != int(record.sampling_hz):
        raise InvalidValue(f"MUSE XML holds whole rates only, got {record.sampling_hz:g} Hz")
    root = Element("RestingECG")
    _add(SubElement(root, "MuseInfo"), MuseVersion="9.0 layout, written by ECGDash")
    _add_demographics(root, record)
    if record.measurements:
        measured = SubElement(root, "RestingECGMeasurements")
        for key, value in record.measurements.items():
            SubElement(measured, _MEASUREMENT_TAGS[key]).text = str(round(value))
    if record.statements:
        _add_statements(root, record.statements)
    _add_waveform(root, record)
    indent(root)
    target = Path(path)
    ElementTree(root).write(target, encoding="UTF-8", xml_declaration=True)
    return target


def _add(parent: Element, **texts: str | None) -> Element:
    for tag, text in texts.items():
        if text is not None:
            SubElement(parent, tag).text = text
    return parent


def _add_demographics(root: Element, record: EcgRecord) -> None:
    age = None if record.age_years is None else str(int(record.age_years))
    _add(
        SubElement(root, "PatientDemographics"),
        PatientID=record.patient_id,
        PatientAge=age,
        AgeUnits="YEARS" if age else None,
        Gender=record.sex.upper() if record.sex else None,
    )
    when = record.recorded_at
    _add(
        SubElement(root, "TestDemographics"),
        DataType="RESTING",
        AcquisitionDevice=record.device,
        AcquisitionTime=when.strftime("%H:%M:%S") if when else None,
        AcquisitionDate=when.strftime("%m-%d-%Y") if when else None,
    )


def _add_statements(root: Element, statements: tuple[str, ...]) -> None:
    diagnosis = _add(SubElement(root, "Diagnosis"), Modality="RESTING")
    for text in statements:
        _add(SubElement(diagnosis, "DiagnosisStatement"), StmtFlag="ENDSLINE", StmtText=text)


def _add_waveform(root: Element, record: EcgRecord) -> None:
    waveform = _add(
        SubElement(root, "Waveform"),
        WaveformType="Rhythm",
        NumberofLeads=str(len(STORED_LEADS)),
        SampleType="CONTINUOUS_SAMPLES",
        SampleBase=str(int(record.sampling_hz)),
        SampleExponent="0",
    )
    for name in STORED_LEADS:
        counts = _counts(record.lead(name), name)
        payload = counts.tobytes()
        _add(
            SubElement(waveform, "LeadData"),
            LeadByteCountTotal=str(len(payload)),
            LeadTimeOffset="0",
            LeadSampleCountTotal=str(counts.size),
            LeadAmplitudeUnitsPerBit=f"{MUSE_STEP_UV}",
            LeadAmplitudeUnits="MICROVOLTS",
            LeadID=name,
            LeadOffsetFirstSample="0",
            FirstSampleBaseline="0",
            LeadSampleSize="2",
            LeadDataCRC32=str(zlib.crc32(payload)),
            WaveFormData=base64.b64encode(payload).decode("ascii"),
        )


def _counts(samples_mv: NDArray[np.float32], name: str) -> NDArray[np.int16]:
    counts = np.rint(samples_mv.astype(np.float64) * 1000.0 / MUSE_STEP_UV)
    if not np.all(np.abs(counts) <= _INT16_MAX):
        raise InvalidValue(f"lead {name} holds samples that MUSE's 16 bits cannot")
    return counts.astype("<i2")
