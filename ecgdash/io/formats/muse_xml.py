"""GE MUSE XML, decoded by ecgdatakit.

MUSE stores eight leads; III, aVR, aVL and aVF are derived. The rhythm waveform
is read, never the median beat. Dates masked as XX-XX-XXXX leave the ECG
undated, and a birth year that cannot go with the stated age leaves the age
unknown: ecgdatakit compares the two only where a recording date is stated.
"""

import base64
import re
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile
from ecgdash.io.about import About
from ecgdash.io.build import build_record
from ecgdash.io.hints import ReadHints
from ecgdash.io.kit import channels_of, facts_of, parse_with_kit, rate_of
from ecgdash.io.times import moment_of, resolve_age
from ecgdash.io.xml_safety import parse_xml, root_tag

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SUFFIXES: Final = (".xml",)
ABOUT: Final = About(
    title="GE MUSE XML",
    versions="MUSE 7 to 9 (root `RestingECG`), 250 and 500 Hz, 8 or 12 stored leads",
    libraries=("ecgdatakit",),
    reads="The rhythm waveform, never the median; time, patient id, age, sex, statements, "
    "measurements, filters and device.",
    decides=(
        "III, aVR, aVL and aVF are derived from I and II where the file does not store them.",
        "Masked dates (XX-XX-XXXX) leave the ECG undated.",
        "A birth year that cannot go with the stated age leaves the age unknown.",
        "Signature lines among the statements are dropped.",
    ),
    checks=(
        "Number of leads, bytes and samples that the waveform states against its data.",
        "The checksum of every lead (LeadDataCRC32) where it is stated.",
        "Amplitude unit and step of every lead.",
    ),
    limits=("A file with no rhythm waveform, or with two, is refused.",),
    proven=("Base64 and struct by hand on three files", "The checksums that MUSE wrote"),
)
_YEAR: Final = re.compile(r"(?:19|20)\d{2}")


def sniff(path: Path) -> bool:
    """Whether the root element is RestingECG."""
    return root_tag(path) == "restingecg"


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read the rhythm waveform of a MUSE file; see `ecgdash.io.read_ecg`."""
    root = parse_xml(path)
    _check_rhythm(_rhythm(root, path.name), path.name)
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


def _rhythm(root: "Element", where: str) -> "Element":
    """Return the one rhythm waveform."""
    found = [
        waveform
        for waveform in root.iterfind("Waveform")
        if (waveform.findtext("WaveformType") or "").strip().lower() == "rhythm"
    ]
    if len(found) != 1:
        raise CorruptFile(
            f"the MUSE file holds {len(found) or 'no'} rhythm waveform{'s' * (len(found) > 1)}",
            where=where,
            accepted="Accepted: one rhythm waveform",
            todo="Export the ECG again with its rhythm waveform",
        )
    return found[0]


def _check_rhythm(waveform: "Element", where: str) -> None:
    """Compare the counts that a waveform states with the bytes of its leads.

    Raises
    ------
    CorruptFile
        If they differ, or the encoded data holds what no Base64 does.
    """
    leads = waveform.findall("LeadData")
    stated = (waveform.findtext("NumberofLeads") or "").strip()
    if stated and stated != str(len(leads)):
        raise CorruptFile(f"{stated} leads are stated, {len(leads)} follow", where=where)
    for lead in leads:
        try:
            text = "".join((lead.findtext("WaveFormData") or "").split())
            n_bytes = len(base64.b64decode(text, validate=True))
        except ValueError as error:
            raise CorruptFile("a lead's data is no Base64", where=where) from error
        size = _count(lead, "LeadSampleSize") or 2
        for tag, held in (
            ("LeadByteCountTotal", n_bytes),
            ("LeadSampleCountTotal", n_bytes / size),
        ):
            number = _count(lead, tag)
            if number is not None and number != held:
                raise CorruptFile(
                    f"{tag} is {number}, the data holds {held:g}",
                    where=where,
                    todo="Export the ECG again: data was lost or changed",
                )


def _count(lead: "Element", tag: str) -> int | None:
    text = (lead.findtext(tag) or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


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
