"""Prepared ECGs on disk: waveforms as they were recorded, with 0/1 marks per ECG.

    <folder>/waveforms.i16   (n, n_leads, n_samples) int16, memory-mapped
    <folder>/marks.u8        (n, n_marks) uint8, memory-mapped
    <folder>/lengths.u16     (n,) samples that were recorded, where rows differ in length
    <folder>/shard.json      sizes, rate, step, names of the marks, patients, rows done
    <folder>/rows_done.json  while it is being written
    <folder>/courses.jsonl   one patient a line: ECG times and echoes (phase 3)

Whole recordings of 10 s are kept (or of 9 s and more, filled up with zeros that are never
read), so that training can cut a new random 9 s in every epoch and filter it exactly as the
engine does. A killed preparation goes on where it stopped.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.leads import CANONICAL_LEADS, LEADS_OF_SET, LeadSet
from ecgdash.errors import CorruptFile
from ecgdash.signal.preprocess import (
    CROP_S,
    CROP_SAMPLES,
    N_CROPS,
    preprocess_batch,
    preprocess_window,
)
from ecgdash.training.courses import Course, course_line, read_courses, write_courses

__all__ = [
    "Course",
    "Shard",
    "ShardWriter",
    "course_line",
    "read_courses",
    "write_courses",
    "write_json",
]

STEP_MV: Final = 0.00488
"""Millivolts per count: the resolution of a cart (4.88 uV)."""

_COUNTS: Final = "<i2"
_LENGTHS: Final = "<u2"


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that a kill leaves either the old file or the new one."""
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(json.dumps(content, indent=1), encoding="utf-8")
    os.replace(part, path)


