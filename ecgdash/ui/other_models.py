"""Scores of other families on the patient page: legend of their marks, and their table."""

from collections import Counter

import streamlit as st

from ecgdash.domain import OtherScore, RiskTimeline
from ecgdash.plots import variant_style
from ecgdash.plots.others import label_words, marked_families, short_title
from ecgdash.ui import html, state, words
from ecgdash.ui.html import Cell, Column
from ecgdash.ui.navigation import href
from ecgdash.ui.page import Page

__all__ = ["choose_other_marks", "draw_other_legend", "draw_other_models", "shows_other_marks"]

_FEW = 1
"""A family's latest score; the others are asked for."""
_ALL = "other_models_all"


def shows_other_marks() -> bool:
    """Return whether the plot shows the scores of other families; it does until they are hidden."""
    return bool(st.session_state.get(state.OTHER_MARKS, True))


def choose_other_marks(timeline: RiskTimeline) -> None:
    """Offer to hide the marks of other families; nothing where there are none."""
    if timeline.others:
        # Without a default of its own: the key holds the choice, and "shown" is set once.
        st.session_state.setdefault(state.OTHER_MARKS, True)
        st.checkbox("Scores of other models", key=state.OTHER_MARKS)


def draw_other_legend(timeline: RiskTimeline) -> None:
    """Name each mark of another family with its label definition, where marks are drawn."""
    if not timeline.others or not shows_other_marks():
        return
    families = marked_families(timeline)
    named = [f"{one.mark.glyph} {one.name}" for one in families if one.mark is not None]
    unmarked = len(families) - len(named)
    more = f" {words.plural(unmarked, 'more model')} in the table only." if unmarked else ""
    html.draw(
        Cell('<p class="ed-caption">'),
        html.join(
            html.bold("Other models: "),
            f"{', '.join(named)}. Not joined and not comparable with the line: each counts for "
            "its own label and against its own threshold, not the one drawn. All values stand "
            f"under Other models below.{more}",
        ),
        Cell("</p>"),
    )


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
    glyphs = {
        family.scores[0].family: family.mark.glyph
        for family in marked_families(timeline)
        if family.mark is not None
    }
    seen: Counter[str] = Counter()
    rows = []
    for one in timeline.others:
        seen[one.family] += 1
        if asked or seen[one.family] <= _FEW:
            rows.append(_row(one, glyphs.get(one.family, ""), timeline, page))
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


def _row(one: OtherScore, glyph: str, timeline: RiskTimeline, page: Page) -> list[Cell | str]:
    point = one.score.threshold
    side = html.bold("above" if one.score.positive else "below")
    address = href("ecg", patient=timeline.key, ecg=one.ecg)
    mark = f"{glyph} " if glyph else ""
    leads = "" if one.lead_set == "12" else f", {words.lead_set_words(one.lead_set)}"
    variant = html.small(variant_style(one.variant).label + leads)
    title = html.card_link(short_title(one.title, one.label), one.family, one.variant)
    return [
        html.join(mark, title, variant),
        html.text(label_words(one.label)),
        html.link(words.day(one.recorded_at, page.zone), address),
        html.bold(f"{one.score.value:.2f}"),
        html.join(side, html.text(f" {point.value:.2f}", "ed-muted")),
    ]
