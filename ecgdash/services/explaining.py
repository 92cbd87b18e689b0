"""What moved a score: the history slot by slot, and the ECG lead by lead.

Slot contributions need the stored prediction and the family's history terms
only; lead attributions run DeepLIFT over the decoded stored waveform.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecgdash.domain.model import FamilyCard
from ecgdash.domain.prediction import VariantScore
from ecgdash.domain.timeline import RiskTimeline, TimelinePoint
from ecgdash.errors import NotFound
from ecgdash.services.exporting import slot_json
from ecgdash.store import Store

if TYPE_CHECKING:
    from ecgdash.inference import Engine
    from ecgdash.inference.history import HistoryTerm

__all__ = [
    "LeadAttribution",
    "Terms",
    "explain_ecg",
    "family_terms",
    "lead_attributions",
    "with_contributions",
]

Terms = Mapping[str, Mapping[str, "HistoryTerm"]]
"""History terms by family and variant."""


@dataclass(frozen=True)
class LeadAttribution:
    """What each lead added to one variant's logit without history.

    Attributes
    ----------
    leads : mapping of str to float
        Sum over the samples of a lead, mean over the three crops, in logits;
        above 0 where the lead raised the score against a flat line.
    logit, baseline_logit : float
        Of the ECG and of the flat line, mean over the crops.
    largest_gap : float
        Largest distance over the crops between the sum of all attributions and
        logit minus baseline logit: 0 if the map is complete.
    """

    variant: str
    leads: Mapping[str, float]
    logit: float
    baseline_logit: float
    largest_gap: float


def family_terms(cards: Sequence[FamilyCard], models_dir: Path | None = None) -> Terms:
    """Read the history terms of the installed families, verified; brings no torch.

    Raises
    ------
    WeightsMissing, WeightsHashMismatch
    """
    from ecgdash.inference.history import load_history_terms
    from ecgdash.inference.manifest import find_family, verify_family

    rows = [find_family(card.family, models_dir) for card in cards]
    for row in rows:
        verify_family(row)
    return {row.name: load_history_terms(row.weights_path) for row in rows}


def with_contributions(course: RiskTimeline, terms: Terms) -> RiskTimeline:
    """Return the course with each slot's exact contribution beside each score."""
    return replace(
        course,
        points=tuple(_explained(point, terms) for point in course.points),
        undated=tuple(_explained(point, terms) for point in course.undated),
    )


def _explained(point: TimelinePoint, terms: Terms) -> TimelinePoint:
    from ecgdash.explain.history import slot_contributions

    of_family = terms.get(point.family or "", {})
    found = {
        variant: slot_contributions(of_family[variant], score.history)
        for variant, score in point.scores.items()
        if isinstance(score, VariantScore) and score.history is not None and variant in of_family
    }
    return replace(point, contributions=found) if found else point


def lead_attributions(store: Store, engine: "Engine", ecg_key: str) -> list[LeadAttribution]:
    """Attribute each variant's logit without history to the leads of a stored ECG.

    Raises
    ------
    NotFound
        If the store holds no such ECG.
    InputDoesNotFitModel
        If the ECG lacks leads or length that the family needs.
    """
    from ecgdash.explain.deeplift import explain_crops

    crops = engine.crops(store.record(ecg_key))
    found = []
    for variant in engine.variants:
        map_ = explain_crops(engine.net, crops, variant)
        by_lead = map_.values.astype(np.float64).sum(axis=2).mean(axis=0)
        found.append(
            LeadAttribution(
                variant,
                dict(zip(engine.leads, by_lead.tolist(), strict=True)),
                float(map_.logits.mean()),
                float(map_.baseline_logits.mean()),
                float(np.abs(map_.gap).max()),
            )
        )
    return found


def explain_ecg(
    store: Store, engines: Sequence["Engine"], course: RiskTimeline, ecg_key: str
) -> dict[str, object]:
    """Return what moved the scores of one ECG, ready for JSON.

    Parameters
    ----------
    store : Store
    engines : sequence of Engine
    course : RiskTimeline
        Of the ECG's patient, with contributions.
    ecg_key : str

    Raises
    ------
    NotFound
        If the ECG is not on the course, or no installed family scored it.
    """
    points = {point.ecg: point for point in (*course.points, *course.undated)}
    point = points.get(ecg_key)
    engine = next((e for e in engines if point and e.card.family == point.family), None)
    if point is None or engine is None or point.best_variant is None:
        raise NotFound(
            "this ECG has no score to explain",
            accepted="Accepted: the key of an ECG that an installed family scored",
            todo="Look the key up with `timeline`",
        )
    return {
        "ecg": ecg_key,
        "family": point.family,
        "trained_on_simulated": engine.card.trained_on_simulated,
        "method": "DeepLIFT against a flat line; slots by exact Shapley values",
        "unit": "logit",
        "variants": {
            found.variant: _variant_json(point, found)
            for found in lead_attributions(store, engine, ecg_key)
        },
    }


def _variant_json(point: TimelinePoint, found: LeadAttribution) -> dict[str, object]:
    told: dict[str, object] = {
        "logit_without_history": found.logit,
        "logit_of_flat_line": found.baseline_logit,
        "leads": dict(found.leads),
        "largest_gap": found.largest_gap,
    }
    score = point.scores.get(found.variant)
    if not isinstance(score, VariantScore):
        return {"score": None, "not_applicable": score.reason if score else None, **told}
    slots = score.history.slots if score.history else ()
    pushes = point.contributions.get(found.variant, ())
    history = [
        {**slot_json(slot), "contribution_logit": push}
        for slot, push in zip(slots, pushes, strict=True)
    ]
    return {"score": score.value, **told, "history": history}
