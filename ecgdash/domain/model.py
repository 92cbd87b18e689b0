"""Model families, their variants, thresholds and cards."""

from dataclasses import dataclass
from typing import Final

from ecgdash.domain.card import ProbabilityMap, Repeatability, SelfCheck, TrainingPart
from ecgdash.domain.leads import LeadSet
from ecgdash.errors import InvalidValue

__all__ = [
    "MASKED",
    "RECALIBRATED",
    "UNCALIBRATED",
    "VARIANTS",
    "FamilyCard",
    "OperatingPoint",
    "VariantCard",
]

UNCALIBRATED: Final = "uncalibrated"
MASKED: Final = "masked"
RECALIBRATED: Final = "recalibrated"

VARIANTS: Final = (UNCALIBRATED, MASKED, RECALIBRATED)
"""Variants of the DeepECG LVSD families, from least to most history.

Other families name their own; code that lists variants reads them from the card.
"""


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold and how it did on the data it was chosen on.

    Attributes
    ----------
    id : str
        Stored with every prediction, for instance "deepecg-lvsd-12/masked/youden@1".
    rule : str
        "youden", "sensitivity_90" or "specificity_90"; another's rule in words.
    value : float
        A score is above it when score >= value.
    data : str
        Which data, for instance "simulated validation set, seed 7".
    n, n_positive : int
        0 and 0: not stated.
    sensitivity, specificity : float
        On those data; NaN: not stated. So is a `value` of NaN.
    """

    id: str
    rule: str
    value: float
    data: str
    n: int
    n_positive: int
    sensitivity: float
    specificity: float

    @property
    def prevalence(self) -> float:
        """Share of positives in the data the threshold was chosen on."""
        return self.n_positive / self.n if self.n else float("nan")


@dataclass(frozen=True)
class VariantCard:
    """What is known about one variant of a family.

    Attributes
    ----------
    noise_floor_logit : float or None
        Half width of the 95 % limits of agreement between repeat ECGs of
        stable patients, in logits. None: not measured.
    probability : ProbabilityMap or None
        None: a score of this variant is no probability.
    repeatability : Repeatability or None
        What the noise floor was measured on; None: not measured.
    """

    variant: str
    youden: OperatingPoint
    sensitivity_90: OperatingPoint
    specificity_90: OperatingPoint
    noise_floor_logit: float | None = None
    probability: ProbabilityMap | None = None
    repeatability: Repeatability | None = None


@dataclass(frozen=True)
class FamilyCard:
    """A family: the models of one lead set that share a trunk (docs/glossary.md).

    Attributes
    ----------
    family : str
        For instance "deepecg-lvsd-12".
    input_kind : str
        "signal", "signal-4ch" or "image".
    label : str
        Label definition, for instance "LVEF <= 40 %".
    trained_on_simulated : bool
        True: every page, plot and export says so.
    variants : tuple of VariantCard
        From least to most history.
    label_definition : str
        What counts as a case, and how the label was read.
    must_not : tuple of str
        What it must not be used for.
    chosen, differs : tuple of str
        What the source leaves open and we chose; where we do otherwise, and why.
    training_data : tuple of TrainingPart
    check : SelfCheck or None
        None: `models verify` can check files only.
    external : bool
        True: a network that others trained, run as its spec tells, without maps.
    """

    family: str
    title: str
    lead_set: LeadSet
    input_kind: str
    architecture: str
    label: str
    weights_sha256: str
    preprocessing_version: int
    trained_on: str
    trained_on_simulated: bool
    licence: str
    variants: tuple[VariantCard, ...]
    notes: tuple[str, ...] = ()
    label_definition: str = ""
    must_not: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    training_data: tuple[TrainingPart, ...] = ()
    check: SelfCheck | None = None
    external: bool = False

    def variant(self, name: str) -> VariantCard:
        """Return one variant's card.

        Raises
        ------
        InvalidValue
            If the family has no such variant.
        """
        for card in self.variants:
            if card.variant == name:
                return card
        known = ", ".join(card.variant for card in self.variants)
        raise InvalidValue(f"{self.family} has no variant {name!r}", accepted=f"Known: {known}")
