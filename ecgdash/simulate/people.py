"""Who the simulated patients are: age, sex, diseases, rhythm and conduction.

Marginal prevalences follow paper 000, Table 1 (hospital A, training); how they
hang together (age drives most) is our choice, because the paper does not state it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.errors import InvalidValue
from ecgdash.simulate.latent import LatentPeople
from ecgdash.simulate.parameters import Conduction

__all__ = ["FORCED_CLASSES", "SITES", "SiteProfile", "check_class", "draw_people", "force_class"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

FORCED_CLASSES: Final = ("LBBB", "AFIB", "RBBB")
"""Classes that a cohort can be enriched with."""


@dataclass(frozen=True)
class SiteProfile:
    """How one simulated hospital differs from the others.

    Attributes
    ----------
    code : int
        Part of every seed, so that sites never share a patient.
    logit_hypertension, logit_fibrillation : float
        Shift of the prevalence's logit against site A.
    noise_factor : float
        Factor on the recorders' noise.
    mains_hz : float
    limb_gain, chest_gain : float
        Factors on the waves that the recorders give.
    dysfunction_factor : float
        Factor on the chance of every cause of a low LVEF, LBBB excepted.
    """

    code: int
    logit_hypertension: float
    logit_fibrillation: float
    noise_factor: float
    mains_hz: float
    limb_gain: float = 1.0
    chest_gain: float = 1.0
    dysfunction_factor: float = 1.0


SITES: Final = {
    # Paper 000, Table 1: hospital B has less hypertension (43.7 %) and LVSD (4.9 % of baseline
    # pairs), and more fibrillation (9.4 %).
    "A": SiteProfile(1, 0.0, 0.0, 1.0, 60.0),
    "B": SiteProfile(2, -0.42, 0.30, 1.3, 50.0, 0.85, 1.15, 0.56),
}
"""The simulated hospitals; recorder noise, mains and gains of B are our choice (a plain shift)."""


def draw_people(rng: np.random.Generator, n: int, first_number: int, site: str) -> LatentPeople:
    """Draw patients.

    Parameters
    ----------
    rng : Generator
    n : int
    first_number : int
        Running number of the first one.
    site : str
        Key of `SITES`.
    """
    profile = SITES[site]
    age = np.clip(rng.normal(63.9, 15.9, n), 18.0, 97.0)
    z = (age - 63.4) / 15.1
    male = rng.random(n) < 0.525
    high_pressure = _happens(rng, 0.06 + 0.75 * z + 0.05 * male + profile.logit_hypertension)
    diabetes = _happens(rng, -1.95 + 0.3 * z + 0.9 * high_pressure + 0.15 * male)
    ischaemia = _happens(rng, -3.98 + 0.6 * z + 0.5 * male + 0.5 * high_pressure + 0.5 * diabetes)
    kidney = _happens(rng, -3.62 + 0.45 * z + 0.8 * high_pressure + 0.9 * diabetes)
    fibrillation = _happens(
        rng, -2.98 + 0.8 * z + 0.15 * male + 0.4 * high_pressure + profile.logit_fibrillation
    )
    return LatentPeople(
        number=np.arange(first_number, first_number + n, dtype=np.int64),
        age_years=age,
        male=male,
        hypertension=high_pressure,
        diabetes=diabetes,
        ischaemia=ischaemia,
        kidney_disease=kidney,
        fibrillation=fibrillation,
        paroxysmal=rng.random(n) < 0.25,
        flutter=rng.random(n) < 0.12,
        conduction=_draw_conduction(rng, z, male),
    )


def check_class(name: str) -> None:
    """Refuse a class that patients cannot be forced into."""
    if name not in FORCED_CLASSES:
        raise InvalidValue(
            f"cannot enrich with {name!r}", accepted=f"Accepted: {', '.join(FORCED_CLASSES)}"
        )


def force_class(people: LatentPeople, name: str) -> LatentPeople:
    """Return the same people, every one of them of the class `name`."""
    check_class(name)
    everyone = np.ones(len(people), dtype=bool)
    if name == "AFIB":
        return people.replaced(fibrillation=everyone, paroxysmal=~everyone)
    code = Conduction.LBBB if name == "LBBB" else Conduction.RBBB
    return people.replaced(conduction=np.full(len(people), code, dtype=np.int8))


def _happens(rng: np.random.Generator, logit: FloatArray) -> BoolArray:
    chance = 1.0 / (1.0 + np.exp(-logit))
    return np.asarray(rng.random(logit.shape[0]) < chance)


def _draw_conduction(rng: np.random.Generator, z: FloatArray, male: BoolArray) -> NDArray[np.int8]:
    """Draw conduction; shares by what hospital populations show (LBBB 1.1 %), our choice."""
    ages = np.exp(0.55 * z)
    share = np.stack(
        [
            0.0097 * ages,  # LBBB
            0.030 * ages * np.where(male, 1.15, 0.85),  # RBBB
            0.024 * ages,  # LAFB
            0.0045 * ages,  # PACED
            np.full(len(z), 0.002),  # WPW: 0.1 to 0.3 % of people
            0.020 * np.exp(-0.2 * z) * np.where(male, 1.4, 0.6),  # IRBBB
            0.002 * ages,  # LPFB
        ]
    )
    codes = (
        Conduction.LBBB,
        Conduction.RBBB,
        Conduction.LAFB,
        Conduction.PACED,
        Conduction.WPW,
        Conduction.IRBBB,
        Conduction.LPFB,
    )
    edges = np.cumsum(share, axis=0)
    picked = (rng.random(len(z)) >= edges).sum(axis=0)
    table: NDArray[np.int8] = np.array([*codes, Conduction.NORMAL], dtype=np.int8)
    return np.asarray(table[picked])
