"""Cards go to disk and come back whole; older ones still load."""

import json
import math
from dataclasses import asdict, replace

import pytest
from inference_family import family_card

from ecgdash.domain.card import (
    ProbabilityMap,
    ReliabilityPoint,
    Repeatability,
    SelfCheck,
    TrainingPart,
)
from ecgdash.domain.estimate import Estimate
from ecgdash.domain.model import FamilyCard
from ecgdash.inference.card_json import NetworkSizes, card_from_dict, card_to_dict

SIZES = NetworkSizes(64, ("AFIB", "LBBB"))


@pytest.fixture
def full() -> FamilyCard:
    """A card with every field set."""
    points = (
        ReliabilityPoint(0.1, Estimate(0.12, 0.05, 0.2), 50),
        ReliabilityPoint(0.6, Estimate(0.5, 0.4, 0.6), 51),
    )
    mapped = ProbabilityMap(
        0.9, -0.2, "a", 400, 40, "b", 101, 11, 0.05, 0.06, 0.98, -0.01, 0.02, points
    )
    repeats = Repeatability(
        "c", 60, 40, 0.01, -1.9, 2.0, Estimate(0.8, 0.7, 0.9), Estimate(0.6, 0.5, 0.7), 0.1,
        ((0.5, -0.25), (1.5, 0.75)),
    )  # fmt: skip
    card = family_card("0" * 64)
    variants = tuple(replace(v, probability=mapped, repeatability=repeats) for v in card.variants)
    return replace(
        card,
        variants=variants,
        notes=("n",),
        label_definition="d",
        must_not=("not this",),
        chosen=("c1", "c2"),
        differs=("e",),
        training_data=(
            TrainingPart("pretrain", "train", 5, 4, None),
            TrainingPart("finetune", "train", 3, 3, 1),
        ),
        check=SelfCheck(20, 7, 2, "f" * 64, {"uncalibrated": (0.1, 0.2, 0.3)}),
    )


def test_a_card_comes_back_whole(full: FamilyCard) -> None:
    content = json.loads(json.dumps(card_to_dict(full, SIZES)))
    assert content["network"] == {"history_hidden": 64, "labels": ["AFIB", "LBBB"]}
    assert card_from_dict(content) == full


def test_an_earlier_card_without_the_new_fields_loads() -> None:
    card = family_card("0" * 64)
    content = asdict(card)
    for name in ("label_definition", "must_not", "chosen", "differs", "training_data", "check"):
        del content[name]
    for row in content["variants"]:
        del row["probability"], row["repeatability"]
    assert card_from_dict(json.loads(json.dumps(content))) == card


def test_what_is_not_a_number_is_null_and_comes_back(full: FamilyCard) -> None:
    repeats = full.variants[0].repeatability
    mapped = full.variants[0].probability
    assert repeats is not None
    assert mapped is not None
    nothing = Estimate(math.nan, math.nan, math.nan)
    variant = replace(
        full.variants[0],
        repeatability=replace(repeats, kappa=nothing),
        probability=replace(mapped, calibration_slope=math.nan),
    )
    text = json.dumps(card_to_dict(replace(full, variants=(variant,)), SIZES), allow_nan=False)
    [back] = card_from_dict(json.loads(text)).variants
    assert back.repeatability is not None
    assert back.probability is not None
    assert math.isnan(back.repeatability.kappa.low)
    assert math.isnan(back.probability.calibration_slope)
    assert back.repeatability.ccc == repeats.ccc
