"""The worklist's rows as words and positions; the component only draws them."""

from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from ecgdash.domain import WorklistPage, WorklistRow
from ecgdash.plots.scale import share
from ecgdash.plots.style import OtherMark, variant_style
from ecgdash.ui import words
from ecgdash.ui.navigation import card_href, href
from ecgdash.ui.worklist_others import OTHERS_LEGEND, OTHERS_TITLE, marks_of, others_view

__all__ = ["GROUP_TITLES", "legend", "row_view", "worklist_view"]

GROUP_TITLES: Final = {
    "act": "Needs action",
    "repeat": "Repeat",
    "stable": "Stable or improving",
}

_COLUMNS: Final = (
    {"name": "patient", "title": "Patient", "width": 134},
    {"name": "flags", "title": "Flags", "width": 228},
    {"name": "against", "title": "Score against threshold (0 to 1, logit scale)", "width": 306},
    {"name": "change", "title": "Change since last", "width": 132},
    {"name": "trend", "title": "Trend", "width": 140},
    {"name": "lvef", "title": "Last LVEF", "width": 100},
    {"name": "when", "title": "Last ECG", "width": 96},
    {"name": "step", "title": "Next step (suggestion)", "width": None},
)
_OTHERS: Final = {"name": "others", "title": OTHERS_TITLE, "width": 240}
"""A column only where a row on the page has such scores; it stands apart from our score."""
_SHOWN_FLAGS: Final = 3
_STEPS: Final = {"": "No step suggested", "echo": "Echo suggested", "repeat ECG": "Repeat ECG"}


def worklist_view(
    page: WorklistPage, now: datetime, zone: ZoneInfo, *, grouped: bool
) -> dict[str, Any]:
    """Return what the component draws.

    Parameters
    ----------
    grouped : bool
        Whether the rows stand in order of their groups, so that group rows make sense.
    """
    if grouped:
        parts = [(GROUP_TITLES[g], list(rows)) for g, rows in groupby(page.rows, lambda r: r.group)]
    else:
        parts = [("", list(page.rows))]
    marks = marks_of(page.rows)
    groups = [
        {"title": title, "rows": [row_view(row, now, zone, marks) for row in rows]}
        for title, rows in parts
    ]
    *before, step = _COLUMNS
    others = [_OTHERS] if any(row.others for row in page.rows) else []
    return {"columns": [*before, *others, step], "others": bool(others), "groups": groups}


def row_view(
    row: WorklistRow, now: datetime, zone: ZoneInfo, marks: Mapping[str, OtherMark]
) -> dict[str, Any]:
    """Return one row.

    Parameters
    ----------
    marks : mapping of str to OtherMark
        Of the other families on the page, by family.
    """
    ordered = words.in_order(flag for flag in row.flags if flag != words.PLAIN_FLAG)
    names = [words.flag_words(flag) for flag in ordered]
    hidden = len(names) - _SHOWN_FLAGS
    return {
        "code": row.code,
        "href": href("patient", patient=row.key),
        "who": words.age_and_sex(row.age_years, row.sex),
        "flags": names[:_SHOWN_FLAGS] + ([f"+{hidden}"] if hidden > 0 else []),
        "act": row.group == "act",
        **_score_view(row),
        "change": _change_view(row),
        "trend": _trend_view(row),
        "lvef": f"{row.last_lvef_percent:.0f} %" if row.last_lvef_percent is not None else "",
        "lvef_age": words.months_ago(row.last_echo_at, now) if row.last_echo_at else "",
        "when": words.day(row.last_ecg_at, zone) if row.last_ecg_at else "undated",
        "others": others_view(row, zone, marks),
        "step": _STEPS.get(row.next_step, row.next_step),
        "step_strong": bool(row.next_step),
        "reason": row.folded_reason or row.next_reason.partition(": ")[2] or row.next_reason,
    }


def _score_view(row: WorklistRow) -> dict[str, Any]:
    if row.value is None or row.threshold is None or row.variant is None:
        why = row.withheld_reason or "not scored"
        return {"bar": None, "no_score": f"No score: {why}"}
    look = variant_style(row.variant)
    leads = "" if row.lead_set in ("12", None) else f" · {words.lead_set_words(row.lead_set)}"
    return {
        "value": f"{row.value:.2f}",
        "side": "above" if row.value >= row.threshold else "below",
        "threshold": f"{row.threshold:.2f}",
        "card": _card_address(row, row.variant),
        "card_title": f"Card of {row.family or 'the model'}, {look.label}",
        "variant": look.label + leads,
        "weak": (row.weak_evidence or "").partition(":")[0].replace("Weak", "weak"),
        "bar": {
            "score": share(row.value),
            "threshold": share(row.threshold),
            "shape": look.shape,
            "colour": look.token,
            "alt": f"score {row.value:.2f}, threshold {row.threshold:.2f}",
        },
    }


def _card_address(row: WorklistRow, variant: str) -> str:
    """Return the card of a row's score; rows of an earlier version name the leads only."""
    if row.family is None:
        return href("models", leads=row.lead_set or "12", variant=variant)
    return card_href(row.family, variant)


def _change_view(row: WorklistRow) -> dict[str, Any]:
    change = row.change
    if change is None:
        first = row.n_ecgs == 1 and row.value is not None
        return {"words": "first ECG" if first else "no change to give", "verdict": ""}
    scores = f"{change.earlier_value:.2f} → {change.value:.2f}"
    card = _card_address(row, change.variant)
    if change.beyond_noise is False:
        return {"words": scores, "verdict": "within noise", "strong": False, "card": card}
    arrow = "▲" if change.difference_logit > 0 else "▼"
    verdict = "beyond noise" if change.beyond_noise else "noise not measured"
    strong = change.beyond_noise is True
    if change.variant != row.variant:
        verdict += f" ({variant_style(change.variant).label})"
    return {"words": f"{arrow} {scores}", "verdict": verdict, "strong": strong, "card": card}


def _trend_view(row: WorklistRow) -> dict[str, Any] | None:
    """Positions of the scores; a line joins neighbours of the same variant only."""
    if not row.trend:
        return None
    points = []
    before: tuple[float | None, str | None] = (None, None)
    for score, variant in row.trend:
        look = variant_style(variant or "")
        joined = score is not None and before[0] is not None and variant == before[1]
        y = None if score is None else share(score)
        points.append({"y": y, "joined": joined, "shape": look.shape, "colour": look.token})
        before = (score, variant)
    told = ", ".join("withheld" if s is None else f"{s:.2f}" for s, _ in row.trend)
    level = None if row.threshold is None else share(row.threshold)
    return {"points": points, "threshold": level, "alt": f"scores, oldest first: {told}"}


def legend(page: WorklistPage) -> str:
    """Return the line below the table."""
    first = (page.page - 1) * page.page_size + 1
    last = first + len(page.rows) - 1
    shown = f"Rows {first:,} to {last:,} of {page.n_matching:,}. " if page.rows else ""
    glyphs = "  ".join(
        f"{variant_style(name).glyph} {variant_style(name).label}"
        for name in ("recalibrated", "uncalibrated", "masked")
    )
    return (
        f"{shown}{glyphs}. Black mark and dotted line: Youden threshold of that variant. "
        "× score withheld. “Within noise”: smaller than the repeat-to-repeat variation of the "
        "model. Trends join scores of one variant only. A score, a threshold or a change opens the "
        f"card of its model.{OTHERS_LEGEND if any(row.others for row in page.rows) else ''}"
    )
