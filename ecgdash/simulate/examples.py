"""Simulated ECGs of named textbook patterns, with the spread of ordinary people.

For tests, renders and benchmarks; the patients of a cohort come from their own
module and share nothing with these but the parameters' type.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgdash.simulate.draws import Stream, normals, uniforms
from ecgdash.simulate.lead_field import personal_lead_field
from ecgdash.simulate.parameters import Conduction, EcgParameters, Rhythm, typical_parameters

__all__ = ["EXAMPLES", "example_parameters", "mixed_parameters"]

_LEFT_BUNDLE = {"conduction": Conduction.LBBB, "qrs_ms": 157.0, "qtc_ms": 445.0}

EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "normal": {},
    "lbbb": _LEFT_BUNDLE,
    "rbbb": {"conduction": Conduction.RBBB, "qrs_ms": 141.0, "qtc_ms": 430.0},
    "lafb": {"conduction": Conduction.LAFB, "qrs_ms": 104.0},
    "irbbb": {"conduction": Conduction.IRBBB, "qrs_ms": 104.0},
    "lpfb": {"conduction": Conduction.LPFB, "qrs_ms": 92.0},
    "first_degree_block": {"pr_ms": 260.0, "hr_bpm": 62.0},
    "afib": {"rhythm": Rhythm.AFIB, "hr_bpm": 88.0, "f_wave_mv": 0.08},
    "flutter": {
        "rhythm": Rhythm.FLUTTER,
        "f_wave_hz": 4.9,
        "flutter_ratio": 4,
        "hr_bpm": 74.0,
        "f_wave_mv": 0.14,
    },
    "junctional": {"rhythm": Rhythm.JUNCTIONAL, "hr_bpm": 48.0},
    "ventricular_tachycardia": {"rhythm": Rhythm.VENTRICULAR_TACHYCARDIA, "hr_bpm": 165.0},
    "paced": {"conduction": Conduction.PACED, "qrs_ms": 172.0, "qtc_ms": 455.0},
    "wpw": {"conduction": Conduction.WPW, "qrs_ms": 125.0, "pr_ms": 105.0},
    "anterior_mi": {"infarct": (1.1, 0.0, 0.0), "hr_bpm": 82.0},
    "acute_anterior_mi": {"infarct": (0.7, 0.0, 0.0), "injury": 1.0, "hr_bpm": 92.0},
    "inferior_mi": {"infarct": (0.0, 1.0, 0.0)},
    "lateral_mi": {"infarct": (0.0, 0.0, 1.0)},
    "paced_bipolar": {
        "conduction": Conduction.PACED,
        "qrs_ms": 172.0,
        "qtc_ms": 455.0,
        "spike_gain": 0.35,
        "spike_ms": 1.1,
        "spike_rebound": 0.8,
    },
    "lvh": {"lvh": 1.0, "qrs_ms": 98.0, "axis_delta_deg": -12.0},
    "lvh_strain": {"lvh": 1.1, "lvh_strain": 0.8, "qrs_ms": 102.0, "axis_delta_deg": -15.0},
    "low_voltage": {"limb_gain": 0.42, "qrs_gain": 0.7},
    "pvc": {"pvc_probability": 0.2},
    "pac": {"pac_probability": 0.2},
    "noisy": {"emg_uv": 18.0, "mains_uv": 15.0, "mains_hz": 50.0, "motion_uv": 150.0},
}
"""Columns that make each pattern."""


def _ordinary(n_ecgs: int, seed: int, wide: bool) -> dict[str, NDArray[np.float64]]:
    """Draw what differs between people (spreads of the simulation notes, our choice)."""
    seeds = np.arange(n_ecgs, dtype=np.uint64) + np.uint64(seed)
    shape = normals(seeds, Stream.PERSON, 5, 3)
    field = normals(seeds, Stream.NON_DIPOLAR, 8, 4)
    more = normals(seeds, Stream.BEAT_GAIN, 16)
    focus = normals(seeds, Stream.P_WAVE, 3)
    level = uniforms(seeds, Stream.NOISE_LEVEL, 3)
    return {
        "qrs_shape": 1.0 + (0.07 if wide else 0.14) * shape,
        "lead_field": personal_lead_field(np.exp(0.10 * field[:, :, 0]), 0.05 * field[:, :, 1:]),
        "frontal_rotation_deg": 14.0 * more[:, 0],
        "horizontal_rotation_deg": 11.0 * more[:, 1],
        "electrode_shift": np.clip(0.22 * more[:, 2:8], -1.0, 1.0),
        "qrs_gain": np.exp(0.20 * more[:, 8]),
        "p_gain": np.exp(0.28 * more[:, 9]),
        "t_gain": np.exp(-0.06 + 0.25 * more[:, 10]),
        "t_direction": 0.1 * more[:, 11:14],
        "rsa_depth": 0.03 * np.exp(0.4 * more[:, 14]),
        "pvc_focus": focus / np.linalg.norm(focus, axis=1, keepdims=True),
        "p_jitter": np.clip(0.12 * np.exp(0.5 * more[:, 15]), 0.0, 0.6),
        # Clean to noisy on a log scale: PTB-XL is nearly clean, other collections are not.
        "emg_uv": np.exp(np.log(0.6) + np.log(20.0) * level[:, 0] ** 1.5),
        "baseline_uv": np.exp(np.log(8.0) + np.log(12.0) * level[:, 1]),
        "mains_uv": np.exp(np.log(0.1) + np.log(60.0) * level[:, 2] ** 1.5),
    }


def example_parameters(
    name: str, n_ecgs: int, seed: int = 0, **columns: ArrayLike
) -> EcgParameters:
    """Return `n_ecgs` different people with the pattern `name`.

    Parameters
    ----------
    name : str
        A key of `EXAMPLES`.
    n_ecgs : int
        Number of ECGs.
    seed : int
        First of the seeds; `seed` to `seed + n_ecgs - 1` are used.
    **columns : array_like
        Columns of `EcgParameters` that replace the pattern's.

    Returns
    -------
    EcgParameters
        One row per person.
    """
    pattern = EXAMPLES[name]
    narrow = (Conduction.NORMAL, Conduction.LAFB, Conduction.IRBBB, Conduction.LPFB)
    wide = pattern.get("conduction", Conduction.NORMAL) not in narrow
    return typical_parameters(n_ecgs, seed, **(_ordinary(n_ecgs, seed, wide) | pattern | columns))


def mixed_parameters(n_ecgs: int, seed: int = 0) -> EcgParameters:
    """Return ECGs of which two thirds are normal and the others go through all patterns."""
    others = [name for name in EXAMPLES if name != "normal"]
    names = ["normal" if i % 3 else others[(i // 3) % len(others)] for i in range(n_ecgs)]
    return EcgParameters.concat(
        [example_parameters(name, 1, seed + i) for i, name in enumerate(names)]
    )
