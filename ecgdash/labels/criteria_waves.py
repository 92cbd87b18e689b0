"""Published criteria of waves, voltages and axes, worked out on measurements alone.

As `ecgdash.labels.criteria`, which names the sources and holds rhythm and conduction.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.labels.criteria import (
    CONTIGUOUS,
    in_two,
    lead_columns,
    narrow,
    rbbb,
    sinus,
    wide_complex_tachycardia,
)
from ecgdash.signal.measure import Measurements

FLAT_T_MV: Final = 0.1
LOW_T_OF_R: Final = 0.1

_Bool = NDArray[np.bool_]


def long_qtc(m: Measurements, is_male: _Bool, is_female: _Bool) -> _Bool:
    """QTc above 450 ms (men) or 470 ms (women); sex unknown: not set (paper 000)."""
    return ((m.qtc_ms > 450.0) & is_male) | ((m.qtc_ms > 470.0) & is_female)


def low_voltage(m: Measurements) -> _Bool:
    """Every limb lead under 0.5 mV or every chest lead under 1.0 mV (AHA 2009)."""
    limb = (m.qrs_pp_mv[:, :6] < 0.5).all(axis=-1)
    return np.asarray(limb | (m.qrs_pp_mv[:, 6:] < 1.0).all(axis=-1))


def lvh(m: Measurements, is_female: _Bool) -> _Bool:
    """Voltage of Sokolow 1949 or Cornell 1985; sex unknown: the higher limit.

    Not in wide complexes, whose voltage is the block's (AHA 2009, part V).
    """
    sokolow = lead_columns(m.r_mv, "V5", "V6").max(axis=-1) - m.lead("s_mv", "V1")
    cornell = m.lead("r_mv", "aVL") - m.lead("s_mv", "V3")
    high = (sokolow >= 3.5) | (cornell > np.where(is_female, 2.0, 2.8))
    return np.asarray(high & narrow(m))


def poor_r_progression(m: Measurements) -> _Bool:
    """R in V3 at most 0.3 mV, in narrow complexes (Zema 1979)."""
    return np.asarray(m.lead("r_mv", "V3") <= 0.3) & narrow(m)


def t_inverted(m: Measurements, region: str) -> _Bool:
    """T at most -0.1 mV in two leads of a group, in narrow complexes (UDMI 2018)."""
    names = [name for name in CONTIGUOUS[region] if name not in ("V1", "III")]
    return in_two(lead_columns(m.t_mv, *names) <= -0.1) & narrow(m)


def t_flat_lateral(m: Measurements) -> _Bool:
    """T flat or low in two of I, V5 and V6, in narrow complexes (AHA 2009, part IV).

    Flat: within 0.1 mV of the line; low: under a tenth of an R of at least 0.3 mV.
    """
    t, r = lead_columns(m.t_mv, "I", "V5", "V6"), lead_columns(m.r_mv, "I", "V5", "V6")
    low = (t > 0) & (t < LOW_T_OF_R * r) & (r >= 0.3)
    return in_two((np.abs(t) < FLAT_T_MV) | low) & narrow(m)


def st_depressed(m: Measurements) -> _Bool:
    """ST at least 0.05 mV low in two leads of a group, in narrow complexes (UDMI 2018)."""
    low = m.st60_mv <= -0.05
    found = [in_two(lead_columns(low, *names)) for names in CONTIGUOUS.values()]
    return np.asarray(np.any(found, axis=0) & narrow(m))


def st_elevated(m: Measurements) -> _Bool:
    """ST at least 0.1 mV high, 0.25 mV in V1 to V4, in two leads of a group (UDMI 2018).

    The definition reads ST at the J point and asks for 0.15 to 0.25 mV in V2 and V3 by age
    and sex. Read 60 ms later, where T has begun, the highest limit serves all chest leads
    that face the septum (our choice).
    """
    limit = np.where(np.isin(CANONICAL_LEADS, CONTIGUOUS["anterior"]), 0.25, 0.1)
    high = m.st60_mv >= limit
    found = [in_two(lead_columns(high, *names)) for names in CONTIGUOUS.values()]
    return np.asarray(np.any(found, axis=0) & narrow(m))


def t_concordant_in_wide(m: Measurements) -> _Bool:
    """T with the QRS's sign in two of I, V5 and V6 although QRS >= 120 ms (AHA 2009)."""
    leads = ("I", "V5", "V6")
    same = lead_columns(m.t_mv, *leads) * lead_columns(m.qrs_net_mv_ms, *leads) > 0
    return in_two(same) & (m.qrs_ms >= 120.0) & ~rbbb(m) & ~wide_complex_tachycardia(m)


def left_atrial(m: Measurements) -> _Bool:
    """P in V1 ends at least 0.1 mV low (Morris 1964), in sinus rhythm."""
    return sinus(m) & (m.p_terminal_v1_mv <= -0.1)


def left_axis(m: Measurements) -> _Bool:
    """QRS axis from -30 to -90 degrees (AHA 2009)."""
    return (m.qrs_axis_deg < -30.0) & (m.qrs_axis_deg >= -90.0)


def right_axis(m: Measurements) -> _Bool:
    """QRS axis above 90 degrees or from -180 to -90 (AHA 2009, northwest included)."""
    return (m.qrs_axis_deg > 90.0) | (m.qrs_axis_deg < -90.0)
