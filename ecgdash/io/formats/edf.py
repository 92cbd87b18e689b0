"""EDF and EDF+, decoded by ecgdatakit.

ecgdatakit takes the whole local-patient field as the id where the header does
not say EDF+ ("X M X X" of a Kardia file). The field may hold a name and a
birth date; here only its first word (the code) and its second (the sex) are
kept, and only where it has the four words of EDF+.
"""

from datetime import tzinfo
from pathlib import Path
from typing import Final

from ecgdash.domain import EcgRecord
from ecgdash.io.build import build_record, sex_of
from ecgdash.io.hints import ReadHints
from ecgdash.io.kit import channels_of, facts_of, parse_with_kit, rate_of

SUFFIXES: Final = (".edf",)


def sniff(path: Path) -> bool:
    """Whether the file starts with EDF's version field and a header length that fits it."""
    with path.open("rb") as stream:
        head = stream.read(256)
    if len(head) < 256 or head[:8] != b"0       ":
        return False
    header_bytes, n_signals = head[184:192].strip(), head[252:256].strip()
    if not (header_bytes.isdigit() and n_signals.isdigit()):
        return False
    return int(header_bytes) == 256 * (int(n_signals) + 1)


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read an EDF file; see `ecgdash.io.read_ecg`."""
    notes: list[str] = []
    decoded = parse_with_kit(path, "edf", notes)
    facts = facts_of(decoded, zone, notes)
    with path.open("rb") as stream:
        field = stream.read(88)[8:].decode("latin-1")
    words = field.split()
    is_edf_plus = len(words) >= 4
    facts.patient_id = words[0] if is_edf_plus else None
    facts.sex = sex_of(words[1]) if is_edf_plus else None
    if not is_edf_plus and words:
        notes.append("the patient field is free text and was dropped; the patient id is unknown")
    return build_record(
        channels_of(decoded.leads, path.name),
        rate_of(decoded, path.name),
        facts,
        source_name=path.name,
        file_format="edf",
    )
