"""Published criteria of rhythm and conduction, worked out on measurements alone.

Each function takes `Measurements` of n records and returns a boolean array of shape (n,);
what was not found (NaN) meets no criterion. Waves, voltages and axes: `criteria_waves`.
Sources:

AHA 2007      Mason et al., AHA/ACC/HRS recommendations II (statements)
AHA 2009      Surawicz et al., AHA/ACCF/HRS recommendations III (conduction); Rautaharju
              et al., part IV (ST, T, QT); Hancock et al., part V (hypertrophy)
Minnesota     Prineas et al., The Minnesota Code Manual of Electrocardiographic Findings
UDMI 2018     Thygesen et al., Fourth universal definition of myocardial infarction
SVT 2015      Page et al., ACC/AHA/HRS guideline on supraventricular tachycardia
VA 2017       Al-Khatib et al., AHA/ACC/HRS guideline on ventricular arrhythmias
Sokolow 1949  S in V1 plus R in V5 or V6 of at least 3.5 mV
Cornell 1985  R in aVL plus S in V3 above 2.8 mV (men) or 2.0 mV (women)
Zema 1979     R in V3 of at most 0.3 mV: poor R wave progression
Morris 1964   negative end of P in V1 at least 0.1 mV deep
paper 000     QTc (Bazett) above 450 ms in men, 470 ms in women; PR and QRS limits
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
WIDE_MS: Final = 120.0
WIDE_TACHYCARDIA_BPM: Final = 120.0
"""Not stated in a guideline (tachycardia is above 100): our choice, because sinus rhythm with
bundle branch block often reaches 110 and its P wave is then hard to find."""
WIDE_TACHYCARDIA_SURE_BPM: Final = 150.0
"""From here P waves hide in T waves, so what was found as P no longer speaks against VT."""
SVT_BPM: Final = 130.0
SVT_SURE_BPM: Final = 160.0
REGULAR_MAX_CV: Final = 0.06
SINUS_ARRHYTHMIA_CV: Final = 0.07
"""About the recommendations' spread of PP intervals of more than 10 % of the mean."""
FREQUENT_PVC_SHARE: Final = 0.10
BIGEMINY_SHARE: Final = 0.28
"""Every third complex is 0.33; a strip that starts or ends within a cycle shows less."""
ECTOPIC_MAX_P_MV: Final = -0.03
BBB_R_PEAK_MS: Final = 60.0
BBB_MAX_Q_MV: Final = 0.1
LATE_R_MIN_MV: Final = 0.2
INCOMPLETE_LATE_R_MV: Final = 0.15
"""Of the r' in V1; not stated in a guideline: our choice, between a just visible wave (0.1 mV,
which 6 % of other ECGs show) and the R' of the complete block."""
MAX_PR_OF_RR: Final = 0.5
"""A wave further before QRS than half of the interval is a T wave taken for P (our choice)."""
DELTA_MIN_RISE_MS: Final = 26.0
CONTIGUOUS: Final = {
    "anterior": ("V1", "V2", "V3", "V4"),
    "lateral": ("I", "aVL", "V5", "V6"),
    "inferior": ("II", "III", "aVF"),
}
"""Lead groups; a finding counts in two leads of one group (UDMI 2018)."""

_V2_V3: Final = np.isin(CANONICAL_LEADS, ("V2", "V3"))

_Bool = NDArray[np.bool_]


def lead_columns(values: NDArray[Any], *names: str) -> NDArray[Any]:
    """Return the columns of some leads, shape (n, len(names))."""
    return values[:, [CANONICAL_LEADS.index(name) for name in names]]


def in_two(hits: NDArray[Any]) -> _Bool:
    """Tell where at least two of the leads hit."""
    return np.asarray(hits.sum(axis=-1) >= 2)


# Rhythm


def paced(m: Measurements) -> _Bool:
    """Spikes before most complexes, and complexes that are wide (measured)."""
    return (m.spike_share >= PACED_MIN_SHARE) & (m.qrs_ms > PACED_MIN_QRS_MS)


