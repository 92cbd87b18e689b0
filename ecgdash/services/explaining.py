"""What moved a score: the history slot by slot, and the ECG lead by lead.

Slot contributions need the stored prediction and the family's history terms
only; the ECG's own part is `ecgdash.services.attributions`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ecgdash.domain.attribution import Attribution
from ecgdash.domain.model import FamilyCard
from ecgdash.domain.prediction import VariantScore
from ecgdash.domain.timeline import RiskTimeline, TimelinePoint
from ecgdash.errors import NotFound
from ecgdash.services.attributions import attribute, attribute_record, earlier_of
from ecgdash.services.explaining_json import attribution_json, history_json
from ecgdash.services.exporting import provenance_json
from ecgdash.store import Store

if TYPE_CHECKING:
    from ecgdash.inference import Engine
    from ecgdash.inference.history import HistoryTerm

__all__ = [
    "LeadAttribution",
    "Terms",
    "attribute",
    "attribute_record",
    "earlier_of",
    "explain_ecg",
    "external_families",
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
    from ecgdash.inference.manifest import beside_path, find_family, verify_family

    rows = [find_family(card.family, models_dir) for card in cards]
    for row in rows:
        verify_family(row)
    # an external family's term lies beside its weights, whose format is its own affair
    found = {
        row.name: beside_path(row, "history") if "spec" in row.beside else row.weights_path
        for row in rows
    }
    return {name: {} if path is None else load_history_terms(path) for name, path in found.items()}


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
    return [_by_lead(attribute(store, engine, ecg_key, variant)) for variant in engine.variants]


def _by_lead(found: Attribution) -> LeadAttribution:
    return LeadAttribution(
        found.variant,
        dict(zip(found.leads, found.waves.values.sum(axis=1).tolist(), strict=True)),
        found.logit,
        found.reference_logit,
        found.gap,
    )


def explain_ecg(
    store: Store,
    engines: Sequence["Engine"],
    course: RiskTimeline,
    ecg_key: str,
    against: str = "zero",
) -> dict[str, object]:
    """Return what moved the scores of one ECG, ready for JSON.

    Parameters
    ----------
    store : Store
    engines : sequence of Engine
    course : RiskTimeline
        Of the ECG's patient, with contributions.
    ecg_key : str
    against : str
        "zero" for a flat line, "previous" for the previous analysable ECG, or the key of another
        ECG of the patient.

    Raises
    ------
    NotFound
        If the ECG is not on the course, no installed family scored it, or there is no ECG to
        compare with.
    InvalidValue
        If it cannot be compared with the other ECG; see `attribute`.
    """
    points = {point.ecg: point for point in (*course.points, *course.undated)}
    point = points.get(ecg_key)
    engine = next((e for e in engines if point and e.card.family == point.family), None)
    if point is not None and engine is None and point.family in external_families(course):
        raise NotFound(
            f"{point.family} is an external family, whose network is not looked into",
            accepted="Accepted: an ECG that is shown with a family of this house",
            todo="Show another family with 'python -m ecgdash models use'",
        )
    if point is None or engine is None or point.best_variant is None:
        raise NotFound(
            "this ECG has no score to explain",
            accepted="Accepted: the key of an ECG that an installed family scored",
            todo="Look the key up with `timeline`",
        )
    earlier = _compared_with(course, ecg_key, against)
    other = points.get(earlier or "")
    found = [attribute(store, engine, ecg_key, variant, earlier) for variant in engine.variants]
    return {
        "ecg": ecg_key,
        "family": point.family,
        "trained_on_simulated": engine.card.trained_on_simulated,
        "method": (
            f"DeepLIFT against {'a flat line' if earlier is None else 'an earlier ECG'}; "
            "slots by exact Shapley values"
        ),
        "unit": "logit",
        "score_provenance": provenance_json(point.provenance),
        "variants": {
            one.variant: {
                **_score_json(point, one.variant),
                **attribution_json(one, other),
                **history_json(point, one.variant),
            }
            for one in found
        },
    }


def external_families(course: RiskTimeline) -> set[str]:
    """Return the names of the shown families that others trained."""
    return {card.family for card in course.cards.values() if card.external}


def _compared_with(course: RiskTimeline, ecg_key: str, against: str) -> str | None:
    if against == "zero":
        return None
    if against != "previous":
        return against
    earlier = earlier_of(course, ecg_key)
    if earlier is None:
        raise NotFound(
            "this ECG has no earlier analysable ECG with the leads of its family",
            accepted="Accepted: a flat line, or another ECG of the patient",
            todo="Leave --against out, or give it an ECG's key",
        )
    return earlier


def _score_json(point: TimelinePoint, variant: str) -> dict[str, object]:
    score = point.scores.get(variant)
    if isinstance(score, VariantScore):
        return {"score": score.value}
    return {"score": None, "not_applicable": score.reason if score else None}
