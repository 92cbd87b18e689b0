"""The rule table that suggests a next step; a site edits it here.

The rules are not from the paper: they are our choice, made so that a rise is
answered by an echo, a doubt by a repeat ECG, and nothing is asked for twice.
Output is a suggestion for a clinician, never a diagnosis.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from ecgdash.domain.patient import EchoStudy
from ecgdash.domain.prediction import VariantScore
from ecgdash.domain.timeline import (
    Change,
    RiskTimeline,
    TimelineEcho,
    TimelinePoint,
    WorklistGroup,
)

__all__ = ["ECHO_REACH_DAYS", "RULES", "NextStep", "Rule", "Situation", "next_step", "situation_of"]

ECHO_REACH_DAYS: Final = 365
"""An echo within 12 months before an ECG still speaks for that time (our choice)."""


@dataclass(frozen=True)
class Situation:
    """What the rules look at: the latest dated ECG, and the echo that speaks for it.

    Attributes
    ----------
    echo_answers : bool
        An echo was done with this ECG (paired) or on a later day.
    echo_recent : bool
        The last echo is from the 12 months before this ECG, or answers it.
    """

    latest: TimelinePoint
    change: Change | None
    score: VariantScore | None
    last_echo: EchoStudy | None
    echo_answers: bool
    echo_recent: bool

    @property
    def above(self) -> bool:
        """Whether the best score of the latest ECG is at or above its threshold."""
        return self.score is not None and self.score.positive

    @property
    def beyond(self) -> bool:
        """Whether there is a change that is not within noise (noise not measured: counts)."""
        return self.change is not None and self.change.beyond_noise is not False

    @property
    def crossed_up(self) -> bool:
        """Whether the score went from below to above its threshold."""
        return self.change is not None and self.change.crossed == "up"

    @property
    def lvsd_known(self) -> bool:
        """Whether the last echo already showed LVSD."""
        return self.last_echo is not None and self.last_echo.lvsd


@dataclass(frozen=True)
class Rule:
    """One line of the table."""

    number: int
    words: str
    step: str
    group: WorklistGroup
    holds: Callable[[Situation], bool]


@dataclass(frozen=True)
class NextStep:
    """What the table suggests.

    Attributes
    ----------
    step : str
        "echo", "repeat ECG" or "" for none.
    rule : str
        "rule 3: ...", empty if no rule holds.
    """

    step: str
    rule: str
    group: WorklistGroup


RULES: Final = (
    Rule(
        1,
        "the score was withheld for poor quality",
        "repeat ECG",
        "repeat",
        lambda s: s.latest.status == "poor_quality",
    ),
    Rule(
        2,
        "an echo was done with or after this ECG",
        "",
        "stable",
        lambda s: s.echo_answers,
    ),
    Rule(
        3,
        "LVSD is known from the last echo",
        "",
        "stable",
        lambda s: s.lvsd_known and s.above,
    ),
    Rule(
        4,
        "new crossing beyond noise, no echo in the 12 months before it",
        "echo",
        "act",
        lambda s: s.crossed_up and s.beyond and not s.echo_recent,
    ),
    Rule(
        5,
        "new crossing beyond noise, an echo within the 12 months before it",
        "repeat ECG",
        "repeat",
        lambda s: s.crossed_up and s.beyond,
    ),
    Rule(
        6,
        "crossing within noise",
        "repeat ECG",
        "repeat",
        lambda s: s.crossed_up,
    ),
    Rule(
        7,
        "above the threshold, no echo on file",
        "echo",
        "act",
        lambda s: s.above and s.last_echo is None,
    ),
    Rule(
        8,
        "above the threshold and risen beyond noise, no echo in the 12 months before it",
        "echo",
        "act",
        lambda s: (
            s.above
            and s.change is not None
            and s.change.difference_logit > 0
            and s.beyond
            and not s.echo_recent
        ),
    ),
)
"""In order; the first that holds counts."""


def next_step(situation: Situation | None) -> NextStep:
    """Return what the table suggests; nothing for a patient without a dated ECG."""
    if situation is None:
        return NextStep("", "", "stable")
    for rule in RULES:
        if rule.holds(situation):
            return NextStep(rule.step, f"rule {rule.number}: {rule.words}", rule.group)
    return NextStep("", "", "stable")


def situation_of(course: RiskTimeline) -> Situation | None:
    """Return what the rules look at, or None if no ECG has a date."""
    if not course.points:
        return None
    latest = course.points[-1]
    best = latest.best_variant
    score = latest.scores[best] if best is not None else None
    last = max(course.echoes, key=lambda echo: echo.study.performed_at, default=None)
    answers = last is not None and _answers(last, latest)
    return Situation(
        latest=latest,
        change=latest.change,
        score=score if isinstance(score, VariantScore) else None,
        last_echo=None if last is None else last.study,
        echo_answers=answers,
        echo_recent=answers or (last is not None and _recent(last.study, latest.local_day)),
    )


def _answers(echo: TimelineEcho, latest: TimelinePoint) -> bool:
    if echo.paired_ecg == latest.ecg:
        return True
    return latest.local_day is not None and echo.study.local_day > latest.local_day


def _recent(study: EchoStudy, day: date | None) -> bool:
    return day is not None and (day - study.local_day).days <= ECHO_REACH_DAYS