def wide_complex_tachycardia(m: Measurements) -> _Bool:
    """QRS >= 120 ms at 120 a minute or more, with no P wave to lead it (VA 2017; our limits).

    Irregular complexes below 150 a minute are left out: fibrillation with a bundle
    branch block is commoner. The shape of the complexes names no cause here, so no
    bundle branch block, no pacing and no infarct is read from it.
    """
    wide = (m.qrs_ms >= WIDE_MS) & (m.heart_rate_bpm >= WIDE_TACHYCARDIA_BPM)
    regular = ~m.p_found & (m.rr_cv < AF_MIN_RR_CV)
    return np.asarray(wide & (regular | (m.heart_rate_bpm >= WIDE_TACHYCARDIA_SURE_BPM)))


def flutter(m: Measurements) -> _Bool:
    """Activity of 4 to 6 Hz dominates between the complexes (measured)."""
    fast = m.heart_rate_bpm > 55.0
    hidden = paced(m) | wide_complex_tachycardia(m)
    return (m.flutter_power >= FLUTTER_MIN_POWER) & fast & ~hidden


def fibrillation(m: Measurements) -> _Bool:
    """No consistent P wave and irregular intervals (measured)."""
    irregular = (m.rr_cv >= AF_MIN_RR_CV) & (m.rmssd >= AF_MIN_RMSSD)
    hidden = paced(m) | wide_complex_tachycardia(m)
    return ~m.p_found & irregular & (m.n_beats >= AF_MIN_BEATS) & ~flutter(m) & ~hidden


def fibrillation_or_flutter(m: Measurements) -> _Bool:
    """Either of the two."""
    return fibrillation(m) | flutter(m)


def rapid_fibrillation(m: Measurements) -> _Bool:
    """Fibrillation or flutter with a ventricular rate above 100 a minute (AHA 2007)."""
    return fibrillation_or_flutter(m) & (m.heart_rate_bpm > 100.0)


def supraventricular_tachycardia(m: Measurements) -> _Bool:
    """Regular narrow complexes, fast, without a P wave before them (SVT 2015; our limits).

    The guideline says above 100 a minute; we ask for 130 without P, or 160 whatever
    was taken for P, because the T wave before hides P at such rates.
    """
    narrow = (m.qrs_ms < WIDE_MS) & (m.rr_cv < REGULAR_MAX_CV)
    fast = (m.heart_rate_bpm >= SVT_BPM) & ~m.p_found
    return narrow & (fast | (m.heart_rate_bpm >= SVT_SURE_BPM)) & ~flutter(m)


def junctional(m: Measurements) -> _Bool:
    """No P wave before regular narrow complexes at 35 to 100 a minute (measured)."""
    slow = (m.heart_rate_bpm >= 35.0) & (m.heart_rate_bpm <= 100.0)
    no_p = ~m.p_found & (m.p_consistency < 0.25)
    return no_p & slow & (m.rr_cv < REGULAR_MAX_CV) & (m.qrs_ms < WIDE_MS) & ~flutter(m)


def _led_by_p(m: Measurements) -> _Bool:
    other = paced(m) | wide_complex_tachycardia(m) | supraventricular_tachycardia(m)
    return m.p_found & ~flutter(m) & ~other


def _p_is_near(m: Measurements) -> _Bool:
    """Tell where what was found as P lies near enough to QRS to be one."""
    return np.asarray(m.pr_ms <= MAX_PR_OF_RR * 60000.0 / m.heart_rate_bpm)


def ectopic_atrial(m: Measurements) -> _Bool:
    """P negative in II and aVF: the atria are driven from below (AHA 2007, P axis)."""
    inverted = (lead_columns(m.p_mv, "II", "aVF") <= ECTOPIC_MAX_P_MV).all(axis=-1)
    return np.asarray(_led_by_p(m) & _p_is_near(m) & inverted)


def sinus(m: Measurements) -> _Bool:
    """Find a consistent P wave that is not inverted in II and aVF, and no other rhythm."""
    return _led_by_p(m) & ~ectopic_atrial(m)


