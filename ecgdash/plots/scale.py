"""The score scale: logit, labelled in scores (Youden thresholds lie near 0.05)."""

import math
from dataclasses import dataclass
from typing import Final

__all__ = ["BAR_SCALE", "SCORE_TICKS", "ScoreScale", "expit", "logit", "share"]

SCORE_TICKS: Final = (0.01, 0.05, 0.1, 0.5, 0.9)
_EXTRA_TICKS: Final = (0.0001, 0.001, 0.99, 0.999)
_CLIP: Final = 1e-5


def logit(score: float) -> float:
    """Return ln(p / (1 - p)); scores of exactly 0 and 1 are drawn at 1e-5 from the end."""
    inside = min(max(score, _CLIP), 1.0 - _CLIP)
    return math.log(inside / (1.0 - inside))


def expit(value: float) -> float:
    """Return the score of a logit."""
    if value >= 0.0:
        return 1.0 / (1.0 + math.exp(-value))
    odds = math.exp(value)
    return odds / (1.0 + odds)


@dataclass(frozen=True)
class ScoreScale:
    """From scores to axis positions.

    Attributes
    ----------
    low, high : float
        Scores at the ends of the axis.
    linear : bool
        True: the position is the score itself.
    """

    low: float
    high: float
    linear: bool = False

    def position(self, score: float) -> float:
        """Return where a score lies on the axis."""
        return score if self.linear else logit(score)

    def moved(self, score: float, by_logit: float) -> float:
        """Return the position `by_logit` away from a score, clipped to the axis."""
        target = self.position(expit(logit(score) + by_logit))
        return min(max(target, self.position(self.low)), self.position(self.high))

    @property
    def ticks(self) -> tuple[float, ...]:
        """Scores that carry a label."""
        if self.linear:
            return (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
        return tuple(sorted(t for t in (*SCORE_TICKS, *_EXTRA_TICKS) if self.low <= t <= self.high))


BAR_SCALE: Final = ScoreScale(0.005, 0.98)
"""Fixed scale of threshold bars and sparklines, so that rows compare (our choice)."""


def share(score: float, scale: ScoreScale = BAR_SCALE) -> float:
    """Return where a score lies on a scale as a share in [0, 1]; beyond the ends, the end."""
    low, high = scale.position(scale.low), scale.position(scale.high)
    return min(max((scale.position(score) - low) / (high - low), 0.0), 1.0)
