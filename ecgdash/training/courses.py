"""Patients' courses beside a shard: when their ECGs and echoes were, and what the echoes said."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ecgdash.domain.ecg import EcgRef
from ecgdash.domain.patient import EchoStudy

__all__ = ["Course", "course_line", "read_courses", "write_courses"]


@dataclass(frozen=True)
class Course:
    """One patient's ECGs and echoes.

    Attributes
    ----------
    refs : tuple of EcgRef
        The key of the ECG in row 17 of the shard is "17".
    """

    patient_id: str
    refs: tuple[EcgRef, ...]
    echoes: tuple[EchoStudy, ...]


def course_line(course: Course) -> str:
    """Return a course as one line of JSON."""
    return json.dumps(_course_to_dict(course))


def write_courses(path: Path, courses: Iterable[Course | str]) -> None:
    """Write courses, or lines of `course_line`, one a line."""
    with path.open("w", encoding="utf-8") as file:
        for course in courses:
            file.write(course if isinstance(course, str) else course_line(course))
            file.write("\n")


def read_courses(path: Path) -> Iterator[Course]:
    """Read courses back."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield _course_from_dict(json.loads(line))


def _course_to_dict(course: Course) -> dict[str, Any]:
    return {
        "patient_id": course.patient_id,
        "ecgs": [
            [ref.key, ref.recorded_at.isoformat(), ref.local_day.isoformat(), ref.analysable]
            for ref in course.refs
        ],
        "echoes": [
            [
                echo.performed_at.isoformat(),
                echo.local_day.isoformat(),
                echo.lvef_percent,
                echo.method,
                echo.has_time,
            ]
            for echo in course.echoes
        ],
    }


def _course_from_dict(row: dict[str, Any]) -> Course:
    refs = tuple(
        EcgRef(key, datetime.fromisoformat(at), date.fromisoformat(day), analysable)
        for key, at, day, analysable in row["ecgs"]
    )
    echoes = tuple(
        EchoStudy(
            row["patient_id"],
            datetime.fromisoformat(at),
            date.fromisoformat(day),
            lvef,
            method,
            has_time,
        )
        for at, day, lvef, method, has_time in row["echoes"]
    )
    return Course(row["patient_id"], refs, echoes)
