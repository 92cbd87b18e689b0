"""Binary ECG files that the tests make: by pydicom, by pyedflib, or byte by byte."""

import struct
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from tests.io import io_fixtures as made

UID = "1.2.840.10008."
BIG_ENDIAN = UID + "1.2.2"
EXPLICIT = UID + "1.2.1"
IMPLICIT = UID + "1.2"
DEFLATED = UID + "1.2.1.99"
STORAGE = {
    "12-lead": UID + "5.1.4.1.1.9.1.1",
    "general": UID + "5.1.4.1.1.9.1.2",
    "ambulatory": UID + "5.1.4.1.1.9.1.3",
    "32-bit": UID + "5.1.4.1.1.9.1.4",
    "haemodynamic": UID + "5.1.4.1.1.9.2.1",
    "audio": UID + "5.1.4.1.1.9.4.1",
    "pdf": UID + "5.1.4.1.1.104.1",
}
SAMPLING_FREQUENCY = (
    rb"\x3a\x00\x1a\x00DS[\s\S]{2}([\d. ]+)",
    rb"\x3a\x00\x1a\x00[\s\S]{4}([\d. ]+)",
    rb"\x00\x3a\x00\x1aDS[\s\S]{2}([\d. ]+)",
)
"""The element (003A,001A), explicit, implicit and big endian."""
RECORD_DURATION = (rb"\A[\s\S]{244}([\s\S]{8})",)
ATC_RATE = (rb"fmt \x08\x00\x00\x00\x01([\s\S]{2})",)


def counts_of(names: Sequence[str], n: int) -> np.ndarray:
    """Whole counts, shape (n, channels)."""
    made_counts = made.make_counts(n)
    return np.stack([made_counts[name] for name in names], axis=1)


def assert_equal(record: EcgRecord, names: Sequence[str], n: int) -> None:
    """Whether these leads are the counts of `made` at 5 uV."""
    for name in names:
        truth = made.make_counts(n)[name] * 5e-3
        assert np.abs(record.lead(name) - truth).max() < 1e-6


def code_item(value: str, scheme: str, meaning: str) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def channel(name: str, *, code: tuple[str, str, str], unit: str = "uV", **more: str) -> Any:
    """One channel definition; `more` are further attributes by keyword."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ChannelLabel = name
    item.ChannelSourceSequence = [code_item(*code)]
    item.ChannelSensitivity = more.pop("ChannelSensitivity", "5")
    item.ChannelSensitivityUnitsSequence = [code_item(unit, "UCUM", unit)]
    item.ChannelSensitivityCorrectionFactor = "1"
    item.ChannelBaseline, item.WaveformBitsStored = "0", 16
    for keyword, value in more.items():
        setattr(item, keyword, value)
    return item


def scp_code(name: str) -> tuple[str, str, str]:
    return f"5.6.3-9-{made.SCP_LEAD_NUMBER[name]}", "SCPECG", f"Lead {name}"


def group(
    channels: Sequence[Any], counts: np.ndarray, *, dtype: str = "<i2", rate: str = "500"
) -> Any:
    """One multiplex group of original data."""
    from pydicom.dataset import Dataset

    kind = np.dtype(dtype)
    item = Dataset()
    item.MultiplexGroupTimeOffset, item.WaveformOriginality = "0", "ORIGINAL"
    item.NumberOfWaveformChannels, item.NumberOfWaveformSamples = len(channels), len(counts)
    item.SamplingFrequency, item.MultiplexGroupLabel = rate, "RHYTHM"
    item.ChannelDefinitionSequence = list(channels)
    item.WaveformBitsAllocated = 8 * kind.itemsize
    item.WaveformSampleInterpretation = {
        "i1": "SB", "u1": "UB", "i2": "SS", "u2": "US", "i4": "SL", "u4": "UL",
    }[kind.str[1:]]  # fmt: skip
    data = counts.astype(kind).tobytes()
    item.add_new("WaveformData", "OB" if kind.itemsize == 1 else "OW", data + bytes(len(data) % 2))
    return item


def write_dicom(
    path: Path, groups: Sequence[Any], *, storage: str = "general", syntax: str = EXPLICIT
) -> Path:
    """A DICOM waveform object with these groups."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = STORAGE[storage]
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = syntax
    data = Dataset()
    data.file_meta = meta
    data.SOPClassUID, data.SOPInstanceUID = STORAGE[storage], meta.MediaStorageSOPInstanceUID
    data.Modality, data.PatientID, data.PatientSex = "ECG", "P-007", "F"
    data.PatientName, data.AcquisitionDateTime = "Doe^Jane", "20240531143005+0900"
    data.WaveformSequence = list(groups)
    data.save_as(path, enforce_file_format=True)
    return path


