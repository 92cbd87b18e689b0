"""The components of one beat for each ECG: where they lie, how wide, how tall in each lead."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.simulate.draws import Stream, normals
from ecgdash.simulate.lead_field import shift_electrodes
from ecgdash.simulate.parameters import Conduction, EcgParameters
from ecgdash.simulate.templates import (
    CONDUCTION_TEMPLATES,
    INFARCT_SITES,
    LVH_ANTERIOR_LOSS,
    LVH_GAIN,
    LVH_ROTATION_DEG,
    LVH_STRAIN_ST_MV,
    LVH_STRAIN_T_MV,
    N_QRS,
    P_LEFT_MV,
    P_RIGHT_MV,
    PVC_AMPLITUDE,
    PVC_T_AMPLITUDE,
    PVC_TURNS_DEG,
    SPIKE_MV,
    U_WAVE_MV,
)

__all__ = ["IS_WIDE", "N_COMPONENTS", "BeatShape", "beat_shape", "ecg_lead_field"]

FloatArray = NDArray[np.float64]

# Order of the components: 6 of QRS, notch, infarct, 2 of the spike | 2 of P, 3 of a PVC's QRS |
# ST, 2 of T, U, a PVC's T.
N_SHARP: Final = N_QRS + 4
N_MIDDLE: Final = 5
N_SLOW: Final = 5
N_COMPONENTS: Final = N_SHARP + N_MIDDLE + N_SLOW

_TABLE: Final = [CONDUCTION_TEMPLATES[code] for code in Conduction]
_REFERENCE_MS: Final = np.array([t.reference_ms for t in _TABLE])
_CENTRE_MS: Final = np.array([t.centre_ms for t in _TABLE])
_SIGMA_MS: Final = np.array([t.sigma_ms for t in _TABLE])
_VECTOR_MV: Final = np.array([t.vector_mv for t in _TABLE])
_T_MV: Final = np.array([t.t_mv for t in _TABLE])
_ST_MV: Final = np.array([t.st_mv for t in _TABLE])
IS_WIDE: Final = np.array([t.wide for t in _TABLE])

# Our choice: sigmas shrink less than times, so that narrow complexes stay above 60 Hz content.
_LEAST_SIGMA_SCALE: Final = 0.85
_INFARCT_REFERENCE_MS: Final = 92.0
# Repolarisation ends where activation did not begin: its dipole lies elsewhere, so each lead
# sees it larger or smaller than QRS (our choice: medians of T in 99 real normal ECGs).
_T_FACTOR: Final = np.array([1.15, 1.03, 1.0, 1.05, 0.94, 0.86, 0.78, 0.92])
_FIRST_SLOW: Final = N_SHARP + N_MIDDLE
# Our choice: with half of QRS's turn the T axis spreads as in real normal ECGs.
_T_FOLLOWS: Final = 0.5
_NOTCH_POSITION: Final = 0.66
_NOTCH_SIGMA_MS: Final = 5.0
_SPIKE_CENTRE_MS: Final = -6.0
_SPIKE_REBOUND_SIGMAS: Final = 2.6
# The dipole explains wide complexes and slow waves better than narrow QRS (simulation notes).
_NON_DIPOLAR_DAMPING: Final = 0.6
# The limbs are far from the heart: what no dipole explains is seen by the chest electrodes.
_NEARNESS: Final = np.array([0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.8])


@dataclass(frozen=True, eq=False)
class BeatShape:
    """One beat per ECG.

    Attributes
    ----------
    sharp_centre_ms, sharp_sigma_ms : ndarray (n, 10)
        Of the QRS components, notch, infarct and spike's phases, from the onset of QRS.
    lead_mv : ndarray (n, 20, 8)
        Amplitude of every component in I, II, V1-V6.
    """

    sharp_centre_ms: FloatArray
    sharp_sigma_ms: FloatArray
    lead_mv: FloatArray


def _rotation(first_deg: FloatArray, second_deg: FloatArray) -> FloatArray:
    """Return (n, 3, 3) rotations: frontal (X to Y), then horizontal (X to Z)."""
    frontal, horizontal = np.deg2rad(first_deg), np.deg2rad(second_deg)
    zero, one = np.zeros_like(frontal), np.ones_like(frontal)
    cos_f, sin_f = np.cos(frontal), np.sin(frontal)
    cos_h, sin_h = np.cos(horizontal), np.sin(horizontal)
    in_frontal = np.stack([cos_f, -sin_f, zero, sin_f, cos_f, zero, zero, zero, one], axis=1)
    in_horizontal = np.stack([cos_h, zero, -sin_h, zero, one, zero, sin_h, zero, cos_h], axis=1)
    turned: FloatArray = in_horizontal.reshape(-1, 3, 3) @ in_frontal.reshape(-1, 3, 3)
    return turned


def _turn(rotation: FloatArray, vectors: FloatArray) -> FloatArray:
    """Rotate (n, k, 3) vectors by (n, 3, 3)."""
    turned: FloatArray = vectors @ rotation.transpose(0, 2, 1)
    return turned


def _infarct_parts(p: EcgParameters) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Return strengths (n, 3), 0 where conduction is wide, and their mixed vectors (n, 3)."""
    strength = np.where(IS_WIDE[p.conduction][:, None], 0.0, p.infarct)
    sites = list(INFARCT_SITES.values())
    mixed = {
        name: (strength[:, :, None] * np.array([getattr(s, name) for s in sites])).sum(axis=1)
        for name in ("loss_mv", "t_mv", "st_mv", "injury_mv")
    }
    return strength, mixed


