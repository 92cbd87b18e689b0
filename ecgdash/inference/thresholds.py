"""Operating points: chosen on validation data, kept on the card with their origin."""

from typing import Final

from numpy.typing import ArrayLike

from ecgdash.domain.model import OperatingPoint, VariantCard
from ecgdash.stats import (
    accuracy_at,
    threshold_at_sensitivity,
    threshold_at_specificity,
    youden_threshold,
)

__all__ = ["variant_card"]

TARGET: Final = 0.9


def variant_card(
    name: str,
    labels: ArrayLike,
    scores: ArrayLike,
    data: str,
    noise_floor_logit: float | None,
) -> VariantCard:
    """Choose the three operating points of a variant on its validation data.

    Parameters
    ----------
    name : str
        "<family>/<variant>", the head of the points' ids.
    labels, scores : array_like, shape (n,)
        Of the pairs the variant is made for, in patients that trained nothing.
    data : str
        Which data, in words.
    noise_floor_logit : float or None

    Raises
    ------
    InvalidValue
        If there is no case or no control.
    """
    values = {
        "youden": youden_threshold(labels, scores),
        "sensitivity_90": threshold_at_sensitivity(labels, scores, TARGET),
        "specificity_90": threshold_at_specificity(labels, scores, TARGET),
    }
    points = {}
    for rule, value in values.items():
        at = accuracy_at(labels, scores, value)
        count = at.confusion
        points[rule] = OperatingPoint(
            id=f"{name}/{rule}@1",
            rule=rule,
            value=value,
            data=data,
            n=sum(count),
            n_positive=count.tp + count.fn,
            sensitivity=at.sensitivity.value,
            specificity=at.specificity.value,
        )
    return VariantCard(
        variant=name.rsplit("/", 1)[-1],
        youden=points["youden"],
        sensitivity_90=points["sensitivity_90"],
        specificity_90=points["specificity_90"],
        noise_floor_logit=noise_floor_logit,
    )
