"""When simulated patients are seen: ECGs, echoes with their error, coded diagnoses.

Paper 000 pairs echo and ECG within 14 days and needs about 0.32 follow-up pairs
a patient; here there are about 1.1, so that few patients suffice for training.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.patient import EchoMethod
from ecgdash.simulate.courses import Archetype, true_lvef_percent
from ecgdash.simulate.latent import (
    FEATURES,
    LatentCourses,
    LatentHearts,
    LatentPeople,
    LatentVisits,
    Table,
)
from ecgdash.simulate.parameters import Conduction, Rhythm
from ecgdash.simulate.people import SITES

__all__ = [
    "DAY_S",
    "METHOD_OF_CODE",
    "YEAR_S",
    "DiagnosisTable",
    "EchoTable",
    "Schedule",
    "draw_diagnoses",
    "draw_echoes",
    "draw_schedule",
    "draw_visits",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

DAY_S: Final = 86_400
YEAR_S: Final = 365.25 * DAY_S
_FIRST_DAY: Final = 14_610  # 2010-01-01 in days since 1970
_MAX_PAIRS: Final = 8
_MAX_ECG_ONLY: Final = 10

ECHO_ERROR_PERCENT: Final = 5.5
"""SD of one echo's LVEF around the truth; reported interobserver SDs lie between 4 and 7."""

TACHYCARDIA_SHARE: Final = 0.0005
"""ECGs in ventricular tachycardia, whatever the LVEF (our choice: very rare at a routine visit)."""

METHOD_OF_CODE: Final[tuple[EchoMethod, ...]] = ("simpson", "m-mode", "visual")


@dataclass(frozen=True, eq=False)
class EchoTable(Table):
    """Echoes of a cohort as a hospital holds them; one row per echo.

    Attributes
    ----------
    patient : int (k,)
        Row of the patient.
    performed_at_s : int (k,)
        Seconds since 1970, UTC; noon of the day where `has_time` is False.
    lvef_percent : (k,)
        Measured, rounded to whole percent.
    method : int8 (k,)
        Index into `METHOD_OF_CODE`.
    has_time : bool (k,)
    """

    patient: IntArray
    performed_at_s: IntArray
    lvef_percent: FloatArray
    method: NDArray[np.int8]
    has_time: BoolArray


@dataclass(frozen=True, eq=False)
class DiagnosisTable(Table):
    """Coded diagnoses of a cohort; one row per code.

    Attributes
    ----------
    patient : int (k,)
        Row of the patient.
    code : str (k,)
        ICD-10.
    day : int (k,)
        Days since 1970.
    """

    patient: IntArray
    code: NDArray[np.str_]
    day: IntArray


@dataclass(frozen=True, eq=False)
class Schedule(Table):
    """Planned ECGs, sorted by patient and time.

    Attributes
    ----------
    patient, recorded_at_s : int (m,)
    with_echo : bool (m,)
        An echo is planned around it.
    baseline : bool (m,)
        The patient's first planned echo.
    """

    patient: IntArray
    recorded_at_s: IntArray
    with_echo: BoolArray
    baseline: BoolArray


def draw_schedule(
    rng: np.random.Generator, people: LatentPeople, courses: LatentCourses
) -> Schedule:
    """Draw the ECG times: about as many without an echo as with one."""
    n = len(people)
    times, planned = _pair_years(rng, people, courses)
    alone_times, alone = _ecg_only_years(rng, times, planned)
    years = np.concatenate([times, alone_times], axis=1)
    kept = np.concatenate([planned, alone], axis=1)
    with_echo = np.concatenate([planned, np.zeros_like(alone)], axis=1)
    # Three in a hundred patients have ECGs only.
    with_echo &= (rng.random(n) >= 0.03)[:, None]
    baseline = np.zeros_like(kept)
    baseline[:, 0] = True
    first_day = _FIRST_DAY + rng.integers(0, 8 * 365, n)
    day = first_day[:, None] + np.rint(years * 365.25).astype(np.int64)
    second = rng.triangular(7.0, 10.0, 21.0, years.shape) * 3600.0
    recorded = day * DAY_S + second.astype(np.int64)
    patient = np.broadcast_to(np.arange(n)[:, None], years.shape)
    flat = Schedule(patient[kept], recorded[kept], with_echo[kept], baseline[kept])
    return flat.take(np.lexsort((flat.recorded_at_s, flat.patient)))


