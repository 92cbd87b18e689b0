"""ECGs for the first training phase: many rhythms and blocks, one ECG a person, no echo.

Its persons come from a stream of their own and never appear in a cohort. Shares
of classes are far above a hospital's, and amplitude and noise are spread wider,
because networks trained on these shares read real ECGs better (measured on a
prototype; the shares themselves are our choice).
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.errors import InvalidValue
from ecgdash.simulate.blocks import PatientBlock, block_starts, cut, draw_block
from ecgdash.simulate.hearts import HYPERTROPHIC
from ecgdash.simulate.latent import LatentCohort, LatentHearts, LatentPeople, LatentVisits
from ecgdash.simulate.observables import SimulatedCohort, assemble
from ecgdash.simulate.parameters import Conduction, Rhythm

__all__ = ["pretraining_ecgs"]

_STREAM: Final = 77

_FIBRILLATION_SHARE: Final = 0.25
_FLUTTER_OF_IT: Final = 0.40
_JUNCTIONAL_SHARE: Final = 0.05
_TACHYCARDIA_SHARE: Final = 0.025
_FAST_OF_JUNCTIONAL: Final = 0.25
_FIRST_DEGREE_SHARE: Final = 0.15
_PVC_SHARE: Final = 0.20
_PAC_SHARE: Final = 0.15
_INFARCT_SHARE: Final = 0.10
_LVH_SHARE: Final = 0.12  # with those that a cohort has anyhow
_LOW_VOLTAGE_SHARE: Final = 0.04

_CONDUCTION_SHARE: Final[Mapping[Conduction, float]] = {
    Conduction.LBBB: 0.10,
    Conduction.RBBB: 0.13,
    Conduction.LAFB: 0.08,
    Conduction.PACED: 0.05,
    Conduction.WPW: 0.025,
    Conduction.IRBBB: 0.05,
    Conduction.LPFB: 0.025,
}


def pretraining_ecgs(n: int, seed: int, site: str = "A") -> SimulatedCohort:
    """Simulate one ECG each of n persons, enriched in rhythms and blocks.

    Parameters
    ----------
    n : int
        ECGs, at least 1.
    seed : int
        0 or more.
    site : str
        Key of `people.SITES`; hum is 50 Hz in half of the ECGs at any site.

    Returns
    -------
    SimulatedCohort
        Without echoes and diagnoses; labels are what a cart would measure.
    """
    if n < 1 or seed < 0:
        raise InvalidValue(f"cannot simulate {n} ECGs with seed {seed}")
    blocks = [
        cut(_draw_block(np.random.default_rng([seed, _STREAM, number]), start, site), size)
        for number, (start, size) in enumerate(block_starts(n))
    ]
    return assemble(blocks, seed, site, [""] * n, prefix="PRE")


def _draw_block(rng: np.random.Generator, first_number: int, site: str) -> PatientBlock:
    """Draw persons at their first visit, then change what the class shares ask for."""
    drawn = draw_block(rng, first_number, site, _enrich_people)
    people = drawn.latent.people
    first = drawn.schedule.baseline
    visits = _enrich_visits(rng, people, drawn.latent.visits.take(first))
    hearts = _enrich_hearts(rng, people, drawn.latent.hearts, visits.rhythm)
    return PatientBlock(
        LatentCohort(people, drawn.latent.courses, hearts, visits),
        drawn.schedule.take(first),
        drawn.echoes.take(np.arange(0)),
        drawn.diagnoses.take(np.arange(0)),
        drawn.visit_seed[first],
        drawn.patient_seed,
    )


def _enrich_people(rng: np.random.Generator, people: LatentPeople) -> LatentPeople:
    n = len(people)
    share = np.cumsum(list(_CONDUCTION_SHARE.values()))
    picked = (rng.random(n) >= share[:, None]).sum(axis=0)
    conduction = np.array([*_CONDUCTION_SHARE, Conduction.NORMAL], dtype=np.int8)[picked]
    return people.replaced(
        fibrillation=rng.random(n) < _FIBRILLATION_SHARE,
        paroxysmal=np.zeros(n, dtype=bool),
        flutter=rng.random(n) < _FLUTTER_OF_IT,
        conduction=conduction,
    )


def _enrich_hearts(
    rng: np.random.Generator,
    people: LatentPeople,
    hearts: LatentHearts,
    rhythm: NDArray[np.int8],
) -> LatentHearts:
    n = len(people)
    block = rng.random(n) < _FIRST_DEGREE_SHARE
    # A logit of -2.2 shows one premature beat or more in most ECGs of ten seconds.
    pvc, pac = rng.random(n) < _PVC_SHARE, rng.random(n) < _PAC_SHARE
    has_it = hearts.lvh > 0.0
    missing = max(_LVH_SHARE - float(has_it.mean()), 0.0)
    lvh = ~has_it & (rng.random(n) < missing / max(1.0 - float(has_it.mean()), 0.1))
    voltage = np.where(lvh, rng.uniform(0.4, 1.4, n), hearts.lvh)
    scar = (rng.random(n) < _INFARCT_SHARE) & ~hearts.infarct.any(axis=1)
    site = np.eye(3)[rng.choice(3, n, p=[0.45, 0.40, 0.15])]
    low = rng.random(n) < _LOW_VOLTAGE_SHARE
    # Junctional rhythm from an escape to a reentry at about 170 a minute.
    fast = (rhythm == Rhythm.JUNCTIONAL) & (rng.random(n) < _FAST_OF_JUNCTIONAL)
    return hearts.replaced(
        pr_ms=np.where(block, rng.uniform(205.0, 320.0, n), hearts.pr_ms),
        # Fibrillation from slow to fast, so that a rate alone never tells the rhythm.
        rate_bpm=hearts.rate_bpm
        + np.where(people.fibrillation, rng.normal(0.0, 22.0, n), rng.normal(0.0, 10.0, n))
        + 65.0 * fast,
        flutter_ratio=rng.choice([0, 2, 3, 4], n, p=[0.25, 0.40, 0.10, 0.25]).astype(np.int8),
        pvc_logit=np.where(pvc, rng.normal(-2.0, 0.7, n), hearts.pvc_logit),
        pac_logit=np.where(pac, rng.normal(-2.0, 0.7, n), hearts.pac_logit),
        offset=hearts.offset + np.outer(np.where(lvh, voltage, 0.0), HYPERTROPHIC),
        lvh=voltage,
        lvh_strain=np.where(lvh, voltage * rng.random(n), hearts.lvh_strain),
        infarct=np.where(scar[:, None], site * rng.uniform(0.6, 1.3, (n, 1)), hearts.infarct),
        infarct_at=np.where(scar, -100.0, hearts.infarct_at),
        qrs_gain=hearts.qrs_gain * np.exp(rng.normal(0.0, 0.20, n)),
        low_voltage=np.where(low, rng.uniform(0.35, 0.6, n), hearts.low_voltage),
    )


def _enrich_visits(
    rng: np.random.Generator, people: LatentPeople, visits: LatentVisits
) -> LatentVisits:
    n = len(visits)
    draw = rng.random(n)
    free = ~people.fibrillation & (people.conduction != Conduction.PACED)
    # Wide tachycardia only where no conduction code stands in its way.
    eligible = free & (people.conduction == Conduction.NORMAL)
    share = _TACHYCARDIA_SHARE / max(float(eligible.mean()), 0.1)
    tachycardia = eligible & (draw > 1.0 - share)
    rhythm = np.where(free & (draw < _JUNCTIONAL_SHARE / 0.7), Rhythm.JUNCTIONAL, visits.rhythm)
    rhythm = np.where(tachycardia, Rhythm.VENTRICULAR_TACHYCARDIA, rhythm)
    loud: NDArray[np.float64] = np.exp(rng.normal(0.0, 0.6, n))
    return visits.replaced(
        rhythm=rhythm.astype(np.int8),
        emg_uv=np.clip(visits.emg_uv * loud, 0.1, 100.0),
        baseline_uv=np.clip(visits.baseline_uv * loud, 1.0, 300.0),
        mains_uv=np.clip(visits.mains_uv * np.exp(rng.normal(0.0, 0.6, n)), 0.0, 80.0),
        mains_hz=np.where(rng.random(n) < 0.5, 50.0, 60.0),
    )
