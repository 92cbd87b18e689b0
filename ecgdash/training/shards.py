"""Prepared ECGs on disk: waveforms as they were recorded, with 0/1 marks per ECG.

    <folder>/waveforms.i16   (n, n_leads, n_samples) int16, memory-mapped
    <folder>/marks.u8        (n, n_marks) uint8, memory-mapped
    <folder>/shard.json      sizes, rate, step, names of the marks, patients, rows done
    <folder>/courses.jsonl   one patient a line: ECG times and echoes (phase 3)

Whole 10-s recordings are kept, so that training can cut a new random 9 s in
every epoch and filter it exactly as the engine does. A killed preparation goes
on where it stopped.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.ecg import EcgRef
from ecgdash.domain.leads import CANONICAL_LEADS, LEADS_OF_SET, LeadSet
from ecgdash.domain.patient import EchoStudy
from ecgdash.errors import CorruptFile
from ecgdash.signal.preprocess import CROP_S, preprocess_batch, preprocess_window

__all__ = ["Course", "Shard", "ShardWriter", "read_courses", "write_courses", "write_json"]

STEP_MV: Final = 0.00488
"""Millivolts per count: the resolution of a cart (4.88 uV)."""


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that a kill leaves either the old file or the new one."""
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(json.dumps(content, indent=1), encoding="utf-8")
    os.replace(part, path)


class ShardWriter:
    """Writes a shard batch by batch.

    Parameters
    ----------
    folder : Path
    patient_ids : sequence of str
        One per ECG; fixes the number of rows.
    marks : sequence of str
        Names of the 0/1 marks.
    shape : (n_leads, n_samples)
    sampling_hz : float
    """

    def __init__(
        self,
        folder: Path,
        patient_ids: Sequence[str],
        marks: Sequence[str],
        shape: tuple[int, int] = (12, 2500),
        sampling_hz: float = 250.0,
    ) -> None:
        self._head = {
            "n": len(patient_ids),
            "shape": list(shape),
            "sampling_hz": sampling_hz,
            "step_mv": STEP_MV,
            "marks": list(marks),
            "patient_ids": list(patient_ids),
        }
        self._state = folder / "shard.json"
        folder.mkdir(parents=True, exist_ok=True)
        self.n_done = self._resumed()
        mode: Any = "r+" if self.n_done else "w+"
        n = len(patient_ids)
        self._waveforms = np.memmap(folder / "waveforms.i16", "<i2", mode, shape=(n, *shape))
        self._marks = np.memmap(folder / "marks.u8", np.uint8, mode, shape=(n, len(marks)))

    def _resumed(self) -> int:
        if not self._state.exists():
            return 0
        known = json.loads(self._state.read_text(encoding="utf-8"))
        n_done = int(known.pop("n_done"))
        return n_done if known == self._head else 0

    @property
    def complete(self) -> bool:
        """Whether every row is written."""
        return self.n_done == len(self._waveforms)

    def append(self, signals_mv: NDArray[np.floating], marks: NDArray[np.bool_]) -> None:
        """Write the next rows.

        Parameters
        ----------
        signals_mv : ndarray, shape (b, n_leads, n_samples)
        marks : ndarray of bool, shape (b, n_marks)
        """
        rows = slice(self.n_done, self.n_done + len(signals_mv))
        counts = np.rint(signals_mv / STEP_MV)
        self._waveforms[rows] = np.clip(counts, -32768, 32767).astype("<i2")
        self._marks[rows] = marks
        self._waveforms.flush()
        self._marks.flush()
        self.n_done += len(signals_mv)
        write_json(self._state, {**self._head, "n_done": self.n_done})


class Shard:
    """A finished shard, memory-mapped for reading.

    Parameters
    ----------
    folder : Path
    lead_set : {"12", "6", "1"}
        Leads to read; a shard holds all twelve, in canonical order.

    Attributes
    ----------
    marks : dict of str to ndarray of bool, shape (n,)
    patient_ids : tuple of str
    sampling_hz : float

    Raises
    ------
    CorruptFile
        If it is not there or was not finished.
    """

    def __init__(self, folder: Path, lead_set: LeadSet = "12") -> None:
        state = folder / "shard.json"
        if not state.exists():
            raise CorruptFile(
                "no prepared ECGs", where=folder.name, todo="Run 'python -m ecgdash train prepare'"
            )
        head = json.loads(state.read_text(encoding="utf-8"))
        if head["n_done"] != head["n"]:
            raise CorruptFile(
                f"{head['n_done']} of {head['n']} ECGs are prepared",
                where=folder.name,
                todo="Run 'python -m ecgdash train prepare' again; it goes on where it stopped",
            )
        shape = (head["n"], *head["shape"])
        self.folder = folder
        self.sampling_hz = float(head["sampling_hz"])
        self.patient_ids: tuple[str, ...] = tuple(head["patient_ids"])
        self._step_mv = float(head["step_mv"])
        self._counts = np.memmap(folder / "waveforms.i16", "<i2", "r", shape=shape)
        # A stretch of leads, which a slice reads without touching the others.
        wanted = [CANONICAL_LEADS.index(name) for name in LEADS_OF_SET[lead_set]]
        self._leads = slice(wanted[0], wanted[-1] + 1)
        names = head["marks"]
        table = np.memmap(folder / "marks.u8", np.uint8, "r", shape=(head["n"], len(names)))
        self.marks = {name: np.array(table[:, i], dtype=bool) for i, name in enumerate(names)}

    def __len__(self) -> int:
        return len(self.patient_ids)

    def signals_mv(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return recordings in millivolts, shape (b, n_leads, n_samples)."""
        return self._counts[rows, self._leads].astype(np.float64) * self._step_mv

    def random_crops(
        self, rows: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Return one random 9-s crop per ECG, prepared as for the engine.

        Returns
        -------
        ndarray of float32, shape (b, n_leads, 2250)
        """
        spare_s = self._counts.shape[-1] / self.sampling_hz - CROP_S
        starts_s = rng.uniform(0.0, spare_s, len(rows))
        return preprocess_window(self.signals_mv(rows), self.sampling_hz, starts_s)

    def middle_crops(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the middle one of the engine's crops, shape (b, n_leads, 2250)."""
        middle_s = (self._counts.shape[-1] / self.sampling_hz - CROP_S) / 2
        starts_s = np.full(len(rows), middle_s)
        return preprocess_window(self.signals_mv(rows), self.sampling_hz, starts_s)

    def fixed_crops(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the engine's three crops per ECG, shape (b, 3, n_leads, 2250)."""
        return preprocess_batch(self.signals_mv(rows), self.sampling_hz)


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


def write_courses(path: Path, courses: Sequence[Course]) -> None:
    """Write courses, one a line."""
    lines = [json.dumps(_course_to_dict(course)) for course in courses]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


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
