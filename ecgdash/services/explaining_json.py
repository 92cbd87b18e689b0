"""What moved a score as JSON, by the contract that outside programs rely on."""

from typing import Any

from ecgdash.domain.attribution import WAVE_COLUMNS, Attribution
from ecgdash.domain.prediction import VariantScore
from ecgdash.domain.timeline import TimelinePoint
from ecgdash.services.exporting import slot_json

__all__ = ["attribution_json", "history_json"]

Json = dict[str, Any]


def attribution_json(found: Attribution, earlier: TimelinePoint | None = None) -> Json:
    """Return the ECG's own part of one variant, in logits.

    Parameters
    ----------
    found : Attribution
    earlier : TimelinePoint, optional
        What it was compared with, unless with a flat line.
    """
    values = found.waves.values
    told: Json = {
        "logit_without_history": found.logit,
        "leads": dict(zip(found.leads, values.sum(axis=1).tolist(), strict=True)),
        "largest_gap": found.gap,
        "reference": _reference_json(found, earlier),
        "lead_by_wave": {
            lead: dict(zip(WAVE_COLUMNS, row, strict=True))
            for lead, row in zip(found.leads, values.tolist(), strict=True)
        },
        "sum": float(values.sum()),
        "logit_difference": found.logit - found.reference_logit,
        "completeness_gap": abs(float(values.sum()) - (found.logit - found.reference_logit)),
    }
    if found.reference == "zero":
        told["logit_of_flat_line"] = found.reference_logit
    if found.earlier_logit is not None:
        told["not_shown_logit"] = found.earlier_logit - found.reference_logit
        told["not_shown_is"] = (
            "logit of the earlier ECG as scored, minus that of its beats laid on this ECG's: "
            "rate and rhythm, which the comparison leaves out"
        )
    return told


def history_json(point: TimelinePoint, variant: str) -> Json:
    """Return the slots of a variant's history; nothing where the variant has no score."""
    score = point.scores.get(variant)
    if not isinstance(score, VariantScore):
        return {}
    slots = score.history.slots if score.history else ()
    pushes = point.contributions.get(variant, ())
    return {
        "history": [
            {**slot_json(slot), "contribution_logit": push}
            for slot, push in zip(slots, pushes, strict=True)
        ]
    }


def _reference_json(found: Attribution, earlier: TimelinePoint | None) -> Json:
    told: Json = {"kind": found.reference, "logit": found.reference_logit}
    if found.reference == "earlier":
        at = None if earlier is None else earlier.recorded_at
        told["ecg"] = None if earlier is None else earlier.ecg
        told["recorded_at"] = None if at is None else at.isoformat()
        told["waveform_sha256"] = found.reference_sha256
        told["earlier_logit"] = found.earlier_logit
    return told
