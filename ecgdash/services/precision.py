"""What a lower precision does to a family's scores, on simulated evaluation ECGs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import EcgRecord
from ecgdash.domain.ecg import EcgRef
from ecgdash.domain.model import FamilyCard, VariantCard
from ecgdash.domain.pairs import TteEcgPair, form_pairs
from ecgdash.domain.prediction import NotApplicable, VariantScore
from ecgdash.errors import InvalidValue
from ecgdash.inference.manifest import InstalledFamily
from ecgdash.inference.precision_record import (
    NEAR_LOGIT,
    PRECISION_NAME,
    PrecisionRecord,
    PrecisionResult,
    precision_document,
    read_precision,
)
from ecgdash.services.beside_weights import installed_figures_of, row_of_the_weights, write_beside
from ecgdash.services.cart_records import measured_records
from ecgdash.simulate.cohort import SimulatedCohort, simulate_patients

if TYPE_CHECKING:
    from ecgdash.inference import Engine
    from ecgdash.inference.backends import Backend

__all__ = [
    "compare_scores",
    "install_precision",
    "installed_precision",
    "measure_precision",
    "result_words",
]

Scores = dict[str, VariantScore | NotApplicable]

_HZ = 250.0
_BATCH = 32
_PATIENTS_PER_ECG = 0.5
"""Patients simulated per ECG wanted: each has several, and the gate withholds some."""
_TODO = "Measure again with 'python -m ecgdash models precision FAMILY'"


@dataclass(frozen=True, eq=False)
class _Course:
    """The analysable ECGs of one simulated patient."""

    records: list[EcgRecord]
    refs: list[EcgRef]
    pairs: list[TteEcgPair]


def measure_precision(
    engine: "Engine",
    n_ecgs: int,
    seed: int,
    on_progress: Callable[[str], None] | None = None,
) -> PrecisionRecord:
    """Measure every lower precision that this machine has against PyTorch in float32.

    Whole courses are scored, so that histories carry what the precision does to earlier scores.

    Parameters
    ----------
    engine : Engine
        With PyTorch in float32; on a CUDA device, its precisions are measured instead.
    n_ecgs : int
        Analysable ECGs, at least; whole patients are taken.
    seed : int
        Of the simulated patients.
    on_progress : callable, optional
        Told sentences.

    Raises
    ------
    InvalidValue
        If the engine is not in float32 on PyTorch.
    """
    if (engine.backend_name, engine.precision) != ("torch", "float32"):
        raise InvalidValue(
            f"the engine runs on {engine.backend_name} in {engine.precision}",
            accepted="Lower precisions are measured against torch in float32",
        )
    tell = on_progress or (lambda _: None)
    courses = _courses(n_ecgs, seed)
    crops = np.stack([engine.crops(record) for one in courses for record in one.records])
    tell(f"{len(crops)} analysable ECGs of {len(courses)} simulated patients")
    reference = _scored(engine, engine.base_logits_from_crops(crops), courses)
    results = []
    for name, backend in engine.lower_backends():
        lower = _scored(engine, engine.base_logits_from_crops(crops, backend), courses)
        found = compare_scores(engine.card, reference, lower, (name, backend))
        results.append(replace(found, processor=engine.processor))
        tell(result_words(results[-1]))
    return PrecisionRecord(
        family=engine.card.family,
        weights_sha256=engine.card.weights_sha256,
        data=f"SIMULATED: {len(crops)} analysable ECGs of {len(courses)} patients, seed {seed}",
        n_ecgs=len(crops),
        seed=seed,
        results=tuple(results),
    )


def compare_scores(
    card: FamilyCard,
    reference: Sequence[Scores],
    lower: Sequence[Scores],
    backend: "tuple[str, Backend]",
) -> PrecisionResult:
    """Compare scores ECG by ECG, in logits, over all variants and all three thresholds.

    Parameters
    ----------
    card : FamilyCard
    reference, lower : sequence of dict
        Scores by variant, of the same ECGs; not applicable where the other is too.
    backend : tuple of str and Backend
        What gave the lower ones.
    """
    near: list[float] = [0.0]
    every: list[float] = [0.0]
    n_near = n_changed = n_beyond = 0
    for variant in card.variants:
        exact, found = (_logits(rows, variant.variant) for rows in (reference, lower))
        error = np.abs(found - exact)
        is_near = np.zeros(exact.shape, dtype=bool)
        changed = np.zeros(exact.shape, dtype=bool)
        beyond = np.zeros(exact.shape, dtype=bool)
        for value in _thresholds(variant):
            distance = exact - value
            is_near |= np.abs(distance) <= NEAR_LOGIT
            moved = (distance >= 0) != (found - value >= 0)
            changed |= moved
            beyond |= moved & (np.abs(distance) > (variant.noise_floor_logit or 0.0))
        near += error[is_near].tolist()
        every += error.tolist()
        n_near += int(is_near.sum())
        n_changed += int(changed.sum())
        n_beyond += int(beyond.sum())
    name, made = backend
    return PrecisionResult(
        backend=name,
        precision=made.precision,
        version=made.version,
        n_near=n_near,
        # NaN must fail: numpy's maximum keeps it, Python's may not
        error_near_logit=float(np.max(near)),
        error_logit=float(np.max(every)),
        n_changed=n_changed,
        n_changed_beyond=n_beyond,
    )


def _thresholds(variant: VariantCard) -> list[float]:
    points = (variant.youden, variant.sensitivity_90, variant.specificity_90)
    values = np.array([point.value for point in points])
    found: list[float] = np.log(values / (1.0 - values)).tolist()
    return found


def _logits(rows: Iterable[Scores], variant: str) -> NDArray[np.float64]:
    scores = (row[variant] for row in rows)
    values = np.array([one.value for one in scores if isinstance(one, VariantScore)])
    logits: NDArray[np.float64] = np.log(values) - np.log1p(-values)
    return logits


def _scored(
    engine: "Engine", logits: NDArray[np.float64], courses: Sequence[_Course]
) -> list[Scores]:
    found: list[Scores] = []
    for one in courses:
        part = logits[len(found) : len(found) + len(one.records)]
        found += engine.score_course(one.refs, part, one.pairs)
    return found


def _courses(n_ecgs: int, seed: int) -> list[_Course]:
    cohort = simulate_patients(max(int(_PATIENTS_PER_ECG * n_ecgs), 8), seed)
    found: list[_Course] = []
    n_found = 0
    for first in range(0, cohort.n_patients, _BATCH):
        members = range(first, min(first + _BATCH, cohort.n_patients))
        records = _analysable(cohort, [row for who in members for row in cohort.ecgs_of(who)])
        for who in members:
            one = _course(cohort, who, records)
            if one.records and n_found < n_ecgs:
                found.append(one)
                n_found += len(one.records)
        if n_found >= n_ecgs:
            break
    return found


def _course(cohort: SimulatedCohort, who: int, records: dict[int, EcgRecord]) -> _Course:
    refs = [ref for ref in cohort.ecg_refs(who) if int(ref.key[1:]) in records]
    pairs = form_pairs(refs, cohort.echo_studies(who))
    return _Course([records[int(ref.key[1:])] for ref in refs], refs, list(pairs))


def _analysable(cohort: SimulatedCohort, rows: Sequence[int]) -> dict[int, EcgRecord]:
    from ecgdash.inference.gate import gate

    found: dict[int, EcgRecord] = {}
    for batch in cohort.iter_ecgs(_BATCH, _HZ, np.array(rows, dtype=np.int64)):
        records, measured = measured_records(batch, cohort, _HZ)
        for i, (row, record) in enumerate(zip(batch.index.tolist(), records, strict=True)):
            if gate(record, own=measured.take(slice(i, i + 1))).analysable:
                found[row] = record
    return found


def result_words(found: PrecisionResult) -> str:
    """Return one result in a sentence."""
    processor = f" ({found.processor})" if found.processor else ""
    return (
        f"{found.precision} on {found.backend} {found.version}{processor}: "
        f"{'passed' if found.passed else 'not passed, so it is off'}; largest error "
        f"{found.error_near_logit:.3f} logits of {found.n_near:,} scores near a threshold, "
        f"{found.error_logit:.3f} of all; {found.n_changed} on another side, "
        f"{found.n_changed_beyond} of them beyond the noise floor"
    )


def installed_precision(models_dir: Path | None = None) -> dict[str, PrecisionRecord]:
    """Return what was measured on every family, by family.

    A file that is missing, changed, broken or of other weights counts as not measured;
    `models verify` says which one is missing or changed.
    """
    return installed_figures_of(models_dir, "precision", read_precision)


def install_precision(found: PrecisionRecord, models_dir: Path) -> InstalledFamily:
    """Write the record beside the weights it is of; return the manifest's new row.

    What another machine measured on the same weights and ECGs (a GPU, say) is kept beside it.

    Raises
    ------
    WeightsMissing
        If the family is not installed.
    WeightsHashMismatch
        If the record is of other weights than the installed ones.
    """
    row = row_of_the_weights(found, models_dir, _TODO)
    earlier = installed_precision(models_dir).get(found.family)
    if earlier is not None and (earlier.weights_sha256, earlier.data) == (
        found.weights_sha256,
        found.data,
    ):
        measured = {(one.backend, one.precision) for one in found.results}
        kept = [one for one in earlier.results if (one.backend, one.precision) not in measured]
        found = replace(found, results=(*found.results, *kept))
    return write_beside(row, "precision", PRECISION_NAME, precision_document(found), models_dir)
