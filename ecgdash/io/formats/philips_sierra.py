"""Philips Sierra / PhilipsECG XML 1.03 to 1.04.02, XLI-compressed or not, by ecgdatakit.

These files hold 11 s of which the last second ends in a calibration pulse
(0, 1 mV, 0 in all leads at once). ecgdatakit returns it as ECG; here the last
second is removed, because the pulse would reach the models and the maximum of
every lead would be 1 mV.
"""

import base64
import struct
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile
from ecgdash.io.about import About
from ecgdash.io.build import Channel, build_record, lead_name
from ecgdash.io.hints import ReadHints
from ecgdash.io.kit import channels_of, facts_of, parse_with_kit, rate_of
from ecgdash.io.xml_safety import parse_xml, root_tag

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SUFFIXES: Final = (".xml",)
PULSE_S: Final = 0.36
PULSE_MV: Final = 1.0
_PULSE_TOLERANCE_MV: Final = 1e-9
_CHUNK_HEAD: Final = struct.Struct("<I")
ABOUT: Final = About(
    title="Philips Sierra XML",
    versions="1.03 to 1.04.02, XLI-compressed or not",
    libraries=("ecgdatakit",),
    reads="Ten seconds of all leads, time, patient id, age, sex, statements, measurements, "
    "filters and device.",
    decides=("The last second, which holds the calibration pulse, is removed.",),
    checks=(
        "The rate of the waveforms against that of the signal.",
        "Bytes against leads x duration x rate; of compressed leads their ends and samples.",
        "All leads end in the same calibration pulse.",
    ),
    limits=("Other encodings than Base64 and plain numbers are refused.",),
    proven=("sierraecg on three files",),
)


def sniff(path: Path) -> bool:
    """Whether the root element is restingecgdata."""
    return root_tag(path) == "restingecgdata"


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read a Philips file; see `ecgdash.io.read_ecg`."""
    _check_waveforms(parse_xml(path), path.name)
    notes: list[str] = []
    decoded = parse_with_kit(path, "sierra_xml", notes)
    facts = facts_of(decoded, zone, notes)
    rate = rate_of(decoded, path.name)
    channels = channels_of(decoded.leads, path.name)
    channels = _without_calibration(channels, rate, path.name, notes)
    return build_record(channels, rate, facts, source_name=path.name, file_format="philips-sierra")


def _check_waveforms(root: "Element", where: str) -> None:
    """Compare the encoded waveforms with what the document states of them.

    Raises
    ------
    CorruptFile
        If rates differ, or the bytes are not as many as stated.
    """
    parsed = next((e for e in root.iter() if e.tag.rpartition("}")[2] == "parsedwaveforms"), None)
    if parsed is None:
        raise CorruptFile("the file holds no waveforms", where=where, todo="Export it again")
    rates = {_whole(parsed.get("samplespersecond")), _whole(_text_of(root, "samplingrate"))}
    rates.discard(None)
    offset = (_text_of(root, "signaloffset") or "0").strip()
    if (_text_of(root, "signalsigned") or "").strip().lower() == "true" and offset != "0":
        raise CorruptFile(
            f"an offset of {offset[:12]} is stated for signed samples",
            where=where,
            accepted="Accepted: signed samples about zero",
            todo="Export the ECG again",
        )
    duration_ms = _whole(parsed.get("durationperchannel"))
    if len(rates) != 1 or not duration_ms:
        raise CorruptFile(
            f"the rates {sorted(map(str, rates)) or 'none'} and "
            f"{duration_ms or 'no'} ms are stated",
            where=where,
            accepted="Accepted: one rate and a duration",
            todo="Export the ECG again",
        )
    if parsed.get("dataencoding") != "Base64":
        return
    try:
        data = base64.b64decode("".join((parsed.text or "").split()), validate=True)
    except ValueError as error:
        raise CorruptFile("the waveforms are no Base64", where=where) from error
    if "XLI" in (parsed.get("compression") or parsed.get("compressmethod") or "").upper():
        _check_chunks(data, round(duration_ms * float(rates.pop() or 0) / 1000), where)
        return
    n_leads = len((parsed.get("leadlabels") or "").split()) or _whole(
        _text_of(root, "numberchannelsallocated")
    )
    expected = 2 * (n_leads or 0) * round(duration_ms * float(rates.pop() or 0) / 1000)
    if len(data) != expected:
        raise CorruptFile(
            f"the waveforms hold {len(data)} bytes, {expected} are stated",
            where=where,
            todo="Export the ECG again",
        )


def _check_chunks(data: bytes, n_samples: int, where: str) -> None:
    """Compare the compressed leads with the data's end and with the stated length.

    ecgdatakit cuts leads that are longer than stated without a word, so the first is
    decoded here too. All leads of a file are equally long.

    Raises
    ------
    CorruptFile
        If bytes were lost or added, or the first lead holds another number of samples.
    """
    from ecgdatakit.exceptions import ECGDataKitError
    from ecgdatakit.parsing.codecs.xli import xli_decode

    ends, at = [], 0
    while at + _CHUNK_HEAD.size <= len(data):
        (size,) = _CHUNK_HEAD.unpack_from(data, at)
        at += _CHUNK_HEAD.size + 4 + size
        ends.append(at)
    if at != len(data):
        raise CorruptFile(
            "the compressed leads do not end with the data",
            where=where,
            todo="Export the ECG again",
        )
    try:
        held = len(xli_decode(data[: ends[0]])[0])
    except (ValueError, IndexError, ECGDataKitError) as error:
        raise CorruptFile("the compressed leads cannot be decoded", where=where) from error
    if held != n_samples:
        raise CorruptFile(
            f"the leads hold {held} samples, {n_samples} are stated",
            where=where,
            todo="Export the ECG again",
        )


def _text_of(root: "Element", tag: str) -> str | None:
    return next((e.text for e in root.iter() if e.tag.rpartition("}")[2] == tag), None)


def _whole(text: str | None) -> int | None:
    stripped = (text or "").strip()
    return int(stripped) if stripped.isascii() and stripped.isdigit() else None


def _without_calibration(
    channels: list[Channel], rate: float, where: str, notes: list[str]
) -> list[Channel]:
    """Remove the last second if the leads end in the same 1 mV pulse.

    Raises
    ------
    CorruptFile
        If some leads end in it and others do not: samples were changed or moved.
    """
    named = [channel.millivolts for channel in channels if lead_name(channel.name)]
    lengths = {len(samples) for samples in named}
    if len(named) < 2 or len(lengths) != 1 or lengths.pop() <= 2 * rate:
        return channels
    tail = np.stack(named)[:, -round(PULSE_S * rate) :]
    usual = np.median(tail, axis=0)
    alike = np.abs(tail - usual).max(axis=1) < _PULSE_TOLERANCE_MV
    if alike.sum() < 2 or abs(float(usual.max()) - PULSE_MV) > 0.05:
        return channels
    if not alike.all():
        raise CorruptFile(
            f"only {alike.sum()} of {len(alike)} leads end in the calibration pulse",
            where=where,
            todo="Export the ECG again: samples were changed or lost",
        )
    notes.append("the last second, which holds the calibration pulse, was removed")
    end = -round(rate)
    return [Channel(c.name, c.millivolts[:end], c.lsb_uv) for c in channels]