def twelve(n: int, dtype: str = "<i2", **more: str) -> Any:
    """A group with all twelve leads."""
    channels = [channel(name, code=scp_code(name), **more) for name in CANONICAL_LEADS]
    return group(channels, counts_of(CANONICAL_LEADS, n), dtype=dtype)


def write_dicom_32_bit(path: Path, n: int = 1000) -> Path:
    return write_dicom(path, [twelve(n, "<i4")], storage="32-bit", syntax=IMPLICIT)


def write_dicom_big_endian(path: Path, n: int = 1000) -> Path:
    return write_dicom(path, [twelve(n, ">i2")], storage="12-lead", syntax=BIG_ENDIAN)


def write_haemodynamic(path: Path, n: int = 1000) -> Path:
    """Leads I and II (MDC codes) among an arterial pressure; beside it a group of pressures."""
    leads = [channel(x, code=(f"2:{made.SCP_LEAD_NUMBER[x]}", "MDC", x)) for x in ("I", "II")]
    pressure = channel(
        "ART", code=("2:18976", "MDC", "Aortic pressure"), unit="mm[Hg]", ChannelSensitivity="0.1"
    )
    wave = counts_of(("I", "II"), n)
    ecg = group([leads[0], pressure, leads[1]], np.stack([wave[:, 0], wave[:, 0], wave[:, 1]], 1))
    other = group([pressure], np.arange(n // 2)[:, None] % 100, rate="250")
    return write_dicom(path, [other, ecg], storage="haemodynamic")


def write_edf_plus(path: Path, n_seconds: int = 3, *, kind: str = "edf") -> Path:
    """EDF+ or BDF+ by pyedflib: three leads, a respiration at another rate, an annotation."""
    import pyedflib

    is_bdf = kind == "bdf"
    writer = pyedflib.EdfWriter(
        str(path), 4, pyedflib.FILETYPE_BDFPLUS if is_bdf else pyedflib.FILETYPE_EDFPLUS
    )
    most = 2**23 if is_bdf else 2**15
    for i, (label, hertz, unit) in enumerate(
        (("ECG I", 250, "uV"), ("EKG II", 250, "mV"), ("V1-REF", 250, "uV"), ("Resp", 25, "L"))
    ):
        writer.setSignalHeader(
            i,
            {
                "label": label, "dimension": unit, "sample_frequency": hertz,
                "physical_max": 5.0 if unit != "uV" else 5000.0,
                "physical_min": -5.0 if unit != "uV" else -5000.0,
                "digital_max": most - 1, "digital_min": -most,
                "transducer": "", "prefilter": "HP:0.05Hz LP:150Hz",
            },
        )  # fmt: skip
    writer.setPatientCode("P-007")
    writer.setPatientName("Jane_Doe")
    writer.setSex(0)
    writer.setBirthdate(date(1960, 6, 1))
    writer.setEquipment("Cart_5")
    writer.setStartdatetime(datetime(2024, 5, 31, 14, 30, 5))
    t = np.arange(250 * n_seconds) / 250
    waves = [1000 * np.sin(9 * t), np.sin(7 * t), 500 * np.cos(5 * t)]
    writer.writeSamples([*waves, np.sin(np.arange(25 * n_seconds) / 25)])
    writer.writeAnnotation(0.5, -1, "Jane moved")
    writer.close()
    return path


def write_atc(path: Path, names: Sequence[str] = ("I",), n: int = 600, rate: int = 300) -> Path:
    """Kardia: 500 nV a count; checksums are sums of bytes."""
    ids = dict(zip(CANONICAL_LEADS, " 23456789abc", strict=True))
    info = struct.pack(
        "<32s40s44s32s32s32s52s",
        b"2024-05-31T14:30:05+09:00", b"uuid", b"", b"Jane's iPhone", b"Kardia 5", b"6L", b"",
    )  # fmt: skip
    blocks = [(b"info", info), (b"fmt ", struct.pack("<BHHBH", 1, rate, 500, 0x16, 0))]
    for name in names:
        counts = made.make_counts(n)[name].astype("<i2").tobytes()
        blocks.append((f"ecg{ids[name]}".encode(), counts))
    blocks.append((b"avg ", bytes(900)))
    data = b"ALIVE\0\0\0" + struct.pack("<I", 3)
    for name, body in blocks:
        block = name + struct.pack("<I", len(body)) + body
        data += block + struct.pack("<I", sum(block))
    path.write_bytes(data)
    return path


def write_ishne(path: Path, n: int = 1000, comment: bytes = b"Night before surgery") -> Path:
    """ISHNE with a comment between header and samples."""
    made.write_ishne(path)
    raw = path.read_bytes()
    header = bytearray(raw[10:522])
    struct.pack_into("<iiii", header, 0, len(comment), n, 522, 522 + len(comment))
    block = bytes(header) + comment
    crc = struct.pack("<H", made._crc_ccitt(block))
    path.write_bytes(b"ISHNE1.0" + crc + block + raw[522 : 522 + 6 * n])
    return path


def _bits(values: Sequence[int], huffman: str) -> bytes:
    """Code differences: "0" for 0, "10" and 8 bits, "11" and 16 bits (two's complement)."""
    if not huffman:
        return np.asarray(values).astype("<i2").tobytes()
    text = []
    for value in map(int, values):
        if value == 0:
            text.append("0")
        elif -128 <= value < 128:
            text.append("10" + format(value & 0xFF, "08b"))
        else:
            text.append("11" + format(value & 0xFFFF, "016b"))
    joined = "".join(text)
    joined += "0" * (-len(joined) % 16)
    return int(joined, 2).to_bytes(len(joined) // 8, "big")


def _differences(values: np.ndarray, order: int) -> np.ndarray:
    """First values as they are, then first or second differences (EN 1064, 5.9)."""
    out = values.copy()
    if order == 1:
        out[1:] = values[1:] - values[:-1]
    elif order == 2:
        out[2:] = values[2:] - 2 * values[1:-1] + values[:-2]
    return out


def own_huffman_table() -> bytes:
    """Section 2 with one table of three codes, as `_bits` uses them."""
    rows = ((1, 1, 1, 0, 0b0), (2, 10, 1, 0, 0b01), (2, 18, 1, 0, 0b11))
    # the base code is written with its first bit lowest
    return struct.pack("<HH", 1, len(rows)) + b"".join(struct.pack("<BBBhI", *r) for r in rows)


def write_scp(
    path: Path,
    n: int = 1000,
    *,
    order: int = 0,
    huffman: bool = False,
    beat: bool = False,
    changes: dict[str, Any] | None = None,
) -> Path:
    """SCP-ECG 2.0 of 12 leads; with `beat` the reference beat is subtracted from 5 places.

    `changes` replaces "spans" (of each lead), "interval_us", "bimodal" or "numbers"; "flat"
    makes all samples 0.
    """
    said = changes or {}
    counts = {name: wave.copy() for name, wave in made.make_counts(n).items()}
    if said.get("flat"):
        counts = {name: np.zeros_like(wave) for name, wave in counts.items()}
    names = list(counts)
    spans = said.get("spans", [(1, n)] * 12)
    numbers = said.get("numbers", [made.SCP_LEAD_NUMBER[name] for name in names])
    section_3 = struct.pack("<BB", 12, 4 | 12 << 3 | int(beat))
    for (first, last), number in zip(spans, numbers, strict=True):
        section_3 += struct.pack("<IIB", first, last, number)
    bodies = {0: bytes(120), 1: struct.pack("<BH6sBH", 2, 6, b"P-007\0", 255, 0), 3: section_3}
    if huffman:
        bodies[2] = own_huffman_table()
    interval = said.get("interval_us", 2000)
    if beat:
        starts = range(101, n - 100, 180)
        shape = np.rint(60 * np.hanning(100)).astype(np.int64)
        # the beat's 50th sample is its fiducial point
        bodies[4] = struct.pack("<HHH", 200, 50, len(starts)) + b"".join(
            struct.pack("<HIII", 0, s, s + 49, s + 99) for s in starts
        )
        bodies[5] = _samples([shape] * 12, interval, order, huffman, bimodal=0)
        for wave in counts.values():
            for s in starts:
                wave[s - 1 : s + 99] -= shape
    bodies[6] = _samples(
        list(counts.values()), interval, order, huffman, bimodal=said.get("bimodal", 0)
    )
    path.write_bytes(_scp_record(dict(sorted(bodies.items()))))
    return path


def _samples(
    waves: Sequence[np.ndarray], interval_us: int, order: int, huffman: bool, *, bimodal: int
) -> bytes:
    blocks = [_bits(_differences(wave, order), "own" if huffman else "") for wave in waves]
    head = struct.pack("<HHBB", 5000, interval_us, order, bimodal)
    return head + struct.pack("<12H", *map(len, blocks)) + b"".join(blocks)


def _scp_record(bodies: dict[int, bytes]) -> bytes:
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
        record += struct.pack("<H", made._crc_ccitt(section)) + section
    sized = struct.pack("<I", 6 + len(record)) + record
    return struct.pack("<H", made._crc_ccitt(sized)) + sized
