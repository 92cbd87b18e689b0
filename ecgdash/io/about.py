"""What a reader says about itself: the rows of docs/formats.md."""

from dataclasses import dataclass

__all__ = ["About"]


@dataclass(frozen=True)
class About:
    """A format as a user meets it.

    Attributes
    ----------
    title : str
        "WFDB", "GE MUSE XML".
    versions : str
        Versions and variants that are read.
    libraries : tuple of str
        What decodes it: package names, or "ours".
    reads : str
        What becomes part of the record, in one or two sentences.
    decides : tuple of str
        What the reader has to decide, and how; each is a sentence.
    checks : tuple of str
        What is compared inside the file before it is believed.
    limits : tuple of str
        What is refused or not read.
    proven : tuple of str
        Readers and files that we did not write, against which this one is tested.
    """

    title: str
    versions: str
    libraries: tuple[str, ...]
    reads: str
    decides: tuple[str, ...]
    checks: tuple[str, ...]
    limits: tuple[str, ...]
    proven: tuple[str, ...]
