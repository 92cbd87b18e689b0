"""The reader table: what ECGDash reads, and what it knows but cannot read.

To add a format, write a module in `formats/` with SUFFIXES, sniff and read, and
add its row to `READERS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final, Protocol

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile, FileTooLarge, InputFileError, UnsupportedFormat
from ecgdash.io.formats import (
    csv_table,
    dicom_waveform,
    edf,
    hl7_aecg,
    ishne,
    muse_xml,
    npy_array,
    philips_sierra,
    scp_ecg,
    wfdb_files,
)
from ecgdash.io.hints import ReadHints
from ecgdash.io.table_rows import known_table
from ecgdash.io.xml_safety import looks_like_xml, root_tag

__all__ = ["NOT_READABLE", "READERS", "read_ecg", "sniff_format"]

MEGABYTE: Final = 1024 * 1024
DEFAULT_MAX_FILE_MB: Final = 64


class Reader(Protocol):
    """The surface of a reader module."""

    @property
    def SUFFIXES(self) -> tuple[str, ...]:  # noqa: N802 - a module constant
        """Usual suffixes; content decides, not they."""
        ...

    def sniff(self, path: Path) -> bool:
        """Tell by content whether the file is of this format."""
        ...

    def read(self, path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
        """Read the file."""
        ...


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


READERS: Final[dict[str, Reader]] = {
    "dicom": dicom_waveform,
    "muse-xml": muse_xml,
    "philips-sierra": philips_sierra,
    "hl7-aecg": hl7_aecg,
    "scp-ecg": scp_ecg,
    "ishne": ishne,
    "edf": edf,
    "npy": npy_array,
    "wfdb": wfdb_files,
    "csv": csv_table,
}
"""In the order in which content is tried: firm magics first, plain text last."""

_EXPORT: Final = "Export the ECG as DICOM, HL7 aECG, SCP-ECG or WFDB"

NOT_READABLE: Final[dict[str, NotReadable]] = {
    "GE CardioSoft XML": NotReadable(lambda path: root_tag(path) == "cardiologyxml", _EXPORT),
    "AliveCor .atc": NotReadable(_starts_with(b"ALIVE"), "Export the ECG as EDF from Kardia"),
    "ZIP archive": NotReadable(
        _starts_with(b"PK\x03\x04", b"PK\x05\x06"),
        "Pack it again if it is damaged; unpack it if it lay inside another archive",
    ),
    "HDF5 file": NotReadable(
        _starts_with(b"\x89HDF\r\n\x1a\n"), "Convert it to NPY with a sidecar, or to WFDB"
    ),
    "MATLAB file without WFDB header": NotReadable(
        _starts_with(b"MATLAB 5.0"), "Put its .hea file beside it, or convert it to NPY"
    ),
    "image": NotReadable(
        _starts_with(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"BM"),
        "Export the digital waveform: paper ECGs are not read",
    ),
    "PDF": NotReadable(_starts_with(b"%PDF"), "Export the digital waveform instead of the report"),
    "vendor file that only looks like SCP-ECG": NotReadable(_has_suffix(".scp"), _EXPORT),
    "vendor .ecg file": NotReadable(_has_suffix(".ecg"), _EXPORT),
    "WFDB signal file without its header": NotReadable(
        _has_suffix(".dat"), "Put its .hea file beside it"
    ),
    "spreadsheet": NotReadable(_has_suffix(".xls", ".xlsx", ".ods"), "Save it as CSV"),
    "table of echoes, diagnoses or patients": NotReadable(
        lambda path: known_table(path) is not None,
        "It is no ECG: hand it over as --echo, --diagnoses or --patient-table",
    ),
    "table without lead names": NotReadable(
        _has_suffix(".csv", ".tsv"),
        "Write a CSV with one column per lead and a sidecar that states rate and unit",
    ),
    "text export": NotReadable(
        _has_suffix(".txt"),
        "Write a CSV with one column per lead and a sidecar that states rate and unit",
    ),
    "JSON": NotReadable(_has_suffix(".json"), "Convert it to NPY with a sidecar, or to WFDB"),
}
"""Tried after all readers; the value says what to hand over instead."""


def sniff_format(path: Path | str) -> str | None:
    """Return the row of `READERS` that the content belongs to, whatever the suffix; or None."""
    file = _existing(Path(path))
    return next((name for name, reader in READERS.items() if reader.sniff(file)), None)


def read_ecg(
    path: Path | str,
    *,
    zone: tzinfo = UTC,
    hints: ReadHints | None = None,
    max_file_mb: int = DEFAULT_MAX_FILE_MB,
) -> EcgRecord:
    """Read one ECG.

    Parameters
    ----------
    path : Path or str
        The file; of a WFDB record the header, a signal file, or the name
        without suffix.
    zone : tzinfo
        Zone of times that the file states without one (a note says so).
    hints : ReadHints, optional
        Rate, unit and leads of a CSV or NPY file; a sidecar serves too.
    max_file_mb : int
        Largest file read, in megabytes; a record's signal files count too.

    Returns
    -------
    EcgRecord
        Millivolts, leads by name in canonical order; `notes` say what had to
        be decided.

    Raises
    ------
    InputFileError
        One of its subclasses, with one sentence. Nothing is ever guessed.
    """
    file = _existing(Path(path))
    name: str | None = None
    try:
        _check_size(file, max_file_mb)
        name = sniff_format(file)
        if name is None:
            raise _not_readable(file)
        return READERS[name].read(file, zone, hints)
    except InputFileError:
        raise
    except PermissionError as error:
        raise CorruptFile(
            "the file may not be read by this user",
            where=file.name,
            todo="Give the right to read it",
        ) from error
    except Exception as error:
        # Decoders meet broken content with any exception; its text can quote a name or a folder.
        raise CorruptFile(
            f"the {f'{name} ' if name else ''}file cannot be decoded ({type(error).__name__})",
            where=file.name,
            todo="Export the ECG again",
        ) from error


def _existing(path: Path) -> Path:
    """Return the file; `00001_hr` stands for `00001_hr.hea`."""
    if path.is_file():
        return path
    header = path.with_name(path.name + ".hea")
    if header.is_file():
        return header
    what = "this is a folder" if path.is_dir() else "there is no such file"
    raise UnsupportedFormat(what, where=path.name, todo="Give the path of one ECG file")


def _check_size(file: Path, max_file_mb: int) -> None:
    files = [file]
    header = wfdb_files.header_of(file)
    if header is not None:
        files += [header.parent / name for name in wfdb_files.signal_files(header)]
    for one in files:
        if one.is_file() and one.stat().st_size > max_file_mb * MEGABYTE:
            raise FileTooLarge(
                f"the file holds {one.stat().st_size / MEGABYTE:.1f} MB",
                where=one.name,
                accepted=f"Accepted: at most {max_file_mb} MB",
                todo="Cut the recording, or raise ECGDASH_MAX_FILE_MB",
            )


def _not_readable(file: Path) -> UnsupportedFormat:
    if file.stat().st_size == 0:
        return UnsupportedFormat("the file is empty", where=file.name, todo="Export the ECG again")
    for name, row in NOT_READABLE.items():
        if row.looks_like(file):
            return UnsupportedFormat(f"{name} cannot be read", where=file.name, todo=row.instead)
    what = "the content matches none of the readers"
    if looks_like_xml(file):
        what = f"XML with the root element {root_tag(file) or 'unknown'} cannot be read"
    return UnsupportedFormat(
        what, where=file.name, accepted=f"Accepted: {', '.join(READERS)}", todo=_EXPORT
    )
