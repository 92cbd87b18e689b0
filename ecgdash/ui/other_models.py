"""The table of other families' scores on the patient page, each under its own label."""

from collections import Counter

import streamlit as st

from ecgdash.domain import OtherScore, RiskTimeline
from ecgdash.plots import variant_style
from ecgdash.ui import html, words
from ecgdash.ui.html import Cell, Column
from ecgdash.ui.navigation import href
from ecgdash.ui.page import Page

__all__ = ["draw_other_models"]

_FEW = 1
"""A family's latest score; the others are asked for."""
_ALL = "other_models_all"


def draw_other_models(timeline: RiskTimeline, page: Page) -> None:
    """Draw the scores of families that the timeline is not of; nothing where there are none."""
    if not timeline.others:
        return
    html.draw(
        Cell('<h2 class="ed-h2">Other models</h2>'),
        html.small(
            "Each score counts for the label beside it and against its own threshold. Scores of "
            "different models or labels must not be compared with each other."
        ),
    )
    asked = bool(st.session_state.get(_ALL, False))
    seen: Counter[str] = Counter()
    rows = []
    for one in timeline.others:
        seen[one.family] += 1
        if asked or seen[one.family] <= _FEW:
            rows.append(_row(one, timeline, page))
    columns = (
        Column("Family", "lead"),
        Column("Label", "wide"),
        Column("Recorded"),
        Column("Score", "num"),
        Column("Against its threshold", "wide"),
    )
    html.draw(html.table("Other models", columns, rows))
    if max(seen.values()) > _FEW:
        st.checkbox(f"Show all {len(timeline.others)} scores of other models", key=_ALL)


def _row(one: OtherScore, timeline: RiskTimeline, page: Page) -> list[Cell | str]:
    point = one.score.threshold
    side = html.bold("above" if one.score.positive else "below")
    address = href("ecg", patient=timeline.key, ecg=one.ecg)
    variant = html.small(variant_style(one.variant).label)
    return [
        html.join(html.card_link(one.title, one.family, one.variant), variant),
        html.text(one.label.replace("<=", "≤").replace(" %", "\N{NO-BREAK SPACE}%")),
        html.link(words.day(one.recorded_at, page.zone), address),
        html.bold(f"{one.score.value:.2f}"),
        html.join(side, html.text(f" {point.value:.2f}", "ed-muted")),
    ]