def draw_visits(
    rng: np.random.Generator,
    people: LatentPeople,
    schedule: Schedule,
    site: str,
) -> LatentVisits:
    """Draw what differs between the ECGs of a patient: rhythm, electrodes, noise."""
    m = len(schedule)
    profile = SITES[site]
    baseline_s = baseline_seconds(schedule, len(people))
    years = (schedule.recorded_at_s - baseline_s[schedule.patient]) / YEAR_S
    factor = profile.noise_factor
    moving = rng.random(m) < 0.08
    # Real recordings run from nearly clean to noisy: every level is spread on a log scale.
    recorder: dict[str, Any] = {
        "emg_uv": factor * np.exp(rng.normal(np.log(0.5), 1.25, m)).clip(0.1, 40.0),
        "baseline_uv": factor * np.exp(rng.normal(np.log(25.0), 0.7, m)).clip(2.0, 150.0),
        "motion_uv": moving * np.exp(rng.normal(np.log(40.0), 0.6, m)).clip(0.0, 200.0),
        "mains_uv": factor * np.exp(rng.normal(np.log(0.3), 1.3, m)).clip(0.02, 40.0),
        "mains_hz": np.full(m, profile.mains_hz),
    }
    return LatentVisits(
        patient=schedule.patient,
        years=years,
        rhythm=_draw_rhythm(rng, people, schedule.patient),
        noise=rng.standard_normal((m, len(FEATURES))),
        swing=rng.standard_normal(m),
        electrode_shift=rng.normal(0.0, 0.10, (m, 1)) + rng.normal(0.0, 0.06, (m, 6)),
        limb_gain=np.full(m, profile.limb_gain),
        chest_gain=profile.chest_gain * np.exp(rng.normal(0.0, 0.04, m)),
        p_jitter=np.clip(np.exp(rng.normal(np.log(0.22), 0.35, m)), 0.02, 0.5),
        **recorder,
    )


def draw_echoes(rng: np.random.Generator, courses: LatentCourses, schedule: Schedule) -> EchoTable:
    """Draw echoes near their ECGs, second readings, and echoes with no ECG near."""
    n = len(courses)
    near = schedule.take(schedule.with_echo)
    near_s = near.recorded_at_s + _offset_seconds(rng, len(near))
    again = rng.random(len(near)) < 0.03
    # Stays within the patient's years of care: after the baseline visit.
    apart = np.flatnonzero(rng.random(n) < 0.10)
    baseline_s = baseline_seconds(schedule, n)
    apart_s = baseline_s[apart] + (rng.uniform(0.1, 3.5, apart.size) * YEAR_S).astype(np.int64)
    patient = np.concatenate([near.patient, near.patient[again], apart])
    seconds = np.concatenate([near_s, near_s[again] + 1800, apart_s])
    true = true_lvef_percent(courses.take(patient), (seconds - baseline_s[patient]) / YEAR_S)
    k = patient.size
    measured = np.rint(true + rng.normal(0.0, ECHO_ERROR_PERCENT, k)).clip(8.0, 85.0)
    has_time = rng.random(k) < 0.70
    noon = seconds // DAY_S * DAY_S + DAY_S // 2
    table = EchoTable(
        patient=patient,
        performed_at_s=np.where(has_time, seconds, noon),
        lvef_percent=measured,
        method=rng.choice(3, k, p=[0.55, 0.30, 0.15]).astype(np.int8),
        has_time=has_time,
    )
    return table.take(np.lexsort((table.performed_at_s, table.patient)))


def draw_diagnoses(
    rng: np.random.Generator,
    people: LatentPeople,
    courses: LatentCourses,
    hearts: LatentHearts,
    schedule: Schedule,
) -> DiagnosisTable:
    """Draw coded diagnoses, most of them known before the baseline visit."""
    n = len(people)
    first_day = baseline_seconds(schedule, n) // DAY_S
    known = first_day - rng.integers(1, 5 * 365, n)
    infarcted = courses.archetype == Archetype.INFARCTION
    infarct_day = first_day + np.rint(courses.onset[:, 0] * 365.25).clip(-4e4, 4e4).astype(int)
    scarred = hearts.infarct.any(axis=1)
    uncoded = rng.random(n) < 0.12
    stage = np.array(["N18.3", "N18.4", "N18.5"])[rng.choice(3, n, p=[0.7, 0.18, 0.12])]
    angina = np.where(scarred, "I25.2", np.where(rng.random(n) < 0.7, "I25.1", "I20.9"))
    lasting = np.where(people.paroxysmal, "I48.0", "I48.2")
    columns: list[tuple[BoolArray, NDArray[np.str_], IntArray]] = [
        (people.hypertension, np.full(n, "I10"), known),
        (people.diabetes, np.full(n, "E11.9"), known),
        (people.ischaemia, angina, known),
        (infarcted & ~people.ischaemia, np.full(n, "I21.9"), infarct_day),
        (people.kidney_disease, stage, known),
        (people.fibrillation & ~uncoded, np.where(people.flutter, "I48.9", lasting), known),
    ]
    patient = [np.flatnonzero(has) for has, _, _ in columns]
    table = DiagnosisTable(
        patient=np.concatenate(patient),
        code=np.concatenate(
            [code[row] for (_, code, _), row in zip(columns, patient, strict=True)]
        ).astype("U8"),
        day=np.concatenate([day[row] for (_, _, day), row in zip(columns, patient, strict=True)]),
    )
    return table.take(np.lexsort((table.day, table.patient)))