def _qrs_vectors(p: EcgParameters, infarct: FloatArray) -> FloatArray:
    """Return the QRS components (n, 6, 3) with disease, personal shape and rotation."""
    shape = np.concatenate([p.qrs_shape, p.qrs_shape[:, 4:]], axis=1)
    vectors = _VECTOR_MV[p.conduction] * shape
    anterior = np.minimum(infarct[:, 0], 1.0)
    vectors[:, 0, 2] *= 1.0 - 0.90 * anterior
    vectors[:, 1] *= 1.0 - anterior[:, None] * np.array([0.60, 0.0, 0.90])
    posterior = p.posterior_force * (1.0 + LVH_GAIN[2] * p.lvh)
    anterior_force = p.anterior_force * np.maximum(1.0 - LVH_ANTERIOR_LOSS * p.lvh, 0.2)
    vectors[:, :, 0] *= (1.0 + LVH_GAIN[0] * p.lvh)[:, None]
    vectors[:, :, 1] *= (1.0 + LVH_GAIN[1] * p.lvh)[:, None]
    z = vectors[:, :, 2]
    vectors[:, :, 2] = z * np.where(z > 0, posterior[:, None], anterior_force[:, None])
    own = _rotation(p.axis_delta_deg, p.posterior_rotation_deg + LVH_ROTATION_DEG * p.lvh)
    return np.asarray(_turn(own, vectors) * p.qrs_gain[:, None, None])