class ShardWriter:
    """Writes a shard batch by batch.

    Rows are written to files and not through a memory map, so that what is written does not
    count as memory in use; their count stands in a small file of its own until all are there,
    because the head names every row's patient and would be rewritten with every batch.

    Parameters
    ----------
    folder : Path
    patient_ids : sequence of str
        One per ECG; fixes the number of rows.
    marks : sequence of str
        Names of the 0/1 marks.
    shape : (n_leads, n_samples)
    sampling_hz : float
    step_mv : float
        Millivolts per count; what lies beyond 32,767 steps is cut off.
    source : str
        Fingerprint of what the rows are made of; with another one the shard starts anew.
    own_lengths : bool
        Whether rows may be shorter than the shape says.

    Attributes
    ----------
    n_done : int
        Rows written, also by a preparation that was killed.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - one call from each kind of data
        self,
        folder: Path,
        patient_ids: Sequence[str],
        marks: Sequence[str],
        shape: tuple[int, int] = (12, 2500),
        sampling_hz: float = 250.0,
        step_mv: float = STEP_MV,
        source: str = "",
        own_lengths: bool = False,
    ) -> None:
        self._head: dict[str, Any] = {
            "n": len(patient_ids),
            "shape": list(shape),
            "sampling_hz": sampling_hz,
            "step_mv": step_mv,
            "marks": list(marks),
            "patient_ids": list(patient_ids),
        }
        # Only where they say something: heads of plain shards stay what they always were.
        self._head |= {"source": source} if source else {}
        self._head |= {"own_lengths": True} if own_lengths else {}
        self._folder = folder
        self._row_bytes = {"waveforms.i16": 2 * shape[0] * shape[1], "marks.u8": len(marks)}
        self._row_bytes |= {"lengths.u16": 2} if own_lengths else {}
        folder.mkdir(parents=True, exist_ok=True)
        self.n_done = _rows_done(folder, self._head)
        if not self.n_done:
            self._start()

    def _start(self) -> None:
        # First of all the old rows stop counting, so that a kill leaves no mixture behind.
        (self._folder / "rows_done.json").unlink(missing_ok=True)
        write_json(self._folder / "shard.json", {**self._head, "n_done": 0})
        for name, row_bytes in self._row_bytes.items():
            with (self._folder / name).open("wb") as file:
                file.truncate(row_bytes * self._head["n"])

    @property
    def complete(self) -> bool:
        """Whether every row is written."""
        return bool(self.n_done == self._head["n"])

    def append(
        self,
        signals_mv: NDArray[np.floating],
        marks: NDArray[np.bool_],
        lengths: NDArray[np.integer] | None = None,
    ) -> None:
        """Write the next rows.

        Parameters
        ----------
        signals_mv : ndarray, shape (b, n_leads, n_samples)
        marks : ndarray of bool, shape (b, n_marks)
        lengths : ndarray of int, shape (b,), optional
            Samples recorded, where rows may be shorter; None: all.
        """
        counts = np.clip(np.rint(signals_mv / self._head["step_mv"]), -32768, 32767)
        if lengths is None:
            lengths = np.full(len(signals_mv), self._head["shape"][1])
        self._write("waveforms.i16", counts.astype(_COUNTS))
        self._write("marks.u8", marks.astype(np.uint8))
        if "lengths.u16" in self._row_bytes:
            self._write("lengths.u16", lengths.astype(_LENGTHS))
        self.n_done += len(signals_mv)
        if self.complete:
            write_json(self._folder / "shard.json", {**self._head, "n_done": self.n_done})
            (self._folder / "rows_done.json").unlink(missing_ok=True)
        else:
            write_json(self._folder / "rows_done.json", self.n_done)

    def _write(self, name: str, rows: NDArray[Any]) -> None:
        with (self._folder / name).open("r+b") as file:
            file.seek(self.n_done * self._row_bytes[name])
            file.write(rows.tobytes())
            file.flush()
            os.fsync(file.fileno())


def _rows_done(folder: Path, head: dict[str, Any]) -> int:
    """Return how many rows of this very shard are on disk."""
    state = folder / "shard.json"
    if not state.exists():
        return 0
    known = json.loads(state.read_text(encoding="utf-8"))
    n_done = int(known.pop("n_done"))
    return max(n_done, _rows_done_since(folder)) if known == head else 0


def _rows_done_since(folder: Path) -> int:
    path = folder / "rows_done.json"
    return int(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else 0


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
            n_done = max(int(head["n_done"]), _rows_done_since(folder))
            raise CorruptFile(
                f"{n_done} of {head['n']} ECGs are prepared",
                where=folder.name,
                todo="Run 'python -m ecgdash train prepare' again; it goes on where it stopped",
            )
        shape = (head["n"], *head["shape"])
        self.folder = folder
        self.sampling_hz = float(head["sampling_hz"])
        self.patient_ids: tuple[str, ...] = tuple(head["patient_ids"])
        self._step_mv = float(head["step_mv"])
        self._counts = np.memmap(folder / "waveforms.i16", _COUNTS, "r", shape=shape)
        self._lengths: NDArray[np.int64] | None = None  # None: every row is whole
        if head.get("own_lengths", False):
            lengths = np.fromfile(folder / "lengths.u16", _LENGTHS).astype(np.int64)
            self._lengths = None if (lengths == shape[-1]).all() else lengths
        # A stretch of leads, which a slice reads without touching the others.
        wanted = [CANONICAL_LEADS.index(name) for name in LEADS_OF_SET[lead_set]]
        self._leads = slice(wanted[0], wanted[-1] + 1)
        names = head["marks"]
        table = np.memmap(folder / "marks.u8", np.uint8, "r", shape=(head["n"], len(names)))
        self.marks = {name: np.array(table[:, i], dtype=bool) for i, name in enumerate(names)}

    def __len__(self) -> int:
        return len(self.patient_ids)

    def signals_mv(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return recordings in millivolts, shape (b, n_leads, n_samples).

        Zeros follow the last sample of a recording that is shorter (`n_samples`).
        """
        return self._counts[rows, self._leads].astype(np.float64) * self._step_mv

    def n_samples(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many samples of each row were recorded, shape (b,)."""
        if self._lengths is None:
            return np.full(len(rows), self._counts.shape[-1], np.int64)
        return self._lengths[rows]

    def _spare_s(self, rows: NDArray[np.int64]) -> float | NDArray[np.float64]:
        """Return by how many seconds recordings are longer than a crop: one number if all are."""
        if self._lengths is None:
            return float(self._counts.shape[-1] / self.sampling_hz - CROP_S)
        spare_s: NDArray[np.float64] = self._lengths[rows] / self.sampling_hz - CROP_S
        return spare_s

    def random_crops(
        self, rows: NDArray[np.int64], rng: np.random.Generator, share: slice = slice(None)
    ) -> NDArray[np.float32]:
        """Return one random 9-s crop per ECG, prepared as for the engine.

        Parameters
        ----------
        share : slice
            Of the rows, to return alone; each crop is the one it is among all rows.

        Returns
        -------
        ndarray of float32, shape (b, n_leads, 2250)
        """
        starts_s = rng.uniform(0.0, self._spare_s(rows), len(rows))[share]
        return preprocess_window(self.signals_mv(rows[share]), self.sampling_hz, starts_s)

    def middle_crops(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the middle one of the engine's crops, shape (b, n_leads, 2250)."""
        starts_s = np.broadcast_to(np.asarray(self._spare_s(rows)) / 2, len(rows))
        return preprocess_window(self.signals_mv(rows), self.sampling_hz, starts_s)

    def fixed_crops(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the engine's three crops per ECG, shape (b, 3, n_leads, 2250)."""
        signals_mv = self.signals_mv(rows)
        if self._lengths is None:
            return preprocess_batch(signals_mv, self.sampling_hz)
        lengths = self._lengths[rows]
        out = np.empty((len(rows), N_CROPS, signals_mv.shape[1], CROP_SAMPLES), np.float32)
        for n in np.unique(lengths):
            same = np.flatnonzero(lengths == n)
            out[same] = preprocess_batch(signals_mv[same, :, :n], self.sampling_hz)
        return out
