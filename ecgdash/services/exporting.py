"""Domain objects as JSON, by the contract that outside programs rely on.

Times are ISO 8601 with offset or null; a withheld score is null; keys carry
their units.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ecgdash.domain.model import MASKED, RECALIBRATED, OperatingPoint
from ecgdash.domain.pairs import History, HistorySlot
from ecgdash.domain.prediction import NotApplicable, Provenance, VariantScore
from ecgdash.domain.timeline import Change, OtherScore, RiskTimeline, TimelineEcho, TimelinePoint

__all__ = [
    "point_json",
    "points_json",
    "provenance_json",
    "slot_json",
    "threshold_origin",
    "timeline_json",
]

Json = dict[str, Any]


def timeline_json(course: RiskTimeline) -> Json:
    """Return a timeline as a JSON object."""
    return {
        "patient": course.patient.id,
        "site": course.patient.site,
        "key": course.key,
        "simulated": course.simulated,
        "families": {
            lead_set: {
                "family": card.family,
                "weights_sha256": card.weights_sha256,
                "trained_on_simulated": card.trained_on_simulated,
            }
            for lead_set, card in course.cards.items()
        },
        "points": [point_json(point) for point in course.points],
        "undated": [point_json(point) for point in course.undated],
        "echoes": [_echo_json(echo) for echo in course.echoes],
        "other_models": [_other_json(one) for one in course.others],
        "research_use": (
            "Research use only. Not a medical device; not for diagnosis or monitoring of patients."
        ),
    }


def point_json(point: TimelinePoint) -> Json:
    """Return one ECG of a timeline as a JSON object."""
    withheld = point.status != "analysable"
    return {
        "ecg": point.ecg,
        "recorded_at": _time(point.recorded_at),
        "status": point.status,
        "reasons": list(point.reasons),
        "notes": list(point.notes),
        "lead_set": point.lead_set,
        "family": point.family,
        "flags": [
            {"name": flag.name, "source": flag.source, "evidence": flag.evidence}
            for flag in point.flags
        ],
        "measurements": {name: _number(value) for name, value in point.measurements.items()},
        "measured": {name: _number(value) for name, value in point.measured.items()},
        "scores": {name: _score(score, withheld) for name, score in point.scores.items()},
        "history": {name: _history(point.scores.get(name)) for name in (MASKED, RECALIBRATED)},
        "change": _change(point.change),
        "provenance": provenance_json(point.provenance),
    }


def _other_json(one: OtherScore) -> Json:
    return {
        "family": one.family,
        "label": one.label,
        "variant": one.variant,
        "ecg": one.ecg,
        "recorded_at": _time(one.recorded_at),
        **_score(one.score, withheld=False),
        "provenance": provenance_json(one.provenance),
    }


def provenance_json(origin: Provenance | None) -> Json | None:
    """Return where scores come from as a JSON object; null where there are none.

    Its `backend` is null in scores of a version that did not keep it.
    """
    if origin is None:
        return None
    return {
        "family": origin.family,
        "weights_sha256": origin.weights_sha256,
        "preprocessing_version": origin.preprocessing_version,
        "waveform_sha256": origin.waveform_sha256,
        "software_version": origin.software_version,
        "backend": origin.backend or None,
        "made_at": _time(origin.made_at),
    }


def threshold_origin(point: OperatingPoint) -> str:
    """Return where a threshold comes from, in one line; what its source leaves out is said."""
    if not point.n or math.isnan(point.sensitivity) or math.isnan(point.specificity):
        return f"{point.rule}; data: {point.data}; not all of its figures are stated"
    return (
        f"{point.rule} on {point.data}, n = {point.n}, prevalence {point.prevalence:.3f}, "
        f"sensitivity {point.sensitivity:.3f}, specificity {point.specificity:.3f}"
    )


def _score(score: VariantScore | NotApplicable, withheld: bool) -> Json:
    if isinstance(score, VariantScore):
        return {
            "value": score.value,
            "threshold": score.threshold.value,
            "positive": score.positive,
            "threshold_origin": threshold_origin(score.threshold),
        }
    if withheld:
        return {"value": None, "threshold": None, "positive": None, "threshold_origin": None}
    return {"not_applicable": score.reason}


def _history(score: VariantScore | NotApplicable | None) -> list[Json]:
    history: History | None = score.history if isinstance(score, VariantScore) else None
    return [] if history is None else [slot_json(slot) for slot in history.slots]


def slot_json(slot: HistorySlot) -> Json:
    """Return one slot of a history as a JSON object."""
    return {
        "ecg": slot.ecg,
        "lvef_percent": slot.lvef_percent,
        "score": slot.score,
        "interval_days": slot.interval_days,
        "imputed": slot.imputed,
    }


def _change(change: Change | None) -> Json | None:
    if change is None:
        return None
    return {
        "variant": change.variant,
        "earlier_ecg": change.earlier_ecg,
        "earlier_at": _time(change.earlier_at),
        "earlier_value": change.earlier_value,
        "value": change.value,
        "difference_logit": change.difference_logit,
        "noise_floor_logit": change.noise_floor_logit,
        "beyond_noise": change.beyond_noise,
        "crossed": change.crossed,
        "n_withheld_between": change.n_withheld_between,
    }


def _echo_json(echo: TimelineEcho) -> Json:
    return {
        "performed_at": _time(echo.study.performed_at),
        "has_time": echo.study.has_time,
        "lvef_percent": echo.study.lvef_percent,
        "method": echo.study.method,
        "paired_ecg": echo.paired_ecg,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def points_json(points: Sequence[TimelinePoint], head: Mapping[str, Any]) -> list[Json]:
    """Return points as JSON objects, each with the same first keys."""
    return [{**head, **point_json(point)} for point in points]