def _repolarisation(
    p: EcgParameters, infarct: dict[str, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Return ST (n, 3) and T (n, 3)."""
    base = _T_MV[p.conduction]
    length = np.linalg.norm(base, axis=1, keepdims=True)
    t_mv = (base + p.t_direction * length) * p.t_gain[:, None]
    t_mv = t_mv + p.t_vector_delta + infarct["t_mv"] + LVH_STRAIN_T_MV * p.lvh_strain[:, None]
    # ST and T are one process: who has a tall T has a rising ST segment.
    st_mv = _ST_MV[p.conduction] * p.t_gain[:, None] + p.st_delta + infarct["st_mv"]
    st_mv = st_mv + infarct["injury_mv"] * p.injury[:, None]
    st_mv = st_mv + LVH_STRAIN_ST_MV * p.lvh_strain[:, None]
    return st_mv, t_mv


def _pvc_vectors(p: EcgParameters) -> FloatArray:
    """Return a PVC's three QRS vectors and T (n, 4, 3), the loop turning about its focus."""
    parts = []
    for factor, turn in zip(PVC_AMPLITUDE, PVC_TURNS_DEG, strict=True):
        rotation = _rotation(np.full(len(p), turn), np.full(len(p), -turn))
        parts.append(_turn(rotation, p.pvc_focus[:, None, :]) * factor)
    parts.append(p.pvc_focus[:, None, :] * PVC_T_AMPLITUDE)
    return np.concatenate(parts, axis=1) * p.qrs_gain[:, None, None]


def _p_vectors(p: EcgParameters) -> FloatArray:
    """Return right and left atrial vectors (n, 2, 3)."""
    la = p.la_enlargement
    left = P_LEFT_MV * np.stack([0.6 + 0.4 * la, 0.8 + 0.2 * la, la], axis=1)
    right = np.broadcast_to(P_RIGHT_MV, left.shape)
    return np.stack([right, left], axis=1) * p.p_gain[:, None, None]


def _spikes(p: EcgParameters) -> FloatArray:
    """Return the two phases of the pacing spike (n, 2, 3)."""
    first = SPIKE_MV * (p.spike_gain * p.paced)[:, None]
    return np.stack([first, -first * p.spike_rebound[:, None]], axis=1)


def ecg_lead_field(p: EcgParameters) -> FloatArray:
    """Return the lead field (n, 8, 3) of each ECG: electrodes as placed, gains applied."""
    placed = shift_electrodes(p.lead_field, p.electrode_shift)
    gain = np.concatenate(
        [np.repeat(p.limb_gain[:, None], 2, 1), np.repeat(p.chest_gain[:, None], 6, 1)], axis=1
    )
    return np.asarray(placed * gain[:, :, None])


def _lead_amplitudes(p: EcgParameters, vectors: FloatArray) -> FloatArray:
    """Project (n, 20, 3) on the leads and add what no dipole explains: (n, 20, 8)."""
    field = ecg_lead_field(p)
    leads = vectors @ field.transpose(0, 2, 1)
    leads[:, _FIRST_SLOW : _FIRST_SLOW + 3] *= _T_FACTOR
    size = np.sqrt((vectors**2).sum(axis=2))
    damping = np.full((len(p), N_COMPONENTS), _NON_DIPOLAR_DAMPING)
    damping[:, :N_QRS] = np.where(IS_WIDE[p.conduction][:, None], _NON_DIPOLAR_DAMPING, 1.0)
    extra = normals(p.patient_seed, Stream.NON_DIPOLAR, N_COMPONENTS, 8)
    gain = (np.sqrt((field**2).sum(axis=2)) * _NEARNESS)[:, None, :]
    return np.asarray(leads + extra * gain * (size * damping * p.non_dipolar[:, None])[:, :, None])


def beat_shape(p: EcgParameters) -> BeatShape:
    """Return the shape of a beat of each ECG."""
    strength, infarct = _infarct_parts(p)
    st_mv, t_mv = _repolarisation(p, infarct)
    notch = np.tile([0.8, 0.5, -0.3], (len(p), 1)) * p.notch_mv[:, None]
    complexes = np.concatenate(
        [
            _qrs_vectors(p, strength),
            (notch * p.qrs_gain[:, None])[:, None],
            (infarct["loss_mv"] * p.qrs_gain[:, None])[:, None],
        ],
        axis=1,
    )
    complexes = _turn(_rotation(p.frontal_rotation_deg, p.horizontal_rotation_deg), complexes)
    followed = _rotation(
        _T_FOLLOWS * p.frontal_rotation_deg, _T_FOLLOWS * p.horizontal_rotation_deg
    )
    recovery = _turn(followed, np.stack([st_mv, t_mv], axis=1))
    u_mv = (U_WAVE_MV * p.u_wave_mv[:, None])[:, None]
    pvc = _pvc_vectors(p)
    vectors = np.concatenate(
        [
            complexes,
            _spikes(p),
            _p_vectors(p),
            pvc[:, :3],
            recovery,
            recovery[:, 1:] * 0.18,
            u_mv,
            pvc[:, 3:],
        ],
        axis=1,
    )
    centre, sigma = _sharp_timing(p, strength)
    return BeatShape(centre, sigma, _lead_amplitudes(p, vectors))


def _sharp_timing(p: EcgParameters, strength: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return centres and sigmas (n, 10) in ms of QRS, notch, infarct and the spike's phases."""
    scale = (p.qrs_ms / _REFERENCE_MS[p.conduction])[:, None]
    sites = list(INFARCT_SITES.values())
    weight = np.maximum(strength, 1e-9)
    weight = weight / weight.sum(axis=1, keepdims=True)
    infarct_scale = p.qrs_ms / _INFARCT_REFERENCE_MS
    infarct_centre = (weight * np.array([s.centre_ms for s in sites])).sum(axis=1) * infarct_scale
    infarct_sigma = (weight * np.array([s.sigma_ms for s in sites])).sum(axis=1) * infarct_scale
    spike_ms = p.spike_ms[:, None]
    first_ms = np.full_like(spike_ms, _SPIKE_CENTRE_MS)
    centre = [
        _CENTRE_MS[p.conduction] * scale,
        (_NOTCH_POSITION * p.qrs_ms)[:, None],
        infarct_centre[:, None],
        first_ms,
        first_ms + _SPIKE_REBOUND_SIGMAS * spike_ms,
    ]
    sigma = [
        _SIGMA_MS[p.conduction] * np.maximum(scale, _LEAST_SIGMA_SCALE),
        np.full((len(p), 1), _NOTCH_SIGMA_MS),
        infarct_sigma[:, None],
        spike_ms,
        1.2 * spike_ms,
    ]
    return np.concatenate(centre, axis=1), np.concatenate(sigma, axis=1)
