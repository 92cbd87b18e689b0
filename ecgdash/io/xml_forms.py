"""How XML of vendors that no reader reads is told by its content."""

from pathlib import Path
from typing import Final

from ecgdash.io.xml_safety import looks_like_xml, root_tag

__all__ = ["is_mortara", "is_schiller"]

_HEAD_BYTES: Final = 65_536


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_HEAD_BYTES).replace(b"\0", b"").upper()


def is_schiller(path: Path) -> bool:
    """Whether the document holds event data with wave data, as Schiller's software writes it.

    The layout is known from BRAVEHEART's reader (`eventdata/event/wavedata` of the type
    ECG_RHYTHMS); no real file was at hand to prove a reader on.
    """
    if not looks_like_xml(path):
        return False
    head = _head(path)
    return b"<EVENTDATA" in head and (b"<WAVEDATA" in head or b"ECG_RHYTHMS" in head)


def is_mortara(path: Path) -> bool:
    """Whether the root element is ECG, with a Mortara or Welch Allyn mark below it.

    ecgdatakit reads this layout; no real file was at hand to prove it on.
    """
    marks = (b"ACQUISITION_TIME", b"<TYPICAL_CYCLE", b"MORTARA", b"WELCH ALLYN", b"ELI LINK")
    return root_tag(path) == "ecg" and any(mark in _head(path) for mark in marks)
