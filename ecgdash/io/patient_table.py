"""A table of who each ECG file belongs to; PTB-XL's database file is read as it is.

Columns of a table of one's own: file, patient_id, and optionally recorded_at,
age_years, sex (male or female). Of `ptbxl_database.csv` the report text is not
kept; its codes become statements such as "SCP code AFLT (100)".
"""

import ast
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from pathlib import Path, PurePosixPath
from typing import Final

from ecgdash.domain import EcgRecord, normalise_patient_id
from ecgdash.domain.ecg import Sex
from ecgdash.io.build import sex_of
from ecgdash.io.table_rows import PTBXL_COLUMNS, RowProblem, rows_of
from ecgdash.io.times import Moment, parse_iso, resolve_age

__all__ = ["PatientRow", "PatientTable", "read_patient_table"]

PTBXL_OVER_89: Final = 300.0
"""What PTB-XL 1.0.3 writes as the age of anyone over 89 (its documentation)."""
_PTBXL_SEX: Final[dict[str, Sex]] = {"0": "male", "1": "female"}


@dataclass(frozen=True, slots=True)
class PatientRow:
    """What the table says about one ECG file."""

    patient_id: str | None
    moment: Moment | None = None
    age_years: float | None = None
    sex: Sex | None = None
    statements: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    measurements: tuple[tuple[str, float], ...] = ()
    filters: str | None = None


@dataclass
class PatientTable:
    """Rows by record file, and what was wrong with the others."""

    rows: dict[str, PatientRow] = field(default_factory=dict)
    problems: list[RowProblem] = field(default_factory=list)
    _by_stem: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def has(self, file: str) -> bool:
        """Tell whether the file has a row already."""
        return _key(file) in self.rows

    def add(self, file: str, row: PatientRow) -> str:
        """Add the row of a file and return its key; the path's suffix does not matter."""
        key = _key(file)
        self.rows[key] = row
        stem = PurePosixPath(key).name
        self._by_stem[stem] = (*self._by_stem.get(stem, ()), key)
        return key

    def find(self, display_name: str) -> PatientRow | None:
        """Return the row of a file, or None; folders decide where names repeat."""
        key = self.key_of(display_name)
        return None if key is None else self.rows[key]

    def key_of(self, display_name: str) -> str | None:
        """Return the key of a file's row, or None."""
        key = _key(display_name)
        keys = self._by_stem.get(PurePosixPath(key).name, ())
        if len(keys) == 1:
            return keys[0]
        shared = [_shared_tail(key, other) for other in keys]
        best = max(shared, default=0)
        return keys[shared.index(best)] if shared.count(best) == 1 else None

    def apply(self, record: EcgRecord, display_name: str) -> EcgRecord:
        """Return the record with the table's facts, which win over the file's; notes say so."""
        row = self.find(display_name)
        if row is None:
            return replace(
                record, notes=(*record.notes, "the patient table has no row for this file")
            )
        undated = "the file states no usable date; undated"
        notes = [note for note in record.notes if row.moment is None or note != undated]
        if record.patient_id and row.patient_id and record.patient_id != row.patient_id:
            notes.append("the patient id of the patient table replaces the file's")
        moment = row.moment
        return replace(
            record,
            patient_id=row.patient_id or record.patient_id,
            recorded_at=moment.at if moment else record.recorded_at,
            local_day=moment.local_day if moment else record.local_day,
            age_years=row.age_years if row.age_years is not None else record.age_years,
            sex=row.sex or record.sex,
            statements=tuple(dict.fromkeys((*record.statements, *row.statements))),
            measurements={**record.measurements, **dict(row.measurements)},
            filters=row.filters or record.filters,
            notes=tuple(dict.fromkeys((*notes, *row.notes, *(moment.notes if moment else ())))),
        )


