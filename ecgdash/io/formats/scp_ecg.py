"""SCP-ECG (EN 1064 / ISO 11073-91064), decoded by ecgdatakit.

The sniff is strict (section 0 must describe itself): vendor files that only start like
SCP-ECG are refused instead of being misread. ecgdatakit verifies the checksums of the
record and of each section, undoes Huffman coding, differences and reference-beat
subtraction. It ignores bytes behind the record, rounds the sampling rate to whole hertz,
renames a lead that occurs twice and shifts leads that do not start together to one start;
all this is checked here before it decodes.
"""

import struct
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile, FileTooLarge, MissingLeads, UnknownSamplingRate
from ecgdash.io.about import About
from ecgdash.io.build import build_record
from ecgdash.io.hints import ReadHints
from ecgdash.io.kit import channels_of, facts_of, parse_with_kit

__all__ = ["ABOUT", "SUFFIXES", "read", "sniff"]

ABOUT: Final = About(
    title="SCP-ECG",
    versions="EN 1064 versions 1 to 3: sections 0, 1, 3 and 6, with 2, 4, 5, 7, 8, 10 and 11",
    libraries=("ecgdatakit",),
    reads="The rhythm data (section 6), never the reference beat; statements and global "
    "measurements, patient id, sex, age, time and zone.",
    decides=(
        "The sampling rate is the whole number of hertz whose interval, rounded to a "
        "microsecond as the format has it, is the stated one; otherwise the interval counts.",
        "Text of confirming physicians is dropped.",
    ),
    checks=(
        "The checksum of the record and of every section.",
        "The stated length of the record against the file.",
        "The places of the sections against each other and against their own headers.",
        "Samples of each lead (section 3) against its bytes (section 6), before they are decoded.",
        "All leads start and end together, and none occurs twice.",
    ),
    limits=(
        "Bimodal compression and the long-term data of version 3 (section 12) are refused.",
        "Leads recorded one after the other are refused.",
    ),
    proven=(
        "The same ECG as HL7 aECG and as DICOM, written by other software, with Huffman coding "
        "and second differences",
    ),
)
SUFFIXES: Final = (".scp",)

_MOST_SAMPLES: Final = 1_500_000
"""Over four minutes of 12 leads at 500 Hz; the Huffman decoder takes seconds for them."""
_MOST_BYTES: Final = 2_000_000
"""Twelve leads fill at most 65,535 bytes each, as rhythm and as beat; decoding takes seconds."""
_MOST_BEAT_SAMPLES: Final = 8 * 65535
"""A lead fills at most 65,535 bytes, and a Huffman code has at least one bit."""


