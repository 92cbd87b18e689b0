"""ECG files that the tests make themselves, so that they need nobody else's."""

import struct
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, EcgRecord

RATE_HZ = 500
STEP_UV = 5.0
SCP_LEAD_NUMBER = {
    "I": 1, "II": 2, "V1": 3, "V2": 4, "V3": 5, "V4": 6, "V5": 7, "V6": 8,
    "III": 61, "aVR": 62, "aVL": 63, "aVF": 64,
}  # fmt: skip


def make_counts(n_samples: int = 5000, seed: int = 3) -> dict[str, np.ndarray]:
    """Whole counts per lead; limb leads obey Einthoven and Goldberger exactly."""
    rng = np.random.default_rng(seed)
    t = np.arange(n_samples) / RATE_HZ
    beat = np.exp(-0.5 * (((t % 0.8) - 0.4) / 0.012) ** 2)
    counts = {}
    for i, name in enumerate(("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")):
        wave = (40 + 25 * i) * beat + 5 * rng.standard_normal(n_samples)
        counts[name] = 2 * np.rint(wave).astype(np.int64)
    counts["III"] = counts["II"] - counts["I"]
    counts["aVR"] = -(counts["I"] + counts["II"]) // 2
    counts["aVL"] = counts["I"] - counts["II"] // 2
    counts["aVF"] = counts["II"] - counts["I"] // 2
    return {name: counts[name] for name in CANONICAL_LEADS}


def make_record(**changes: object) -> EcgRecord:
    counts = make_counts()
    signal = np.stack(list(counts.values())) * STEP_UV / 1000.0
    facts: dict[str, object] = {
        "signal_mv": signal.astype(np.float32),
        "leads": CANONICAL_LEADS,
        "sampling_hz": float(RATE_HZ),
        "recorded_at": datetime(2024, 5, 31, 14, 30, 5, tzinfo=UTC),
        "local_day": date(2024, 5, 31),
        "patient_id": "P-007",
        "age_years": 63.0,
        "sex": "female",
        "statements": ("Sinus rhythm", "Left bundle branch block"),
        "measurements": {"heart_rate_bpm": 75.0, "qrs_ms": 152.0, "qrs_axis_deg": -35.0},
        "device": "Test cart",
        "filters": "low-pass 150 Hz",
        "lsb_uv": (STEP_UV,) * 12,
    }
    return EcgRecord(**(facts | changes))  # type: ignore[arg-type]


def expected_mv(name: str) -> np.ndarray:
    return (make_counts()[name] * STEP_UV / 1000.0).astype(np.float32)


def write_dicom(path: Path, *, unit: str = "uV", padded: bool = False) -> Path:
    """A 12-lead ECG object with a median group in front of the rhythm group."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    storage = "1.2.840.10008.5.1.4.1.1.9.1.1"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = storage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = Dataset()
    data.file_meta = meta
    data.SOPClassUID, data.SOPInstanceUID = storage, meta.MediaStorageSOPInstanceUID
    data.Modality, data.PatientID, data.PatientSex = "ECG", "P-007", "F"
    data.PatientName, data.PatientBirthDate, data.PatientAge = "Doe^Jane", "19600601", "063Y"
    data.AcquisitionDateTime = "20240531143005+0900"
    counts = np.stack(list(make_counts().values()), axis=1)
    if padded:
        counts[-10:, 3] = -32768
    median = _dicom_group("MEDIAN BEAT", "DERIVED", counts[:600], unit)
    rhythm = _dicom_group("RHYTHM", "ORIGINAL", counts, unit)
    data.WaveformSequence = [median, rhythm]
    note = Dataset()
    note.UnformattedTextValue = "Sinus rhythm"
    data.WaveformAnnotationSequence = [note]
    data.save_as(path, enforce_file_format=True)
    return path


def _dicom_group(label: str, origin: str, counts: np.ndarray, unit: str):
    from pydicom.dataset import Dataset

    group = Dataset()
    group.MultiplexGroupLabel, group.WaveformOriginality = label, origin
    group.NumberOfWaveformChannels = counts.shape[1]
    group.NumberOfWaveformSamples, group.SamplingFrequency = len(counts), RATE_HZ
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.WaveformPaddingValue = b"\x00\x00"
    channels = []
    for name in CANONICAL_LEADS:
        source, sensitivity, channel = Dataset(), Dataset(), Dataset()
        source.CodeValue, source.CodingSchemeDesignator = (
            f"5.6.3-9-{SCP_LEAD_NUMBER[name]}",
            "SCPECG",
        )
        source.CodeMeaning = f"Lead {name}"
        sensitivity.CodeValue, sensitivity.CodingSchemeDesignator = unit, "UCUM"
        sensitivity.CodeMeaning = unit
        channel.ChannelSourceSequence = [source]
        channel.ChannelSensitivity = "5" if unit == "uV" else "0.005"
        channel.ChannelSensitivityUnitsSequence = [sensitivity]
        channel.ChannelSensitivityCorrectionFactor, channel.ChannelBaseline = "1", "0"
        channel.WaveformBitsStored = 16
        channels.append(channel)
    group.ChannelDefinitionSequence = channels
    group.WaveformData = counts.astype("<i2").tobytes()
    return group


def write_sierra(path: Path, *, calibrated: bool = True) -> Path:
    """Philips 1.03, uncompressed Base64: 10 s of ECG, then a second with the 1 mV pulse."""
    import base64

    counts = np.stack(list(make_counts(5500).values()))
    if calibrated:
        pulse = np.zeros(200, dtype=np.int64)
        pulse[50:150] = 200
        counts[:, -200:] = pulse
    payload = base64.b64encode(counts.astype("<i2").tobytes()).decode()
    path.write_text(
        f"""<?xml version="1.0" encoding="UTF-8"?>
