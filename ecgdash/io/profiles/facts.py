"""Facts about each ECG out of a data set's tables, by the mapping the user confirmed."""

import ast
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from pathlib import Path
from sys import intern
from typing import Final

from ecgdash.domain import normalise_patient_id
from ecgdash.domain.ecg import Sex
from ecgdash.io.build import sex_of
from ecgdash.io.patient_table import PTBXL_OVER_89, PatientRow, PatientTable
from ecgdash.io.profiles.mapping import Mapping
from ecgdash.io.profiles.registry import Profile
from ecgdash.io.table_rows import RowProblem, rows_of
from ecgdash.io.tables import RowRefused, moment_in
from ecgdash.io.times import Moment, resolve_age

__all__ = ["FactReader", "cart_measurements"]

_SENTINEL: Final = 29999.0
"""What MIMIC-IV-ECG 1.0 writes for a missing measurement (its documentation)."""
_INTERVALS: Final = (
    ("pr_ms", "p_onset_ms", "qrs_onset_ms"),
    ("qrs_ms", "qrs_onset_ms", "qrs_end_ms"),
    ("qt_ms", "qrs_onset_ms", "t_end_ms"),
)
_AXES: Final = ("p_axis_deg", "qrs_axis_deg", "t_axis_deg")
_MIMIC_OVER_89: Final = 91
"""What MIMIC-IV writes as the age of anyone over 89 (its documentation of `anchor_age`)."""
_OLDEST: Final = 120
_LONGEST_MS: Final = 2000.0
_SPAN_BPM: Final = (15.0, 400.0)
_MAX_MB: Final = 4096
"""Tables of records are streamed; MIMIC-IV-ECG's larger one has 0.8 million rows."""


