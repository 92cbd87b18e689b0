"""The prevalence that the user sets for PPV and NPV; it stays from patient to patient."""

from typing import Final

import streamlit as st

from ecgdash.labels.published import BASELINE, TABLES
from ecgdash.ui import html, state, words

__all__ = ["choose_prevalence", "study_percent"]

_LOWEST_PERCENT: Final = 0.5
_HIGHEST_PERCENT: Final = 60.0
_STEP_PERCENT: Final = 0.5


def study_percent(setting: str) -> float:
    """Return the study's external prevalence of LVSD in a setting, percent to one decimal."""
    return round(100.0 * TABLES[setting].prevalence, 1)


def choose_prevalence(setting: str) -> float:
    """Draw the input and return the prevalence, a share in (0, 1).

    Until the user sets one it is the study's for the setting; then it is the
    user's in both settings, for the rest of the session.
    """
    default = study_percent(setting)
    chosen = st.session_state.get(state.PREVALENCE)
    key = f"{state.PREVALENCE}_{setting}"
    st.session_state[key] = default if chosen is None else chosen
    with st.container(horizontal=True, vertical_alignment="bottom", key="ed-noprint-prevalence"):
        percent = st.number_input(
            "Prevalence of LVSD (%)",
            min_value=_LOWEST_PERCENT,
            max_value=_HIGHEST_PERCENT,
            step=_STEP_PERCENT,
            format="%.1f",
            key=key,
            width=175,
            on_change=_remember,
            args=(key,),
        )
        if chosen is not None:
            st.button(f"Back to the study's {default:.1f} %", on_click=_forget)
        html.draw_beside(_origin_words(setting, own=chosen is not None))
    return float(percent) / 100.0


def _origin_words(setting: str, *, own: bool) -> str:
    table = TABLES[setting]
    pairs = "baseline" if setting == BASELINE else "follow-up"
    origin = (
        f"the study's external {pairs} pairs have {words.percent(table.prevalence)} "
        f"({table.n_positive:,} of {table.n:,}, {table.name})"
    )
    return f"Set by you; {origin}." if own else f"For PPV and NPV; {origin}."


def _remember(key: str) -> None:
    st.session_state[state.PREVALENCE] = st.session_state[key]


def _forget() -> None:
    st.session_state[state.PREVALENCE] = None
