"""The marks on the patient page: echo ordered, acknowledged, and taking them back."""

from typing import Final

import streamlit as st

from ecgdash.domain import ActionKind, RiskTimeline
from ecgdash.services import actions
from ecgdash.services.folding import standing_action
from ecgdash.ui import words
from ecgdash.ui.page import Page

__all__ = ["draw_actions"]

_DONE: Final = {"echo_ordered": "Echo ordered", "acknowledged": "Acknowledged"}
_CLOSED: Final = "Closed in the demonstration"


def draw_actions(course: RiskTimeline, page: Page) -> None:
    """Draw the two buttons, or the mark that stands for the latest ECG with its Undo."""
    closed = page.settings.demo
    why = _CLOSED if closed else None
    standing = standing_action(course)
    if standing is None:
        _draw_mark("Mark echo ordered", "echo_ordered", course, page)
        _draw_mark("Acknowledge", "acknowledged", course, page)
        return
    made, of = standing.made_at, course.points[-1].recorded_at
    told = f"{_DONE[standing.kind]} on {words.day(made, page.zone)}"
    if of is not None:
        told += f", for the ECG of {words.day(of, page.zone)}"
    st.markdown(told, width="content")
    if st.button("Undo", disabled=closed, help=why, key="undo_action"):
        actions.undo(page.store, course.key, page.cards)
        st.rerun()


def _draw_mark(label: str, kind: ActionKind, course: RiskTimeline, page: Page) -> None:
    closed = page.settings.demo
    pressed = st.button(
        label,
        type="primary" if kind == "echo_ordered" else "secondary",
        disabled=closed,
        help=_CLOSED if closed else None,
        key=f"mark_{kind}",
    )
    if pressed:
        actions.mark(page.store, course.key, kind, page.now, page.cards)
        st.rerun()
