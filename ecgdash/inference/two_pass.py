"""Pass two: from base logits to the scores of all variants, along one patient's course.

Pass one (the networks) gives each ECG its logits without history. Pass two
looks back: histories hold the uncalibrated scores of earlier ECGs, which pass
one already knows, so no order of computation matters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.ecg import EcgRef
from ecgdash.domain.model import MASKED, RECALIBRATED, UNCALIBRATED, FamilyCard
from ecgdash.domain.pairs import History, TteEcgPair, masked_history, recalibrated_history
from ecgdash.domain.prediction import NotApplicable, VariantScore
from ecgdash.inference.history import HistoryTerm, mean_score, score_with_history

__all__ = [
    "NO_DATE",
    "NO_EARLIER_ECG",
    "NO_EARLIER_PAIR",
    "BaseScored",
    "CourseScorer",
    "score_course",
]

NO_EARLIER_ECG: Final = "no earlier ECG at least one day older"
NO_EARLIER_PAIR: Final = "no earlier ECG-echo pair"
NO_DATE: Final = "the ECG has no date, so it has no history"


@dataclass(frozen=True, eq=False)
class BaseScored:
    """An ECG after pass one.

    Attributes
    ----------
    ref : EcgRef or None
        None: undated.
    base_logits : ndarray of float64, shape (n_variants, n_crops)
        In the order of the card's variants.
    """

    ref: EcgRef | None
    base_logits: NDArray[np.float64]


def score_course(
    card: FamilyCard,
    terms: Mapping[str, HistoryTerm],
    ecgs: Sequence[BaseScored],
    pairs: Sequence[TteEcgPair],
) -> list[dict[str, VariantScore | NotApplicable]]:
    """Score the analysable ECGs of one patient, one family and one lead set.

    Parameters
    ----------
    card : FamilyCard
    terms : mapping of str to HistoryTerm
        By variant.
    ecgs : sequence of BaseScored
        All analysable ECGs of the patient, in any order.
    pairs : sequence of TteEcgPair
        Of the same patient, formed over the whole record.

    Returns
    -------
    list of dict
        Scores by variant, in the order of `ecgs`; histories only look back.
    """
    names = [variant.variant for variant in card.variants]
    row = names.index(UNCALIBRATED)
    refs = [ecg.ref for ecg in ecgs if ecg.ref is not None]
    known = {
        ecg.ref.key: float(mean_score(ecg.base_logits[row])) for ecg in ecgs if ecg.ref is not None
    }
    results = []
    for ecg in ecgs:
        histories = _histories(ecg.ref, refs, pairs, known)
        results.append(
            {
                name: _score(card, terms, name, ecg.base_logits[i], histories.get(name))
                for i, name in enumerate(names)
            }
        )
    return results


class CourseScorer:
    """What engines share whoever trained their network: all that follows its logits.

    Attributes
    ----------
    card : FamilyCard
    history_terms : dict of str to HistoryTerm
        What a history adds to a variant's logit.
    """

    card: FamilyCard
    history_terms: dict[str, HistoryTerm]

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the variants, in the order of the logits."""
        return tuple(variant.variant for variant in self.card.variants)

    def score_course(
        self,
        refs: Sequence[EcgRef | None],
        base_logits: NDArray[np.float64],
        pairs: Sequence[TteEcgPair],
    ) -> list[dict[str, VariantScore | NotApplicable]]:
        """Score the analysable ECGs of one patient from their base logits.

        Parameters
        ----------
        refs : sequence of EcgRef or None
            None for an undated ECG.
        base_logits : ndarray, shape (n, n_variants, n_crops)
        pairs : sequence of TteEcgPair
            Of the same patient, formed over the whole record.
        """
        ecgs = [BaseScored(ref, row) for ref, row in zip(refs, base_logits, strict=True)]
        return score_course(self.card, self.history_terms, ecgs, pairs)


def _histories(
    ref: EcgRef | None,
    refs: Sequence[EcgRef],
    pairs: Sequence[TteEcgPair],
    known: Mapping[str, float],
) -> dict[str, History | str]:
    """Return each variant's history, or why it has none."""
    if ref is None:
        return {MASKED: NO_DATE, RECALIBRATED: NO_DATE}
    return {
        MASKED: masked_history(ref, refs, known) or NO_EARLIER_ECG,
        RECALIBRATED: recalibrated_history(ref, pairs, known) or NO_EARLIER_PAIR,
    }


def _score(
    card: FamilyCard,
    terms: Mapping[str, HistoryTerm],
    name: str,
    base_logits: NDArray[np.float64],
    history: History | str | None,
) -> VariantScore | NotApplicable:
    threshold = card.variant(name).youden
    if history is None:
        return VariantScore(float(mean_score(base_logits)), threshold)
    if isinstance(history, str):
        return NotApplicable(history)
    return VariantScore(score_with_history(terms[name], base_logits, history), threshold, history)
