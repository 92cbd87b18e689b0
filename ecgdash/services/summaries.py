"""The sentences that open a patient's page: what is true now, in plain words.

Scores are told with two decimals, never as a percentage; noise is judged in
logits and told in words. Nothing is worded as a diagnosis.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ecgdash.domain.model import MASKED, UNCALIBRATED
from ecgdash.domain.prediction import NotApplicable, VariantScore
from ecgdash.domain.timeline import Change, RiskTimeline, TimelinePoint
from ecgdash.labels.published import FOLLOW_UP, TABLES, ModelFigures, figures_for, is_weak
from ecgdash.services.flag_rows import setting_of
from ecgdash.services.next_steps import Situation, next_step, situation_of

__all__ = [
    "Summary",
    "change_words",
    "echo_sentence",
    "has_no_study",
    "summary",
    "variant_name",
    "weak_evidence",
]

_NAMES: Final = {MASKED: "LVEF-masked"}
_DAYS_PER_MONTH: Final = 30.4375


@dataclass(frozen=True)
class Summary:
    """The opening of a patient's page.

    Attributes
    ----------
    first_sentence, rest : str
    suggested_step : str
        "echo", "repeat ECG", or empty: no step suggested.
    rule : str
        The rule of `services.next_steps` that gave it.
    act : bool
        Whether the patient stands among those who need action.
    """

    first_sentence: str
    rest: str
    suggested_step: str
    rule: str
    act: bool


def variant_name(variant: str) -> str:
    """Return a variant's name as it is shown."""
    return _NAMES.get(variant, variant)


def summary(course: RiskTimeline, now: datetime) -> Summary:
    """Return the summary of a timeline.

    Parameters
    ----------
    course : RiskTimeline
    now : datetime
        Aware; the age of the last echo is told as of then.
    """
    situation = situation_of(course)
    suggestion = next_step(situation)
    first, rest = _opening(course, situation)
    sentences = [*rest, echo_sentence(course, now)]
    if (
        situation is not None
        and situation.latest.best_variant is not None
        and not has_no_study(course, situation.latest.family)
    ):
        weak = weak_evidence(
            (flag.name for flag in situation.latest.flags),
            situation.latest.best_variant,
            setting_of(situation.latest, course),
        )
        sentences.extend([weak] if weak else [])
    return Summary(
        first, " ".join(sentences), suggestion.step, suggestion.rule, suggestion.group == "act"
    )


def _opening(course: RiskTimeline, situation: Situation | None) -> tuple[str, list[str]]:
    if situation is None:
        n_undated = len(course.undated)
        if n_undated == 0:
            return "No ECG is on file.", []
        return "No ECG with a date is on file.", [f"ECGs without a date: {n_undated}."]
    latest = situation.latest
    if latest.status == "poor_quality":
        return f"Score withheld: {'; '.join(latest.reasons)}.", []
    if latest.status == "excluded":
        reasons = "; ".join(latest.reasons)
        return f"No score: {reasons}.", [f"The model is not made for this: {reasons}."]
    if situation.score is None or latest.best_variant is None:
        return f"No score: {_reason(latest)}.", []
    if situation.change is None:
        return _level(latest.best_variant, situation.score), ["No earlier ECG has a score."]
    return _changed(latest.best_variant, situation.score, situation.change)


def _reason(latest: TimelinePoint) -> str:
    reasons = [score.reason for score in latest.scores.values() if isinstance(score, NotApplicable)]
    return reasons[0] if reasons else "not scored yet"


def _side(score: VariantScore) -> str:
    return "above" if score.positive else "below"


def _level(variant: str, score: VariantScore, just: str = "") -> str:
    return (
        f"The {variant_name(variant)} score is {score.value:.2f}, {just}{_side(score)} "
        f"its threshold of {score.threshold.value:.2f}."
    )


