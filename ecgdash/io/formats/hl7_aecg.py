"""HL7 aECG (FDA annotated ECG) XML, decoded by ecgdatakit.

The rhythm series is read; derived series (median beats) are not.
"""

from datetime import tzinfo
from pathlib import Path
from typing import Final

from ecgdash.domain import EcgRecord
from ecgdash.io.build import build_record
from ecgdash.io.hints import ReadHints
from ecgdash.io.kit import channels_of, facts_of, parse_with_kit, rate_of
from ecgdash.io.xml_safety import parse_xml, root_tag

SUFFIXES: Final = (".xml", ".aecg")


def sniff(path: Path) -> bool:
    """Whether the root element is AnnotatedECG."""
    return root_tag(path) == "annotatedecg"


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read an aECG file; see `ecgdash.io.read_ecg`."""
    parse_xml(path)
    notes: list[str] = []
    decoded = parse_with_kit(path, "hl7_aecg", notes)
    facts = facts_of(decoded, zone, notes)
    return build_record(
        channels_of(decoded.leads, path.name),
        rate_of(decoded, path.name),
        facts,
        source_name=path.name,
        file_format="hl7-aecg",
    )
