"""XML from outside: parsed by defusedxml before any other code sees the file."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecgdash.errors import CorruptFile, FileTooLarge

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["looks_like_xml", "parse_xml", "root_tag"]

MAX_XML_MB: Final = 16
"""Ten seconds of 12 leads take half a megabyte; a tree takes up to sixty times its text."""
MAX_TAGS: Final = 400_000
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_ROOT = re.compile(r"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_DOCTYPE_SUBSET = re.compile(r"<!DOCTYPE[^\[>]*(\[.*?\])?\s*>", re.DOTALL)


def _head(path: Path, n_bytes: int = 8192) -> str:
    with path.open("rb") as stream:
        raw = stream.read(n_bytes)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="ignore")
    return raw.decode("utf-8-sig", errors="ignore")


def looks_like_xml(path: Path) -> bool:
    """Whether the file starts like an XML document, whatever its suffix."""
    return _head(path, 256).lstrip().startswith("<")


def root_tag(path: Path) -> str | None:
    """Return the name of the root element without namespace, in lower case, without parsing."""
    if not looks_like_xml(path):
        return None
    text = _DOCTYPE_SUBSET.sub("", _COMMENT.sub("", _head(path)))
    match = _ROOT.search(text)
    return match.group(1).lower() if match else None


def parse_xml(path: Path) -> "Element":
    """Parse XML without entities and without outside references.

    Raises
    ------
    CorruptFile
        If the document is not well-formed, or declares entities.
    FileTooLarge
        If it is larger than 16 MB or holds more than 400,000 tags or attributes.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    if path.stat().st_size > MAX_XML_MB * 1024 * 1024:
        raise _too_large(f"the XML is larger than {MAX_XML_MB} MB", path.name)
    raw = path.read_bytes()
    if max(raw.count(b"<"), raw.count(b"=")) > MAX_TAGS:
        raise _too_large(f"the XML holds more than {MAX_TAGS} tags or attributes", path.name)
    try:
        try:
            root: Element = fromstring(raw)
        except (ParseError, LookupError, ValueError) as error:
            if isinstance(error, DefusedXmlException):
                raise
            # Carts declare encodings that they then do not use.
            root = fromstring(_DECLARATION.sub("", raw.decode("latin-1"), count=1))
    except DefusedXmlException as error:
        raise CorruptFile(
            "the XML declares entities, which can exhaust memory or read other files",
            where=path.name,
            accepted="Accepted: XML without entity declarations",
            todo="Export the ECG again",
        ) from error
    except (ParseError, ValueError) as error:
        raise CorruptFile(
            f"the XML is not well-formed ({error})", where=path.name, todo="Export the ECG again"
        ) from error
    return root


def _too_large(what: str, where: str) -> FileTooLarge:
    return FileTooLarge(
        what,
        where=where,
        accepted=f"Accepted: at most {MAX_XML_MB} MB and {MAX_TAGS} tags",
        todo="Cut the recording, or export it as DICOM",
    )
