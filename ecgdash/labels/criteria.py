"""Published criteria, worked out on measurements alone: one function per finding.

Each function takes `Measurements` and returns a boolean array over records;
what was not found (NaN) meets no criterion. Sources:

AHA 2009      Surawicz et al., AHA/ACCF/HRS recommendations III (conduction); Rautaharju
              et al., part IV (ST, T, QT); Hancock et al., part V (hypertrophy)
UDMI 2018     Thygesen et al., Fourth universal definition of myocardial infarction
Sokolow 1949  S in V1 plus R in V5 or V6 of at least 3.5 mV
Cornell 1985  R in aVL plus S in V3 above 2.8 mV (men) or 2.0 mV (women)
Morris 1964   negative end of P in V1 at least 0.1 mV deep
paper 000     QTc (Bazett) above 450 ms in men, 470 ms in women
measured      our choice, set on class medians of a small set of real ECGs that no
              network was trained on; PTB-XL's labels served as the reference
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.signal.measure import Measurements

AF_MIN_RR_CV: Final = 0.07
AF_MIN_RMSSD: Final = 0.08
AF_MIN_BEATS: Final = 4
FLUTTER_MIN_POWER: Final = 0.42
PACED_MIN_SHARE: Final = 0.5
PACED_MIN_QRS_MS: Final = 110.0
WIDE_TACHYCARDIA_BPM: Final = 150.0
BBB_R_PEAK_MS: Final = 60.0
BBB_MAX_Q_MV: Final = 0.1
CONTIGUOUS: Final = {
    "anterior": ("V1", "V2", "V3", "V4"),
    "lateral": ("I", "aVL", "V5", "V6"),
    "inferior": ("II", "III", "aVF"),
}
"""Lead groups; a finding counts in two leads of one group (UDMI 2018)."""

_Bool = NDArray[np.bool_]


def _leads(values: NDArray[Any], *names: str) -> NDArray[Any]:
    return values[:, [CANONICAL_LEADS.index(name) for name in names]]


def _in_two(hits: NDArray[Any]) -> _Bool:
    return np.asarray(hits.sum(axis=-1) >= 2)


def paced(m: Measurements) -> _Bool:
    """Spikes before most complexes, and complexes that are wide (measured)."""
    return (m.spike_share >= PACED_MIN_SHARE) & (m.qrs_ms > PACED_MIN_QRS_MS)


def flutter(m: Measurements) -> _Bool:
    """Activity of 4 to 6 Hz dominates between the complexes (measured)."""
    return (m.flutter_power >= FLUTTER_MIN_POWER) & (m.heart_rate_bpm > 55.0) & ~paced(m)


def fibrillation(m: Measurements) -> _Bool:
    """No consistent P wave and irregular intervals (measured)."""
    irregular = (m.rr_cv >= AF_MIN_RR_CV) & (m.rmssd >= AF_MIN_RMSSD)
    return ~m.p_found & irregular & (m.n_beats >= AF_MIN_BEATS) & ~flutter(m) & ~paced(m)


def junctional(m: Measurements) -> _Bool:
    """No P wave before regular narrow complexes at 35 to 100 a minute (measured)."""
    slow = (m.heart_rate_bpm >= 35.0) & (m.heart_rate_bpm <= 100.0)
    no_p = ~m.p_found & (m.p_consistency < 0.25)
    return no_p & slow & (m.rr_cv < 0.06) & (m.qrs_ms < 120.0) & ~flutter(m)


def sinus(m: Measurements) -> _Bool:
    """Find a consistent P wave, and neither flutter nor fibrillation nor pacing."""
    return m.p_found & ~flutter(m) & ~paced(m)


def first_degree_block(m: Measurements) -> _Bool:
    """PR above 200 ms in sinus rhythm (AHA 2009)."""
    return sinus(m) & (m.pr_ms > 200.0)


def _conducted(m: Measurements) -> _Bool:
    return ~paced(m) & (m.heart_rate_bpm < WIDE_TACHYCARDIA_BPM)


def lbbb(m: Measurements) -> _Bool:
    """QRS >= 120 ms, V1 negative, I or V6 positive without Q, R peak there late (AHA 2009)."""
    negative_v1 = m.lead("qrs_net_mv_ms", "V1") < 0
    leftward = _leads(m.qrs_net_mv_ms, "I", "V6") > 0
    late = _leads(m.r_peak_ms, "I", "V6") >= BBB_R_PEAK_MS
    no_q = _leads(m.q_mv, "I", "V6") > -BBB_MAX_Q_MV
    no_r = m.lead("late_r_mv", "V1") < 0.5 * m.lead("qrs_pp_mv", "V1")
    shape = negative_v1 & (leftward & late & no_q).any(axis=-1) & no_r
    return np.asarray((m.qrs_ms >= 120.0) & shape & _conducted(m))


def rbbb(m: Measurements) -> _Bool:
    """QRS >= 120 ms, a late R in V1, an S in I or V6 (AHA 2009)."""
    late_r = m.lead("late_r_mv", "V1") >= np.maximum(0.2, 0.25 * m.lead("qrs_pp_mv", "V1"))
    s_wave = (_leads(m.s_mv, "I", "V6") <= -0.1).any(axis=-1)
    return np.asarray((m.qrs_ms >= 120.0) & late_r & s_wave & _conducted(m) & ~lbbb(m))


def lafb(m: Measurements) -> _Bool:
    """Axis -45 to -90 degrees, R in aVL, S in II, III and aVF, QRS < 120 ms (AHA 2009)."""
    axis = (m.qrs_axis_deg <= -45.0) & (m.qrs_axis_deg >= -90.0)
    return axis & (m.lead("r_mv", "aVL") > 0.2) & (m.qrs_ms < 120.0)


def ivcd(m: Measurements) -> _Bool:
    """QRS >= 120 ms that is neither bundle branch block nor paced (AHA 2009)."""
    return (m.qrs_ms >= 120.0) & ~lbbb(m) & ~rbbb(m) & ~paced(m)


def long_qtc(m: Measurements, is_male: _Bool, is_female: _Bool) -> _Bool:
    """QTc above 450 ms (men) or 470 ms (women); sex unknown: not set (paper 000)."""
    return ((m.qtc_ms > 450.0) & is_male) | ((m.qtc_ms > 470.0) & is_female)


def low_voltage(m: Measurements) -> _Bool:
    """Every limb lead under 0.5 mV or every chest lead under 1.0 mV (AHA 2009)."""
    limb = (m.qrs_pp_mv[:, :6] < 0.5).all(axis=-1)
    return np.asarray(limb | (m.qrs_pp_mv[:, 6:] < 1.0).all(axis=-1))


def lvh(m: Measurements, is_female: _Bool) -> _Bool:
    """Voltage of Sokolow 1949 or Cornell 1985; sex unknown: the higher limit."""
    sokolow = _leads(m.r_mv, "V5", "V6").max(axis=-1) - m.lead("s_mv", "V1")
    cornell = m.lead("r_mv", "aVL") - m.lead("s_mv", "V3")
    return np.asarray((sokolow >= 3.5) | (cornell > np.where(is_female, 2.0, 2.8)))


def poor_r_progression(m: Measurements) -> _Bool:
    """R in V3 at most 0.3 mV, in narrow complexes (Zema 1979)."""
    return np.asarray(m.lead("r_mv", "V3") <= 0.3) & (m.qrs_ms < 120.0)


def q_waves(m: Measurements, region: str) -> _Bool:
    """Q of at least 30 ms and 0.1 mV, or QS, in two leads of a group (UDMI 2018)."""
    q = (m.q_ms >= 30.0) & (np.minimum(m.q_mv, m.s_mv) <= -0.1) & _narrow(m)[:, None]
    deep_enough = q & ((m.q_mv <= -0.1) | (m.r_mv < 0.05))
    return _in_two(_leads(deep_enough, *CONTIGUOUS[region]))


def t_inverted(m: Measurements, region: str) -> _Bool:
    """T at most -0.1 mV in two leads of a group, in narrow complexes (UDMI 2018)."""
    names = [name for name in CONTIGUOUS[region] if name not in ("V1", "III")]
    return _in_two(_leads(m.t_mv, *names) <= -0.1) & _narrow(m)


def t_flat_lateral(m: Measurements) -> _Bool:
    """T from -0.1 to 0.1 mV in two of I, V5 and V6, in narrow complexes (AHA 2009)."""
    return _in_two(np.abs(_leads(m.t_mv, "I", "V5", "V6")) < 0.1) & _narrow(m)


def st_depressed(m: Measurements) -> _Bool:
    """ST at least 0.05 mV low in two leads of a group, in narrow complexes (UDMI 2018)."""
    low = m.st60_mv <= -0.05
    found = [_in_two(_leads(low, *names)) for names in CONTIGUOUS.values()]
    return np.asarray(np.any(found, axis=0) & _narrow(m))


def st_elevated(m: Measurements) -> _Bool:
    """ST at least 0.1 mV high, 0.2 mV in V1 to V4, in two leads of a group (UDMI 2018)."""
    limit = np.array([0.2 if name in ("V1", "V2", "V3", "V4") else 0.1 for name in CANONICAL_LEADS])
    high = m.st60_mv >= limit
    found = [_in_two(_leads(high, *names)) for names in CONTIGUOUS.values()]
    return np.asarray(np.any(found, axis=0) & _narrow(m))


def t_concordant_in_wide(m: Measurements) -> _Bool:
    """T with the QRS's sign in two of I, V5 and V6 although QRS >= 120 ms (AHA 2009)."""
    same = _leads(m.t_mv, "I", "V5", "V6") * _leads(m.qrs_net_mv_ms, "I", "V5", "V6") > 0
    return _in_two(same) & (m.qrs_ms >= 120.0) & ~rbbb(m)


def left_atrial(m: Measurements) -> _Bool:
    """P in V1 ends at least 0.1 mV low (Morris 1964)."""
    return sinus(m) & (m.p_terminal_v1_mv <= -0.1)


def deep_right_s(m: Measurements) -> _Bool:
    """S in V1 or V2 of at least 2.5 mV (posterior forces; our choice)."""
    return np.asarray((_leads(m.s_mv, "V1", "V2") <= -2.5).any(axis=-1))


def left_axis(m: Measurements) -> _Bool:
    """QRS axis from -30 to -90 degrees (AHA 2009)."""
    return (m.qrs_axis_deg < -30.0) & (m.qrs_axis_deg >= -90.0)


def right_axis(m: Measurements) -> _Bool:
    """QRS axis above 90 degrees or from -180 to -90 (AHA 2009, northwest included)."""
    return (m.qrs_axis_deg > 90.0) | (m.qrs_axis_deg < -90.0)


def _narrow(m: Measurements) -> _Bool:
    return np.asarray(m.qrs_ms < 120.0)