<restingecgdata xmlns="http://www3.medical.philips.com">
<documentinfo><documenttype>SierraECG</documenttype>
<documentversion>1.03</documentversion></documentinfo>
<dataacquisition date="2024-05-31" time="14:30:05"><machine>Test cart</machine>
<signalcharacteristics><samplingrate>500</samplingrate><signalresolution>5</signalresolution>
<bitspersample>16</bitspersample><signaloffset>0</signaloffset><signalsigned>True</signalsigned>
<numberchannelsallocated>12</numberchannelsallocated>
<numberchannelsvalid>12</numberchannelsvalid><leadset>STD-12</leadset></signalcharacteristics>
</dataacquisition>
<patient><generalpatientdata><patientid>P-007</patientid>
<name><lastname>Doe</lastname><firstname>Jane</firstname></name>
<age><years>63</years></age><sex>Female</sex></generalpatientdata></patient>
<waveforms><parsedwaveforms dataencoding="Base64" compressflag="False" numberofleads="12"
leadlabels="{" ".join(CANONICAL_LEADS)}" durationperchannel="11000" samplespersecond="500"
resolution="5">{payload}</parsedwaveforms></waveforms>
</restingecgdata>"""
    )
    return path


def write_aecg(path: Path, *, unit: str = "uV") -> Path:
    """HL7 aECG with one rhythm series of twelve leads."""
    system = "2.16.840.1.113883.6.24"
    sequences = "".join(
        f"""<component><sequence><code code="MDC_ECG_LEAD_{name.upper()}" codeSystem="{system}"/>
<value xsi:type="SLIST_PQ"><origin value="0" unit="{unit}"/><scale value="5" unit="{unit}"/>
<digits>{" ".join(map(str, counts))}</digits></value></sequence></component>"""
        for name, counts in make_counts().items()
    )
    path.write_text(
        f"""<?xml version="1.0" encoding="UTF-8"?>