def sniff(path: Path) -> bool:
    """Whether section 0 has the id 0 and its first pointer names itself at byte 7."""
    with path.open("rb") as stream:
        head = stream.read(32)
    if len(head) < 32:
        return False
    section_id, length = struct.unpack_from("<HI", head, 8)
    first_id = struct.unpack_from("<H", head, 22)[0]
    first_index = struct.unpack_from("<I", head, 28)[0]
    pointers_fit = length >= 26 and (length - 16) % 10 == 0
    return bool(section_id == 0 and pointers_fit and first_id == 0 and first_index == 7)


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read an SCP-ECG file; see `ecgdash.io.read_ecg`."""
    data = path.read_bytes()
    if len(data) > _MOST_BYTES:
        raise _too_large(f"the file holds {len(data)} bytes", f"{_MOST_BYTES} bytes", path.name)
    _check_sizes(data, path.name)
    notes: list[str] = []
    decoded = parse_with_kit(path, "scp_ecg", notes)
    facts = facts_of(decoded, zone, notes)
    channels = channels_of(decoded.leads, path.name)
    return build_record(
        channels,
        _rate_hz(decoded, path.name),
        facts,
        source_name=path.name,
        file_format="scp-ecg",
    )


def _damaged(what: str, where: str) -> CorruptFile:
    return CorruptFile(what, where=where, todo="Export the ECG again")


def _too_large(what: str, most: str, where: str) -> FileTooLarge:
    return FileTooLarge(
        what, where=where, accepted=f"Accepted: at most {most}", todo="Cut the recording"
    )


def _sections(data: bytes, where: str) -> dict[int, bytes]:
    """Return the bodies of the sections that hold leads and samples."""
    pointers_end = min(6 + struct.unpack_from("<I", data, 10)[0], len(data))
    bodies = {}
    for at in range(22, pointers_end - 9, 10):
        number, length, place = struct.unpack_from("<HII", data, at)
        if not 0 < number <= 11 or length == 0:
            continue
        start = place - 1
        if start < 6 or length < 16 or start + length > len(data):
            raise _damaged(
                f"section {number} lies at bytes {place} to {place + length - 1} of {len(data)}",
                where,
            )
        if number in bodies:
            raise _damaged(f"section {number} occurs twice", where)
        stated = struct.unpack_from("<I", data, start + 4)[0]
        if stated != length:
            raise _damaged(
                f"section {number} states {stated} bytes, the pointer to it {length}", where
            )
        bodies[number] = data[start + 16 : start + length]
    return bodies


def _check_sizes(data: bytes, where: str) -> None:
    """Compare what the record states about its lengths before any of it is decoded.

    Raises
    ------
    CorruptFile, MissingLeads, FileTooLarge
        If two statements contradict each other, or leads are not simultaneous.
    """
    stated = struct.unpack_from("<I", data, 2)[0]
    if stated != len(data):
        raise _damaged(f"the record states {stated} bytes, the file holds {len(data)}", where)
    bodies = _sections(data, where)
    leads, rhythm = bodies.get(3, b""), bodies.get(6, b"")
    n_leads = leads[0] if leads else 0
    if n_leads == 0 or len(leads) < 2 + 9 * n_leads or len(rhythm) < 6 + 2 * n_leads:
        raise _damaged(
            f"sections 3 and 6 hold {len(leads)} and {len(rhythm)} bytes for {n_leads} leads",
            where,
        )
    _check_beat(bodies.get(4, b""), bodies.get(5, b""), where)
    spans = [struct.unpack_from("<IIB", leads, 2 + 9 * i) for i in range(n_leads)]
    sizes = struct.unpack_from(f"<{n_leads}H", rhythm, 6)
    _check_spans(spans, where)
    n_samples = spans[0][1] - spans[0][0] + 1
    for i, size in enumerate(sizes):
        # a Huffman code has at least one bit
        most = 8 * size if 2 in bodies else size // 2
        if n_samples > most or (2 not in bodies and n_samples < most):
            raise _damaged(
                f"section 3 states {n_samples} samples for lead {i + 1}, section 6 holds {size} "
                "bytes of it",
                where,
            )
    if sum(sizes) > len(rhythm) - 6 - 2 * n_leads:
        raise _damaged(
            f"the leads take {sum(sizes)} bytes, section 6 holds {len(rhythm) - 6 - 2 * n_leads}",
            where,
        )
    if n_samples * n_leads > _MOST_SAMPLES:
        raise _too_large(
            f"the file holds {n_samples * n_leads} samples", f"{_MOST_SAMPLES} samples", where
        )


def _check_beat(section_4: bytes, section_5: bytes, where: str) -> None:
    if len(section_4) < 2 or len(section_5) < 4:
        return
    length_ms, interval_us = struct.unpack_from("<H", section_4)[0], section_5[2:4]
    step_us = int.from_bytes(interval_us, "little")
    if step_us == 0 or length_ms * 1000 / step_us > _MOST_BEAT_SAMPLES:
        raise _damaged(
            f"the reference beat lasts {length_ms} ms in steps of {step_us} microseconds", where
        )


def _check_spans(spans: list[tuple[Any, ...]], where: str) -> None:
    ranges = {span[:2] for span in spans}
    codes = [span[2] for span in spans]
    if len(set(codes)) < len(codes):
        raise MissingLeads("section 3 names a lead twice", where=where, todo="Export the ECG again")
    start, end = next(iter(ranges))
    if len(ranges) > 1 or start < 1 or end < start:
        shown = ", ".join(f"{a} to {b}" for a, b in sorted(ranges)[:6])
        raise _damaged(f"the leads are not simultaneous: they hold the samples {shown}", where)


def _rate_hz(decoded: Any, where: str) -> float:
    """Return the sampling rate that the interval in microseconds means."""
    interval_us = int(decoded.raw_metadata.get("rhythm_sample_interval_us") or 0)
    if interval_us == 0:
        raise UnknownSamplingRate("the sample interval is 0", where=where)
    whole = round(1e6 / interval_us)
    return float(whole) if whole and round(1e6 / whole) == interval_us else 1e6 / interval_us
