"""AliveCor Kardia .atc recordings (ATC file format 1.4 to 1.7), 1 to 12 leads.

The layout is AliveCor's published specification (ATCpy, "ATC File Format Specification
1.7"). It calls the checksum of a block a CRC32; AliveCor's own files hold the plain sum of
the block's bytes, modulo 2**32, and so does this module. ecgdatakit reads only the JSON of
Kardia's web service, so the blocks are decoded here.
"""

import struct
from datetime import tzinfo
from pathlib import Path
from typing import Final

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.errors import CorruptFile, FileTooLarge
from ecgdash.io.about import About
from ecgdash.io.build import Channel, Facts, build_record
from ecgdash.io.hints import ReadHints
from ecgdash.io.times import parse_iso

__all__ = ["ABOUT", "SUFFIXES", "read", "sniff"]

ABOUT: Final = About(
    title="AliveCor Kardia ATC",
    versions="File versions 2 to 5 (specification 1.4 to 1.7) with 1, 6 or 12 leads",
    libraries=("ours",),
    reads="The recorded leads, the time of recording, the recorder and the filters.",
    decides=(
        "The amplitude step is the one that the file states in nanovolts.",
        "Average beats, median beats, beat annotations and accelerations are not read.",
    ),
    checks=(
        "The checksum of every block is verified.",
        "The blocks end where the file ends.",
        "All leads hold equally many samples.",
    ),
    limits=("The format holds no patient id, age or sex.",),
    proven=(
        "Two recordings of AliveCor's own test suite; in the one with 6 leads the four derived "
        "limb leads equal I and II to the last count.",
    ),
)
SUFFIXES: Final = (".atc",)

_SIGNATURE: Final = b"ALIVE\0\0\0"
_MOST_BYTES: Final = 20_000_000
_VERSIONS: Final = range(2, 6)
_LEAD_OF: Final = dict(
    zip(
        (b"ecg ", *(b"ecg" + bytes([c]) for c in b"23456789abc")),
        CANONICAL_LEADS,
        strict=True,
    )
)
_INFO: Final = struct.Struct("<32s40s44s32s32s32s52s")
_FORMAT: Final = struct.Struct("<BHHB2x")
_SIGNED_16_BIT: Final = 1
_SIXTY_HERTZ, _MAINS_FILTER, _BASELINE_FILTER, _NOTCH, _ENHANCED = 2, 4, 16, 32, 64


def sniff(path: Path) -> bool:
    """Whether the file starts with AliveCor's signature."""
    with path.open("rb") as stream:
        return stream.read(len(_SIGNATURE)) == _SIGNATURE


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read a Kardia recording; see `ecgdash.io.read_ecg`."""
    data = path.read_bytes()
    if len(data) > _MOST_BYTES:
        raise FileTooLarge(
            f"the file holds {len(data)} bytes",
            where=path.name,
            accepted=f"Accepted: at most {_MOST_BYTES}",
            todo="Export a shorter recording",
        )
    blocks = _blocks(data, path.name)
    rate_hz, step_nv, flags = _format(blocks, path.name)
    channels = []
    for block, lead in _LEAD_OF.items():
        if block not in blocks:
            continue
        if len(blocks[block]) % 2:
            raise _damaged(f"the samples of lead {lead} fill {len(blocks[block])} bytes", path.name)
        counts = np.frombuffer(blocks[block], dtype="<i2").astype(np.float64)
        channels.append(Channel(lead, counts * (step_nv * 1e-6), step_nv * 1e-3))
    return build_record(
        channels,
        float(rate_hz),
        _facts(blocks, flags, zone),
        source_name=path.name,
        file_format="kardia-atc",
    )


def _damaged(what: str, where: str) -> CorruptFile:
    return CorruptFile(what, where=where, todo="Export the ECG again from Kardia")


def _blocks(data: bytes, where: str) -> dict[bytes, bytes]:
    """Return the blocks by their ids, each with a right checksum.

    Raises
    ------
    CorruptFile
        If a block reaches beyond the file, occurs twice or does not fit its checksum.
    """
    version = struct.unpack_from("<I", data.ljust(12, b"\0"), 8)[0]
    if version not in _VERSIONS:
        raise _damaged(f"ATC file version {version} is not one of 2 to 5", where)
    blocks: dict[bytes, bytes] = {}
    at = 12
    while at < len(data):
        if at + 12 > len(data):
            raise _damaged(f"{len(data) - at} bytes follow the last block", where)
        name, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            raise _damaged(
                f"block {len(blocks) + 1} claims {length} bytes, {len(data) - at - 12} are left",
                where,
            )
        stated = struct.unpack_from("<I", data, end)[0]
        held = int(np.frombuffer(data[at:end], dtype=np.uint8).sum(dtype=np.uint64)) % 2**32
        if stated != held:
            raise _damaged(
                f"the checksum of block {len(blocks) + 1} is {held}, the file states {stated}",
                where,
            )
        if name in blocks:
            raise _damaged(f"block {len(blocks) + 1} occurs twice", where)
        blocks[name] = data[at + 8 : end]
        at = end + 4
    return blocks


def _format(blocks: dict[bytes, bytes], where: str) -> tuple[int, int, int]:
    """Return sampling rate in Hz, step in nV and flags."""
    block = blocks.get(b"fmt ", b"")
    if len(block) != _FORMAT.size:
        raise _damaged(f"the format block holds {len(block)} bytes, not {_FORMAT.size}", where)
    coding, rate_hz, step_nv, flags = _FORMAT.unpack(block)
    if coding != _SIGNED_16_BIT:
        raise _damaged(f"sample format {coding} is not 1 (16 bit)", where)
    if step_nv == 0:
        raise _damaged("the amplitude resolution is 0 nV", where)
    return rate_hz, step_nv, flags


def _facts(blocks: dict[bytes, bytes], flags: int, zone: tzinfo) -> Facts:
    notes: list[str] = []
    filters = []
    mains_hz = 60 if flags & _SIXTY_HERTZ else 50
    if flags & _BASELINE_FILTER:
        filters.append("high-pass 0.1 Hz")
    if flags & (_MAINS_FILTER | _NOTCH):
        filters.append(f"notch {mains_hz} Hz")
    if flags & _ENHANCED:
        filters.append("Kardia's enhanced filter")
    info = blocks.get(b"info", b"")
    if len(info) != _INFO.size:
        notes.append("the file holds no block of recording data")
        return Facts(filters=", ".join(filters), notes=notes)
    # the phone's model and identifiers are left out: people name their phones
    day, _, _, _, software, hardware, _ = (
        field.split(b"\0")[0].decode("utf-8", "replace") for field in _INFO.unpack(info)
    )
    device = " ".join(part for part in ("AliveCor", hardware, software) if part.strip())
    return Facts(
        moment=parse_iso(day, zone), device=device, filters=", ".join(filters), notes=notes
    )
