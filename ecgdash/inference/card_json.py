"""A family's card as `card.json` holds it. NaN is null there: JSON has no NaN."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ecgdash.domain.card import (
    ProbabilityMap,
    ReliabilityPoint,
    Repeatability,
    SelfCheck,
    TrainingPart,
)
from ecgdash.domain.estimate import Estimate
from ecgdash.domain.model import FamilyCard, OperatingPoint, VariantCard

__all__ = ["NetworkSizes", "card_from_dict", "card_to_dict", "card_to_json"]


@dataclass(frozen=True)
class NetworkSizes:
    """What it takes to build the network that the weights fit.

    Attributes
    ----------
    labels : tuple of str
        Names of the pretraining branch's outputs, in order.
    """

    history_hidden: int
    labels: tuple[str, ...]


def card_to_dict(card: FamilyCard, network: NetworkSizes) -> dict[str, Any]:
    """Return what `card.json` holds."""
    return {**card_to_json(card), "network": asdict(network)}


def card_to_json(card: FamilyCard) -> dict[str, Any]:
    """Return a card as JSON can hold it."""
    content: dict[str, Any] = _without_nan(asdict(card))
    return content


def card_from_dict(content: Mapping[str, Any]) -> FamilyCard:
    """Build a card from what `card.json` holds, of this version or an earlier one."""
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in content.items()
        if key not in ("network", "variants", "training_data", "check")
    }
    check = content.get("check")
    return FamilyCard(
        variants=tuple(_variant(row) for row in content["variants"]),
        training_data=tuple(TrainingPart(**row) for row in content.get("training_data", ())),
        check=None if check is None else _self_check(check),
        **fields,
    )


def _variant(row: Mapping[str, Any]) -> VariantCard:
    probability, repeats = row.get("probability"), row.get("repeatability")
    return VariantCard(
        variant=row["variant"],
        youden=_operating_point(row["youden"]),
        sensitivity_90=_operating_point(row["sensitivity_90"]),
        specificity_90=_operating_point(row["specificity_90"]),
        noise_floor_logit=row["noise_floor_logit"],
        probability=None if probability is None else _probability_map(probability),
        repeatability=None if repeats is None else _repeatability(repeats),
    )


def _operating_point(row: Mapping[str, Any]) -> OperatingPoint:
    numbers = {name: _number(row[name]) for name in ("value", "sensitivity", "specificity")}
    return OperatingPoint(**{**row, **numbers})


def _probability_map(row: Mapping[str, Any]) -> ProbabilityMap:
    points = tuple(
        ReliabilityPoint(point["mean"], _estimate(point["observed"]), point["n"])
        for point in row["reliability"]
    )
    numbers = {name: row[name] for name in row if name != "reliability"}
    for name in ("calibration_slope", "calibration_intercept"):
        numbers[name] = _number(numbers[name])
    return ProbabilityMap(**numbers, reliability=points)


def _repeatability(row: Mapping[str, Any]) -> Repeatability:
    own = ("ccc", "kappa", "points")
    return Repeatability(
        **{name: value for name, value in row.items() if name not in own},
        ccc=_estimate(row["ccc"]),
        kappa=_estimate(row["kappa"]),
        points=tuple((mean, difference) for mean, difference in row["points"]),
    )


def _self_check(row: Mapping[str, Any]) -> SelfCheck:
    logits = {name: tuple(values) for name, values in row["logits"].items()}
    return SelfCheck(**{**row, "logits": logits})


def _estimate(row: Mapping[str, float | None]) -> Estimate:
    return Estimate(*(_number(row[name]) for name in ("value", "low", "high")))


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
