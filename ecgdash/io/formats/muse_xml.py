"""GE MUSE XML, decoded by ecgdatakit.

MUSE stores eight leads; III, aVR, aVL and aVF are derived. The rhythm waveform
is read, never the median beat. Dates masked as XX-XX-XXXX leave the ECG
undated, and a birth year that cannot go with the stated age leaves the age
unknown: ecgdatakit compares the two only where a recording date is stated.
"""

import re
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any, Final

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile
from ecgdash.io.build import build_record
from ecgdash.io.hints import ReadHints
from ecgdash.io.kit import channels_of, facts_of, parse_with_kit, rate_of
from ecgdash.io.times import moment_of, resolve_age
from ecgdash.io.xml_safety import parse_xml, root_tag

SUFFIXES: Final = (".xml",)
_YEAR: Final = re.compile(r"(?:19|20)\d{2}")


def sniff(path: Path) -> bool:
    """Whether the root element is RestingECG."""
    return root_tag(path) == "restingecg"


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read the rhythm waveform of a MUSE file; see `ecgdash.io.read_ecg`."""
    root = parse_xml(path)
    kinds = [(kind.text or "").strip().lower() for kind in root.iterfind("Waveform/WaveformType")]
    if "rhythm" not in kinds:
        raise CorruptFile(
            "the MUSE file holds no rhythm waveform",
            where=path.name,
            todo="Export the ECG again with its rhythm waveform",
        )
    notes: list[str] = []
    decoded = parse_with_kit(path, "ge_muse_xml", notes)
    facts = facts_of(decoded, zone, notes)
    if facts.moment is None:
        _add_day_without_time(root, facts, zone)
    if facts.moment is None and facts.age_years is not None and decoded.patient.birth_date:
        facts.age_years, more = _age_by_edit_year(decoded, facts.age_years)
        notes.extend(more)
    return build_record(
        channels_of(decoded.leads, path.name),
        rate_of(decoded, path.name),
        facts,
        source_name=path.name,
        file_format="muse-xml",
    )


def _add_day_without_time(root: Any, facts: Any, zone: tzinfo) -> None:
    """Keep a stated day even where the time is masked."""
    text = (root.findtext("TestDemographics/AcquisitionDate") or "").strip()
    try:
        day = datetime.strptime(text, "%m-%d-%Y")
    except ValueError:
        return
    facts.moment = moment_of(day, zone, has_time=False)


def _age_by_edit_year(decoded: Any, age: float) -> tuple[float | None, tuple[str, ...]]:
    """Hold the stated age against the birth year where only the year of editing is known."""
    match = _YEAR.search(str(decoded.raw_metadata.get("EditDate", "")))
    if match is None:
        return age, ()
    birth: date = decoded.patient.birth_date.date()
    # An ECG may be edited years after it was recorded: only an age above the possible is refused,
    # and one that would put the recording before carts were digital.
    youngest_year = birth.year + int(age)
    if 1975 <= youngest_year <= int(match.group()):
        return age, ()
    return resolve_age(age, birth, date(int(match.group()), birth.month, 1))
