"""From a timeline to the runs, noise boxes and changes that the trajectory draws.

Pure extraction: no colours and no figure, so that each rule can be tested alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from ecgdash.domain import NotApplicable, OtherScore, RiskTimeline, TimelinePoint, VariantScore
from ecgdash.plots.scale import logit
from ecgdash.plots.style import OTHER_MARKS

__all__ = [
    "NO_MODEL",
    "LastChange",
    "Mark",
    "ScoredPoint",
    "last_change",
    "lead_sets",
    "local_time",
    "main_lead_set",
    "marked_scores",
    "noise_floor",
    "noise_spans",
    "not_applicable",
    "scored_runs",
    "variants_of",
    "withheld",
]

NO_MODEL = "no model installed"


@dataclass(frozen=True)
class ScoredPoint:
    """One score on the plot, with the time at the site."""

    ecg: str
    at: datetime
    score: VariantScore


@dataclass(frozen=True)
class Mark:
    """An ECG without a score of the emphasised variant, and why."""

    ecg: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class LastChange:
    """The last two scores of one variant and lead set."""

    earlier: ScoredPoint
    latest: ScoredPoint
    difference_logit: float
    beyond_noise: bool | None


def local_time(at: datetime, zone: ZoneInfo) -> datetime:
    """Return an aware time as the site's clock showed it, without zone (plotly draws it as is)."""
    return at.astimezone(zone).replace(tzinfo=None)


def lead_sets(timeline: RiskTimeline) -> tuple[str, ...]:
    """Return the lead sets that hold a score, in order of appearance."""
    return tuple(
        dict.fromkeys(p.lead_set for p in timeline.points if p.lead_set and p.best_variant)
    )


def main_lead_set(timeline: RiskTimeline) -> str | None:
    """Return the lead set of the last scored ECG, or None if none is scored."""
    return next(
        (p.lead_set for p in reversed(timeline.points) if p.lead_set and p.best_variant), None
    )


def variants_of(timeline: RiskTimeline) -> tuple[str, ...]:
    """Return the variants on this timeline, from least to most history."""
    named = (name for point in timeline.points for name in point.scores)
    known = (card.variant for family in timeline.cards.values() for card in family.variants)
    return tuple(dict.fromkeys([*known, *named]))


def scored_runs(
    timeline: RiskTimeline, variant: str, lead_set: str, zone: ZoneInfo
) -> list[list[ScoredPoint]]:
    """Return the scores of one variant and lead set as runs that a line may join.

    A withheld score, and one that is not applicable, ends a run; an ECG of
    another lead set belongs to another line and does not.
    """
    runs: list[list[ScoredPoint]] = [[]]
    for point in timeline.points:
        if point.recorded_at is None or point.lead_set not in (lead_set, None):
            continue
        score = point.scores.get(variant)
        if isinstance(score, VariantScore) and point.lead_set == lead_set:
            at = local_time(point.recorded_at, zone)
            runs[-1].append(ScoredPoint(point.ecg, at, score))
        else:
            runs.append([])
    return [run for run in runs if run]


def noise_floor(timeline: RiskTimeline, variant: str, lead_set: str) -> float | None:
    """Return the noise floor in logits, or None where the card has none."""
    family = timeline.cards.get(lead_set)
    if family is None:
        return None
    return next((c.noise_floor_logit for c in family.variants if c.variant == variant), None)


def noise_spans(runs: list[list[ScoredPoint]]) -> Iterator[tuple[ScoredPoint, ScoredPoint]]:
    """Return successive scored ECGs; a pair reaches across withheld scores."""
    return pairwise(point for run in runs for point in run)


def last_change(runs: list[list[ScoredPoint]], noise_logit: float | None) -> LastChange | None:
    """Return the change between the last two scores, or None if there are fewer."""
    points = [point for run in runs for point in run]
    if len(points) < 2:
        return None
    earlier, latest = points[-2:]
    difference = logit(latest.score.value) - logit(earlier.score.value)
    beyond = None if noise_logit is None else abs(difference) > noise_logit
    return LastChange(earlier, latest, difference, beyond)


def marked_scores(timeline: RiskTimeline) -> list[OtherScore]:
    """Return the scores of the other families that have a mark: the first few, in their order."""
    families = list(dict.fromkeys(one.family for one in timeline.others))[: len(OTHER_MARKS)]
    return [one for one in timeline.others if one.family in families]


def withheld(timeline: RiskTimeline, zone: ZoneInfo) -> list[Mark]:
    """Return the dated ECGs that the gate withheld from every model."""
    return [
        Mark(p.ecg, local_time(p.recorded_at, zone), _withheld_reason(p))
        for p in timeline.points
        if p.recorded_at is not None and p.status != "analysable"
    ]


def not_applicable(timeline: RiskTimeline, variant: str, zone: ZoneInfo) -> list[Mark]:
    """Return the analysable dated ECGs without a score of one variant."""
    marks = []
    for p in timeline.points:
        if p.recorded_at is None or p.status != "analysable":
            continue
        score = p.scores.get(variant)
        if not isinstance(score, VariantScore):
            reason = score.reason if isinstance(score, NotApplicable) else NO_MODEL
            marks.append(Mark(p.ecg, local_time(p.recorded_at, zone), reason.rstrip(".")))
    return marks


def _withheld_reason(point: TimelinePoint) -> str:
    kind = "excluded" if point.status == "excluded" else "withheld"
    return f"{kind}: {'; '.join(reason.rstrip('.') for reason in point.reasons)}"
