"""Measured evidence for the labels that flags are made of: a logit and the values in words."""

from collections.abc import Callable
from typing import Final

import numpy as np

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.domain.evidence import RuleEvidence
from ecgdash.labels import criteria
from ecgdash.labels.rule_scores import rule_scores
from ecgdash.signal.measure import Measurements

__all__ = ["pacing_words", "rule_evidence"]


def rule_evidence(own: Measurements) -> dict[str, RuleEvidence]:
    """Return what one record's measurements say of each label in `RULE_SCORES`.

    A label that the leads cannot show (bundle branch block without V1) is left out.

    Parameters
    ----------
    own : Measurements
        Of one record.
    """
    scores = {name: float(values[0]) for name, values in rule_scores(own).items()}
    if own.n_beats[0] == 0:
        return {}
    if not np.isfinite(own.qrs_net_mv_ms[0, CANONICAL_LEADS.index("V1")]):
        scores = {name: score for name, score in scores.items() if name not in _NEED_V1}
    return {name: RuleEvidence(score, _WORDS[name](own)) for name, score in scores.items()}


def pacing_words(own: Measurements) -> str | None:
    """Return the measured values that show one record as paced, or None."""
    return _paced(own) if criteria.paced(own)[0] else None


def _atrial(m: Measurements) -> str:
    if criteria.fibrillation(m)[0] or not criteria.flutter(m)[0]:
        return _fibrillation(m)
    return _flutter(m)


def _fibrillation(m: Measurements) -> str:
    p_wave = "a consistent P wave" if m.p_found[0] else "no consistent P wave"
    return f"{p_wave}, RR intervals vary by {np.nan_to_num(m.rr_cv[0]):.0%}"


def _flutter(m: Measurements) -> str:
    return f"{m.flutter_power[0]:.0%} of the power between the complexes at 4 to 6 Hz"


def _qrs(m: Measurements) -> str:
    return f"QRS {m.qrs_ms[0]:.0f} ms" if np.isfinite(m.qrs_ms[0]) else "QRS not found"


def _lbbb(m: Measurements) -> str:
    v1 = "negative" if m.lead("qrs_net_mv_ms", "V1")[0] < 0 else "positive"
    late = max(m.lead("r_peak_ms", "I")[0], m.lead("r_peak_ms", "V6")[0])
    return f"{_qrs(m)}, V1 {v1}, R peak in I or V6 after {late:.0f} ms"


def _rbbb(m: Measurements) -> str:
    late = m.lead("late_r_mv", "V1")[0]
    s_wave = min(m.lead("s_mv", "I")[0], m.lead("s_mv", "V6")[0])
    return f"{_qrs(m)}, late R in V1 {late:.1f} mV, S in I or V6 {s_wave:.1f} mV"


def _pvc(m: Measurements) -> str:
    return f"{m.pvc_count[0]} of {m.n_beats[0]} beats"


def _paced(m: Measurements) -> str:
    return f"spikes before {m.spike_share[0]:.0%} of the complexes, {_qrs(m)}"


def _pr(m: Measurements) -> str:
    return f"PR {m.pr_ms[0]:.0f} ms" if m.p_found[0] else "no consistent P wave"


def _wide_tachycardia(m: Measurements) -> str:
    return f"{_qrs(m)} at {m.heart_rate_bpm[0]:.0f} a minute"


def _sinus(m: Measurements) -> str:
    return "a consistent P wave before the complexes"


def _q_waves(region: str) -> Callable[[Measurements], str]:
    def words(m: Measurements) -> str:
        leads = criteria.CONTIGUOUS[region]
        q = criteria.q_wave_leads(m)[0]
        found = [name for name in leads if q[CANONICAL_LEADS.index(name)]]
        return f"Q in {', '.join(found)}" if found else f"no Q in the {region} leads"

    return words


_NEED_V1: Final = {"LBBB", "RBBB", "Q_ANTERIOR", "Q_LATERAL"}

_WORDS: Final[dict[str, Callable[[Measurements], str]]] = {
    "SINUS": _sinus,
    "AFIB": _fibrillation,
    "AFL": _flutter,
    "AF_OR_AFL": _atrial,
    "VT": _wide_tachycardia,
    "PACED": _paced,
    "PVC": _pvc,
    "LBBB": _lbbb,
    "RBBB": _rbbb,
    "Q_ANTERIOR": _q_waves("anterior"),
    "Q_INFERIOR": _q_waves("inferior"),
    "Q_LATERAL": _q_waves("lateral"),
    "PR>200": _pr,
}
