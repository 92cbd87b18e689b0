"""ISHNE Holter 1.0, decoded by ecgdatakit.

ecgdatakit reads as many samples as the file holds, whatever its header declares, and only
warns where the header's statements about its own layout contradict each other. Here they
are compared first, so that a cut file is refused.
"""

import struct
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile, FileTooLarge
from ecgdash.io.about import About
from ecgdash.io.build import Channel, build_record
from ecgdash.io.hints import ReadHints
from ecgdash.io.kit import channels_of, facts_of, parse_with_kit, rate_of

__all__ = ["ABOUT", "SUFFIXES", "read", "sniff"]

ABOUT: Final = About(
    title="ISHNE Holter",
    versions="ISHNE 1.0",
    libraries=("ecgdatakit",),
    reads="The leads that the header names, patient id, sex, age and start of the recording.",
    decides=(
        "Leads without a name (generic and unknown ones) are dropped with a note.",
        "The sample -32768 marks a lead fault and is absent.",
        "A checksum of 0 means that the writer computed none.",
    ),
    checks=(
        "The checksum of the header, in either byte order.",
        "The length of the file against samples, leads and the length of the header.",
        "The stated places of the two blocks behind the header.",
    ),
    limits=(
        "More than 10 million samples are refused: cut long recordings first.",
        "Annotation files are not read.",
    ),
    proven=("A file laid out by hand after the table in Badilini 1998; no device's file",),
)
SUFFIXES: Final = (".ecg",)

_MAGIC: Final = b"ISHNE1.0"
_HEADER_BYTES: Final = 522
_LEAD_FAULT: Final = -32768
_MOST_SAMPLES: Final = 10_000_000


@dataclass(frozen=True)
class _Layout:
    comment_bytes: int
    n_samples: int
    """Of each lead."""
    comment_at: int
    data_at: int
    n_leads: int


def sniff(path: Path) -> bool:
    """Whether the file starts with ISHNE1.0."""
    with path.open("rb") as stream:
        return stream.read(len(_MAGIC)) == _MAGIC


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read an ISHNE file; see `ecgdash.io.read_ecg`."""
    with path.open("rb") as stream:
        head = stream.read(_HEADER_BYTES)
    _check(head, path.stat().st_size, path.name)
    notes: list[str] = []
    decoded = parse_with_kit(path, "ishne_holter", notes)
    facts = facts_of(decoded, zone, notes)
    channels = channels_of(decoded.leads, path.name)
    return build_record(
        _without_faults(decoded, channels, notes),
        rate_of(decoded, path.name),
        facts,
        source_name=path.name,
        file_format="ishne",
    )


def _without_faults(decoded: Any, channels: list[Channel], notes: list[str]) -> list[Channel]:
    """Mark the samples as absent by which a recorder says that a lead had fallen off."""
    kept = []
    for lead, channel in zip(decoded.leads, channels, strict=True):
        fault = np.asarray(lead.samples) == _LEAD_FAULT
        if fault.any():
            notes.append(f"{int(fault.sum())} samples of {channel.name} mark a lead fault: absent")
        kept.append(replace(channel, millivolts=np.where(fault, np.nan, channel.millivolts)))
    return kept


def _damaged(what: str, where: str) -> CorruptFile:
    return CorruptFile(what, where=where, todo="Export the ECG again")


def _check(head: bytes, n_bytes: int, where: str) -> None:
    """Refuse a file whose header contradicts itself or the length of the file."""
    if len(head) < _HEADER_BYTES:
        raise _damaged(f"the file holds {n_bytes} bytes, the header alone {_HEADER_BYTES}", where)
    layout = _Layout(*struct.unpack_from("<iiii", head, 10), *struct.unpack_from("<h", head, 156))
    if not 1 <= layout.n_leads <= 12 or layout.n_samples < 1 or layout.comment_bytes < 0:
        raise _damaged(
            f"the header states {layout.n_leads} leads of {layout.n_samples} samples behind "
            f"{layout.comment_bytes} bytes of comment",
            where,
        )
    if layout.comment_at != _HEADER_BYTES or layout.data_at != _HEADER_BYTES + layout.comment_bytes:
        raise _damaged(
            f"the header puts the samples at byte {layout.data_at}; header and comment end at "
            f"byte {_HEADER_BYTES + layout.comment_bytes}",
            where,
        )
    if n_bytes - layout.data_at != 2 * layout.n_samples * layout.n_leads:
        raise _damaged(
            f"the header declares {layout.n_leads} leads of {layout.n_samples} samples, which "
            f"take {2 * layout.n_samples * layout.n_leads} bytes; the file holds "
            f"{n_bytes - layout.data_at}",
            where,
        )
    if layout.n_samples * layout.n_leads > _MOST_SAMPLES:
        raise FileTooLarge(
            f"the file holds {layout.n_samples * layout.n_leads} samples",
            where=where,
            accepted=f"Accepted: at most {_MOST_SAMPLES}",
            todo="Cut the recording",
        )
