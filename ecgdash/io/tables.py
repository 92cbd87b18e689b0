"""Echo and diagnosis tables as CSV; every row is accepted or named as a problem."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path
from typing import Final, TypeVar

from ecgdash.domain import Diagnosis, EchoStudy, normalise_patient_id
from ecgdash.domain.patient import ECHO_METHODS, EchoMethod
from ecgdash.errors import InvalidValue
from ecgdash.io.patient_table import PatientRow, PatientTable, read_patient_table
from ecgdash.io.table_rows import (
    DIAGNOSIS_COLUMNS,
    ECHO_COLUMNS,
    SURPLUS,
    RowProblem,
    known_table,
    rows_of,
)
from ecgdash.io.times import Moment, parse_iso

__all__ = [
    "PatientRow",
    "PatientTable",
    "RowProblem",
    "known_table",
    "read_diagnoses_csv",
    "read_echo_csv",
    "read_patient_table",
]

_METHOD_WORDS: Final[dict[str, EchoMethod]] = {
    "": "unknown",
    "biplane": "simpson",
    "biplane simpson": "simpson",
    "simpson biplane": "simpson",
    "mod biplane": "simpson",
    "m mode": "m-mode",
    "mmode": "m-mode",
    "teichholz": "m-mode",
    "eyeball": "visual",
    "visual estimate": "visual",
}
_NUMBER: Final = re.compile(r"^(\d+(?:[.,]\d+)?)\s*%?$")
_OLDEST: Final = date(1900, 1, 1)

Made = TypeVar("Made")


class _Refused(Exception):
    """A row that cannot be kept; caught by `_collect`."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


def read_echo_csv(path: Path | str, zone: tzinfo = UTC) -> tuple[list[EchoStudy], list[RowProblem]]:
    """Read echoes: patient_id, performed_at, lvef_percent, method (optional).

    Parameters
    ----------
    zone : tzinfo
        Zone of times without one. A day without time becomes noon of that day.

    Returns
    -------
    (list of EchoStudy, list of RowProblem)
        LVEF in (0, 1] is refused with the question "percent or fraction?".

    Raises
    ------
    TableError
        If the file is no such table.
    """

    def make(cells: dict[str, str], line: int, problems: list[RowProblem]) -> EchoStudy:
        moment = _moment(cells, "performed_at", zone)
        return EchoStudy(
            patient_id=_patient(cells),
            performed_at=moment.at,
            local_day=moment.local_day,
            lvef_percent=_lvef(cells["lvef_percent"]),
            method=_method(cells.get("method", ""), line, problems),
            has_time=moment.has_time,
        )

    return _collect(Path(path), ECHO_COLUMNS, make)


def read_diagnoses_csv(path: Path | str) -> tuple[list[Diagnosis], list[RowProblem]]:
    """Read diagnoses: patient_id, code_system, code, recorded_on (ISO day).

    Raises
    ------
    TableError
        If the file is no such table.
    """

    def make(cells: dict[str, str], line: int, problems: list[RowProblem]) -> Diagnosis:
        for column in ("code_system", "code"):
            if not cells[column]:
                raise _Refused(column, f"{column} is empty; state it")
        return Diagnosis(
            patient_id=_patient(cells),
            code_system=cells["code_system"],
            code=cells["code"],
            recorded_on=_moment(cells, "recorded_on", UTC).local_day,
        )

    return _collect(Path(path), DIAGNOSIS_COLUMNS, make)


def _collect(
    path: Path,
    required: tuple[str, ...],
    make: Callable[[dict[str, str], int, list[RowProblem]], Made],
) -> tuple[list[Made], list[RowProblem]]:
    made: dict[Made, int] = {}
    problems: list[RowProblem] = []
    for line, cells in rows_of(path, required):
        try:
            _check_cells(cells)
            one = make(cells, line, problems)
        except _Refused as refusal:
            problems.append(RowProblem(line, refusal.column, refusal.message))
            continue
        except InvalidValue as error:
            problems.append(RowProblem(line, "", error.sentence))
            continue
        if one in made:
            message = f"the row says the same as row {made[one]}; it is counted once"
            problems.append(RowProblem(line, "", message))
        else:
            made[one] = line
    return list(made), problems


def _check_cells(cells: dict[str, str]) -> None:
    if cells[SURPLUS]:
        message = "the row has more cells than the header; put a decimal comma into quotes"
        raise _Refused("", message)
    for column, text in cells.items():
        if any(not character.isprintable() for character in text):
            raise _Refused(column, f"{column} holds control characters; remove them")


def _patient(cells: dict[str, str]) -> str:
    patient_id = normalise_patient_id(cells["patient_id"])
    if patient_id is None:
        raise _Refused("patient_id", "the patient id is empty; state it")
    return patient_id


def _moment(cells: dict[str, str], column: str, zone: tzinfo) -> Moment:
    text = cells[column]
    moment = parse_iso(text, zone)
    if moment is None:
        raise _Refused(
            column, f"{text!r} is no time; write it as 2024-05-31 or 2024-05-31T14:30:00+09:00"
        )
    if moment.local_day < _OLDEST:
        raise _Refused(column, f"{text!r} lies before 1900; correct it")
    if moment.at > datetime.combine(datetime.now(UTC).date(), time.max, UTC):
        raise _Refused(column, f"{text!r} lies in the future; correct it")
    return moment


def _lvef(text: str) -> float:
    match = _NUMBER.match(text)
    if match is None:
        raise _Refused("lvef_percent", f"LVEF {text!r} is no number; give one number in percent")
    value = float(match.group(1).replace(",", "."))
    if 0.0 < value <= 1.0:
        raise _Refused("lvef_percent", f"LVEF {text}: percent or fraction? Give percent")
    if not 1.0 < value <= 100.0:
        raise _Refused("lvef_percent", f"LVEF {text} is outside 1 to 100 percent; correct it")
    return value


def _method(text: str, line: int, problems: list[RowProblem]) -> EchoMethod:
    folded = text.lower().replace("_", "-")
    for known in ECHO_METHODS:
        if folded == known:
            return known
    words = " ".join(folded.replace("-", " ").replace("'s", "").split())
    if words in _METHOD_WORDS:
        return _METHOD_WORDS[words]
    message = f"method {text!r} is not one of {', '.join(ECHO_METHODS)}; kept as unknown"
    problems.append(RowProblem(line, "method", message, refused=False))
    return "unknown"
