"""Prepare simulated ECGs for training: waveforms, the cart's labels, courses.

Labels of phase 1 and the pacing that excludes an ECG are measured on the noisy
waveform, as a cart would; LVSD comes from the simulated echo's reading. Nothing
here sees what the simulator hides (DESIGN decision 17).
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.pairs import form_pairs
from ecgdash.labels.cart import LABELS, labels_batch, statements_batch
from ecgdash.labels.statements import affirmed_findings
from ecgdash.signal.measure import measure_batch
from ecgdash.simulate.cohort import EcgBatch, SimulatedCohort, simulate_patients
from ecgdash.simulate.pretraining import pretraining_ecgs
from ecgdash.training.config import SimulatedData
from ecgdash.training.loop import Progress
from ecgdash.training.phases import LVSD
from ecgdash.training.shards import Course, ShardWriter, write_courses, write_json
from ecgdash.training.splits import split_of

__all__ = ["ANALYSABLE", "PARTS", "prepare_simulated"]

ANALYSABLE: Final = "analysable"
PARTS: Final = ("pretraining", "baseline", "follow_up")
SAMPLING_HZ: Final = 250.0
BATCH: Final = 128

_Marks = Callable[[EcgBatch], NDArray[np.bool_]]


def prepare_simulated(
    data: SimulatedData,
    folder: Path,
    on_progress: Progress | None = None,
    parts: Collection[str] = PARTS,
) -> None:
    """Simulate and write what the three phases need; goes on where it was stopped.

    Parameters
    ----------
    folder : Path
        Gets the `parts`, as folders, and `origin.json`.
    parts : collection of str
        Of `PARTS`: what phases 1, 2 and 3 learn from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "origin.json", {"simulated": True, **vars(data)})
    prepare = {
        "pretraining": _prepare_pretraining,
        "baseline": _prepare_baseline,
        "follow_up": _prepare_follow_up,
    }
    for part in PARTS:
        if part in parts:
            prepare[part](data, folder / part, on_progress)


def _prepare_pretraining(data: SimulatedData, folder: Path, on_progress: Progress | None) -> None:
    cohort = pretraining_ecgs(data.pretraining_ecgs, data.seed)

    def marks(batch: EcgBatch) -> NDArray[np.bool_]:
        found = measure_batch(batch.signal_mv, SAMPLING_HZ)
        return np.asarray(labels_batch(found, batch.sex), dtype=bool)

    names = [label.name for label in LABELS]
    _write(cohort, np.arange(cohort.n_ecgs), folder, names, marks, on_progress)


def _prepare_baseline(data: SimulatedData, folder: Path, on_progress: Progress | None) -> None:
    """Take the first pair of each patient."""
    cohort = simulate_patients(data.baseline_patients, data.seed)
    rows, lvsd = [], []
    for patient in range(cohort.n_patients):
        pairs = form_pairs(cohort.ecg_refs(patient), cohort.echo_studies(patient))
        if pairs:
            rows.append(_row(pairs[0].ecg.key))
            lvsd.append(pairs[0].echo.lvsd)
    label_of = dict(zip(rows, lvsd, strict=True))

    def marks(batch: EcgBatch) -> NDArray[np.bool_]:
        known = np.array([label_of[int(i)] for i in batch.index])
        return np.stack([known, _analysable(batch)], axis=1)

    _write(cohort, np.array(rows), folder, [LVSD, ANALYSABLE], marks, on_progress)


def _prepare_follow_up(data: SimulatedData, folder: Path, on_progress: Progress | None) -> None:
    """All ECGs of other patients who have follow-up pairs, and all of the validation ones."""
    cohort = simulate_patients(data.follow_up_patients, data.seed + 1)
    wanted = [
        patient
        for patient in range(cohort.n_patients)
        if len(form_pairs(cohort.ecg_refs(patient), cohort.echo_studies(patient))) > 1
        or split_of(_patient_key(cohort, patient)) == "validation"
    ]
    rows = np.concatenate([np.array(cohort.ecgs_of(patient)) for patient in wanted])

    def marks(batch: EcgBatch) -> NDArray[np.bool_]:
        return _analysable(batch)[:, np.newaxis]

    _write(cohort, rows, folder, [ANALYSABLE], marks, on_progress)
    table = np.memmap(folder / "marks.u8", np.uint8, "r", shape=(len(rows), 1))
    place = {int(row): i for i, row in enumerate(rows)}
    courses = [_course(cohort, patient, place, table[:, 0]) for patient in wanted]
    write_courses(folder / "courses.jsonl", courses)


def _write(
    cohort: SimulatedCohort,
    rows: NDArray[np.int64],
    folder: Path,
    names: list[str],
    marks: _Marks,
    on_progress: Progress | None,
) -> None:
    ids = [_patient_key(cohort, int(cohort.patient_index[row])) for row in rows]
    writer = ShardWriter(folder, ids, names)
    for batch in _remaining(cohort, rows[writer.n_done :]):
        writer.append(batch.signal_mv, marks(batch))
        if on_progress is not None:
            on_progress(f"prepare {folder.name}", writer.n_done, len(rows))


def _remaining(cohort: SimulatedCohort, rows: NDArray[np.int64]) -> Iterator[EcgBatch]:
    if rows.size:
        yield from cohort.iter_ecgs(BATCH, SAMPLING_HZ, rows)


def _patient_key(cohort: SimulatedCohort, patient: int) -> str:
    """Return an id that is unique across seeds."""
    return f"{cohort.seed}/{cohort.patient_id(patient)}"


def _analysable(batch: EcgBatch) -> NDArray[np.bool_]:
    """Return what the gate would let through: no pacing in the measured statements."""
    found = measure_batch(batch.signal_mv, SAMPLING_HZ)
    statements = statements_batch(found, batch.sex, batch.age_years)
    return np.array(["PACED" not in affirmed_findings(row) for row in statements])


def _course(
    cohort: SimulatedCohort,
    patient: int,
    place: dict[int, int],
    analysable: NDArray[np.uint8],
) -> Course:
    refs = []
    for ref in cohort.ecg_refs(patient):
        i = place[_row(ref.key)]
        refs.append(replace(ref, key=str(i), analysable=bool(analysable[i])))
    return Course(_patient_key(cohort, patient), tuple(refs), tuple(cohort.echo_studies(patient)))


def _row(key: str) -> int:
    return int(key.removeprefix("e"))
