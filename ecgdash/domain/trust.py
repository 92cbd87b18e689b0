"""How far a family's attribution maps can be trusted: checks with marks set beforehand.

The marks below were written before any figure was computed. A map that fails one is shown
with a warning, never hidden. No source gives marks: all are our choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from ecgdash.domain.attribution import WaveTable
from ecgdash.domain.estimate import Estimate

__all__ = [
    "TRUST_MARKS",
    "CohortMap",
    "FamilyTrust",
    "TrustCheck",
    "TrustMark",
    "Verdict",
    "verdict",
]

Verdict = Literal["good", "limited", "poor"]


@dataclass(frozen=True)
class TrustMark:
    """One check: what it measures and when it is passed.

    Attributes
    ----------
    key : str
    title : str
    rule : str
        When it is passed, in a few signs.
    at_least, at_most : float or None
        The result must not be below, or above.
    aside_at_most : float or None
        The second figure must not be above; None: it is told only.
    passed, failed : str
        What the outcome means, in a sentence.
    """

    key: str
    title: str
    rule: str
    passed: str
    failed: str
    at_least: float | None = None
    at_most: float | None = None
    aside_at_most: float | None = None

    def is_passed(self, result: float, aside: float | None = None) -> bool:
        """Tell whether a result passes; NaN never does."""
        if self.at_least is not None and not result >= self.at_least:
            return False
        if self.at_most is not None and not result <= self.at_most:
            return False
        return self.aside_at_most is None or (aside is not None and aside <= self.aside_at_most)


TRUST_MARKS: Final = (
    # Largest |sum - difference| / |difference|, over ECGs and both references; a difference under
    # 0.01 logits counts as 0.01, because it is none.
    TrustMark(
        "completeness",
        "Completeness: largest gap",
        "≤ 0.1 %",
        "The parts add up to the change in the score.",
        "The parts do not add up to the change in the score.",
        at_most=0.001,
    ),
    # Spearman over lead x 40 ms before and after all weights were shuffled; aside: of sizes alone.
    TrustMark(
        "randomisation",
        "Shuffled weights: rank correlation, with sign and of sizes",
        "≤ 0.20 and ≤ 0.50",
        "The map follows what the model learned, not the shape of the ECG.",
        "Much of the map would look alike for a model that learned nothing.",
        at_most=0.20,
        aside_at_most=0.50,
    ),
    # Fall of the logit when the 10 % of cells (lead x 40 ms) that raise it most are set to the
    # reference, over the size of the change for a random 10 %; aside: over the 10 % of cells with
    # the largest amplitude.
    TrustMark(
        "deletion",
        "Deletion: top 10 % against random 10 %",
        "≥ 3 times",
        "Taking out the marked parts lowers the score more than taking out others.",
        "Taking out the marked parts lowers the score hardly more than taking out others.",
        at_least=3.0,
    ),
    # Spearman of the time courses (DeepLIFT summed over leads in Grad-CAM's own steps) with
    # Grad-CAM of the last block; aside: of block 3.
    TrustMark(
        "agreement",
        "Agreement with Grad-CAM: rank correlation",
        "≥ 0.50",
        "Another method marks the same moments.",
        "Another method marks partly other moments.",
        at_least=0.50,
    ),
    # Mean Spearman over lead x 40 ms of the three pairs of crops, where they overlap.
    TrustMark(
        "crops",
        "Stability over the three crops: rank correlation",
        "≥ 0.80",
        "The map stays as it is when the 9 s that are read shift.",
        "The map shifts with the 9 s that are read.",
        at_least=0.80,
    ),
    # Share of the absolute contributions in the quarter of lead-by-wave cells (P, QRS, ST, T)
    # through which the simulator expresses LVEF most, by a twin ECG of the same heart without
    # remodelling; aside: share of the ECG's own amplitude there. Chance is 0.25.
    TrustMark(
        "pointing",
        "Points at the cause (simulated ECGs): share in the true quarter",
        "≥ 0.50",
        "On simulated ECGs, the map points at the leads and waves that LVEF changes.",
        "On simulated ECGs, the map does not single out the leads and waves that LVEF changes.",
        at_least=0.50,
    ),
)
"""In the order in which they are shown."""


@dataclass(frozen=True)
class TrustCheck:
    """One check's outcome for one variant.

    Attributes
    ----------
    key : str
        Row of `TRUST_MARKS`.
    result : Estimate
        Median over ECGs with quartiles; for completeness the largest, thrice.
    aside : float or None
        The second figure that the mark speaks of.
    passed : bool
    n_ecgs : int
    """

    key: str
    result: Estimate
    aside: float | None
    passed: bool
    n_ecgs: int


@dataclass(frozen=True, eq=False)
class CohortMap:
    """Lead-by-wave contributions over ECGs of one subgroup.

    Attributes
    ----------
    n_ecgs : int
    signed : WaveTable
        Mean over ECGs, logits.
    absolute : WaveTable
        Mean over ECGs of the size of each ECG's cell, logits.
    """

    n_ecgs: int
    signed: WaveTable
    absolute: WaveTable


@dataclass(frozen=True, eq=False)
class FamilyTrust:
    """What was measured on a family's maps; it counts for the very weights only.

    Attributes
    ----------
    data : str
        Which ECGs, in words.
    seed : int
    simulated : bool
    checks : mapping of str to tuple of TrustCheck
        By variant, in the order of `TRUST_MARKS`.
    maps : mapping of str to mapping of str to CohortMap
        By variant and subgroup key, against a flat line.
    cause : WaveTable or None
        Simulated ECGs with a low LVEF: mean size of what it changed by lead and wave, mV s.
    """

    family: str
    weights_sha256: str
    data: str
    seed: int
    simulated: bool
    checks: Mapping[str, tuple[TrustCheck, ...]]
    maps: Mapping[str, Mapping[str, CohortMap]] = field(default_factory=dict)
    cause: WaveTable | None = None


def verdict(checks: tuple[TrustCheck, ...]) -> Verdict:
    """Return "good" if all checks are passed, "limited" if more than half are, else "poor"."""
    n_passed = sum(check.passed for check in checks)
    if n_passed == len(checks):
        return "good"
    return "limited" if 2 * n_passed > len(checks) else "poor"
