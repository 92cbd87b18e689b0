"""What a score would be had earlier echoes measured another LVEF: exact, and nothing is stored.

A head is linear, so the stored logits without history and the new history's term
give the score of a full pass (docs/decisions/0005); no ECG and no network is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ecgdash.domain.model import OperatingPoint
from ecgdash.domain.pairs import History, HistorySlot
from ecgdash.domain.prediction import VariantScore
from ecgdash.domain.timeline import TimelinePoint
from ecgdash.errors import InvalidValue, NotFound
from ecgdash.services.changes import logit
from ecgdash.store import Store

if TYPE_CHECKING:
    from ecgdash.inference.history import HistoryTerm

__all__ = ["WhatIf", "stored_base_logits", "what_if", "with_lvef"]


@dataclass(frozen=True)
class WhatIf:
    """A score with a supposed history.

    Attributes
    ----------
    score : float
        In [0, 1], higher is worse.
    threshold : OperatingPoint
        Of the stored score.
    difference_logit : float
        Supposed minus stored score, in logits; above 0 is worse.
    history : History
        As supposed.
    contributions : tuple of float
        Of each slot of the supposed history, in logits; 0 for imputed slots.
    """

    score: float
    threshold: OperatingPoint
    difference_logit: float
    history: History
    contributions: tuple[float, ...]

    @property
    def positive(self) -> bool:
        """At or above the threshold."""
        return self.score >= self.threshold.value


def stored_base_logits(
    store: Store, patient_key: str, point: TimelinePoint, variant: str
) -> tuple[float, ...]:
    """Return the stored logits without history of one ECG, one a crop.

    Raises
    ------
    NotFound
        If the family that the point shows has no stored prediction of this variant.
    """
    found = store.predictions_of(patient_key).get(point.ecg, {}).get(point.family or "")
    if found is None or variant not in found.base_logits:
        raise NotFound(
            f"no stored {variant} prediction of this ECG", todo="Score the patient again"
        )
    return tuple(found.base_logits[variant])


def with_lvef(history: History, lvef_percent: Sequence[float]) -> History:
    """Return a recalibrated history with other LVEFs in its observed slots.

    Parameters
    ----------
    history : History
    lvef_percent : sequence of float
        One an observed slot, the most recent first, in percent, above 1 and at
        most 100. Imputed slots follow the slot that they copy.

    Raises
    ------
    InvalidValue
        If a value is out of range, their number is wrong, or the history holds no LVEF.
    """
    observed = [slot for slot in history.slots if not slot.imputed]
    if len(lvef_percent) != len(observed):
        raise InvalidValue(
            f"{len(lvef_percent)} LVEFs for {len(observed)} observed slots",
            accepted="Accepted: one an observed slot",
        )
    if any(slot.lvef_percent is None for slot in observed):
        raise InvalidValue("this history holds no LVEF", accepted="Accepted: a recalibrated one")
    changed = [_changed(slot, value) for slot, value in zip(observed, lvef_percent, strict=True)]
    copies = [replace(changed[-1], imputed=True)] * (len(history.slots) - len(observed))
    return History(tuple(changed + copies))


def _changed(slot: HistorySlot, lvef_percent: float) -> HistorySlot:
    if not 1.0 < lvef_percent <= 100.0:
        raise InvalidValue(
            f"LVEF {lvef_percent:g} is not in percent",
            accepted="Accepted: above 1 and at most 100",
            todo="Percent or fraction? Give percent",
        )
    return replace(slot, lvef_percent=float(lvef_percent))


def what_if(
    base_logits: Sequence[float],
    term: "HistoryTerm",
    stored: VariantScore,
    lvef_percent: Sequence[float],
) -> WhatIf:
    """Return the score that other LVEFs in the history would have given.

    Parameters
    ----------
    base_logits : sequence of float
        Of the stored prediction, without history, one a crop.
    term : HistoryTerm
        Of the same family and variant.
    stored : VariantScore
        The stored score with its history.
    lvef_percent : sequence of float
        See `with_lvef`.

    Raises
    ------
    InvalidValue
        If the score uses no history, or as `with_lvef` does.
    """
    from ecgdash.explain.history import slot_contributions
    from ecgdash.inference.history import score_with_history

    if stored.history is None:
        raise InvalidValue("this score uses no history", accepted="Accepted: a recalibrated one")
    history = with_lvef(stored.history, lvef_percent)
    score = score_with_history(term, base_logits, history)
    return WhatIf(
        score=score,
        threshold=stored.threshold,
        difference_logit=logit(score) - logit(stored.value),
        history=history,
        contributions=slot_contributions(term, history),
    )
