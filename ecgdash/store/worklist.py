"""The worklist: one row per patient, so that a page is one indexed query."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    UnaryExpression,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from ecgdash.domain.timeline import WorklistGroup, WorklistOther, WorklistPage, WorklistRow
from ecgdash.store.base import StoreBase
from ecgdash.store.objects import WorklistQuery
from ecgdash.store.schema import patients, worklist
from ecgdash.store.values import change_from, change_value

__all__ = ["OLD_ECHO_DAYS", "WorklistPart"]

OLD_ECHO_DAYS: Final = 365
"""An echo older than this counts as old (12 months; not stated in the paper: our choice)."""

_RANKS: Final[dict[WorklistGroup, int]] = {"act": 0, "repeat": 1, "stable": 2}
_GROUPS: Final = {rank: name for name, rank in _RANKS.items()}
_LOWEST: Final = -1e9
"""Sort key of what has no value: it comes last."""

_SAME_IN_BOTH: Final = (
    "key",
    "code",
    "site",
    "age_years",
    "sex",
    "lead_set",
    "family",
    "variant",
    "value",
    "threshold",
    "withheld_reason",
    "weak_evidence",
    "last_lvef_percent",
    "last_echo_at",
    "last_ecg_at",
    "n_ecgs",
    "next_step",
    "next_reason",
    "folded",
    "folded_reason",
)


class WorklistPart(StoreBase):
    """The store's methods about the worklist."""

    def save_worklist_rows(self, rows: Sequence[WorklistRow]) -> None:
        """Store rows in place of the patients' earlier ones, and mark them as fresh."""
        keys = [row.key for row in rows]
        with self._writing() as connection:
            found = connection.execute(
                select(patients.c.key, patients.c.id).where(patients.c.key.in_(keys))
            )
            ids = {row.key: row.id for row in found}
            known = [row for row in rows if row.key in ids]
            if not known:
                return
            connection.execute(delete(worklist).where(worklist.c.patient.in_(ids.values())))
            connection.execute(
                insert(worklist), [{"patient": ids[row.key], **_values(row)} for row in known]
            )
            connection.execute(
                update(patients).where(patients.c.id.in_(ids.values())).values(stale=False)
            )

    def worklist(self, query: WorklistQuery) -> WorklistPage:
        """Return one page and the counts of the whole, in two statements that load one page."""
        where = _conditions(query)
        shown = [*where]
        if query.groups:
            shown.append(worklist.c.group_rank.in_([_RANKS[group] for group in query.groups]))
        page = (
            select(worklist)
            .where(*shown)
            .order_by(*_order(query))
            .limit(query.page_size)
            .offset((max(query.page, 1) - 1) * query.page_size)
        )
        counts = (
            select(worklist.c.group_rank, func.count().label("n"), *_totals())
            .where(*where)
            .group_by(worklist.c.group_rank)
        )
        with self._reading() as connection:
            rows = [_row(row) for row in connection.execute(page)]
            counted = connection.execute(counts).all()
        by_group = {_GROUPS[row.group_rank]: row.n for row in counted}
        n_by_group: dict[str, int] = {group: by_group.get(group, 0) for group in _RANKS}
        n_matching = sum(n_by_group[group] for group in query.groups or tuple(_RANKS))
        n_all, n_folded = counted[0][2:] if counted else self._n_rows()
        return WorklistPage(
            tuple(rows), n_all, n_matching, n_by_group, query.page, query.page_size, n_folded
        )

    def _n_rows(self) -> tuple[int, int]:
        with self._reading() as connection:
            n_all, n_folded = connection.execute(select(*_totals())).one()
            return n_all, n_folded


def _totals() -> tuple[Any, Any]:
    """Return the counts of all rows and of the folded ones, whatever the filters."""
    everyone = worklist.alias("everyone")
    n_all = select(func.count()).select_from(everyone)
    n_folded = n_all.where(everyone.c.folded.is_(True))
    return n_all.scalar_subquery(), n_folded.scalar_subquery()


def _conditions(query: WorklistQuery) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if not query.show_folded and not query.find.strip():  # who is looked for is found
        where.append(worklist.c.folded.is_(False))
    if query.find.strip():
        part = query.find.strip()
        where.append(
            or_(
                worklist.c.code.icontains(part, autoescape=True),
                worklist.c.site.icontains(part, autoescape=True),
            )
        )
    # Several flags: the latest ECG holds them all.
    where += [worklist.c.flags.contains(f"|{flag}|", autoescape=True) for flag in query.flags]
    if query.change:
        where.append(worklist.c.change_kind.in_(query.change))
    if query.last_echo is not None:
        where.append(_echo_condition(query.last_echo))
    return where


def _echo_condition(last_echo: str) -> ColumnElement[bool]:
    if last_echo == "none":
        return worklist.c.last_echo_at.is_(None)
    limit = datetime.now(UTC) - timedelta(days=OLD_ECHO_DAYS)
    return (
        worklist.c.last_echo_at < limit if last_echo == "old" else worklist.c.last_echo_at >= limit
    )


def _order(query: WorklistQuery) -> tuple[ColumnElement[Any] | UnaryExpression[Any], ...]:
    """Return the sort keys; each list is an index read in one direction."""
    columns = worklist.c
    if query.order == "action":
        return (columns.group_rank, columns.sort_change, columns.patient)
    by_name = {
        "change": columns.sort_change,
        "score": columns.sort_level,
        "last_ecg": columns.sort_ecg,
        "patient": columns.code,
    }
    return (by_name[query.order], columns.patient)


def _values(row: WorklistRow) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in _SAME_IN_BOTH},
        "flags": "".join(f"|{flag}" for flag in row.flags) + "|" if row.flags else "",
        "group_rank": _RANKS[row.group],
        "change_kind": _change_kind(row),
        "change": change_value(row.change),
        "trend": [list(point) for point in row.trend],
        "others": [_other_value(one) for one in row.others],
        **_sort_keys(row),
    }


def _sort_keys(row: WorklistRow) -> dict[str, float]:
    """Return numbers that rise down the list: the largest change, level or date comes first."""
    change = _LOWEST if row.change is None else row.change.difference_logit
    level = _LOWEST
    if row.value is not None and row.threshold is not None:
        level = _logit(row.value) - _logit(row.threshold)
    last_ecg = _LOWEST * 1e3 if row.last_ecg_at is None else row.last_ecg_at.timestamp()
    return {"sort_change": -change, "sort_level": -level, "sort_ecg": -last_ecg}


def _change_kind(row: WorklistRow) -> str:
    if row.change is None:
        return "none"
    if row.change.beyond_noise is False:
        return "within"
    return "rise" if row.change.difference_logit > 0 else "fall"


def _logit(score: float) -> float:
    clipped = min(max(score, 1e-6), 1.0 - 1e-6)
    return math.log(clipped / (1.0 - clipped))


def _row(row: Row[Any]) -> WorklistRow:
    return WorklistRow(
        **{name: getattr(row, name) for name in _SAME_IN_BOTH},
        flags=tuple(flag for flag in row.flags.split("|") if flag),
        group=_GROUPS[row.group_rank],
        change=change_from(row.change),
        trend=tuple((score, variant) for score, variant in row.trend),
        others=tuple(_other_from(one) for one in row.others or ()),
    )


def _other_value(one: WorklistOther) -> dict[str, Any]:
    return {**asdict(one), "recorded_at": one.recorded_at.isoformat()}


def _other_from(value: Mapping[str, Any]) -> WorklistOther:
    recorded_at = datetime.fromisoformat(value["recorded_at"])
    return WorklistOther(**{**value, "recorded_at": recorded_at})
