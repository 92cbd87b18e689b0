"""Worklist rows: each patient's timeline boiled down to one row."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from ecgdash.domain.model import FamilyCard
from ecgdash.domain.prediction import NotApplicable, VariantScore
from ecgdash.domain.timeline import RiskTimeline, TimelinePoint, WorklistPage, WorklistRow
from ecgdash.errors import InvalidValue, NotFound
from ecgdash.services.families import active_order, cards_by_lead_set
from ecgdash.services.flag_rows import setting_of
from ecgdash.services.folding import folded_reason
from ecgdash.services.next_steps import next_step, situation_of
from ecgdash.services.other_models import latest_of_each, still_installed
from ecgdash.services.summaries import has_no_study, weak_evidence
from ecgdash.services.timelines import timeline
from ecgdash.store import Store, WorklistQuery

__all__ = ["choose_family", "refresh_worklist", "worklist", "worklist_row"]

_TREND_LENGTH: Final = 12
_PATIENTS_PER_TRANSACTION: Final = 100


def worklist(store: Store, query: WorklistQuery, cards: Sequence[FamilyCard] = ()) -> WorklistPage:
    """Return one page of the worklist; its rows were made when the patients last changed.

    Parameters
    ----------
    store : Store
    query : WorklistQuery
    cards : sequence of FamilyCard
        Of the installed families. Scores of other families stand beside a row only while
        their family is among them; by default none do.
    """
    found = store.worklist(query)
    rows = tuple(replace(row, others=still_installed(row.others, cards)) for row in found.rows)
    return replace(found, rows=rows)


def refresh_worklist(
    store: Store,
    cards: Sequence[FamilyCard],
    patient_keys: Sequence[str] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write the worklist rows of patients anew; return how many.

    Parameters
    ----------
    store : Store
    cards : sequence of FamilyCard
        Of the installed families.
    patient_keys : sequence of str, optional
        Default: every patient that changed since its row was written.
    on_progress : callable, optional
        Told patients done and in all.
    """
    keys = store.patient_keys(stale_only=True) if patient_keys is None else list(patient_keys)
    for start in range(0, len(keys), _PATIENTS_PER_TRANSACTION):
        part = keys[start : start + _PATIENTS_PER_TRANSACTION]
        # One transaction: nothing can change between reading a course and writing its row.
        with store.transaction():
            store.save_worklist_rows([worklist_row(timeline(store, key, cards)) for key in part])
        if on_progress is not None:
            on_progress(start + len(part), len(keys))
    return len(keys)


def choose_family(
    store: Store,
    family: str,
    cards: Sequence[FamilyCard],
    on_progress: Callable[[int, int], None] | None = None,
) -> FamilyCard:
    """Show a family for its lead set from now on, and write the worklist rows anew.

    Nothing is scored: every installed family scores every ECG. Stopped in the middle, the
    choice stands, and the next refresh writes the rows that are left. Choosing another family
    takes it back.

    Parameters
    ----------
    store : Store
    family : str
    cards : sequence of FamilyCard
        Of the installed families.
    on_progress : callable, optional
        Told patients done and in all.

    Raises
    ------
    NotFound
        If no such family is installed, or it does not score stored ECGs.
    InvalidValue
        If its label is not the one shown: a worklist never mixes definitions.
    """
    signal = {card.family: card for card in cards if card.input_kind == "signal"}
    if family not in signal:
        raise NotFound(
            f"no family {family!r} that scores stored ECGs is installed",
            accepted=f"Installed: {', '.join(signal) or 'none'}",
            todo="Look it up with 'python -m ecgdash models list'",
        )
    card = signal[family]
    shown = cards_by_lead_set(active_order(cards, store.active_families()))[card.lead_set]
    if shown.label != card.label:
        raise InvalidValue(
            f"{family} is of another label ({card.label}) than the family that worklist and "
            f"timelines show ({shown.label})",
            accepted="Its scores stand beside theirs as those of another model, apart",
            todo=f"Choose among the families of {card.lead_set} leads and {shown.label}",
        )
    store.set_active_family(card.lead_set, card.label, card.family)
    refresh_worklist(store, cards, on_progress=on_progress)
    return card


def worklist_row(course: RiskTimeline) -> WorklistRow:
    """Return the row of one patient; undated ECGs count but have no part in it."""
    situation = situation_of(course)
    suggestion = next_step(situation)
    folded = folded_reason(course, suggestion)
    latest = course.points[-1] if course.points else None
    best = latest.best_variant if latest is not None else None
    score = latest.scores[best] if latest is not None and best is not None else None
    shown = score if isinstance(score, VariantScore) else None
    flags = _flag_names(latest)
    last_echo = max(
        (echo.study for echo in course.echoes), key=lambda e: e.performed_at, default=None
    )
    return WorklistRow(
        key=course.key,
        code=course.patient.id,
        site=course.patient.site,
        age_years=course.age_years,
        sex=course.patient.sex,
        flags=flags,
        group=suggestion.group,
        lead_set=None if latest is None else latest.lead_set,
        family=None if latest is None else latest.family,
        variant=best,
        value=None if shown is None else shown.value,
        threshold=None if shown is None else shown.threshold.value,
        withheld_reason=_withheld_reason(latest),
        weak_evidence=_weak_evidence(latest, course),
        change=None if latest is None else latest.change,
        trend=_trend(course.points),
        last_lvef_percent=None if last_echo is None else last_echo.lvef_percent,
        last_echo_at=None if last_echo is None else last_echo.performed_at,
        last_ecg_at=None if latest is None else latest.recorded_at,
        n_ecgs=len(course.points) + len(course.undated),
        next_step=suggestion.step,
        next_reason=suggestion.rule,
        folded=bool(folded),
        folded_reason=folded,
        others=latest_of_each(course.others),
    )


def _weak_evidence(latest: TimelinePoint | None, course: RiskTimeline) -> str | None:
    if latest is None or latest.best_variant is None or has_no_study(course, latest.family):
        return None
    return weak_evidence(_flag_names(latest), latest.best_variant, setting_of(latest, course))


def _flag_names(latest: TimelinePoint | None) -> tuple[str, ...]:
    return () if latest is None else tuple(dict.fromkeys(flag.name for flag in latest.flags))


def _withheld_reason(latest: TimelinePoint | None) -> str | None:
    """Return why the latest ECG shows no score, in its gate's or the models' words."""
    if latest is None:
        return "no ECG with a date"
    if latest.best_variant is not None:
        return None
    if latest.reasons:
        return "; ".join(latest.reasons)
    reasons = [score.reason for score in latest.scores.values() if isinstance(score, NotApplicable)]
    return reasons[0] if reasons else None


def _trend(points: Sequence[TimelinePoint]) -> tuple[tuple[float | None, str | None], ...]:
    """Return the last scores of the latest lead set; lead sets are never mixed."""
    if not points:
        return ()
    same = [point for point in points if point.lead_set == points[-1].lead_set]
    return tuple(_trend_point(point) for point in same[-_TREND_LENGTH:])


def _trend_point(point: TimelinePoint) -> tuple[float | None, str | None]:
    best = point.best_variant
    score = None if best is None else point.scores[best]
    return (score.value, best) if isinstance(score, VariantScore) else (None, None)
