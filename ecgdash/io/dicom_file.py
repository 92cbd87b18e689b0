"""Opening a DICOM file that may be hostile, by pydicom.

pydicom unpacks a deflated file as soon as it opens it, and reads as many elements as a file
holds at microseconds each. So the transfer syntax is looked up first, and one budget of
reads covers the file with all sequences that are opened in it; only the elements that a
reader names are kept.
"""

import io
import struct
from typing import Any, Final

from ecgdash.errors import CorruptFile, UnsupportedFormat

__all__ = ["BIG_ENDIAN", "UID", "DicomFile", "name_of"]

UID: Final = "1.2.840.10008."
BIG_ENDIAN: Final = UID + "1.2.2"
_TRANSFER_SYNTAXES: Final = (UID + "1.2", UID + "1.2.1", BIG_ENDIAN)
_LONG_KINDS: Final = (b"OB", b"OW", b"SQ", b"UN", b"UT")
"""Value representations whose length has four bytes (PS3.5, 7.1.2), in a file's meta header."""
_SYNTAX_ELEMENT: Final = 0x0010
_MOST_READS: Final = 400_000
"""An element takes one or two; a 12-lead ECG with its statements takes a few thousand."""


class _Budget:
    def __init__(self, where: str) -> None:
        self.left, self.where = _MOST_READS, where

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise CorruptFile(
                f"the DICOM file holds more elements than {_MOST_READS} reads can take",
                where=self.where,
                todo="Export the ECG again",
            )


class _Counted(io.BytesIO):
    """Bytes in memory, where a claimed length costs no more than what there is."""

    def __init__(self, data: bytes, budget: _Budget) -> None:
        super().__init__(data)
        self._budget = budget

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, within the budget."""
        self._budget.spend()
        return super().read(size)


class DicomFile:
    """A DICOM file that is not compressed.

    Parameters
    ----------
    data : bytes
        The whole file.
    keywords : tuple of str
        The elements to keep; no other is ever loaded, and no address is among them.
    where : str
        Name of the file, for messages.

    Attributes
    ----------
    root : pydicom Dataset
    little_endian : bool

    Raises
    ------
    UnsupportedFormat
        If the file is compressed as a whole, or states no transfer syntax.
    CorruptFile
        If it holds absurdly many elements.
    """

    def __init__(self, data: bytes, keywords: tuple[str, ...], where: str) -> None:
        from pydicom import dcmread
        from pydicom.datadict import tag_for_keyword

        syntax = _transfer_syntax(data)
        if syntax not in _TRANSFER_SYNTAXES:
            raise UnsupportedFormat(
                f"the DICOM file is compressed or of no stated transfer syntax ({name_of(syntax)})",
                where=where,
                accepted="Accepted: implicit or explicit little endian, explicit big endian",
                todo="Export the ECG as an uncompressed DICOM waveform",
            )
        self.little_endian = syntax != BIG_ENDIAN
        self._budget = _Budget(where)
        tags = [tag for tag in map(tag_for_keyword, keywords) if tag is not None]
        self.root: Any = dcmread(_Counted(data, self._budget), specific_tags=list(tags))

    def items(self, dataset: Any, keyword: str) -> list[Any]:
        """Return the items of a sequence, read within the file's budget; empty if absent."""
        from pydicom.charset import convert_encodings
        from pydicom.dataelem import RawDataElement
        from pydicom.filereader import read_sequence

        if keyword not in dataset:
            return []
        raw = dataset.get_item(keyword)
        if not isinstance(raw, RawDataElement):
            return list(raw.value)
        if raw.VR not in (None, "SQ", "UN"):
            raise ValueError(keyword)
        value = bytes(raw.value or b"")
        texts = convert_encodings(self.root.get("SpecificCharacterSet", "ISO_IR 6"))
        stream = _Counted(value, self._budget)
        return list(
            read_sequence(stream, raw.is_implicit_VR, raw.is_little_endian, len(value), texts)
        )


def _transfer_syntax(data: bytes) -> str:
    """Return the UID of the transfer syntax, or an empty text."""
    at = 132
    while at + 12 <= len(data) and data[at : at + 2] == b"\x02\x00":
        element, kind, length = struct.unpack_from("<H2sH", data, at + 2)
        at += 8
        if kind in _LONG_KINDS:
            length = struct.unpack_from("<I", data, at)[0]
            at += 4
        if element == _SYNTAX_ELEMENT:
            return data[at : at + length].rstrip(b"\0 ").decode("ascii", "replace")
        at += length
    return ""


def name_of(uid: str) -> str:
    """Return the standard's name of a UID; what is not in the standard is not quoted."""
    from pydicom.uid import UID as Uid

    name = Uid(uid).name
    return "unknown" if name == uid else name
