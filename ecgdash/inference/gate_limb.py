"""The gate's judgement of the limb leads: the laws, exchanged rows, exchanged electrodes.

Exchanged electrodes obey the laws and are seen by their shape alone. The three rules were set
on 353 PTB-XL records, where none of them fires, and tried on the same records with the electrodes
exchanged by arithmetic: docs/evaluation/gate.md has the rates. An exchange of LA and LL is not
claimed: what is known of it (P larger in I than in II, P negative in III) holds in one of ten
PTB-XL records as recorded.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import GateFinding
from ecgdash.signal.leads import LIMB_FROM_I_II
from ecgdash.signal.limb_leads import limb_fit, repairs, smallest_bipolar
from ecgdash.signal.measure import Measurements

__all__ = ["limb_findings"]

MAX_DEPARTURE: Final = 0.2
"""Of the largest limb lead. 352 of 353 PTB-XL records stay below 0.01, the other at 0.09."""
REPAIRED: Final = 0.05
FLAT_SHARE: Final = 0.1
"""The smallest of I, II and III over the largest limb lead; at least 0.21 in 353 PTB-XL records."""
P_MIN_MV: Final = 0.02
QRS_MIN_MV_MS: Final = 4.0
"""Negative by at least as much as 0.1 mV over 40 ms: one of 450 simulated ECGs had a steep axis,
with next to no complex in I, and was called exchanged without this."""

_LIMB: Final = tuple(LIMB_FROM_I_II)
_LEGS_OF_FLAT: Final = {
    "I": "both arm electrodes on the legs",
    "II": "the electrode of the right arm exchanged with that of the right leg",
    "III": "the electrode of the left arm exchanged with that of the right leg",
}
"""Between two legs there is next to no voltage."""


def limb_findings(
    used_mv: NDArray[np.floating],
    leads: tuple[str, ...],
    own: Measurements | None,
    unusable: set[str],
) -> Iterator[GateFinding]:
    """Judge the limb leads of a window.

    Parameters
    ----------
    used_mv : ndarray, shape (n_leads, n_samples)
    leads : tuple of str
        Nothing is judged unless they hold all six limb leads.
    own : Measurements of one record or None
    unusable : set of str
        Leads with a fault of their own; a limb lead among them: the laws are not judged.
    """
    if not set(_LIMB) <= set(leads):
        return
    six = used_mv[[leads.index(name) for name in _LIMB]]
    if not np.isfinite(six).all():
        return
    if unusable & set(_LIMB) or not unusable <= set(leads):
        return
    fit = limb_fit(six)
    if fit is None:
        return
    if fit.departure > MAX_DEPARTURE:
        yield _misfit(six, fit.lead, fit.departure)
        return
    flat, share = smallest_bipolar(six)
    if share < FLAT_SHARE:
        words = f"lead {flat} is nearly flat, looks like {_LEGS_OF_FLAT[flat]}"
        yield GateFinding("limb_swap", "withholds", words, (flat,))
    elif own is not None and "V6" in leads and "V6" not in unusable:
        yield from _by_shape(own)


def _misfit(six: NDArray[np.floating], lead: str, departure: float) -> GateFinding:
    words = f"lead {lead} does not fit leads I and II ({departure:.0%} of their size apart)"
    mended = repairs(six, REPAIRED)
    if not mended:
        return GateFinding("limb_inconsistent", "withholds", words, (lead,))
    concerned = tuple(name for name in _LIMB if any(f" {name} " in item for item in mended))
    told = f"{words}; the laws hold if {' or '.join(mended)}"
    return GateFinding("limb_swap", "withholds", told, concerned)


def _by_shape(own: Measurements) -> Iterator[GateFinding]:
    """Name exchanged electrodes by the direction of P, QRS and T."""

    def p(lead: str) -> float:
        return float(np.nan_to_num(own.lead("p_mv", lead)[0])) if own.p_found[0] else 0.0

    def qrs(lead: str) -> float:
        return float(np.nan_to_num(own.lead("qrs_net_mv_ms", lead)[0]))

    def t(lead: str) -> float:
        return float(np.nan_to_num(own.lead("t_mv", lead)[0]))

    if qrs("V6") <= 0.0:  # as in dextrocardia: no sign of exchanged limb electrodes
        return
    inferior_down = (
        p("II") < -P_MIN_MV and p("aVF") < 0.0 and qrs("II") < -QRS_MIN_MV_MS and t("II") < 0.0
    )
    if inferior_down and p("aVR") > P_MIN_MV and p("V6") > 0.0:
        words = (
            "P, QRS and T are negative in II, with P upright in aVR and V6: "
            "looks like the electrodes of the right arm and the left leg exchanged"
        )
        yield GateFinding("limb_swap", "withholds", words, ("I", "II", "III"))
    elif p("I") < -P_MIN_MV and qrs("I") < -QRS_MIN_MV_MS:
        words = (
            "P and QRS are negative in I, with an upright QRS in V6: looks like the "
            "electrodes of the two arms exchanged, or dextrocardia"
        )
        yield GateFinding("limb_swap", "withholds", words, ("I", "II", "III", "aVR", "aVL"))
