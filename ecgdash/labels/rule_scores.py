"""How strongly measurements speak for a flag, as logits: the criteria with soft edges.

Above 0 a criterion holds, below 0 it does not, and the size says by how much. The
limits are those of `ecgdash.labels.criteria`; the widths of the edges are not stated
in any guideline: our choice, about the error of the measurement.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.labels import criteria as c
from ecgdash.signal.intervals import P_MIN_CONSISTENCY
from ecgdash.signal.measure import Measurements

__all__ = ["RULE_SCORES", "rule_scores"]

MAX_LOGIT: Final = 4.0
"""No measurement alone is surer than 0.98: a rule must not drown the network it is added to."""

_F64 = NDArray[np.float64]


def _edge(value: _F64, limit: float | _F64, width: float | _F64) -> _F64:
    """Return log of a sigmoid: 0 far above the limit, log(1/2) on it, falling below."""
    x = (np.nan_to_num(np.asarray(value, dtype=np.float64), nan=-np.inf) - limit) / width
    return -np.logaddexp(0.0, -np.maximum(x, -50.0))


def _all(*edges: _F64) -> _F64:
    """Turn log probabilities of criteria that must all hold into one logit.

    The smallest decides: criteria of one pattern are not independent, and a
    product would punish a pattern for having many.
    """
    log_p = np.minimum.reduce(edges)
    logit = log_p - np.log(np.maximum(-np.expm1(log_p), 1e-12))
    return np.asarray(np.clip(logit, -MAX_LOGIT, MAX_LOGIT))


def _lead(m: Measurements, name: str, *leads: str) -> _F64:
    columns = [CANONICAL_LEADS.index(lead) for lead in leads]
    return np.asarray(getattr(m, name)[:, columns], dtype=np.float64)


def _never(excluded: NDArray[np.bool_]) -> _F64:
    """Return a criterion without soft edges: fulfilled, or surely not."""
    return np.where(excluded, -MAX_LOGIT, 0.0)


def _conducted(m: Measurements) -> tuple[_F64, _F64]:
    """No pacing, no wide complex tachycardia: both hide the atria and name no bundle branch."""
    wide_spikes = np.minimum(
        _edge(m.spike_share, c.PACED_MIN_SHARE, 0.12), _edge(m.qrs_ms, c.PACED_MIN_QRS_MS, 6.0)
    )
    unpaced = np.log(np.maximum(-np.expm1(wide_spikes), 1e-12))
    return unpaced, _never(c.wide_complex_tachycardia(m))


def _no_p(m: Measurements) -> _F64:
    low = np.where(m.p_found, m.p_consistency, np.minimum(m.p_consistency, P_MIN_CONSISTENCY - 0.1))
    return _edge(-np.nan_to_num(low), -P_MIN_CONSISTENCY, 0.08)


def fibrillation(m: Measurements) -> _F64:
    """No consistent P wave, irregular intervals, no pacing."""
    irregular = _edge(m.rr_cv, c.AF_MIN_RR_CV, 0.015), _edge(m.rmssd, c.AF_MIN_RMSSD, 0.02)
    enough = _never(m.n_beats < c.AF_MIN_BEATS)
    return _all(_no_p(m), *irregular, enough, *_conducted(m))


def flutter(m: Measurements) -> _F64:
    """One rate of 4 to 6 Hz dominates between the complexes."""
    return _all(
        _edge(m.flutter_power, c.FLUTTER_MIN_POWER, 0.04),
        _edge(m.heart_rate_bpm, 55.0, 5.0),
        *_conducted(m),
    )


def fibrillation_or_flutter(m: Measurements) -> _F64:
    """Return the stronger of the two."""
    return np.maximum(fibrillation(m), flutter(m))


def _blocked(m: Measurements) -> tuple[_F64, ...]:
    return (*_conducted(m), _never(c.preexcitation(m)))


def lbbb(m: Measurements) -> _F64:
    """QRS >= 120 ms, V1 negative, I or V6 positive with a late R and no Q (AHA 2009)."""
    size = np.maximum(_lead(m, "qrs_pp_mv", "V1")[:, 0], 0.1)
    negative_v1 = _edge(-_lead(m, "qrs_net_mv_ms", "V1")[:, 0] / (size * 100.0), 0.0, 0.05)
    no_late_r = _edge(-_lead(m, "late_r_mv", "V1")[:, 0] / size, -0.5, 0.08)
    leftward = np.minimum(
        _edge(_lead(m, "qrs_net_mv_ms", "I", "V6"), 0.0, 3.0),
        np.minimum(
            _edge(_lead(m, "r_peak_ms", "I", "V6"), c.BBB_R_PEAK_MS, 6.0),
            _edge(_lead(m, "q_mv", "I", "V6"), -c.BBB_MAX_Q_MV, 0.04),
        ),
    ).max(axis=-1)
    return _all(_edge(m.qrs_ms, 120.0, 6.0), negative_v1, no_late_r, leftward, *_blocked(m))


def rbbb(m: Measurements) -> _F64:
    """QRS >= 120 ms, a late R in V1, an S in I or V6 (AHA 2009)."""
    size = np.maximum(_lead(m, "qrs_pp_mv", "V1")[:, 0], 0.1)
    late = _lead(m, "late_r_mv", "V1")[:, 0]
    late_r = np.minimum(_edge(late, 0.2, 0.05), _edge(late / size, 0.25, 0.06))
    s_wave = _edge(-_lead(m, "s_mv", "I", "V6"), 0.1, 0.03).max(axis=-1)
    return _all(_edge(m.qrs_ms, 120.0, 6.0), late_r, s_wave, *_blocked(m))


def premature_ventricular(m: Measurements) -> _F64:
    """Premature, wide complexes of another shape.

    One found is strong evidence, none found is weak evidence against: on the tuning half of
    the real ECGs one is found in 1 of 100 without the code, and none in 1 of 2 with it.
    """
    count = np.asarray(m.pvc_count, dtype=np.float64)
    return np.asarray(np.where(count > 0, np.minimum(2.0 + count, MAX_LOGIT), -1.0))


def paced(m: Measurements) -> _F64:
    """Spikes before most complexes, and complexes that are wide."""
    return _all(
        _edge(m.spike_share, c.PACED_MIN_SHARE, 0.12), _edge(m.qrs_ms, c.PACED_MIN_QRS_MS, 6.0)
    )


def long_pr(m: Measurements) -> _F64:
    """PR above 200 ms, with a P wave."""
    return _all(_edge(np.where(m.p_found, m.pr_ms, np.nan), 200.0, 8.0))


def sinus(m: Measurements) -> _F64:
    """Find a consistent P wave, and neither flutter nor pacing."""
    return np.asarray(np.where(c.sinus(m), 2.0, -2.0))


def wide_tachycardia(m: Measurements) -> _F64:
    """Wide complexes at a fast rate."""
    return np.asarray(np.where(c.wide_complex_tachycardia(m), 2.0, -MAX_LOGIT))


def _q_waves(region: str) -> Callable[[Measurements], _F64]:
    def rule(m: Measurements) -> _F64:
        """Q waves in leads of one group: two are a criterion, one is none (UDMI 2018)."""
        columns = [CANONICAL_LEADS.index(lead) for lead in c.CONTIGUOUS[region]]
        count = c.q_wave_leads(m)[:, columns].sum(axis=-1)
        return np.asarray(np.select([count >= 3, count == 2, count == 1], [2.0, 1.0, -1.0], -2.5))

    return rule


RULE_SCORES: Final[dict[str, Callable[[Measurements], _F64]]] = {
    "SINUS": sinus,
    "AFIB": fibrillation,
    "AFL": flutter,
    "AF_OR_AFL": fibrillation_or_flutter,
    "VT": wide_tachycardia,
    "PACED": paced,
    "PVC": premature_ventricular,
    "LBBB": lbbb,
    "RBBB": rbbb,
    "Q_ANTERIOR": _q_waves("anterior"),
    "Q_INFERIOR": _q_waves("inferior"),
    "Q_LATERAL": _q_waves("lateral"),
    "PR>200": long_pr,
}
"""By label of the 46."""


def rule_scores(m: Measurements) -> dict[str, _F64]:
    """Return every rule's logit, each of shape (n,), from -4 to 4."""
    return {name: rule(m) for name, rule in RULE_SCORES.items()}
