"""How vendor formats that no reader reads are told by their content."""

import re
import struct
from pathlib import Path
from typing import Final

__all__ = ["is_contec", "is_edan_holter", "is_healforce", "is_mfer"]

_CONTEC_HEAD: Final = re.compile(rb"\d{7}\0\0\0\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\0")
_EDAN_HOLTER: Final = b"##NEUTRAL HOLTER RECORDING##"


def _head(path: Path, n_bytes: int = 64) -> bytes:
    with path.open("rb") as stream:
        return stream.read(n_bytes)


def is_contec(path: Path) -> bool:
    """Whether a case number and a time stand at the places where a Contec ECG90A puts them.

    Eight leads of 16-bit counts follow; the file states neither their rate, nor their
    order, nor a scale (N. Rigacci, "Contec ECG90A - ECG File Format").
    """
    return _CONTEC_HEAD.match(_head(path)) is not None


def is_healforce(path: Path) -> bool:
    """Whether the file has SCP-ECG's section 0, but counts its pointers from 0.

    Healforce's portable recorders write such files: their leads are interleaved in one
    stream of 10-bit samples, which SCP-ECG does not know, and length and checksum are
    not those of EN 1064 (K. Bao, "healforcescpecg").
    """
    head = _head(path)
    if len(head) < 34:
        return False
    number, length = struct.unpack_from("<HI", head, 8)
    first, first_length, place = struct.unpack_from("<HII", head, 22)
    return bool(number == 0 and first == 0 and length == first_length >= 26 and place == 6)


def is_mfer(path: Path) -> bool:
    """Whether the file starts with the preamble of MFER (ISO 22077-1): tag 64, "MFR "."""
    head = _head(path)
    return head[:1] == b"\x40" and head[2:6] == b"MFR "


def is_edan_holter(path: Path) -> bool:
    """Whether the file has the signature of an Edan Holter archive (.arc)."""
    return _head(path)[4 : 4 + len(_EDAN_HOLTER)] == _EDAN_HOLTER