def baseline_seconds(schedule: Schedule, n_patients: int) -> IntArray:
    """Return each patient's baseline visit in seconds since 1970, shape (n_patients,)."""
    seconds = np.zeros(n_patients, dtype=np.int64)
    seconds[schedule.patient[schedule.baseline]] = schedule.recorded_at_s[schedule.baseline]
    return seconds


def _pair_years(
    rng: np.random.Generator, people: LatentPeople, courses: LatentCourses
) -> tuple[FloatArray, BoolArray]:
    """Draw the visits with an echo; the ill come more often."""
    n = len(people)
    ill = courses.archetype != Archetype.STABLE
    burdened = people.ischaemia | people.kidney_disease | people.fibrillation | people.diabetes
    mean = np.where(ill, 2.6, np.where(burdened, 1.0, 0.65))
    again = mean / (1.0 + mean)
    follow_ups = np.floor(np.log(rng.random(n)) / np.log(again)).clip(0, _MAX_PAIRS - 1)
    median = np.where(ill, 1.2, 1.0)[:, None]
    spread = np.where(ill, 0.8, 0.7)[:, None]
    gaps = np.clip(median * np.exp(spread * rng.standard_normal((n, _MAX_PAIRS))), 0.09, 8.0)
    gaps[:, 0] = 0.0
    return np.cumsum(gaps, axis=1), np.arange(_MAX_PAIRS) <= follow_ups[:, None]


def _ecg_only_years(
    rng: np.random.Generator, pair_years: FloatArray, planned: BoolArray
) -> tuple[FloatArray, BoolArray]:
    """Draw ECGs without an echo: years before, between the visits, or days after one."""
    n = len(pair_years)
    n_pairs = planned.sum(axis=1)
    count = np.minimum(rng.poisson(0.98 * n_pairs), _MAX_ECG_ONLY)
    shape = (n, _MAX_ECG_ONLY)
    last = np.where(planned, pair_years, 0.0).max(axis=1)
    between = rng.uniform(0.05, 1.0, shape) * (last + 1.0)[:, None]
    before = -np.exp(rng.normal(np.log(0.9), 0.8, shape)).clip(0.05, 6.0)
    visit = np.floor(rng.random(shape) * n_pairs[:, None]).astype(np.intp)
    days_after = np.take_along_axis(pair_years, visit, axis=1) + rng.uniform(1, 9, shape) / 365.25
    kind = rng.random(shape)
    years = np.where(kind < 0.30, before, np.where(kind < 0.85, between, days_after))
    return years, np.arange(_MAX_ECG_ONLY) < count[:, None]


def _offset_seconds(rng: np.random.Generator, k: int) -> IntArray:
    """Draw echo minus ECG time: mostly the same day, all within 14 days."""
    kind = rng.random(k)
    hours = np.where(
        kind < 0.50,
        rng.uniform(-4.0, 6.0, k),
        np.where(kind < 0.85, rng.normal(0.0, 60.0, k), rng.uniform(-320.0, 320.0, k)),
    ).clip(-320.0, 320.0)
    return np.asarray((hours * 3600.0).astype(np.int64))


def _draw_rhythm(
    rng: np.random.Generator, people: LatentPeople, patient: IntArray
) -> NDArray[np.int8]:
    m = patient.size
    present = people.fibrillation[patient] & (~people.paroxysmal[patient] | (rng.random(m) < 0.5))
    in_sinus = np.where(rng.random(m) < 0.004, Rhythm.JUNCTIONAL, Rhythm.SINUS)
    # A routine ECG rarely meets a ventricular tachycardia; a paced or blocked heart keeps its code.
    regular = people.conduction[patient] == Conduction.NORMAL
    seized = regular & (rng.random(m) < TACHYCARDIA_SHARE)
    in_sinus = np.where(seized, Rhythm.VENTRICULAR_TACHYCARDIA, in_sinus)
    in_fibrillation = np.where(people.flutter[patient], Rhythm.FLUTTER, Rhythm.AFIB)
    return np.where(present, in_fibrillation, in_sinus).astype(np.int8)