def sinus_bradycardia(m: Measurements) -> _Bool:
    """Sinus rhythm below 60 a minute (AHA 2007)."""
    return sinus(m) & (m.heart_rate_bpm < 60.0)


def sinus_tachycardia(m: Measurements) -> _Bool:
    """Sinus rhythm above 100 a minute (AHA 2007)."""
    return sinus(m) & (m.heart_rate_bpm > 100.0)


def sinus_arrhythmia(m: Measurements) -> _Bool:
    """Sinus rhythm whose intervals vary, ectopic beats left out (AHA 2007; our limit)."""
    return sinus(m) & (m.rr_cv >= SINUS_ARRHYTHMIA_CV)


def atrial_premature(m: Measurements) -> _Bool:
    """Premature complexes of the usual shape in sinus rhythm (measured)."""
    return sinus(m) & (m.pac_count > 0)


def ventricular_premature(m: Measurements) -> _Bool:
    """Premature wide complexes of another shape (measured)."""
    return np.asarray(m.pvc_count > 0) & ~wide_complex_tachycardia(m)


def frequent_ventricular_premature(m: Measurements) -> _Bool:
    """At least two, and 10 % of the recorded complexes (Minnesota 8-1-2)."""
    share = m.pvc_count / np.maximum(m.n_beats, 1)
    return ventricular_premature(m) & (m.pvc_count >= 2) & (share >= FREQUENT_PVC_SHARE)


def ventricular_bigeminy(m: Measurements) -> _Bool:
    """At least three, and about every second or third complex (our choice: a share)."""
    share = m.pvc_count / np.maximum(m.n_beats, 1)
    return ventricular_premature(m) & (m.pvc_count >= 3) & (share >= BIGEMINY_SHARE)


# Conduction


def first_degree_block(m: Measurements) -> _Bool:
    """PR above 200 ms, a P wave leading (AHA 2007, paper 000)."""
    return _led_by_p(m) & _p_is_near(m) & (m.pr_ms > 200.0)


def _conducted(m: Measurements) -> _Bool:
    return ~paced(m) & ~wide_complex_tachycardia(m)


def preexcitation(m: Measurements) -> _Bool:
    """PR < 120 ms, a slow start of QRS, QRS >= 110 ms (AHA 2009: WPW; slowness our limit)."""
    slow = (m.qrs_rise_ms >= DELTA_MIN_RISE_MS) & (m.qrs_ms >= 110.0)
    return _led_by_p(m) & (m.pr_ms < 120.0) & slow


def lbbb(m: Measurements) -> _Bool:
    """QRS >= 120 ms, V1 negative, I or V6 positive without Q, R peak there late (AHA 2009)."""
    negative_v1 = m.lead("qrs_net_mv_ms", "V1") < 0
    leftward = lead_columns(m.qrs_net_mv_ms, "I", "V6") > 0
    late = lead_columns(m.r_peak_ms, "I", "V6") >= BBB_R_PEAK_MS
    no_q = lead_columns(m.q_mv, "I", "V6") > -BBB_MAX_Q_MV
    no_r = m.lead("late_r_mv", "V1") < 0.5 * m.lead("qrs_pp_mv", "V1")
    shape = negative_v1 & (leftward & late & no_q).any(axis=-1) & no_r
    return np.asarray((m.qrs_ms >= WIDE_MS) & shape & _conducted(m) & ~preexcitation(m))


def _s_in_i_or_v6(m: Measurements) -> _Bool:
    return np.asarray((lead_columns(m.s_mv, "I", "V6") <= -0.1).any(axis=-1))


def rbbb(m: Measurements) -> _Bool:
    """QRS >= 120 ms, a late R in V1, an S in I or V6 (AHA 2009)."""
    limit = np.maximum(LATE_R_MIN_MV, 0.25 * m.lead("qrs_pp_mv", "V1"))
    shape = (m.lead("late_r_mv", "V1") >= limit) & _s_in_i_or_v6(m)
    wide = (m.qrs_ms >= WIDE_MS) & _conducted(m)
    return np.asarray(wide & shape & ~lbbb(m) & ~preexcitation(m))


