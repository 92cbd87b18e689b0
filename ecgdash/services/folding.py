"""When a patient is folded away on the worklist.

Not from the paper: our choice, so that what was acted on does not hide what was not.
"""

from typing import Final

from ecgdash.domain.timeline import PatientAction, RiskTimeline
from ecgdash.services.next_steps import NextStep

__all__ = ["folded_reason", "standing_action"]

_REASONS: Final = {"echo_ordered": "echo ordered", "acknowledged": "acknowledged"}
_KNOWN_LVSD: Final = "rule 3:"


def standing_action(course: RiskTimeline) -> PatientAction | None:
    """Return the last mark made for the latest dated ECG; a newer ECG ends its standing."""
    if not course.points:
        return None
    latest = course.points[-1].ecg
    return next((mark for mark in reversed(course.actions) if mark.ecg == latest), None)


def folded_reason(course: RiskTimeline, suggestion: NextStep) -> str:
    """Return why a patient is folded away; empty: is not."""
    mark = standing_action(course)
    if mark is not None:
        return f"Folded: {_REASONS[mark.kind]} for the latest ECG"
    if suggestion.rule.startswith(_KNOWN_LVSD):
        return "Folded: known LVSD"
    return ""
