"""The same heart without its remodelling: through which leads and waves a low LVEF shows.

A twin ECG has the same patient, visit, seeds, rate, ectopy, diseases and personal offsets; only
what the simulator expresses of a low LVEF is taken out. Both ECGs are free of noise. Only
waveforms leave this module: nothing hidden reaches a label, an input or a flag.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgdash.simulate.expression import express_parameters
from ecgdash.simulate.latent import LatentCohort
from ecgdash.simulate.observables import SimulatedCohort
from ecgdash.simulate.parameters import EcgParameters
from ecgdash.simulate.waveform import synthesise

__all__ = ["Twins", "twin_ecgs"]


@dataclass(frozen=True, eq=False)
class Twins:
    """ECGs without noise, as they are and as they would be without remodelling.

    Attributes
    ----------
    signal_mv, twin_mv : ndarray of float32, shape (n, 12, n_samples)
        Millivolts, leads in canonical order; sample by sample of the same beats.
    """

    signal_mv: NDArray[np.float32]
    twin_mv: NDArray[np.float32]


def twin_ecgs(cohort: SimulatedCohort, which: ArrayLike, sampling_hz: float = 250.0) -> Twins:
    """Synthesise ECGs and their twins.

    Parameters
    ----------
    cohort : SimulatedCohort
    which : array_like
        Rows of the cohort's ECGs.
    sampling_hz : float
    """
    rows = np.atleast_1d(np.asarray(which, dtype=np.int64))
    hidden = cohort._latent
    visits = hidden.visits.take(rows)
    # A heart that shows nothing of its remodelling: every other term of the features stays.
    mute = hidden.hearts.replaced(sensitivity=np.zeros(len(hidden.hearts)))
    own = LatentCohort(hidden.people, hidden.courses, hidden.hearts, visits)
    bare = LatentCohort(hidden.people, hidden.courses, mute, visits)
    seeds = cohort._visit_seed[rows], cohort._patient_seed
    parameters = _quiet(express_parameters(own, *seeds))
    twin = _quiet(express_parameters(bare, *seeds))
    # Rate and ectopy decide when beats come: with others, no sample could be compared.
    twin = replace(twin, hr_bpm=parameters.hr_bpm, pvc_probability=parameters.pvc_probability)
    return Twins(synthesise(parameters, sampling_hz), synthesise(twin, sampling_hz))


def _quiet(parameters: EcgParameters) -> EcgParameters:
    none = np.zeros(len(parameters))
    return replace(parameters, emg_uv=none, baseline_uv=none, motion_uv=none, mains_uv=none)
