"""The second table: formats that are recognised but not read, and what to export instead."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ecgdash.io.table_rows import known_table
from ecgdash.io.vendor_forms import is_contec, is_edan_holter, is_healforce, is_mfer
from ecgdash.io.xml_forms import is_mortara, is_schiller

__all__ = ["EXPORT_INSTEAD", "NOT_READABLE", "NotReadable"]


@dataclass(frozen=True)
class NotReadable:
    """A format that is recognised, and what to hand over instead."""

    looks_like: Callable[[Path], bool]
    instead: str


def _starts_with(*magics: bytes) -> Callable[[Path], bool]:
    def looks_like(path: Path) -> bool:
        with path.open("rb") as stream:
            return stream.read(max(map(len, magics))).startswith(magics)

    return looks_like


def _has_suffix(*suffixes: str) -> Callable[[Path], bool]:
    return lambda path: path.suffix.lower() in suffixes


EXPORT_INSTEAD: Final = "Export the ECG as DICOM, HL7 aECG, SCP-ECG or WFDB"

NOT_READABLE: Final[dict[str, NotReadable]] = {
    "ZIP archive": NotReadable(
        _starts_with(b"PK\x03\x04", b"PK\x05\x06"),
        "Pack it again if it is damaged; unpack it if it lay inside another archive",
    ),
    "HDF5 file of another layout": NotReadable(
        _starts_with(b"\x89HDF\r\n\x1a\n"), "Convert it to NPY with a sidecar, or to WFDB"
    ),
    "MATLAB file of another layout, without WFDB header": NotReadable(
        _starts_with(b"MATLAB 5.0"), "Put its .hea file beside it, or convert it to NPY"
    ),
    "image": NotReadable(
        _starts_with(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"BM"),
        "Export the digital waveform: paper ECGs are not read",
    ),
    "PDF": NotReadable(_starts_with(b"%PDF"), "Export the digital waveform instead of the report"),
    "Contec's own .ECG format": NotReadable(
        is_contec, "It states no scale: export the ECG from Contec's software as HL7 aECG or DICOM"
    ),
    "Healforce's variant of SCP-ECG": NotReadable(
        is_healforce, "It does not follow EN 1064: export the ECG as HL7 aECG, DICOM or EDF"
    ),
    "Mortara XML": NotReadable(
        is_mortara, "Export the ECG from ELI Link or the cart as HL7 aECG, DICOM or SCP-ECG"
    ),
    "Schiller XML": NotReadable(
        is_schiller, "Export the ECG from Schiller's software as HL7 aECG, DICOM or SCP-ECG"
    ),
    "MFER (ISO 22077)": NotReadable(is_mfer, EXPORT_INSTEAD),
    "Edan Holter archive": NotReadable(
        is_edan_holter, "It states no scale: export the recording as EDF or ISHNE"
    ),
    "ISHNE annotation file": NotReadable(
        _starts_with(b"ANN  1.0"), "It holds beats, not samples: hand over the .ecg file beside it"
    ),
    "ISHNE file of another version": NotReadable(
        _starts_with(b"ISHNE"), "Export the recording as ISHNE 1.0 or EDF"
    ),
    "GDF biosignal file": NotReadable(_starts_with(b"GDF "), "Convert it to EDF"),
    "compressed file": NotReadable(
        _starts_with(b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07"),
        "Unpack it, or pack it as a ZIP archive",
    ),
    "vendor file that only looks like SCP-ECG": NotReadable(_has_suffix(".scp"), EXPORT_INSTEAD),
    "vendor .ecg file": NotReadable(_has_suffix(".ecg"), EXPORT_INSTEAD),
    "WFDB signal file without its header": NotReadable(
        _has_suffix(".dat"), "Put its .hea file beside it"
    ),
    "spreadsheet": NotReadable(_has_suffix(".xls", ".xlsx", ".ods"), "Save it as CSV"),
    "table of echoes, diagnoses or patients": NotReadable(
        lambda path: known_table(path) in {"echo", "diagnoses", "patients"},
        "It is no ECG: hand it over as --echo, --diagnoses or --patient-table",
    ),
    "table of a data set": NotReadable(
        lambda path: known_table(path) == "data set",
        "It is no ECG: leave it beside the waveforms, whose reader uses it",
    ),
    "table without lead names": NotReadable(
        _has_suffix(".csv", ".tsv"),
        "Write a CSV with one column per lead and a sidecar that states rate and unit",
    ),
    "text export": NotReadable(
        _has_suffix(".txt"),
        "Write a CSV with one column per lead and a sidecar that states rate and unit",
    ),
    "JSON of another layout": NotReadable(
        _has_suffix(".json"), "Convert it to NPY with a sidecar, or to WFDB"
    ),
}
"""Tried after all readers; the value says what to hand over instead."""
