"""Operating points on the card, worked out by hand."""

import pytest

from ecgdash.errors import InvalidValue
from ecgdash.inference.thresholds import variant_card

LABELS = [0, 0, 0, 1, 0, 1, 1, 1]
SCORES = [0.1, 0.2, 0.3, 0.35, 0.4, 0.6, 0.7, 0.9]


def test_the_three_points_and_their_origin() -> None:
    card = variant_card("fam/masked", LABELS, SCORES, "follow-up pairs of nobody", 0.7)
    assert card.variant == "masked"
    assert card.noise_floor_logit == 0.7
    assert card.youden.id == "fam/masked/youden@1"
    assert card.youden.value == 0.35  # sensitivity 1, specificity 3/4: the lower of two optima
    assert (card.youden.sensitivity, card.youden.specificity) == (1.0, 0.75)
    assert card.sensitivity_90.value == 0.35
    assert card.specificity_90.value == 0.6
    assert card.specificity_90.sensitivity == 0.75
    assert (card.youden.n, card.youden.n_positive, card.youden.prevalence) == (8, 4, 0.5)


def test_without_a_case_there_is_no_threshold() -> None:
    with pytest.raises(InvalidValue):
        variant_card("fam/masked", [0, 0], [0.1, 0.2], "nobody", None)
