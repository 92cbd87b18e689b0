"""ISHNE Holter, decoded by ecgdatakit.

The declared length is often nominal, so a file that holds less is read as far
as it goes, with a note.
"""

import struct
from datetime import tzinfo
from pathlib import Path
from typing import Final

from ecgdash.domain import EcgRecord
from ecgdash.io.build import build_record
from ecgdash.io.hints import ReadHints
from ecgdash.io.kit import channels_of, facts_of, parse_with_kit, rate_of

SUFFIXES: Final = (".ecg",)
_MAGIC: Final = b"ISHNE1.0"


def sniff(path: Path) -> bool:
    """Whether the file starts with ISHNE1.0."""
    with path.open("rb") as stream:
        return stream.read(len(_MAGIC)) == _MAGIC


def _declared_samples(path: Path) -> int:
    with path.open("rb") as stream:
        return int(struct.unpack_from("<i", stream.read(18), 14)[0])


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read an ISHNE file; see `ecgdash.io.read_ecg`."""
    notes: list[str] = []
    decoded = parse_with_kit(path, "ishne_holter", notes)
    facts = facts_of(decoded, zone, notes)
    declared, held = _declared_samples(path), len(decoded.leads[0].samples)
    if declared > held:
        notes.append(f"the header declares {declared} samples a lead; the file holds {held}")
    return build_record(
        channels_of(decoded.leads, path.name),
        rate_of(decoded, path.name),
        facts,
        source_name=path.name,
        file_format="ishne",
    )
