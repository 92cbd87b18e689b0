"""LVEF out of MIMIC-IV-ECHO's long table: one value per study, every LVEF row accounted for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Final

from ecgdash.domain import EchoStudy, normalise_patient_id
from ecgdash.domain.patient import EchoMethod
from ecgdash.io.table_rows import RowProblem, rows_of
from ecgdash.io.tables import RowRefused, lvef_in, moment_in
from ecgdash.io.times import Moment

__all__ = ["EchoTally", "mimic_echoes"]

_RANK: Final[tuple[tuple[str, EchoMethod], ...]] = (
    ("biplane_lvef", "simpson"),
    ("lvef_3d", "unknown"),
    ("lvef", "unknown"),
)
"""Measurements by preference; our methods have no 3D, and `lvef` states none."""
_NAMES: Final = frozenset({*(name for name, _ in _RANK), "lvef_upper"})
_COLUMNS: Final = (
    "subject_id", "measurement_id", "measurement_datetime", "measurement", "result",
)  # fmt: skip
_MAX_MB: Final = 65_536
"""The published table is larger than any of a hospital's own; it is streamed."""


@dataclass
class EchoTally:
    """Rows passed over because they are no LVEF, and rows that are."""

    n_other: int = 0
    n_lvef: int = 0


@dataclass
class _Study:
    patient_id: str
    moment: Moment
    values: dict[str, tuple[float, int]] = field(default_factory=dict)
    range_is_broken: bool = False


def mimic_echoes(
    path: Path, zone: tzinfo, tally: EchoTally | None = None
) -> Iterator[EchoStudy | RowProblem]:
    """Yield an echo per (subject_id, measurement_id), and what was refused or changed.

    The table is streamed; only LVEF rows are held, since a study's rows need not be together.

    Raises
    ------
    TableError
        If the file is no such table.
    """
    tally = tally or EchoTally()
    studies: dict[tuple[str, str], _Study] = {}
    broken: set[tuple[str | None, str]] = set()
    for line, cells in rows_of(path, _COLUMNS, _MAX_MB):
        if cells["measurement"].lower() not in _NAMES:
            tally.n_other += 1
            continue
        tally.n_lvef += 1
        try:
            _add(cells, line, zone, studies)
        except RowRefused as refusal:
            yield RowProblem(line, refusal.column, refusal.message)
            if refusal.column == "result" and cells["measurement"].lower() == "lvef_upper":
                broken.add((normalise_patient_id(cells["subject_id"]), cells["measurement_id"]))
    for key, study in studies.items():
        # the lower end of a range whose upper end is unreadable is no LVEF
        study.range_is_broken = key in broken
        yield from _settle(study)


def _add(
    cells: dict[str, str], line: int, zone: tzinfo, studies: dict[tuple[str, str], _Study]
) -> None:
    patient_id = normalise_patient_id(cells["subject_id"])
    if patient_id is None or not cells["measurement_id"]:
        raise RowRefused("subject_id", "subject_id or measurement_id is empty; state it")
    if cells.get("test_type", "").upper() not in {"", "TTE"}:
        raise RowRefused("test_type", "the study is no transthoracic echo (TTE); it is left out")
    if cells.get("unit", "") not in {"", "%"}:
        raise RowRefused("unit", f"the unit {cells['unit']!r} is not %; correct it")
    try:
        value = lvef_in(cells["result"])
    except RowRefused as refusal:
        raise RowRefused("result", refusal.message) from refusal
    moment = moment_in(cells, "measurement_datetime", zone, shifted=True)
    key = (patient_id, cells["measurement_id"])
    study = studies.setdefault(key, _Study(patient_id, moment))
    name = cells["measurement"].lower()
    if study.moment.at != moment.at:
        raise RowRefused("measurement_datetime", "the study has another time above; correct it")
    if name in study.values:
        earlier = study.values[name][1]
        raise RowRefused("measurement", f"the study has {name} in row {earlier}; that one holds")
    study.values[name] = (value, line)


def _settle(study: _Study) -> Iterator[EchoStudy | RowProblem]:
    chosen = next(((n, m) for n, m in _RANK if n in study.values), None)
    if chosen is None:
        line = study.values["lvef_upper"][1]
        yield RowProblem(line, "measurement", "lvef_upper stands without lvef; no value was made")
        return
    name, method = chosen
    value, first = study.values[name]
    if name == "lvef" and study.range_is_broken:
        yield RowProblem(first, "result", "lvef_upper of the study was refused; no value was made")
        return
    for other, (_, line) in study.values.items():
        if other != name and not (name == "lvef" and other == "lvef_upper"):
            message = f"the study's {name} was taken instead"
            yield RowProblem(line, "measurement", message, refused=False)
    if name == "lvef" and "lvef_upper" in study.values:
        upper, line = study.values["lvef_upper"]
        if upper < value:
            yield RowProblem(line, "result", "lvef_upper lies below lvef; the study is left out")
            return
        message = f"the range {value:g} to {upper:g} became its midpoint"
        value = (value + upper) / 2
        yield RowProblem(line, "result", message, refused=False)
    moment = study.moment
    yield EchoStudy(study.patient_id, moment.at, moment.local_day, value, method, moment.has_time)
