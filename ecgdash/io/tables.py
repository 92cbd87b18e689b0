"""Echo and diagnosis tables as CSV; every row is accepted or named as a problem."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path
from typing import Final, TypeVar

from ecgdash.domain import Diagnosis, EchoStudy, normalise_patient_id
from ecgdash.domain.patient import ECHO_METHODS, EchoMethod, EchoNotes
from ecgdash.errors import InvalidValue
from ecgdash.io.patient_table import PatientRow, PatientTable, read_patient_table
from ecgdash.io.table_rows import (
    DIAGNOSIS_COLUMNS,
    ECHO_COLUMNS,
    REPORT_COLUMNS,
    SURPLUS,
    RowProblem,
    header_of,
    known_table,
    rows_of,
)
from ecgdash.io.times import Moment, parse_iso
from ecgdash.labels.echo_report import read_echo_report

__all__ = [
    "PatientRow",
    "PatientTable",
    "RowProblem",
    "RowRefused",
    "known_table",
    "lvef_in",
    "moment_in",
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
USUAL_LVEF: Final = (10.0, 90.0)
"""Percent (our choice); an LVEF outside is kept with a remark."""
_OLDEST: Final = date(1900, 1, 1)

Made = TypeVar("Made")


class RowRefused(Exception):
    """A row that cannot be kept; whoever reads the table turns it into a `RowProblem`."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


