"""Rows of the report about files that were not stored: reason, and what to do."""

from ecgdash.errors import EcgDashError, InputFileError, printable
from ecgdash.store import ImportRow

__all__ = ["died", "failed", "rejected"]


def rejected(name: str, err: EcgDashError) -> ImportRow:
    """Return a row with the error's sentence."""
    reason = err.what
    if err.accepted and isinstance(err, InputFileError):
        reason = f"{err.what}. {err.accepted}"
    todo = f"{err.todo}." if err.todo else ""
    return ImportRow(printable(name), "rejected", reason=f"{reason}.", todo=todo)


def failed(name: str, err: Exception) -> ImportRow:
    """Return a row without the error's own text, which may name a person."""
    reason = f"reading or measuring it met an error of ECGDash's own ({type(err).__name__})."
    return ImportRow(
        printable(name), "rejected", reason=reason, todo="Report it with the kind of file."
    )


def died(name: str, code: int) -> ImportRow:
    """Return a row about a file whose process ended by itself, with the code it left."""
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return ImportRow(
        printable(name),
        "rejected",
        reason=f"the process that read it ended by itself ({how}): no memory left, or a crash.",
        todo="Import this file alone, with more memory.",
    )
