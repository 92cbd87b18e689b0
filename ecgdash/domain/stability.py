"""How steady a score is: the same ECG under conditions that ought not to matter."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["ConditionKind", "StabilityPanel", "StabilityRow"]

ConditionKind = Literal["scored", "crop", "rate", "noise", "leads"]


@dataclass(frozen=True)
class StabilityRow:
    """The score under one condition.

    Attributes
    ----------
    kind : {"scored", "crop", "rate", "noise", "leads"}
        "leads": another family's own score of this ECG.
    condition : str
        In words.
    family, variant : str
        Whose score it is; the variant is "" where there is none.
    score, threshold : float or None
        In [0, 1]; None: the condition cannot be made.
    distance_logit : float or None
        Score minus its own threshold, in logits; 0 or more is above.
    shift_logit : float or None
        From the score as scored, in logits; None: another family's score, which is not
        comparable, or no score.
    within_noise : bool or None
        Whether the shift is at most the noise floor; None: no shift, or not measured.
    changed_side : bool or None
        Whether it lies on the other side of its threshold than the score as scored.
    reason : str
        Why there is no score.
    """

    kind: ConditionKind
    condition: str
    family: str
    variant: str
    score: float | None = None
    threshold: float | None = None
    distance_logit: float | None = None
    shift_logit: float | None = None
    within_noise: bool | None = None
    changed_side: bool | None = None
    reason: str = ""

    @property
    def above(self) -> bool | None:
        """At or above the threshold; None without a score."""
        return None if self.distance_logit is None else self.distance_logit >= 0.0


@dataclass(frozen=True)
class StabilityPanel:
    """The score of one ECG under all conditions.

    Attributes
    ----------
    ecg : str
        Store key.
    family, variant : str
        Of the score that was varied.
    noise_floor_logit : float or None
        Of that variant; None: not measured.
    rows : tuple of StabilityRow
        The first is the score as scored, computed again.
    simulated : bool
        Whether the patient is simulated.
    """

    ecg: str
    family: str
    variant: str
    noise_floor_logit: float | None
    rows: tuple[StabilityRow, ...]
    simulated: bool = False
