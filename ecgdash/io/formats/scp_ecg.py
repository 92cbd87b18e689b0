"""SCP-ECG (EN 1064), decoded by ecgdatakit.

The sniff is strict (section 0 must describe itself): vendor files that only
start like SCP-ECG are refused instead of being misread.
"""

import struct
from datetime import tzinfo
from pathlib import Path
from typing import Final

from ecgdash.domain import EcgRecord
from ecgdash.io.build import build_record
from ecgdash.io.hints import ReadHints
from ecgdash.io.kit import channels_of, facts_of, parse_with_kit, rate_of

SUFFIXES: Final = (".scp",)


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
    notes: list[str] = []
    decoded = parse_with_kit(path, "scp_ecg", notes)
    facts = facts_of(decoded, zone, notes)
    return build_record(
        channels_of(decoded.leads, path.name),
        rate_of(decoded, path.name),
        facts,
        source_name=path.name,
        file_format="scp-ecg",
    )