def _changed(variant: str, score: VariantScore, change: Change) -> tuple[str, list[str]]:
    rest = [_gap_sentence(change.n_withheld_between)] if change.n_withheld_between else []
    told = change_words(change)
    if change.variant != variant:
        by = f"By the {variant_name(change.variant)} score, which both ECGs have: {told}."
        return _level(variant, score), [by, *rest]
    if change.beyond_noise is False:
        return _within(variant, score, change), [*_within_words(change), *rest]
    verb = "rose" if change.difference_logit > 0 else "fell"
    now = "now" if change.crossed else "still"
    first = (
        f"The {variant_name(variant)} score {verb} from {change.earlier_value:.2f} to "
        f"{change.value:.2f} and is {now} {_side(score)} its threshold of "
        f"{score.threshold.value:.2f}."
    )
    if change.beyond_noise is None:
        return first, ["Whether this is beyond noise is not known: noise was not measured.", *rest]
    return first, ["The change is beyond noise.", *rest]


def _within(variant: str, score: VariantScore, change: Change) -> str:
    if change.crossed:
        return _level(variant, score, just="just ")
    return (
        f"The {variant_name(variant)} score is unchanged at {score.value:.2f}, {_side(score)} "
        f"its threshold of {score.threshold.value:.2f}."
    )


def _within_words(change: Change) -> list[str]:
    words = f"The difference, {change_words(change)}"
    return [f"{words}; a repeat ECG would tell more." if change.crossed else f"{words}."]


def change_words(change: Change) -> str:
    """Return a change in words, for instance "from 0.02 to 0.11, beyond noise"."""
    noise = {True: ", beyond noise", False: ", is within noise", None: ", noise not measured"}
    return f"from {change.earlier_value:.2f} to {change.value:.2f}{noise[change.beyond_noise]}"


def _gap_sentence(n_withheld: int) -> str:
    if n_withheld == 1:
        return "Between these two ECGs one score was withheld."
    return f"Between these two ECGs {n_withheld} scores were withheld."


def echo_sentence(course: RiskTimeline, now: datetime) -> str:
    """Return the age and LVEF of the last echo, or that there is none."""
    if not course.echoes:
        return "No echo is on file."
    last = max((echo.study for echo in course.echoes), key=lambda study: study.performed_at)
    months = int((now - last.performed_at).days / _DAYS_PER_MONTH)
    age = "less than a month" if months < 1 else f"{months} month{'s' if months > 1 else ''}"
    return f"The last echo is {age} old (LVEF {last.lvef_percent:.0f} %)."


def has_no_study(course: RiskTimeline, family: str | None) -> bool:
    """Return whether a shown family is another's: the study's figures are not about it."""
    return any(card.external for card in course.cards.values() if card.family == family)


def weak_evidence(flags: Iterable[str], variant: str, setting: str = FOLLOW_UP) -> str | None:
    """Return the weakest published figures that bear on a score, or None.

    A specificity is never told without its sensitivity and AUROC.

    Parameters
    ----------
    flags : iterable of str
        Names of the ECG's flags.
    variant : str
    setting : str
        "baseline" or "follow_up", which decides the study's table (see `setting_of`).
    """
    weak = [key for key in dict.fromkeys(flags) if is_weak(key, variant, setting)]
    figures = [
        (found.specificity.value, key, found)
        for key in weak
        if (found := _figures(key, variant, setting)) is not None
    ]
    if not figures:
        return None
    _, key, worst = min(figures, key=lambda item: item[0])
    whose = "" if figures_for(key, variant, setting) else " of the uncalibrated model"
    return (
        f"Weak evidence in {key}: published specificity{whose} {worst.specificity:.2f}, "
        f"sensitivity {worst.sensitivity:.2f}, AUROC {worst.auroc:.2f} ({TABLES[setting].name})."
    )


def _figures(key: str, variant: str, setting: str) -> ModelFigures | None:
    return figures_for(key, variant, setting) or figures_for(key, UNCALIBRATED, setting)
