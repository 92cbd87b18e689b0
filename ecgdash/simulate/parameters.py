"""What shapes one simulated ECG: a table of arrays with one row per ECG.

The patient side of the simulator fills these columns from anatomy, disease
and visit; the waveform side reads nothing else. Beat-to-beat and noise details
are drawn from `seed` alone, so a row always gives the same waveform.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgdash.errors import InvalidValue
from ecgdash.simulate.lead_field import LEAD_FIELD

__all__ = ["Conduction", "EcgParameters", "Rhythm", "typical_parameters"]

FloatArray = NDArray[np.float64]


class Rhythm(IntEnum):
    """The atrial rhythm, or the ventricular one where it alone rules."""

    SINUS = 0
    AFIB = 1
    FLUTTER = 2
    JUNCTIONAL = 3
    VENTRICULAR_TACHYCARDIA = 4


class Conduction(IntEnum):
    """How the ventricles are activated.

    First-degree block is no code of its own: it is `pr_ms` above 200. PACED is
    right ventricular pacing with a spike; with SINUS it tracks the P wave, with
    AFIB or FLUTTER it is regular at `hr_bpm`.
    """

    NORMAL = 0
    LBBB = 1
    RBBB = 2
    LAFB = 3
    PACED = 4
    WPW = 5
    IRBBB = 6
    LPFB = 7


def _column(
    default: float | ArrayLike, low: float = -np.inf, high: float = np.inf, dtype: Any = np.float64
) -> Any:
    """Describe a column: the value of a typical healthy adult and the accepted range."""
    value = np.asarray(default, dtype=dtype)
    return field(metadata={"default": value, "low": low, "high": high})


@dataclass(frozen=True, eq=False, kw_only=True)
class EcgParameters:
    """Everything that shapes a simulated ECG; every array has one row per ECG.

    Frank's axes: X left, Y inferior, Z posterior. Vectors are in mV.

    Attributes
    ----------
    seed : uint64 (n,)
        Source of all that happens within this ECG (beats, f-waves, noise).
    patient_seed : uint64 (n,)
        Source of what no dipole explains and stays with the patient
        (see `non_dipolar`); the same for all ECGs of a patient.
    rhythm, conduction : int (n,)
        Codes of `Rhythm` and `Conduction`.
    hr_bpm : (n,), 25 to 220
        Mean ventricular rate. For FLUTTER with `flutter_ratio` above 0 the
        rate is 60 f_wave_hz / flutter_ratio instead.
    pr_ms : (n,), 80 to 400
        Onset of P to onset of QRS, in beats that have a P wave.
    qrs_ms : (n,), 55 to 240
        Global QRS duration as a cart reads it: from where the summed slope of all
        leads leaves 2 to 4 % of its peak to where it returns there. Typical by
        conduction: NORMAL 88 +- 9, LBBB 152, RBBB 140, LAFB 100, PACED 168, WPW 125,
        IRBBB 104, LPFB 92.
    qtc_ms : (n,), 300 to 650
        QT interval at 60 bpm, T's end where a cart reads it, at 2 to 4 % of its
        peak; QT = qtc_ms RR^.34 (RR^.40 above 100 bpm). A
        cart's Bazett value is therefore about 3 % higher at 75 bpm.
    p_gain : (n,), 0 to 4
        Factor on the P wave.
    la_enlargement : (n,), 0.15 to 3.2
        Left atrial part of P: 1 normal, above 2 P mitrale.
    p_jitter : (n,), 0 to 1
        SD of the P wave's amplitude from beat to beat, as a fraction.
    rsa_depth : (n,), 0 to 0.3
        Amplitude of respiratory sinus arrhythmia as a fraction of RR.
    rr_irregularity : (n,), 0 to 0.5
        SD of ln RR in AFIB.
    qrs_shape : (n, 5, 3), about 1
        Multipliers of the five QRS components' X, Y, Z. Patient constant;
        SD .14 narrow (.45 in the septal, .40 in the early
        anterior force), .07 wide.
    frontal_rotation_deg : (n,), -180 to 180
        Patient's rotation of QRS and T in the frontal plane; positive turns
        the axis rightwards (inferiorly). Population N(0, 14).
    horizontal_rotation_deg : (n,), -90 to 90
        Patient's rotation in the horizontal plane; positive posteriorly. N(0, 11).
    axis_delta_deg : (n,), -180 to 180
        Rotation of QRS only in the frontal plane by disease or age (negative: left axis).
    posterior_rotation_deg : (n,), -90 to 90
        Rotation of QRS only in the horizontal plane by disease.
    lead_field : (n, 8, 3)
        mV in I, II, V1-V6 per mV of X, Y, Z: the patient's anatomy
        (see `simulate.lead_field.personal_lead_field`).
    electrode_shift : (n, 6), -2 to 2
        Displacement of V1-V6 along the row of electrodes, in spacings
        (patient + visit + electrode).
    qrs_gain : (n,), 0.1 to 4
        Factor on all of QRS.
    limb_gain : (n,), 0.1 to 4
        Factor on leads I and II, all waves; below .5 with low voltage.
    chest_gain : (n,), 0.1 to 4
        Factor on V1-V6, all waves.
    posterior_force, anterior_force : (n,), 0 to 4
        Factors on the QRS components' positive and negative Z (poor R
        progression: posterior above 1, anterior below 1).
    t_vector_delta : (n, 3) mV
        Added to the T vector.
    t_direction : (n, 3)
        Patient's perturbation of the T vector, as fractions of its length; SD .05 to .1.
    t_gain : (n,), -2 to 4
        Factor on T; population exp(N(-.06, .25)).
    st_delta : (n, 3) mV
        Added to the ST vector, which `t_gain` scales as it does T.
    u_wave_mv : (n,), 0 to 0.3
        Amplitude of the U wave.
    notch_mv : (n,), -0.4 to 0.4
        Amplitude of a notch at .66 of QRS (fragmentation).
    infarct : (n, 3), 0 to 2
        Strength of old anterior, inferior and lateral infarction; 0 none,
        .75 + .25 |N| when present. Hidden by wide conduction.
    injury : (n,), 0 to 2
        Acute ST elevation at the infarct sites; 0 in old infarction.
    spike_gain : (n,), 0 to 8
        Factor on the pacing spike: about .3 bipolar, 1 to 4 unipolar.
    spike_ms : (n,), 0.5 to 4
        Width (sigma) of its phases: 1 as recorded, 2 after a cart's 150 Hz low-pass.
    spike_rebound : (n,), 0 to 1
        Size of the spike's second, opposite phase; 0 leaves it monophasic.
    lvh : (n,), 0 to 2
        Left ventricular hypertrophy by voltage; 1 clear Sokolow-Lyon.
    lvh_strain : (n,), 0 to 2
        ST-T strain of hypertrophy, set apart from `lvh`.
    pvc_probability : (n,), 0 to 0.6
        Chance that a beat is a PVC.
    pvc_focus : (n, 3), length about 1
        Direction and relative size of the PVC vector.
    pac_probability : (n,), 0 to 0.6
        Chance that a beat is premature and atrial.
    f_wave_mv : (n,), 0 to 0.5
        Amplitude of f-waves (AFIB: exp(N(ln .065, .4))) or flutter waves.
    f_wave_hz : (n,), 3 to 10
        AFIB N(6.3, .8); FLUTTER N(4.8, .35).
    flutter_ratio : int (n,), 0 to 8
        n:1 conduction of FLUTTER; 0 varies from beat to beat around hr_bpm.
    non_dipolar : (n,), 0 to 0.5
        SD of each component's amplitude per lead beyond the dipole, as a
        fraction of its vector.
    emg_uv, baseline_uv, motion_uv, mains_uv : (n,), 0 to 500
        RMS noise of each electrode in microvolts: muscle 15 Hz and up, wander
        .04 to .9 Hz, motion on few electrodes, hum.
    mains_hz : (n,), 50 or 60
        Frequency of the hum.
    """

    seed: NDArray[np.uint64] = _column(0, 0, dtype=np.uint64)
    patient_seed: NDArray[np.uint64] = _column(0, 0, dtype=np.uint64)
    rhythm: NDArray[np.int8] = _column(Rhythm.SINUS, 0, max(Rhythm), np.int8)
    conduction: NDArray[np.int8] = _column(Conduction.NORMAL, 0, max(Conduction), np.int8)
    hr_bpm: FloatArray = _column(70.0, 25, 220)
    pr_ms: FloatArray = _column(160.0, 80, 400)
    qrs_ms: FloatArray = _column(86.0, 55, 240)
    qtc_ms: FloatArray = _column(414.0, 300, 650)
    p_gain: FloatArray = _column(1.0, 0, 4)
    la_enlargement: FloatArray = _column(1.0, 0.15, 3.2)
    p_jitter: FloatArray = _column(0.1, 0, 1)
    rsa_depth: FloatArray = _column(0.03, 0, 0.3)
    rr_irregularity: FloatArray = _column(0.21, 0, 0.5)
    qrs_shape: FloatArray = _column(np.ones((5, 3)), -4, 4)
    frontal_rotation_deg: FloatArray = _column(0.0, -180, 180)
    horizontal_rotation_deg: FloatArray = _column(0.0, -90, 90)
    axis_delta_deg: FloatArray = _column(0.0, -180, 180)
    posterior_rotation_deg: FloatArray = _column(0.0, -90, 90)
    lead_field: FloatArray = _column(LEAD_FIELD, -8, 8)
    electrode_shift: FloatArray = _column(np.zeros(6), -2, 2)
    qrs_gain: FloatArray = _column(1.0, 0.1, 4)
    limb_gain: FloatArray = _column(1.0, 0.1, 4)
    chest_gain: FloatArray = _column(1.0, 0.1, 4)
    posterior_force: FloatArray = _column(1.0, 0, 4)
    anterior_force: FloatArray = _column(1.0, 0, 4)
    t_vector_delta: FloatArray = _column(np.zeros(3), -2, 2)
    t_direction: FloatArray = _column(np.zeros(3), -2, 2)
    t_gain: FloatArray = _column(0.94, -2, 4)
    st_delta: FloatArray = _column(np.zeros(3), -1, 1)
    u_wave_mv: FloatArray = _column(0.02, 0, 0.3)
    notch_mv: FloatArray = _column(0.0, -0.4, 0.4)
    infarct: FloatArray = _column(np.zeros(3), 0, 2)
    injury: FloatArray = _column(0.0, 0, 2)
    spike_gain: FloatArray = _column(1.0, 0, 8)
    spike_ms: FloatArray = _column(1.6, 0.5, 4)
    spike_rebound: FloatArray = _column(0.4, 0, 1)
    lvh: FloatArray = _column(0.0, 0, 2)
    lvh_strain: FloatArray = _column(0.0, 0, 2)
    pvc_probability: FloatArray = _column(0.0, 0, 0.6)
    pvc_focus: FloatArray = _column((-0.5, 0.7, 0.51), -4.0, 4.0)
    pac_probability: FloatArray = _column(0.0, 0, 0.6)
    f_wave_mv: FloatArray = _column(0.065, 0, 0.5)
    f_wave_hz: FloatArray = _column(6.3, 3, 10)
    flutter_ratio: NDArray[np.int8] = _column(0, 0, 8, np.int8)
    non_dipolar: FloatArray = _column(0.16, 0, 0.5)
    emg_uv: FloatArray = _column(1.5, 0, 500)
    baseline_uv: FloatArray = _column(30.0, 0, 500)
    motion_uv: FloatArray = _column(0.0, 0, 500)
    mains_uv: FloatArray = _column(0.5, 0, 500)
    mains_hz: FloatArray = _column(60.0, 50, 60)

    def __post_init__(self) -> None:
        """Take columns to their type and check shape, range and finiteness."""
        n_ecgs = len(np.atleast_1d(self.seed))
        for column in fields(self):
            default = column.metadata["default"]
            values = np.array(getattr(self, column.name), dtype=default.dtype)
            wanted = (n_ecgs, *default.shape)
            if values.shape != wanted:
                raise InvalidValue(
                    f"{column.name} has shape {values.shape}",
                    where="EcgParameters",
                    accepted=f"shape {wanted}",
                )
            low, high = column.metadata["low"], column.metadata["high"]
            if values.size and not bool(np.all((values >= low) & (values <= high))):
                raise InvalidValue(
                    f"{column.name} holds values from {values.min():g} to {values.max():g}",
                    where="EcgParameters",
                    accepted=f"finite values from {low:g} to {high:g}",
                )
            values.flags.writeable = False
            object.__setattr__(self, column.name, values)

    def __len__(self) -> int:
        """Return the number of ECGs."""
        return int(self.seed.shape[0])

    @property
    def paced(self) -> NDArray[np.bool_]:
        """Return which ECGs show ventricular pacing, shape (n,)."""
        return np.asarray(self.conduction == Conduction.PACED)

    def take(self, index: ArrayLike) -> "EcgParameters":
        """Return the rows at `index` (integers, a mask or a slice's array), in that order."""
        rows = np.asarray(index)
        return EcgParameters(**{c.name: getattr(self, c.name)[rows] for c in fields(self)})

    @staticmethod
    def concat(parts: Sequence["EcgParameters"]) -> "EcgParameters":
        """Return all rows of `parts` one after the other."""
        return EcgParameters(
            **{
                c.name: np.concatenate([getattr(part, c.name) for part in parts])
                for c in fields(EcgParameters)
            }
        )


def typical_parameters(n_ecgs: int, seed: int = 0, **columns: ArrayLike) -> EcgParameters:
    """Return healthy, average parameters, with the named columns replaced.

    Parameters
    ----------
    n_ecgs : int
        Number of rows.
    seed : int
        Start of the counter that gives each row its own `seed` and `patient_seed`.
    **columns : array_like
        Any column of `EcgParameters`; a value without the row axis is repeated.

    Returns
    -------
    EcgParameters
        All rows alike but for their seeds.
    """
    values: dict[str, ArrayLike] = {
        "seed": np.arange(n_ecgs, dtype=np.uint64) + np.uint64(seed),
        "patient_seed": np.arange(n_ecgs, dtype=np.uint64) + np.uint64(seed),
    } | columns
    filled = {}
    for column in fields(EcgParameters):
        default = column.metadata["default"]
        value = np.asarray(values.get(column.name, default), dtype=default.dtype)
        filled[column.name] = np.broadcast_to(value, (n_ecgs, *default.shape))
    return EcgParameters(**filled)
