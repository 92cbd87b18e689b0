"""Change between two ECGs: always by one variant, one family and one lead set."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ecgdash.domain.model import FamilyCard
from ecgdash.domain.prediction import NotApplicable, VariantScore
from ecgdash.domain.timeline import Change

__all__ = ["ScoredEcg", "best_common_variant", "change_between", "logit"]

Scores = Mapping[str, VariantScore | NotApplicable]


@dataclass(frozen=True)
class ScoredEcg:
    """An ECG with a score of one family, reduced to what a comparison needs."""

    ecg: str
    recorded_at: datetime
    scores: Scores


def logit(score: float) -> float:
    """Return the logit of a score; scores of 0 and 1 are held just inside."""
    clipped = min(max(score, 1e-6), 1.0 - 1e-6)
    return math.log(clipped / (1.0 - clipped))


def best_common_variant(earlier: Scores, now: Scores) -> str | None:
    """Return the variant with most history that both ECGs have a score of, or None."""
    common = [
        name
        for name, score in now.items()
        if isinstance(score, VariantScore) and isinstance(earlier.get(name), VariantScore)
    ]
    return common[-1] if common else None


def change_between(
    earlier: ScoredEcg, now: Scores, card: FamilyCard | None, n_withheld_between: int = 0
) -> Change | None:
    """Compare two ECGs of one family, or return None if no variant has both scores.

    Parameters
    ----------
    earlier : ScoredEcg
    now : mapping
        Scores of the later ECG, in the card's order.
    card : FamilyCard or None
        Gives the noise floor; None: nothing is said about noise.
    n_withheld_between : int
        ECGs between the two whose score was withheld.
    """
    variant = best_common_variant(earlier.scores, now)
    if variant is None:
        return None
    before, after = earlier.scores[variant], now[variant]
    if not (isinstance(before, VariantScore) and isinstance(after, VariantScore)):
        return None
    return Change(
        variant=variant,
        earlier_ecg=earlier.ecg,
        earlier_at=earlier.recorded_at,
        earlier_value=before.value,
        value=after.value,
        difference_logit=logit(after.value) - logit(before.value),
        noise_floor_logit=None if card is None else card.variant(variant).noise_floor_logit,
        crossed=_crossed(before.value, after),
        n_withheld_between=n_withheld_between,
    )


def _crossed(before: float, after: VariantScore) -> Literal["up", "down"] | None:
    """Compare both scores with the threshold in force now."""
    was_above = before >= after.threshold.value
    if was_above == after.positive:
        return None
    return "up" if after.positive else "down"
