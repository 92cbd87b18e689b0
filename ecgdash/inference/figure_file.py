"""Files of figures beside a family's weights, as JSON with a named format: how one is read."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ecgdash.errors import InputFileError

__all__ = ["FigureFile"]

_Figures = TypeVar("_Figures")


@dataclass(frozen=True)
class FigureFile:
    """One kind of such files.

    Attributes
    ----------
    name : str
        Of the file, for instance "evaluation.json".
    format : str
        What its "format" says, version included.
    what, written_by : str
        For errors: "the evaluation", "an evaluation writes it".
    todo : str
        How to make one.
    """

    name: str
    format: str
    what: str
    written_by: str
    todo: str

    def read(self, path: Path, make: Callable[[Mapping[str, Any]], _Figures]) -> _Figures:
        """Return what `make` finds in a file.

        Raises
        ------
        InputFileError
            If the file is not there, of another format, or `make` fails on it. Its words hold
            no path, which may name a folder of the machine.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] == self.format:
                return make(content)
            why = f"format {content['format']!r} is not known"
            cause: Exception | None = None
        except OSError as error:
            why, cause = error.strerror or type(error).__name__, error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            why, cause = f"{type(error).__name__}: {error}", error
        raise InputFileError(
            f"{self.what} cannot be read ({why})",
            where=path.name,
            accepted=f"Accepted: {self.name} as {self.written_by} ({self.format})",
            todo=self.todo,
        ) from cause