<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<id root="61d1a24f-b47e-41aa-ae95-f8ac302f4eeb"/>
<effectiveTime><low value="20240531143005"/><high value="20240531143015"/></effectiveTime>
<component><series><id root="a5c9b1b0-4d2e-4c52-8f5a-0f6f5e6a1b11"/>
<code code="RHYTHM" codeSystem="2.16.840.1.113883.5.4"/>
<effectiveTime><low value="20240531143005.000"/><high value="20240531143015.000"/></effectiveTime>
<component><sequenceSet>
<component><sequence><code code="TIME_ABSOLUTE" codeSystem="2.16.840.1.113883.5.4"/>
<value xsi:type="GLIST_TS"><head value="20240531143005.000"/>
<increment value="0.002" unit="s"/></value></sequence></component>
{sequences}</sequenceSet></component></series></component></AnnotatedECG>"""
    )
    return path


def write_edf(path: Path, patient: str = "P-007 F 01-JUN-1960 Jane_Doe") -> Path:
    """EDF with twelve leads in uV, physical range chosen so that one count is 5 uV."""
    counts = list(make_counts().values())
    n = len(counts)

    def each(text: str, width: int) -> str:
        return text.ljust(width) * n

    head = "0".ljust(8) + patient.ljust(80) + "Startdate 31-MAY-2024 X X Cart".ljust(80)
    head += "31.05.24" + "14.30.05" + str(256 * (n + 1)).ljust(8) + "".ljust(44)
    head += "1".ljust(8) + "10".ljust(8) + str(n).ljust(4)
    head += "".join(f"EKG {name}".ljust(16) for name in CANONICAL_LEADS) + each("", 80)
    head += each("uV", 8) + each("-163840", 8) + each("163835", 8)
    head += each("-32768", 8) + each("32767", 8) + each("", 80) + each("5000", 8) + each("", 32)
    path.write_bytes(head.encode() + b"".join(c.astype("<i2").tobytes() for c in counts))
    return path


def write_ishne(path: Path) -> Path:
    """ISHNE 1.0 with three leads at 5,000 nV per count."""
    counts = make_counts()
    names = ("I", "II", "V1")
    codes = {"I": 5, "II": 6, "V1": 11}  # ISHNE 1.0, table of lead specifications
    header = bytearray(512)
    samples = np.stack([counts[name] for name in names], axis=1)
    struct.pack_into("<iiiih", header, 0, 0, len(samples), 522, 522, 1)
    struct.pack_into("<40s40s20sHH", header, 18, b"Jane", b"Doe", b"P-007", 2, 0)
    struct.pack_into("<3h3h3h3h", header, 122, 1, 6, 1960, 31, 5, 2024, 1, 6, 2024, 14, 30, 5)
    struct.pack_into("<h", header, 146, len(names))
    lead_spec, quality, resolution = [-9] * 12, [-9] * 12, [-9] * 12
    for i, name in enumerate(names):
        lead_spec[i], quality[i], resolution[i] = codes[name], 1, 5000
    struct.pack_into("<12h12h12h", header, 148, *lead_spec, *quality, *resolution)
    struct.pack_into("<h40sh", header, 220, 0, b"Cart", RATE_HZ)
    crc = _crc_ccitt(bytes(header))
    path.write_bytes(
        b"ISHNE1.0" + struct.pack("<H", crc) + header + samples.astype("<i2").tobytes()
    )
    return path


def _crc_ccitt(data: bytes) -> int:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021) & 0xFFFF if crc & 0x8000 else (crc << 1) & 0xFFFF
    return crc


def write_scp(path: Path) -> Path:
    """SCP-ECG 2.0 without compression: sections 0, 1, 3 and 6, lead by lead."""
    counts = make_counts()
    tags = b"".join(
        struct.pack("<BH", tag, len(value)) + value
        for tag, value in (
            (2, b"P-007\0"),
            (0, b"Doe\0"),
            (8, b"\2"),
            (25, struct.pack("<HBB", 2024, 5, 31)),
            (26, bytes((14, 30, 5))),
            (255, b""),
        )
    )
    n = len(counts)
    leads = struct.pack("<BB", n, 4 | n << 3)  # all recorded simultaneously
    for name, samples in counts.items():
        leads += struct.pack("<IIB", 1, len(samples), SCP_LEAD_NUMBER[name])
    blocks = [samples.astype("<i2").tobytes() for samples in counts.values()]
    rhythm = struct.pack("<HHBB", int(STEP_UV * 1000), 1_000_000 // RATE_HZ, 0, 0)
    rhythm += struct.pack(f"<{n}H", *map(len, blocks)) + b"".join(blocks)
    bodies = {0: bytes(120), 1: tags, 3: leads, 6: rhythm}
    offsets, at = {}, 6
    for number, body in bodies.items():
        bodies[number] = body = body + bytes(len(body) % 2)
        offsets[number] = at
        at += 16 + len(body)
    pointers = b""
    for number in range(12):
        length = 16 + len(bodies[number]) if number in bodies else 0
        pointers += struct.pack("<HII", number, length, offsets[number] + 1 if length else 0)
    bodies[0] = pointers
    record = b""
    for number, body in bodies.items():
        reserved = b"SCPECG" if number == 0 else bytes(6)
        section = struct.pack("<HIBB6s", number, 16 + len(body), 20, 20, reserved) + body
        record += struct.pack("<H", _crc_ccitt(section)) + section
    sized = struct.pack("<I", 6 + len(record)) + record
    path.write_bytes(struct.pack("<H", _crc_ccitt(sized)) + sized)
    return path
