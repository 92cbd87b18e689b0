"""HL7 aECG (FDA annotated ECG) XML, decoded by ecgdatakit.

The rhythm series is read; derived series (median beats) are not. The time that the series
states for itself is held against samples and increment.
"""

import re
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile
from ecgdash.io.about import About
from ecgdash.io.build import build_record
from ecgdash.io.hints import ReadHints
from ecgdash.io.kit import channels_of, facts_of, parse_with_kit, rate_of
from ecgdash.io.xml_safety import parse_xml, root_tag

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SUFFIXES: Final = (".xml", ".aecg")
ABOUT: Final = About(
    title="HL7 aECG",
    versions="annotated ECG, release of 2003 and later",
    libraries=("ecgdatakit",),
    reads="The rhythm series; time, subject id, age, sex, statements, measurements, filters and "
    "device.",
    decides=("Origin, scale and unit of every sequence count; absent units are refused.",),
    checks=(
        "Equal lengths of all leads.",
        "The time that the rhythm series states against samples and increment, within a second.",
    ),
    limits=("Files without a rhythm series, or of less than a second, are refused.",),
    proven=("the same ECG as DICOM and SCP-ECG",),
)
_DECIMAL: Final = re.compile(r"\d{1,6}(\.\d{1,12})?")
_WITHIN: Final = timedelta(seconds=1)


def sniff(path: Path) -> bool:
    """Whether the root element is AnnotatedECG."""
    return root_tag(path) == "annotatedecg"


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read an aECG file; see `ecgdash.io.read_ecg`."""
    root = parse_xml(path)
    notes: list[str] = []
    decoded = parse_with_kit(path, "hl7_aecg", notes)
    facts = facts_of(decoded, zone, notes)
    channels = channels_of(decoded.leads, path.name)
    rate = _exact_rate(root, rate_of(decoded, path.name))
    _check_time(root, len(channels[0].millivolts) / rate if channels else 0.0, path.name)
    return build_record(channels, rate, facts, source_name=path.name, file_format="hl7-aecg")


def _exact_rate(root: "Element", whole_hz: float) -> float:
    """Return the rate by the increment, which ecgdatakit rounds to whole hertz.

    The whole rate stays where it explains the increment's digits: 0.0039 s is 256 Hz.
    """
    for increment in root.iterfind(".//{*}increment"):
        per_s = {"s": 1.0, "ms": 1e3, "us": 1e6}.get(increment.get("unit") or "")
        text = (increment.get("value") or "").strip()
        if per_s is None or not _DECIMAL.fullmatch(text) or float(text) <= 0.0:
            continue
        rate = per_s / float(text)
        if abs(rate - whole_hz) < 0.51:
            half_digit = 0.5 * 10.0 ** -len(text.partition(".")[2])
            return whole_hz if abs(per_s / whole_hz - float(text)) <= half_digit else rate
    return whole_hz


def _check_time(root: "Element", duration_s: float, where: str) -> None:
    """Compare the span of each rhythm series with the duration of its samples.

    Raises
    ------
    CorruptFile
        If they differ by more than a second: times are often cut to whole seconds.
    """
    for series in root.iterfind(".//{*}series"):
        code = series.find("{*}code")
        span = series.find("{*}effectiveTime")
        if code is None or span is None or "RHYTHM" not in (code.get("code") or "").upper():
            continue
        low, high = (_stamp(span.find(f"{{*}}{end}")) for end in ("low", "high"))
        if low is None or high is None or high <= low:
            continue
        if abs((high - low) - timedelta(seconds=duration_s)) > _WITHIN:
            raise CorruptFile(
                f"the rhythm is said to last {(high - low).total_seconds():g} s, its samples "
                f"last {duration_s:g} s",
                where=where,
                todo="Export the ECG again",
            )


def _stamp(element: "Element | None") -> datetime | None:
    """Return a time to the second; None if it is absent or coarser than a second."""
    if element is None:
        return None
    text = (element.get("value") or "").strip()
    whole, _, fraction = text.partition(".")
    digits = fraction.split("+")[0].split("-")[0]
    whole = whole.split("+")[0].split("-")[0]
    if len(whole) != 14:
        return None
    try:
        at = datetime.strptime(whole, "%Y%m%d%H%M%S")
        return at + timedelta(seconds=float(f"0.{digits}") if digits.isdigit() else 0.0)
    except (ValueError, OverflowError):
        return None
