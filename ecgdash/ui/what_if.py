"""A thought experiment on the patient page: another LVEF in the history, another score."""

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from ecgdash.domain import (
    RECALIBRATED,
    HistorySlot,
    RiskTimeline,
    TimelinePoint,
    VariantScore,
)
from ecgdash.services.what_if import WhatIf, stored_base_logits, what_if
from ecgdash.ui import html, words
from ecgdash.ui.html import Cell
from ecgdash.ui.page import Page

__all__ = ["draw_what_if", "result_words"]

_LOWEST_PERCENT: Final = 2.0  # an LVEF of 1 and less is read as a fraction and refused


def draw_what_if(point: TimelinePoint, variant: str, timeline: RiskTimeline, page: Page) -> None:
    """Offer other LVEFs for the history of a recalibrated score; nothing is stored."""
    score = point.scores.get(variant)
    term = page.history_terms.get(point.family or "", {}).get(variant)
    if variant != RECALIBRATED or not isinstance(score, VariantScore):
        return
    if score.history is None or term is None:
        return
    observed = [slot for slot in score.history.slots if not slot.imputed]
    with (
        st.container(key="ed-noprint-what-if"),
        st.popover("Try another history (what-if)", icon=":material/tune:"),
    ):
        html.draw(html.small("A thought experiment: nothing is stored."))
        measured = {_key(point, slot): slot.lvef_percent or 0.0 for slot in observed}
        chosen = [_ask(point, slot, timeline, page) for slot in observed]
        base_logits = stored_base_logits(page.store, timeline.key, point, variant)
        found = what_if(base_logits, term, score, chosen)
        html.draw(Cell('<div role="status">'), _told(found, score, chosen), Cell("</div>"))
        link = html.card_link("Score and threshold: model card", point.family, variant)
        html.draw(html.element("div", link, kind="ed-small ed-muted"))
        st.button("Reset", key="what_if_reset", on_click=_reset, args=(measured,))


def _told(found: WhatIf, stored: VariantScore, chosen: Sequence[float]) -> Cell:
    slots = stored.history.slots if stored.history else ()
    if [slot.lvef_percent for slot in slots if not slot.imputed] == list(chosen):
        return html.text(f"Nothing is changed yet: the stored score is {stored.value:.2f}.")
    moved = f"In logits: {words.signed(found.difference_logit)} against the stored score."
    return html.join(html.bold(result_words(found, stored)), html.small(moved))


def result_words(found: WhatIf, stored: VariantScore) -> str:
    """Return the supposed score, where it stands, and the stored one, in one sentence."""
    side = "above" if found.positive else "below"
    return (
        f"With this history the recalibrated score would be {found.score:.2f}, {side} its "
        f"threshold of {found.threshold.value:.2f} (stored: {stored.value:.2f})."
    )


def _ask(point: TimelinePoint, slot: HistorySlot, timeline: RiskTimeline, page: Page) -> float:
    """Return the LVEF to suppose for a slot, percent; the measured one until changed."""
    at = next((p.recorded_at for p in timeline.points if p.ecg == slot.ecg), None)
    when = words.day(at, page.zone) if at else "earlier ECG"
    measured = slot.lvef_percent or _LOWEST_PERCENT
    key = _key(point, slot)
    st.session_state.setdefault(key, measured)
    return float(
        st.number_input(
            f"LVEF (%) with the ECG of {when}, measured {measured:g}",
            min_value=min(_LOWEST_PERCENT, measured),
            max_value=100.0,
            step=1.0,
            format="%g",
            key=key,
        )
    )


def _key(point: TimelinePoint, slot: HistorySlot) -> str:
    return f"what_if_{point.ecg}_{slot.ecg}"


def _reset(measured: Mapping[str, float]) -> None:
    for key, lvef_percent in measured.items():
        st.session_state[key] = lvef_percent