def read_patient_table(path: Path | str, zone: tzinfo = UTC) -> PatientTable:
    """Read a patient table of one's own, or `ptbxl_database.csv` as it is.

    Parameters
    ----------
    zone : tzinfo
        Zone of times without one; PTB-XL's recording dates state none.

    Returns
    -------
    PatientTable
        With `problems`: rows that were refused.

    Raises
    ------
    TableError
        If the file is no such table.
    """
    table = PatientTable()
    file = Path(path)
    is_ptbxl = _is_ptbxl(file)
    for line, cells in rows_of(file, PTBXL_COLUMNS if is_ptbxl else ("file", "patient_id")):
        row = _row(cells, line, zone, table.problems, is_ptbxl)
        if row is None:
            continue
        columns = ("filename_hr", "filename_lr") if is_ptbxl else ("file",)
        for name in filter(None, (cells.get(column, "") for column in columns)):
            if _key(name) in table.rows:
                problem = "the file has a row already; the first one holds"
                table.problems.append(RowProblem(line, columns[0], problem))
            else:
                table.add(name, row)
    return table


def _is_ptbxl(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return b"filename_hr" in stream.readline(8192)


def _key(file: str) -> str:
    path = PurePosixPath(file.replace("\\", "/"))
    return str(path.with_suffix("")) if path.suffix else str(path)


def _shared_tail(one: str, other: str) -> int:
    pairs = zip(reversed(PurePosixPath(one).parts), reversed(PurePosixPath(other).parts))  # noqa: B905 - the shorter path ends the comparison
    shared = 0
    for left, right in pairs:
        if left != right:
            break
        shared += 1
    return shared


def _row(
    cells: dict[str, str], line: int, zone: tzinfo, problems: list[RowProblem], is_ptbxl: bool
) -> PatientRow | None:
    patient_id = normalise_patient_id(cells["patient_id"])
    if patient_id is None:
        problems.append(RowProblem(line, "patient_id", "the patient id is empty; state it"))
        return None
    time_column = "recording_date" if is_ptbxl else "recorded_at"
    text = cells.get(time_column, "")
    moment = parse_iso(text, zone) if text else None
    if text and moment is None:
        message = f"{text!r} is no time; write it as 2024-05-31T14:30:00+09:00"
        problems.append(RowProblem(line, time_column, message))
        return None
    age, notes = _age(cells.get("age" if is_ptbxl else "age_years", ""), line, problems, is_ptbxl)
    return PatientRow(
        patient_id=patient_id,
        moment=moment,
        age_years=age,
        sex=_sex(cells.get("sex", ""), line, problems, is_ptbxl),
        statements=_ptbxl_statements(cells, line, problems) if is_ptbxl else (),
        notes=notes,
    )


def _age(
    text: str, line: int, problems: list[RowProblem], is_ptbxl: bool
) -> tuple[float | None, tuple[str, ...]]:
    if not text:
        return None, ()
    try:
        years = float(text)
    except ValueError:
        message = f"age {text!r} is no number; kept as unknown"
        problems.append(RowProblem(line, "age", message, refused=False))
        return None, ()
    if is_ptbxl and years == PTBXL_OVER_89:
        return None, ("PTB-XL writes the age 300 for over 89 years; the exact age is unknown",)
    return resolve_age(years, None, None)


def _sex(text: str, line: int, problems: list[RowProblem], is_ptbxl: bool) -> Sex | None:
    sex = _PTBXL_SEX.get(text.split(".")[0]) if is_ptbxl else sex_of(text)
    if sex is None and text and text.lower() not in {"unknown", "u"}:
        message = f"sex {text!r} is not male or female; kept as unknown"
        problems.append(RowProblem(line, "sex", message, refused=False))
    return sex


def _ptbxl_statements(
    cells: dict[str, str], line: int, problems: list[RowProblem]
) -> tuple[str, ...]:
    statements = []
    text = cells.get("scp_codes", "")
    try:
        codes = ast.literal_eval(text) if text else {}
        statements = [f"SCP code {code} ({float(value):g})" for code, value in codes.items()]
    except (ValueError, SyntaxError, AttributeError, TypeError):
        message = "scp_codes is no dictionary; the codes were left out"
        problems.append(RowProblem(line, "scp_codes", message, refused=False))
    if cells.get("pacemaker"):
        statements.append("Pacemaker noted in the patient table")
    return tuple(statements)