def incomplete_rbbb(m: Measurements) -> _Bool:
    """QRS < 120 ms, r' after an S in V1, an S in I or V6 (AHA 2009; Minnesota 7-3)."""
    dip = np.minimum(m.lead("q_mv", "V1"), m.lead("s_mv", "V1")) <= -0.1
    late_r = m.lead("late_r_mv", "V1") >= INCOMPLETE_LATE_R_MV
    return np.asarray((m.qrs_ms < WIDE_MS) & dip & late_r & _s_in_i_or_v6(m) & _conducted(m))


def _narrow_or_rbbb(m: Measurements) -> _Bool:
    return (m.qrs_ms < WIDE_MS) | rbbb(m)


def lafb(m: Measurements) -> _Bool:
    """Axis -45 to -90 degrees, R in aVL, QRS < 120 ms or with RBBB (AHA 2009)."""
    axis = (m.qrs_axis_deg <= -45.0) & (m.qrs_axis_deg >= -90.0)
    shape = (m.lead("r_mv", "aVL") > 0.2) & (m.lead("r_mv", "III") < -m.lead("s_mv", "III"))
    return axis & shape & _narrow_or_rbbb(m) & _conducted(m)


def lpfb(m: Measurements) -> _Bool:
    """Axis 90 to 180 degrees, rS in I and aVL, qR in III and aVF, QRS < 120 ms (AHA 2009)."""
    axis = (m.qrs_axis_deg >= 90.0) & (m.qrs_axis_deg <= 180.0)
    r, s, q = m.r_mv, m.s_mv, m.q_mv
    left = (lead_columns(r, "I", "aVL") < -lead_columns(s, "I", "aVL")).all(axis=-1)
    down = (lead_columns(r, "III", "aVF") > -lead_columns(s, "III", "aVF")).all(axis=-1)
    small_q = (lead_columns(q, "III", "aVF") <= -0.02).all(axis=-1)
    return np.asarray(axis & left & down & small_q & _narrow_or_rbbb(m) & _conducted(m))


def ivcd(m: Measurements) -> _Bool:
    """QRS >= 120 ms that is neither bundle branch block nor pre-excitation (Minnesota 7-4).

    AHA 2009 says above 110 ms; measured so near to normal, 8 % of other real ECGs would meet it.
    """
    named = lbbb(m) | rbbb(m) | preexcitation(m)
    return np.asarray((m.qrs_ms >= WIDE_MS) & ~named & _conducted(m))


# Q waves stand here because a flag is judged by them too.


def narrow(m: Measurements) -> _Bool:
    """QRS below 120 ms: ST and T mean something of their own."""
    return np.asarray(m.qrs_ms < WIDE_MS)


def q_wave_leads(m: Measurements) -> _Bool:
    """Q of at least 30 ms (20 ms in V2 and V3) and 0.1 mV, or QS: by lead, (n, 12) (UDMI 2018).

    Not where LBBB, pacing, pre-excitation or a wide tachycardia makes Q waves itself.
    """
    own = ~(lbbb(m) | paced(m) | preexcitation(m) | wide_complex_tachycardia(m))
    long = (m.q_ms >= 30.0) & (np.minimum(m.q_mv, m.s_mv) <= -0.1)
    found = long & ((m.q_mv <= -0.1) | (m.r_mv < 0.05))
    found |= (m.q_ms >= 20.0) & (m.q_mv <= -0.1) & _V2_V3
    return np.asarray(found & own[:, None])


def q_waves(m: Measurements, region: str) -> _Bool:
    """Q waves in two leads of a group, or what one lead suffices for.

    One lead suffices in V2 or V3 (UDMI 2018), and in III where aVF shows a Q of 0.1 mV of
    any duration (Minnesota 1-1-5, 1-2-5, 1-3-5).
    """
    leads = q_wave_leads(m)
    found = in_two(lead_columns(leads, *CONTIGUOUS[region]))
    if region == "anterior":
        found |= lead_columns(leads, "V2", "V3").any(axis=-1)
    if region == "inferior":
        found |= lead_columns(leads, "III")[:, 0] & (m.lead("q_mv", "aVF") <= -0.1)
    return found