@dataclass
class FactReader:
    """Reads the table of records and, where there is one, of measurements.

    Attributes
    ----------
    profile : Profile
    mapping : Mapping
    zone : tzinfo
        Zone of times without one.
    """

    profile: Profile
    mapping: Mapping
    zone: tzinfo
    table: PatientTable = field(default_factory=PatientTable)
    by_study: dict[str, tuple[str, ...]] = field(default_factory=dict)
    people: dict[str, tuple[Sex | None, int, int]] = field(default_factory=dict)

    def read_people(self, path: Path) -> None:
        """Read sex, and the age in one year, of each patient: MIMIC-IV's `patients.csv`."""
        mapped = map(self.mapping.column, ("patient_id", "sex", "anchor_age", "anchor_year"))
        columns = tuple(column for column in mapped if column)
        for line, cells in rows_of(path, columns, _MAX_MB):
            patient_id = normalise_patient_id(self._cell(cells, "patient_id"))
            age, year = self._cell(cells, "anchor_age"), self._cell(cells, "anchor_year")
            if patient_id is None or not (age.isdecimal() and year.isdecimal()):
                self._problem(line, "", f"{path.name}: the row states no patient, age and year")
            else:
                self.people[patient_id] = (self._sex(cells, line), int(age), int(year))

    def read_records(self, path: Path) -> None:
        """Read who each file belongs to; raises `TableError` without the mapped columns."""
        columns = tuple(
            column for column in map(self.mapping.column, ("file", "patient_id")) if column
        )
        for line, cells in rows_of(path, columns, _MAX_MB):
            try:
                self._add(cells, line)
            except RowRefused as refusal:
                self._problem(line, refusal.column, refusal.message)

    def read_measurements(self, path: Path) -> None:
        """Add the cart's statements and measurements to the records, by study."""
        study = self.mapping.column("study")
        if study is None:
            return
        seen: set[str] = set()
        for line, cells in rows_of(path, (study,), _MAX_MB):
            name = cells[study]
            if name in seen:
                self._problem(line, study, "the study has a row above; the first one holds")
            elif name not in self.by_study:
                self._problem(line, study, "no record has this study; the row is not used")
            else:
                for file in self.by_study[name]:
                    row = self._with_measurements(file, cells, line)
                    self.table.rows[file] = row
            seen.add(name)

    def _with_measurements(self, file: str, cells: dict[str, str], line: int) -> PatientRow:
        measured, notes = cart_measurements(self._numbers(cells))
        if notes:
            self._problem(line, "", notes[0], refused=False)
        # A cart has few sentences: one copy of each serves a million rows.
        statements = [intern(cells.get(c, "")) for c in self.mapping.columns_of("statement")]
        filters = [cells.get(c, "") for c in self.mapping.columns_of("filter")]
        row = self.table.rows[file]
        return replace(
            row,
            statements=(*row.statements, *filter(None, statements)),
            measurements=tuple(measured.items()),
            filters=intern(", ".join(filter(None, filters))) or None,
            notes=(*row.notes, *notes),
        )

    def _numbers(self, cells: dict[str, str]) -> dict[str, float]:
        numbers = {}
        for column, name in self.mapping.columns:
            if name.endswith(("_ms", "_deg")):
                try:
                    numbers[name] = float(cells.get(column, ""))
                except ValueError:
                    continue
        return numbers

    def _add(self, cells: dict[str, str], line: int) -> None:
        name = self._cell(cells, "file")
        if not name:
            raise RowRefused(self.mapping.column("file") or "file", "no file is named; name it")
        patient_id = normalise_patient_id(self._cell(cells, "patient_id"))
        if patient_id is None:
            column = self.mapping.column("patient_id") or "patient_id"
            raise RowRefused(column, "the patient id is empty; state it")
        moment = self._moment(cells)
        if self.table.has(name):
            column = self.mapping.column("file") or "file"
            raise RowRefused(column, "the file has a row already; the first one holds")
        age, notes = self._age(cells, line, moment)
        sex = self._sex(cells, line)
        if patient_id in self.people:
            sex, age, notes = self._of_person(patient_id, moment)
        row = PatientRow(patient_id, moment, age, sex, self._codes(cells, line), notes)
        key = self.table.add(name, row)
        if study := self._cell(cells, "study"):
            self.by_study[study] = (*self.by_study.get(study, ()), key)

    def _cell(self, cells: dict[str, str], name: str) -> str:
        return cells.get(self.mapping.column(name) or "", "")

    def _moment(self, cells: dict[str, str]) -> Moment | None:
        column = self.mapping.column("recorded_at")
        if column is None or not cells.get(column, ""):
            return None
        return moment_in(cells, column, self.zone, shifted=self.profile.shifted_dates)

    def _age(
        self, cells: dict[str, str], line: int, moment: Moment | None
    ) -> tuple[float | None, tuple[str, ...]]:
        text, column = self._cell(cells, "age_years"), self.mapping.column("age_years") or ""
        if not text:
            return None, ()
        try:
            years = float(text)
        except ValueError:
            self._problem(line, column, "the age is no number; kept as unknown", refused=False)
            return None, ()
        if self.profile.name == "ptb-xl" and years == PTBXL_OVER_89:
            note = "PTB-XL writes the age 300 for over 89 years; the exact age is unknown"
            self._problem(line, column, note, refused=False)
            return None, (note,)
        birth = self._cell(cells, "birth_year")
        if moment and birth.isdecimal():
            apart = moment.local_day.year - int(birth) - years
            if not -1.0 <= apart <= 2.0:
                note = "age and birth year contradict each other; the age is left unknown"
                self._problem(line, column, note, refused=False)
                return None, (note,)
        age, notes = resolve_age(years, None, None)
        for note in notes:
            self._problem(line, column, note, refused=False)
        return age, notes

    def _of_person(
        self, patient_id: str, moment: Moment | None
    ) -> tuple[Sex | None, float | None, tuple[str, ...]]:
        sex, age, year = self.people[patient_id]
        if age >= _MIMIC_OVER_89:
            return sex, None, ("MIMIC-IV writes over 89 for this patient; the age is unknown",)
        if moment is None:
            return sex, None, ()
        at_ecg = age + moment.local_day.year - year
        return sex, float(at_ecg) if 0 <= at_ecg <= _OLDEST else None, ()

    def _sex(self, cells: dict[str, str], line: int) -> Sex | None:
        text = self._cell(cells, "sex")
        codes = dict(self.profile.sexes)
        sex = codes.get(text.removesuffix(".0").lower()) if codes else sex_of(text)
        if sex is None and text and text.lower() not in {"unknown", "u"}:
            message = "the sex is no known code; kept as unknown"
            self._problem(line, self.mapping.column("sex") or "", message, refused=False)
        return sex

    def _codes(self, cells: dict[str, str], line: int) -> tuple[str, ...]:
        text, statements = self._cell(cells, "scp_codes"), []
        try:
            codes = ast.literal_eval(text) if text else {}
            statements = [f"SCP code {code} ({float(value):g})" for code, value in codes.items()]
        except (ValueError, SyntaxError, AttributeError, TypeError, MemoryError, RecursionError):
            message = "the codes are no dictionary; they were left out"
            self._problem(line, "scp_codes", message, refused=False)
        if self._cell(cells, "pacemaker"):
            statements.append("Pacemaker noted in the patient table")
        return tuple(statements)

    def _problem(self, line: int, column: str, message: str, *, refused: bool = True) -> None:
        self.table.problems.append(RowProblem(line, column, message, refused))


def cart_measurements(
    numbers: MappingOf[str, float],
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return rate, intervals and axes from MIMIC-IV-ECG's fiducial points (ms from the start).

    Returns
    -------
    (dict, tuple of str)
        Keys of `MEASUREMENT_KEYS`; missing values (29999) are left out, and so are
        values no heart can have, with a note that names them.
    """
    known = {name: value for name, value in numbers.items() if value != _SENTINEL}
    made: dict[str, float] = {}
    odd: list[str] = []
    if "rr_ms" in known:
        rate = 60_000.0 / known["rr_ms"] if known["rr_ms"] > 0 else 0.0
        _keep(made, odd, "heart_rate_bpm", rate, _SPAN_BPM)
    for name, start, end in _INTERVALS:
        if start in known and end in known:
            _keep(made, odd, name, known[end] - known[start], (1.0, _LONGEST_MS))
    for name in _AXES:
        if name in known:
            _keep(made, odd, name, known[name], (-180.0, 360.0))
    notes = (f"the cart's values no heart can have were left out: {', '.join(odd)}",)
    return made, notes if odd else ()


def _keep(
    made: dict[str, float], odd: list[str], name: str, value: float, span: tuple[float, float]
) -> None:
    if span[0] <= value <= span[1]:
        made[name] = value
    else:
        odd.append(name)