def read_echo_csv(
    path: Path | str,
    zone: tzinfo = UTC,
    names: Mapping[str, str] | None = None,
    *,
    keep_reports: bool = False,
) -> tuple[list[EchoStudy], list[RowProblem]]:
    """Read echoes: patient_id, performed_at, lvef_percent or report, method (optional).

    Where lvef_percent is empty, the LVEF and its method are read from the free text of the
    column report.

    Parameters
    ----------
    zone : tzinfo
        Zone of times without one. A day without time becomes noon of that day.
    names : mapping of str to str, optional
        Column (lower case) of each of these, where the table names them otherwise.
    keep_reports : bool
        Whether a study holds the report's text, and what it says of wall motion and pulmonary
        pressure, as written.

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
        moment = moment_in(cells, "performed_at", zone)
        method = _method(cells.get("method", ""), line, problems)
        if cells.get("lvef_percent") or not cells.get("report"):
            percent = lvef_in(cells.get("lvef_percent", ""))
        else:
            percent, named = _lvef_of_report(cells["report"], line, problems)
            method = named if method == "unknown" else method
        _remark_unusual(percent, line, problems)
        return EchoStudy(
            patient_id=_patient(cells),
            performed_at=moment.at,
            local_day=moment.local_day,
            lvef_percent=percent,
            method=method,
            has_time=moment.has_time,
            report=_notes(cells.get("report", "")) if keep_reports else None,
        )

    columns = header_of(Path(path)) if Path(path).is_file() else ()
    columns = tuple(names) if names else columns
    only_reports = "report" in columns and "lvef_percent" not in columns
    return _collect(Path(path), REPORT_COLUMNS if only_reports else ECHO_COLUMNS, make, names)


def _lvef_of_report(text: str, line: int, problems: list[RowProblem]) -> tuple[float, EchoMethod]:
    """Return the LVEF that a report states for now, and how it was measured."""
    report = read_echo_report(text)
    if report.lvef is None:
        raise RowRefused("report", f"{report.remark}; state it in lvef_percent")
    if report.remark:
        problems.append(RowProblem(line, "report", report.remark, refused=False))
    return report.lvef.percent, report.lvef.method


def _notes(text: str) -> EchoNotes | None:
    if not text:
        return None
    found = read_echo_report(text)
    return EchoNotes(
        text,
        tuple(one.text for one in found.wall_motion),
        tuple(one.text for one in found.pulmonary_pressure),
    )


def read_diagnoses_csv(
    path: Path | str, names: Mapping[str, str] | None = None
) -> tuple[list[Diagnosis], list[RowProblem]]:
    """Read diagnoses: patient_id, code_system, code, recorded_on (ISO day).

    `names` gives the column of each where the table names them otherwise.

    Raises
    ------
    TableError
        If the file is no such table.
    """

    def make(cells: dict[str, str], line: int, problems: list[RowProblem]) -> Diagnosis:
        for column in ("code_system", "code"):
            if not cells[column]:
                raise RowRefused(column, f"{column} is empty; state it")
        return Diagnosis(
            patient_id=_patient(cells),
            code_system=cells["code_system"],
            code=cells["code"],
            recorded_on=moment_in(cells, "recorded_on", UTC).local_day,
        )

    return _collect(Path(path), DIAGNOSIS_COLUMNS, make, names)


def _collect(
    path: Path,
    required: tuple[str, ...],
    make: Callable[[dict[str, str], int, list[RowProblem]], Made],
    names: Mapping[str, str] | None = None,
) -> tuple[list[Made], list[RowProblem]]:
    made: dict[Made, int] = {}
    problems: list[RowProblem] = []
    called = {name: (names or {}).get(name, name) for name in (*required, *(names or {}))}
    needed = tuple(called[name] for name in required)
    for line, own_cells in rows_of(path, needed):
        cells = {c: text for c, text in own_cells.items() if c not in called.values()}
        cells |= {name: own_cells[column] for name, column in called.items()}
        try:
            _check_cells(cells)
            one = make(cells, line, problems)
        except RowRefused as refusal:
            column = called.get(refusal.column, refusal.column)
            problems.append(RowProblem(line, column, refusal.message))
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
        raise RowRefused("", message)
    for column, text in cells.items():
        if column == "report":  # free text has lines
            continue
        if any(not character.isprintable() for character in text):
            raise RowRefused(column, f"{column} holds control characters; remove them")


def _patient(cells: dict[str, str]) -> str:
    patient_id = normalise_patient_id(cells["patient_id"])
    if patient_id is None:
        raise RowRefused("patient_id", "the patient id is empty; state it")
    return patient_id


def moment_in(cells: dict[str, str], column: str, zone: tzinfo, *, shifted: bool = False) -> Moment:
    """Return the time in a cell; `shifted` allows the future, where a data set moved its dates.

    Raises
    ------
    RowRefused
        If it is no time, lies before 1900, or lies in the future.
    """
    text = cells[column]
    moment = parse_iso(text, zone)
    if moment is None:
        raise RowRefused(
            column, f"{text!r} is no time; write it as 2024-05-31 or 2024-05-31T14:30:00+09:00"
        )
    if moment.local_day < _OLDEST:
        raise RowRefused(column, f"{text!r} lies before 1900; correct it")
    if not shifted and moment.at > datetime.combine(datetime.now(UTC).date(), time.max, UTC):
        raise RowRefused(column, f"{text!r} lies in the future; correct it")
    return moment


def lvef_in(text: str) -> float:
    """Return an LVEF in percent, above 1 and at most 100; raises `RowRefused` for anything else."""
    match = _NUMBER.match(text)
    if match is None:
        raise RowRefused("lvef_percent", f"LVEF {text!r} is no number; give one number in percent")
    value = float(match.group(1).replace(",", "."))
    if 0.0 < value <= 1.0:
        raise RowRefused("lvef_percent", f"LVEF {text}: percent or fraction? Give percent")
    if not 1.0 < value <= 100.0:
        raise RowRefused("lvef_percent", f"LVEF {text} is outside 1 to 100 percent; correct it")
    return value


def _remark_unusual(percent: float, line: int, problems: list[RowProblem]) -> None:
    """Remark on an LVEF that few hearts have: a typing error is likelier."""
    low, high = USUAL_LVEF
    if not low <= percent <= high:
        message = f"LVEF {percent:g} is outside {low:g} to {high:g} percent; check it"
        problems.append(RowProblem(line, "lvef_percent", message, refused=False))


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
