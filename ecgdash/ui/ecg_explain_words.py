"""The sentences beside a map: what adds up, what history did, and how reliable it is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ecgdash.domain import (
    TRUST_MARKS,
    Attribution,
    FamilyTrust,
    NotApplicable,
    TimelinePoint,
    verdict,
)
from ecgdash.plots import variant_style
from ecgdash.ui import html, words
from ecgdash.ui.card_trust import verdict_words
from ecgdash.ui.html import Cell

if TYPE_CHECKING:
    from ecgdash.ui.page import Page

__all__ = [
    "badge",
    "history_sentence",
    "since_words",
    "sum_sentence",
    "trust_of",
    "why_no_score",
]


def why_no_score(point: TimelinePoint | None) -> str:
    """Return why an ECG has no score, without a final stop."""
    if point is None:
        return "this ECG is not on the patient's course"
    if point.status == "excluded":
        return f"no score, {'; '.join(point.reasons)}"
    reasons = [score.reason for score in point.scores.values() if isinstance(score, NotApplicable)]
    return (reasons[0] if reasons else "this ECG has no score").rstrip(".")


def since_words(point: TimelinePoint, earlier: TimelinePoint | None, zone: ZoneInfo) -> str:
    """Return "since 28 Jan 2025", or "against ..." where the other ECG is not the earlier one."""
    if earlier is None or earlier.recorded_at is None:
        return "" if earlier is None else "against the undated ECG"
    day = words.day(earlier.recorded_at, zone)
    if point.recorded_at is None or earlier.recorded_at > point.recorded_at:
        return f"against {day}"
    if words.day(point.recorded_at, zone) == day:
        return f"since {words.day_time(earlier.recorded_at, zone)}"
    return f"since {day}"


def sum_sentence(found: Attribution, since: str) -> str:
    """Return how the map adds up to the move of the logit without history."""
    shown = round(found.logit - found.reference_logit, 2)
    if found.earlier_logit is None:
        return (
            f"Without history the logit is {_two(found.logit)}, for a flat line "
            f"{_two(found.reference_logit)}: the map adds up to the {_two(shown)} between them."
        )
    moved = round(found.logit - found.earlier_logit, 2)
    # From the rounded figures, so that what is read adds up.
    rest = round(moved - shown, 2)
    head = f"{since[:1].upper()}{since[1:]} the logit without history moved by {_two(moved)}"
    if rest == 0.0:
        return f"{head}: the map shows all of it."
    # A part of the other sign is no part "of it".
    of_it = " of it" if shown * moved > 0.0 else ""
    return (
        f"{head}: the map shows {_two(shown)}{of_it}; {_two(rest)} come from rate and rhythm, "
        "which aligning the beats cannot keep."
    )


def history_sentence(
    variant: str, point: TimelinePoint, earlier: TimelinePoint | None, page: "Page"
) -> str:
    """Return what history added to the logit, now and at the earlier ECG; it is not in the map."""
    label = variant_style(variant).label
    now = sum(point.contributions.get(variant, ()))
    head = f"The map leaves out history, which adds {_two(now)} to the {label} logit of this ECG"
    if earlier is None or earlier.recorded_at is None or earlier.family != point.family:
        return f"{head}."
    then = earlier.contributions.get(variant)
    day = words.day(earlier.recorded_at, page.zone)
    if then is None:
        return f"{head}; on {day} there was no {label} score."
    return f"{head} and added {_two(sum(then))} on {day}."


def trust_of(found: Attribution, measured: Mapping[str, FamilyTrust]) -> FamilyTrust | None:
    """Return what was measured on maps of these very weights and this variant, or None."""
    trust = measured.get(found.family)
    if trust is None or trust.weights_sha256 != found.weights_sha256:
        return None
    return trust if trust.checks.get(found.variant) else None


def badge(found: Attribution, measured: Mapping[str, FamilyTrust]) -> Cell:
    """Return the map's reliability with its numbers on demand, and a warning if it is not good."""
    link = html.card_link("Model card", found.family, found.variant)
    trust = trust_of(found, measured)
    if trust is None:
        told = html.text("⚠ Map reliability: not measured for these weights", "ed-badge ed-weak")
        return html.element("div", told, " ", link, kind="ed-small")
    checks = trust.checks[found.variant]
    good = verdict(checks) == "good"
    kind = "ed-badge" if good else "ed-badge ed-weak"
    mark = "✓ " if good else "⚠ "
    titles = {one.key: one for one in TRUST_MARKS}
    numbers = [
        html.element(
            "li",
            f"{titles[check.key].title}: {_result(check.key, check.result.value)} "
            f"(pass if {titles[check.key].rule}), {'passed' if check.passed else 'not passed'}",
        )
        for check in checks
    ]
    details = html.element(
        "details",
        html.element("summary", html.element("span", mark, verdict_words(checks), kind=kind)),
        html.element("ul", *numbers, kind="ed-list"),
        kind="ed-small",
    )
    failed = [titles[check.key].failed for check in checks if not check.passed]
    parts = [details]
    if failed:
        warning = f"Read this map with caution. {' '.join(failed)} "
        parts.append(html.element("div", warning, link, kind="ed-small ed-weak", role="note"))
    else:
        parts.append(html.element("div", link, kind="ed-small"))
    return html.join(*parts)


def _result(key: str, value: float) -> str:
    if key == "completeness":
        return words.percent(value, 3)
    return f"{value:.1f} times" if key == "deletion" else _plain(value)


def _plain(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _two(value: float) -> str:
    return words.signed(value, 2)
