"""Domain objects to and from what a JSON column holds; floats keep every bit."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from ecgdash.domain.gate import GateFinding, GateResult
from ecgdash.domain.model import OperatingPoint
from ecgdash.domain.pairs import History, HistorySlot
from ecgdash.domain.prediction import NotApplicable, VariantScore
from ecgdash.domain.timeline import Change, Flag

__all__ = [
    "change_from",
    "change_value",
    "findings_value",
    "flags_from",
    "flags_value",
    "gate_from",
    "numbers_from",
    "numbers_value",
    "score_from",
    "score_value",
]

_MAY_BE_NAN: Final = ("sensitivity", "specificity")
"""Of a threshold: what its source does not state. JSON has no NaN."""


def numbers_value(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """Return a JSON object; NaN, which JSON lacks, becomes null."""
    return {name: None if math.isnan(value) else value for name, value in numbers.items()}


def numbers_from(value: Mapping[str, float | None]) -> dict[str, float]:
    """Undo `numbers_value`."""
    return {name: math.nan if number is None else number for name, number in value.items()}


def flags_value(flags: Sequence[Flag]) -> list[dict[str, str]]:
    """Return flags as a JSON array."""
    return [asdict(flag) for flag in flags]


def flags_from(value: Sequence[Mapping[str, Any]]) -> tuple[Flag, ...]:
    """Undo `flags_value`."""
    return tuple(Flag(**flag) for flag in value)


def findings_value(findings: Sequence[GateFinding]) -> list[dict[str, Any]]:
    """Return the gate's findings as a JSON array."""
    return [{**asdict(finding), "leads": list(finding.leads)} for finding in findings]


def gate_from(
    findings: Sequence[Mapping[str, Any]], window_s: Sequence[float] | None
) -> GateResult:
    """Return the gate's outcome from what its columns hold."""
    return GateResult(
        tuple(GateFinding(**{**finding, "leads": tuple(finding["leads"])}) for finding in findings),
        None if window_s is None else (window_s[0], window_s[1]),
    )


def score_value(score: VariantScore | NotApplicable) -> dict[str, Any]:
    """Return a score with its threshold and history as a JSON object."""
    if isinstance(score, NotApplicable):
        return {"not_applicable": score.reason}
    slots = None if score.history is None else [asdict(slot) for slot in score.history.slots]
    threshold = asdict(score.threshold)
    for name in _MAY_BE_NAN:
        threshold[name] = None if math.isnan(threshold[name]) else threshold[name]
    return {"value": score.value, "threshold": threshold, "history": slots}


def score_from(value: Mapping[str, Any]) -> VariantScore | NotApplicable:
    """Undo `score_value`."""
    if "not_applicable" in value:
        return NotApplicable(value["not_applicable"])
    slots = value["history"]
    history = None if slots is None else History(tuple(HistorySlot(**slot) for slot in slots))
    threshold = dict(value["threshold"])
    for name in _MAY_BE_NAN:
        threshold[name] = math.nan if threshold[name] is None else threshold[name]
    return VariantScore(value["value"], OperatingPoint(**threshold), history)


def change_value(change: Change | None) -> dict[str, Any] | None:
    """Return a change as a JSON object."""
    if change is None:
        return None
    return {**asdict(change), "earlier_at": change.earlier_at.isoformat()}


def change_from(value: Mapping[str, Any] | None) -> Change | None:
    """Undo `change_value`."""
    if value is None:
        return None
    return Change(**{**value, "earlier_at": datetime.fromisoformat(value["earlier_at"])})
