"""The reader table as a document for users: `docs/formats.md` (a test keeps it what the code says).

python -m ecgdash.io.document > docs/formats.md
"""

import sys

from ecgdash.io.not_readable import NOT_READABLE
from ecgdash.io.readers import CONTAINERS, READERS, Reader

__all__ = ["format_document"]

_HEAD = """# File formats

Made by `python -m ecgdash.io.document` from the reader table that the code uses
(`ecgdash/io/readers.py`). The content decides which reader takes a file, never its suffix alone.

Of every format: leads by name in canonical order, amplitudes in millivolts, times with their zone
or a note, the patient's id, age and sex, the cart's statements and measurements, device and
filters where the file states them. Addresses are dropped. Names and birth dates are dropped unless
`ECGDASH_KEEP_NAMES` is on. What a reader had to decide stands in the record's notes. Where two
statements of a file contradict each other about length, rate or content, the file is refused; rate,
unit and lead names are never guessed.
The largest file that is read is a setting (`ECGDASH_MAX_FILE_MB`, 64 MB); of XML 16 MB.

`python -m ecgdash read PATH` shows what a file, a folder or a ZIP archive holds. A file that holds
many ECGs shows each as `file#name`.
"""

_NOT_READABLE_HEAD = """
## Recognised, but not read

| found | do this instead |
|---|---|
"""


def format_document() -> str:
    """Return the document, Markdown."""
    rows = "".join(
        f"| {name} | {_cell(row.instead)} |\n" for name, row in sorted(NOT_READABLE.items())
    )
    sections = "".join(_section(name, reader) for name, reader in READERS.items())
    return f"{_HEAD}\n{_overview()}{sections}{_NOT_READABLE_HEAD}{rows}"


def _overview() -> str:
    rows = "".join(
        f"| `{name}` | {_cell(reader.ABOUT.title)} | {_cell(reader.ABOUT.versions)} | "
        f"{' '.join(f'`{suffix}`' for suffix in reader.SUFFIXES)} | "
        f"{', '.join(reader.ABOUT.libraries)} |\n"
        for name, reader in READERS.items()
    )
    head = "| row | format | what is read | usual suffixes | decoded by |\n|---|---|---|---|---|\n"
    return f"## Read\n\n{head}{rows}"


def _section(name: str, reader: Reader) -> str:
    about = reader.ABOUT
    parts = (
        ("Decided", about.decides),
        ("Compared inside the file", about.checks),
        ("Limits", about.limits),
        ("Tested against", about.proven),
    )
    lists = "".join(
        f"\n{title}:\n\n" + "".join(f"- {line}\n" for line in lines)
        for title, lines in parts
        if lines
    )
    many = "\nMay hold many ECGs, each with a name of its own.\n" if name in CONTAINERS else ""
    return f"\n### {about.title} (`{name}`)\n\n{about.reads}\n{many}{lists}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(format_document())
