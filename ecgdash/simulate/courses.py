"""Courses of the true LVEF over years.

Drops, recoveries and their speeds were chosen so that prevalence, LVEF spread
and the persistence of low LVEF resemble paper 000, Table 1 (our choice: the
paper follows no latent course). Echoes see these courses through an error.
"""

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.simulate.latent import LatentCourses, LatentPeople
from ecgdash.simulate.parameters import Conduction
from ecgdash.simulate.people import SITES

__all__ = ["Archetype", "draw_courses", "true_lvef_percent"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_N_WOBBLE: Final = 8
_NEVER: Final = 1000.0

LBBB_DYSFUNCTION_SHARE: Final = 0.56
LBBB_DROP: Final = (29.0, 6.0)
"""Share of LBBB with dysfunction, mean and SD of its drop (our choice, for about 40 % LVSD)."""


class Archetype(IntEnum):
    """What happens to a patient's ventricle."""

    STABLE = 0
    INFARCTION = 1
    DILATED = 2
    CARDIOTOXIC = 3
    TACHYCARDIA = 4
    LBBB = 5
    MILDLY_REDUCED = 6


def true_lvef_percent(courses: LatentCourses, years: FloatArray) -> FloatArray:
    """Return the true LVEF in percent, one time per row of `courses`.

    Parameters
    ----------
    courses : LatentCourses
        Rows aligned with `years` (use `take` to repeat patients).
    years : ndarray (n,)
        From each patient's baseline visit.
    """
    time = years[:, None]
    fallen = _risen(time - courses.onset, courses.fall_years)
    back = courses.recovered * _risen(time - courses.recovery_at, courses.recovery_years)
    kept = 1.0 - courses.relapsed * _risen(time - courses.relapse_at, courses.fall_years)
    loss = (courses.drop * fallen * (1.0 - back * kept)).sum(axis=1)
    trend = courses.slope_percent * np.maximum(years - courses.onset[:, 0], 0.0)
    waves = np.cos(courses.wobble_rate * time + courses.wobble_phase).sum(axis=1)
    wobble = courses.wobble_percent * np.sqrt(2.0 / _N_WOBBLE) * waves
    return np.asarray(np.clip(courses.base_percent - loss + trend + wobble, 10.0, 80.0))


def draw_courses(rng: np.random.Generator, people: LatentPeople, site: str) -> LatentCourses:
    """Draw each patient's archetype and course; `site` is a key of `people.SITES`."""
    n = len(people)
    archetype = _draw_archetypes(rng, people, SITES[site].dysfunction_factor)
    events = _no_events(n)
    for kind, fill in _FILL.items():
        rows = np.flatnonzero(archetype == kind)
        fill(rng, events, rows)
    _add_late_events(rng, events, np.flatnonzero(archetype == Archetype.STABLE))
    slope = np.where(archetype == Archetype.LBBB, -rng.uniform(0.3, 3.0, n), 0.0)
    base = rng.normal(63.3, 4.5, n) - np.where(archetype == Archetype.MILDLY_REDUCED, 17.0, 0.0)
    return LatentCourses(
        archetype=archetype,
        base_percent=base,
        slope_percent=slope,
        wobble_percent=rng.uniform(2.6, 5.2, n),
        # Cauchy rates give the exponential autocorrelation of an Ornstein-Uhlenbeck course (1 y).
        wobble_rate=np.clip(rng.standard_cauchy((n, _N_WOBBLE)), -25.0, 25.0),
        wobble_phase=rng.uniform(0.0, 2.0 * np.pi, (n, _N_WOBBLE)),
        **events,
    )


def _risen(elapsed_years: FloatArray, constant_years: FloatArray) -> FloatArray:
    """Return how far an exponential approach has come, 0 before its start."""
    return np.asarray(1.0 - np.exp(-np.maximum(elapsed_years, 0.0) / constant_years))


def _draw_archetypes(
    rng: np.random.Generator, people: LatentPeople, factor: float
) -> NDArray[np.int8]:
    n = len(people)
    z = (people.age_years - 63.4) / 15.1
    lottery = rng.random((5, n))
    dilated = (
        factor
        * 0.150
        * np.exp(
            0.65 * people.fibrillation + 0.6 * people.kidney_disease + 0.25 * people.male + 0.15 * z
        )
    )
    lbbb = people.conduction == Conduction.LBBB
    # The first that applies, from the most specific cause to the least.
    rules = [
        (Archetype.LBBB, lbbb & (lottery[0] < LBBB_DYSFUNCTION_SHARE)),
        (Archetype.TACHYCARDIA, people.fibrillation & (lottery[1] < factor * 0.17)),
        (Archetype.INFARCTION, lottery[2] < factor * np.where(people.ischaemia, 0.62, 0.016)),
        (Archetype.DILATED, lottery[3] < dilated),
        (Archetype.CARDIOTOXIC, lottery[4] < factor * 0.028),
        (Archetype.MILDLY_REDUCED, lottery[4] > 1.0 - factor * 0.028),
    ]
    return np.select([r for _, r in rules], [k for k, _ in rules], Archetype.STABLE).astype(np.int8)


def _no_events(n: int) -> dict[str, FloatArray]:
    return {
        "onset": np.full((n, 2), _NEVER),
        "drop": np.zeros((n, 2)),
        "fall_years": np.ones((n, 2)),
        "recovery_at": np.full((n, 2), _NEVER),
        "recovered": np.zeros((n, 2)),
        "recovery_years": np.ones((n, 2)),
        "relapse_at": np.full((n, 2), _NEVER),
        "relapsed": np.zeros((n, 2)),
    }


def _fill_infarction(
    rng: np.random.Generator, events: dict[str, FloatArray], rows: NDArray[np.intp]
) -> None:
    """Fill in a sudden drop and a partial recovery; a second infarction in some."""
    n = rows.size
    second = rng.random(n) < 0.4
    onset = np.where(rng.random(n) < 0.55, -rng.uniform(0.0, 0.1, n), -rng.exponential(2.0, n))
    drop = np.abs(rng.normal(17.0, 9.0, n))
    events["onset"][rows, 0] = onset
    events["drop"][rows, 0] = drop
    events["fall_years"][rows] = 0.01
    events["recovery_at"][rows, 0] = onset + 0.02
    events["recovered"][rows, 0] = np.minimum(rng.uniform(0.0, 13.0, n) / np.maximum(drop, 1), 1.0)
    events["recovery_years"][rows, 0] = 0.35
    events["onset"][rows, 1] = np.where(second, rng.uniform(0.3, 6.0, n), _NEVER)
    events["drop"][rows, 1] = np.where(second, rng.normal(12.0, 4.0, n).clip(2.0), 0.0)


def _fill_dilated(
    rng: np.random.Generator, events: dict[str, FloatArray], rows: NDArray[np.intp]
) -> None:
    """Fill in dilated cardiomyopathy: late onset in most, therapy, response, relapse."""
    n = rows.size
    late = rng.random(n) < 0.60
    onset = np.where(late, rng.uniform(0.1, 4.0, n), -rng.uniform(0.2, 2.0, n))
    events["onset"][rows, 0] = onset
    events["drop"][rows, 0] = rng.normal(33.0, 7.0, n).clip(8.0)
    events["fall_years"][rows, 0] = 0.4
    responds = rng.random(n) < 0.70
    _fill_therapy(rng, events, rows, np.maximum(onset, 0.0) + 0.1, responds)
    relapses = responds & (rng.random(n) < 0.70)
    events["relapse_at"][rows, 0] = np.where(
        relapses, events["recovery_at"][rows, 0] + rng.uniform(0.8, 4.0, n), _NEVER
    )
    events["relapsed"][rows, 0] = 0.8


def _fill_cardiotoxic(
    rng: np.random.Generator, events: dict[str, FloatArray], rows: NDArray[np.intp]
) -> None:
    """Fill in a drop during chemotherapy, often reversible."""
    n = rows.size
    onset = rng.uniform(-0.5, 1.5, n)
    events["onset"][rows, 0] = onset
    events["drop"][rows, 0] = rng.uniform(8.0, 36.0, n)
    events["fall_years"][rows, 0] = 0.3
    _fill_therapy(rng, events, rows, onset + 0.5, rng.random(n) < 0.60)


def _fill_tachycardia(
    rng: np.random.Generator, events: dict[str, FloatArray], rows: NDArray[np.intp]
) -> None:
    """Fill in tachycardiomyopathy: recovers once the rate is under control."""
    n = rows.size
    onset = np.where(rng.random(n) < 0.3, rng.uniform(0.2, 3.0, n), -rng.uniform(0.1, 0.6, n))
    events["onset"][rows, 0] = onset
    events["drop"][rows, 0] = rng.normal(28.0, 8.0, n).clip(5.0)
    events["fall_years"][rows, 0] = 0.2
    recovery = np.maximum(onset, 0.0) + rng.uniform(0.05, 0.4, n)
    events["recovery_at"][rows, 0] = recovery
    events["recovered"][rows, 0] = rng.uniform(0.5, 1.0, n)
    events["recovery_years"][rows, 0] = 0.3
    relapses = rng.random(n) < 0.40
    events["relapse_at"][rows, 0] = np.where(relapses, recovery + rng.uniform(0.6, 4, n), _NEVER)
    events["relapsed"][rows, 0] = 0.8


def _fill_lbbb(
    rng: np.random.Generator, events: dict[str, FloatArray], rows: NDArray[np.intp]
) -> None:
    """Fill in dysfunction by dyssynchrony; a quarter responds to therapy."""
    n = rows.size
    onset = -rng.uniform(0.2, 2.5, n)
    events["onset"][rows, 0] = onset
    events["drop"][rows, 0] = rng.normal(*LBBB_DROP, n).clip(3.0)
    events["fall_years"][rows, 0] = 0.5
    responds = rng.random(n) < 0.25
    _fill_therapy(rng, events, rows, rng.uniform(0.2, 2.0, n), responds)


def _fill_therapy(
    rng: np.random.Generator,
    events: dict[str, FloatArray],
    rows: NDArray[np.intp],
    start_years: FloatArray,
    responds: BoolArray,
) -> None:
    """Fill in a recovery on drugs, for those who respond."""
    n = rows.size
    events["recovery_at"][rows, 0] = start_years + rng.uniform(0.0, 0.2, n)
    events["recovered"][rows, 0] = np.where(responds, rng.uniform(0.5, 1.0, n), 0.0)
    events["recovery_years"][rows, 0] = 0.5 * np.exp(0.5 * rng.standard_normal(n))


def _add_late_events(
    rng: np.random.Generator, events: dict[str, FloatArray], rows: NDArray[np.intp]
) -> None:
    """Give a fifth of the stable patients a later drop of any cause."""
    hit = rows[rng.random(rows.size) < 0.20]
    n = hit.size
    onset = rng.uniform(0.3, 7.0, n)
    events["onset"][hit, 0] = onset
    events["drop"][hit, 0] = rng.uniform(8.0, 34.0, n)
    events["fall_years"][hit, 0] = 0.3
    _fill_therapy(rng, events, hit, onset + 0.3, rng.random(n) < 0.5)


_FILL: Final = {
    Archetype.INFARCTION: _fill_infarction,
    Archetype.DILATED: _fill_dilated,
    Archetype.CARDIOTOXIC: _fill_cardiotoxic,
    Archetype.TACHYCARDIA: _fill_tachycardia,
    Archetype.LBBB: _fill_lbbb,
}
