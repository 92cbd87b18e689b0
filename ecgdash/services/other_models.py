"""Scores of installed families that a timeline is not of, each under its own label definition.

They are shown, never compared: no line, change or noise statement joins them with the scores
of the timeline or with each other.
"""

from collections.abc import Callable, Mapping, Sequence

from ecgdash.domain.model import FamilyCard
from ecgdash.domain.prediction import Prediction, VariantScore
from ecgdash.domain.timeline import OtherScore, WorklistOther
from ecgdash.store import StoredEcg

__all__ = ["latest_of_each", "other_scores", "still_installed"]


def other_scores(
    cards: Sequence[FamilyCard],
    shown_for: Callable[[StoredEcg], FamilyCard | None],
    ecgs: Sequence[StoredEcg],
    predictions: Mapping[str, Mapping[str, Prediction]],
) -> tuple[OtherScore, ...]:
    """Return the stored scores of families of another label or another house.

    A family that is only another training of the one shown stays out, as on the worklist.

    Parameters
    ----------
    cards : sequence of FamilyCard
        All installed families.
    shown_for : callable
        The family whose score the timeline shows for an ECG, None where it shows none.
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
        if card.input_kind != "signal":
            continue
        for ecg in reversed(ecgs):
            made = predictions.get(ecg.key, {}).get(card.family)
            if made is None or not _is_another(card, shown_for(ecg)):
                continue
            score = _score(card, ecg, made)
            if score is not None:
                found.append(score)
    return tuple(found)


def latest_of_each(scores: Sequence[OtherScore]) -> tuple[WorklistOther, ...]:
    """Return each family's latest score, as the worklist keeps it.

    Parameters
    ----------
    scores : sequence of OtherScore
        In the order of `other_scores`.
    """
    latest: dict[str, OtherScore] = {}
    for one in scores:
        latest.setdefault(one.family, one)
    return tuple(
        WorklistOther(
            family=one.family,
            title=one.title,
            label=one.label,
            lead_set=one.lead_set,
            variant=one.variant,
            value=one.score.value,
            threshold=one.score.threshold.value,
            recorded_at=one.recorded_at,
            weights_sha256=one.weights_sha256,
        )
        for one in latest.values()
    )


def still_installed(
    others: Sequence[WorklistOther], cards: Sequence[FamilyCard]
) -> tuple[WorklistOther, ...]:
    """Return the scores whose family is installed as it was when a worklist row was written.

    A family is removed by taking its folder away, of which the store is not told.
    """
    installed = {(card.family, card.weights_sha256, card.label) for card in cards}
    return tuple(one for one in others if (one.family, one.weights_sha256, one.label) in installed)


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
        lead_set=card.lead_set,
        weights_sha256=card.weights_sha256,
        provenance=made.provenance,
    )
