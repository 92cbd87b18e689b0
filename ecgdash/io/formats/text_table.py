"""ECGs as plain text: white space between the numbers of a row, one row per sample.

GE's research exports state "Rhythm signal: 5000 X 12" and nothing else: rate, unit and
lead order are asked for. Rows and columns that the text states are compared with what
follows; a second section, such as a median beat, is not read.
"""

import re
from datetime import tzinfo
from pathlib import Path
from typing import Final

from ecgdash.domain import EcgRecord
from ecgdash.errors import CorruptFile, MissingLeads
from ecgdash.io.about import About
from ecgdash.io.build import Facts, lead_name
from ecgdash.io.hints import ReadHints, gather_hints
from ecgdash.io.number_rows import decoded, is_number, lines_of, matrix
from ecgdash.io.plain import PlainEcg, plain_record

SUFFIXES: Final = (".txt", ".asc")
ABOUT: Final = About(
    title="Text table",
    versions="white space between numbers, one row per sample; GE text exports",
    libraries=("ours",),
    reads="Samples of the first section that is no median; rate, unit and lead order from a "
    "sidecar (`NAME.txt.json`) or the call.",
    decides=("Rows and columns stated above the numbers (`Rhythm signal: 5000 X 12`) must fit.",),
    checks=("Every row is as wide as the first.", "Stated rows and columns against the numbers."),
    limits=("Rate, unit and lead order are not stated by these files and never guessed.",),
    proven=("numpy on a GE export",),
)
_STATED: Final = re.compile(r"^\s*([\w ]*?)\s*:?\s*(\d{1,9})\s*[xX]\s*(\d{1,3})\s*$")
_HEAD_LINES: Final = 40


def sniff(path: Path) -> bool:
    """Whether a text file holds rows of at least two numbers, after a few lines of words."""
    if path.suffix.lower() not in SUFFIXES:
        return False
    with path.open("rb") as stream:
        raw = stream.read(16384)
    if b"\0" in raw:
        return False
    lines = [line.split() for line in raw.decode("latin-1").splitlines()[:_HEAD_LINES]]
    rows = [cells for cells in lines if len(cells) > 1 and all(map(is_number, cells))]
    return len(rows) >= 2 and len(rows[0]) == len(rows[1])


def read(path: Path, zone: tzinfo, hints: ReadHints | None = None) -> EcgRecord:
    """Read a text export; see `ecgdash.io.read_ecg`."""
    known = gather_hints(path, hints)
    lines = lines_of(decoded(path))
    start, stop, stated = _section(lines, path.name)
    values = matrix(lines[start:stop], None, path.name, start + 1)
    if stated is not None and stated != values.shape:
        raise CorruptFile(
            f"{stated[0]} rows of {stated[1]} numbers are stated, "
            f"{values.shape[0]} of {values.shape[1]} follow",
            where=path.name,
            todo="Export the text again",
        )
    names = _header(lines[start - 1]) if start else None
    if names is None or len(names) != values.shape[1]:
        names = known.leads
    if names is None or len(names) != values.shape[1]:
        raise MissingLeads(
            f"the text holds {values.shape[1]} columns and no name for each",
            where=path.name,
            accepted="Accepted: lead names in a sidecar or in the call, in the order of the file",
            todo=f'Write {path.name}.json: {{"sampling_hz": 500, "units": "uV", "leads": ["I"]}}',
        )
    ecg = PlainEcg(dict(zip(names, values.T, strict=True)), facts=Facts())
    return plain_record(path, ecg, known, zone, "text")


def _section(lines: list[str], where: str) -> tuple[int, int, tuple[int, int] | None]:
    """Return first and last line of the numbers, and the rows and columns stated above them."""
    stated: tuple[int, int] | None = None
    skipped_median = False
    start = None
    for i, line in enumerate(lines):
        cells = line.split()
        if start is None:
            found = _STATED.match(line)
            if found:
                skipped_median = "median" in found.group(1).lower()
                stated = (int(found.group(2)), int(found.group(3)))
            elif len(cells) > 1 and all(map(is_number, cells)) and not skipped_median:
                start = i
        elif not cells or _STATED.match(line):
            rest = [n for n, other in enumerate(lines[i:], start=i) if other.strip()]
            if rest and not any(_STATED.match(lines[n]) for n in rest[:1]):
                raise CorruptFile(
                    "an empty line stands between the numbers", where=f"{where}, row {i + 1}"
                )
            return start, i, stated
    if start is None:
        raise CorruptFile("the text holds no rhythm", where=where)
    return start, len(lines), stated


def _header(line: str) -> tuple[str, ...] | None:
    cells = line.split()
    return tuple(cells) if cells and all(map(lead_name, cells)) else None
