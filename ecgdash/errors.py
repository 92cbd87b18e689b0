"""Every error that a user of ECGDash can meet.

The tree::

    EcgDashError
        InputFileError            one file or table cannot be used
            UnsupportedFormat     not a format we read
            CorruptFile           the format is known, the content is broken
            MissingLeads          leads are absent, doubled or not named
            UnknownUnits          amplitude unit not stated or not an amplitude
            UnknownSamplingRate   sampling rate not stated or not plausible
            FileTooLarge          over the limit of the settings
            TableError            an echo, patient or diagnosis table cannot be used
        InvalidValue              a value that no valid object can hold
        ModelError
            WeightsMissing
            WeightsHashMismatch
            InputDoesNotFitModel
        StoreError
            NotFound
            SchemaTooNew
            StoreBusy             another process holds the lock

A message answers four questions in one sentence each: what is wrong (with the
value), where, what is accepted, what to do next. The parts stay available as
attributes, because the import page shows them in separate columns. They hold names of
files, which can hold anything: what would steer a terminal becomes "?".
"""

import re
from typing import Final

__all__ = [
    "CorruptFile",
    "EcgDashError",
    "FileTooLarge",
    "InputDoesNotFitModel",
    "InputFileError",
    "InvalidValue",
    "MissingLeads",
    "ModelError",
    "NotFound",
    "SchemaTooNew",
    "StoreBusy",
    "StoreError",
    "TableError",
    "UnknownSamplingRate",
    "UnknownUnits",
    "UnsupportedFormat",
    "WeightsHashMismatch",
    "WeightsMissing",
    "printable",
]

_CONTROL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return `text` in one line, with "?" for what would steer a terminal or is no character."""
    return _CONTROL.sub("?", text)


class EcgDashError(Exception):
    """An error with a message made for the person who has to act on it.

    Parameters
    ----------
    what : str
        What is wrong, with the offending value. No final stop.
    where : str, optional
        File (without its folder), lead, row or column.
    accepted : str, optional
        What would have been accepted. No final stop.
    todo : str, optional
        One act that repairs it. No final stop.
    """

    def __init__(self, what: str, *, where: str = "", accepted: str = "", todo: str = "") -> None:
        self.what = printable(what.rstrip("."))
        self.where = printable(where)
        self.accepted = accepted.rstrip(".")
        self.todo = todo.rstrip(".")
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """The whole message in one line."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        parts = [head, self.accepted, self.todo]
        return " ".join(f"{part}." for part in parts if part)

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way between worker processes with all four parts."""
        return (_rebuild, (type(self), self.what, self.where, self.accepted, self.todo))


def _rebuild(
    kind: type[EcgDashError], what: str, where: str, accepted: str, todo: str
) -> EcgDashError:
    return kind(what, where=where, accepted=accepted, todo=todo)


class InputFileError(EcgDashError):
    """A file or table that the user handed over cannot be used."""


class UnsupportedFormat(InputFileError):
    """The content matches none of the readers."""


class CorruptFile(InputFileError):
    """The format is known, but the content is broken or contradicts itself."""


class MissingLeads(InputFileError):
    """Leads are absent, doubled or carry no name."""


class UnknownUnits(InputFileError):
    """The amplitude unit is not stated, or is not a unit of amplitude."""


class UnknownSamplingRate(InputFileError):
    """The sampling rate is not stated or not plausible; it is never guessed."""


class FileTooLarge(InputFileError):
    """The file, or what it unpacks to, is larger than the settings allow."""


class TableError(InputFileError):
    """A table of echoes, patients or diagnoses cannot be used as it is."""


class InvalidValue(EcgDashError):
    """A value that no valid domain object can hold."""


class ModelError(EcgDashError):
    """A model cannot be loaded or run."""


class WeightsMissing(ModelError):
    """No weights file where the manifest says one is."""


class WeightsHashMismatch(ModelError):
    """The weights file is not the one the manifest describes."""


class NotReproduced(ModelError):
    """A training that was repeated ended elsewhere than it should."""


class InputDoesNotFitModel(ModelError):
    """The ECG lacks leads or length that the model needs."""


class StoreError(EcgDashError):
    """The store cannot be opened or does not hold what was asked for."""


class NotFound(StoreError):
    """No such patient, ECG or import in the store."""


class SchemaTooNew(StoreError):
    """The store was written by a later version of ECGDash."""


class StoreBusy(StoreError):
    """Another process holds the lock that this work needs."""
