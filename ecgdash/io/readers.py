"""The reader table: what ECGDash reads, and what it knows but cannot read.

To add a format, write a module in `formats/` with ABOUT, SUFFIXES, sniff and read,
and add its row to `READERS`; then make docs/formats.md anew (`ecgdash.io.document`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final, Protocol

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile, FileTooLarge, InputFileError, UnsupportedFormat
from ecgdash.io.about import About
from ecgdash.io.formats import (
    apple_watch_csv,
    cardiosoft_xml,
    csv_table,
    dicom_waveform,
    echonext_npy,
    edf,
    hdf5_tracings,
    hl7_aecg,
    ishne,
    json_leads,
    kardia_atc,
    matlab_struct,
    muse_xml,
    npy_array,
    philips_sierra,
    scp_ecg,
    text_table,
    wfdb_files,
)
from ecgdash.io.hints import ReadHints
from ecgdash.io.not_readable import EXPORT_INSTEAD, NOT_READABLE
from ecgdash.io.xml_safety import looks_like_xml, root_tag

__all__ = ["CONTAINERS", "READERS", "list_members", "read_ecg", "sniff_format"]

MEGABYTE: Final = 1024 * 1024
DEFAULT_MAX_FILE_MB: Final = 64


class Reader(Protocol):
    """The surface of a reader module."""

    @property
    def ABOUT(self) -> About:  # noqa: N802 - a module constant
        """What the reader does, for docs/formats.md."""
        ...

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


READERS: Final[dict[str, Reader]] = {
    "dicom": dicom_waveform,
    "muse-xml": muse_xml,
    "cardiosoft-xml": cardiosoft_xml,
    "philips-sierra": philips_sierra,
    "hl7-aecg": hl7_aecg,
    "scp-ecg": scp_ecg,
    "ishne": ishne,
    "edf": edf,
    "kardia-atc": kardia_atc,
    "echonext": echonext_npy,
    "npy": npy_array,
    "hdf5": hdf5_tracings,
    "wfdb": wfdb_files,
    "matlab": matlab_struct,
    "json": json_leads,
    "apple-watch-csv": apple_watch_csv,
    "csv": csv_table,
    "text": text_table,
}
"""In the order in which content is tried: firm magics first, plain text last."""

CONTAINERS: Final[dict[str, Callable[[Path], Sequence[str]]]] = {
    "echonext": echonext_npy.members,
    "hdf5": hdf5_tracings.members,
    "npy": npy_array.members,
}
"""Formats whose files may hold many ECGs: how to list their names."""


def sniff_format(path: Path | str) -> str | None:
    """Return the row of `READERS` that the content belongs to, whatever the suffix; or None."""
    file = _existing(Path(path))
    return next((name for name, reader in READERS.items() if reader.sniff(file)), None)


def read_ecg(
    path: Path | str,
    *,
    zone: tzinfo = UTC,
    hints: ReadHints | None = None,
    member: str | None = None,
    max_file_mb: int = DEFAULT_MAX_FILE_MB,
    keep_names: bool = False,
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
    member : str, optional
        Which ECG of a file that holds many, by a name of `list_members`.
    max_file_mb : int
        Largest file read, in megabytes; a record's signal files count too.
    keep_names : bool
        Whether the record says the person's name and birth date, where the file does.

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
    with _told_in_one_sentence(file):
        _check_size(file, max_file_mb)
        name = sniff_format(file)
        if name is None:
            raise _not_readable(file)
    if member is not None:
        hints = replace(hints or ReadHints(), member=member)
    with _told_in_one_sentence(file, f"{name} "):
        record = READERS[name].read(file, zone, hints)
    # Here and nowhere else, so that no reader can forget it.
    return record if keep_names or record.identity is None else replace(record, identity=None)


@contextmanager
def _told_in_one_sentence(file: Path, kind: str = "") -> Iterator[None]:
    """Turn whatever a decoder throws into one of our errors."""
    try:
        yield
    except (InputFileError, ImportError):  # a library that is missing is no fault of the file
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
            f"the {kind}file cannot be decoded ({type(error).__name__})",
            where=file.name,
            todo="Export the ECG again",
        ) from error


def list_members(path: Path | str) -> Sequence[str]:
    """Return the names of the ECGs in a file that can hold many; empty for every other file.

    Raises
    ------
    InputFileError
        If such a file cannot be opened.
    """
    file = _existing(Path(path))
    with _told_in_one_sentence(file):
        name = sniff_format(file)
        return CONTAINERS[name](file) if name in CONTAINERS else ()


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
            if one == file and list_members(file):
                return  # only the ECG that is asked for is taken out of it, and that is bounded
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
        what, where=file.name, accepted=f"Accepted: {', '.join(READERS)}", todo=EXPORT_INSTEAD
    )
