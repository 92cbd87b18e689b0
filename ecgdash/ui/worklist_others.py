"""Scores of other families beside a worklist row, in words and positions, and in the download.

Each stands under its own label definition and against its own threshold; nothing here sets
one beside another.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from ecgdash.domain import WorklistOther, WorklistRow
from ecgdash.plots.others import label_words, short_title, what_it_read
from ecgdash.plots.scale import share
from ecgdash.plots.style import OTHER_MARKS, OtherMark
from ecgdash.ui import words
from ecgdash.ui.navigation import card_href

__all__ = ["OTHERS_LEGEND", "OTHERS_TITLE", "marks_of", "others_json", "others_view"]

OTHERS_TITLE: Final = "Other models (own definitions)"

OTHERS_LEGEND: Final = (
    " Other models: each score counts for the label beside it and against its own threshold "
    "(black mark of its own bar). It has no part in order, change, trend and next step, and is "
    "not comparable with the score in the row or with another model's."
)


def marks_of(rows: Iterable[WorklistRow]) -> dict[str, OtherMark]:
    """Return the mark of each family, the same in all rows of a page; the first few have one."""
    families = dict.fromkeys(one.family for row in rows for one in row.others)
    return dict(zip(families, OTHER_MARKS, strict=False))


def others_view(row: WorklistRow, zone: ZoneInfo, marks: Mapping[str, OtherMark]) -> dict[str, Any]:
    """Return what the component draws of the families that have a mark, and how many more."""
    shown = [one for one in row.others if one.family in marks]
    hidden = len(row.others) - len(shown)
    return {
        "title": OTHERS_TITLE,
        "rows": [_other_view(one, marks[one.family].shape, row.last_ecg_at, zone) for one in shown],
        "more": f"{hidden} more on the patient's page" if hidden else "",
    }


def _other_view(
    one: WorklistOther, shape: str, last_ecg_at: datetime | None, zone: ZoneInfo
) -> dict[str, Any]:
    title, label = short_title(one.title, one.label), label_words(one.label)
    side = "above" if one.positive else "below"
    read = what_it_read(one.variant, one.lead_set)
    older = last_ecg_at is not None and one.recorded_at < last_ecg_at
    return {
        "title": title + (f", {read}" if read else ""),
        "label": label,
        "value": f"{one.value:.2f}",
        "side": side,
        "threshold": f"{one.threshold:.2f}",
        "card": card_href(one.family, one.variant),
        "card_title": f"Card of {one.family}",
        "when": f"ECG of {words.day(one.recorded_at, zone)}" if older else "",
        "bar": {
            "score": share(one.value),
            "threshold": share(one.threshold),
            "shape": shape,
            "colour": "muted",
            "alt": (
                f"{title}, {label}: score {one.value:.2f}, {side} its own threshold "
                f"{one.threshold:.2f}"
            ),
        },
    }


def others_json(row: WorklistRow) -> str:
    """Return the scores of other families as a JSON list, for one cell of the download.

    A list and not columns by family: which families are installed differs from site to site,
    the columns of the file do not.
    """
    return json.dumps(
        [
            {
                "family": one.family,
                "title": one.title,
                "label": one.label,
                "lead_set": one.lead_set,
                "variant": one.variant,
                "score": one.value,
                "threshold": one.threshold,
                "ecg_at": one.recorded_at.isoformat(),
            }
            for one in row.others
        ],
        ensure_ascii=False,
    )
