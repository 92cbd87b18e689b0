"""Scores of installed families that a timeline is not of, each under its own label definition.

They are listed, never compared: no line, change or noise statement joins them with the scores
of the timeline or with each other.
"""

from collections.abc import Mapping, Sequence

from ecgdash.domain.leads import LeadSet
from ecgdash.domain.model import FamilyCard
from ecgdash.domain.prediction import Prediction, VariantScore
from ecgdash.domain.timeline import OtherScore
from ecgdash.store import StoredEcg

__all__ = ["other_scores"]


def other_scores(
    cards: Sequence[FamilyCard],
    shown: Mapping[LeadSet, FamilyCard],
    ecgs: Sequence[StoredEcg],
    predictions: Mapping[str, Mapping[str, Prediction]],
) -> tuple[OtherScore, ...]:
    """Return the stored scores of families of another label or another house.

    A family that is only another training of the one shown stays out, as on the worklist.

    Parameters
    ----------
    cards : sequence of FamilyCard
        All installed families.
    shown : mapping of str to FamilyCard
        Whose scores the timeline is of, by lead set.
    ecgs : sequence of StoredEcg
        Dated, oldest first.
    predictions : mapping
        By ECG key, then by family.

    Returns
    -------
    tuple of OtherScore
        Family by family in the order of `cards`, the latest ECG first; the variant with most
        history that has a score.
    """
    found = []
    for card in cards:
        if card.input_kind != "signal" or not _is_another(card, shown.get(card.lead_set)):
            continue
        for ecg in reversed(ecgs):
            made = predictions.get(ecg.key, {}).get(card.family)
            score = None if made is None else _score(card, ecg, made)
            if score is not None:
                found.append(score)
    return tuple(found)


def _is_another(card: FamilyCard, shown: FamilyCard | None) -> bool:
    if shown is None or card.family == shown.family:
        return False
    return card.label != shown.label or card.external or shown.external


def _score(card: FamilyCard, ecg: StoredEcg, made: Prediction) -> OtherScore | None:
    of_now = made.provenance is not None and made.provenance.weights_sha256 == card.weights_sha256
    if not of_now or not ecg.gate.analysable or ecg.recorded_at is None:
        return None
    scored = [(name, one) for name, one in made.scores.items() if isinstance(one, VariantScore)]
    if not scored:
        return None
    variant, score = scored[-1]
    return OtherScore(
        family=card.family,
        title=card.title,
        label=card.label,
        variant=variant,
        ecg=ecg.key,
        recorded_at=ecg.recorded_at,
        score=score,
    )
