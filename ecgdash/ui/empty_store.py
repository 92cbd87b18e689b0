"""The empty store: what the product does, and the two ways to begin."""

import streamlit as st

from ecgdash.services import demo
from ecgdash.ui import html
from ecgdash.ui.html import Cell
from ecgdash.ui.page import Page

__all__ = ["draw", "is_wanted"]


def is_wanted(page: Page) -> bool:
    """Tell whether nothing is stored, or the simulated patients are only partly in."""
    return page.store.n_patients() == 0 or _is_under_way(page)


def _is_under_way(page: Page) -> bool:
    progress = demo.fill_progress(page.store)
    return progress is not None and not progress.finished


def draw(page: Page) -> None:
    """Draw the block of section "empty" with its buttons and the progress of the filling."""
    html.draw(
        Cell('<div class="ed-title"><h1>Worklist</h1>'),
        html.text("No patients yet", "ed-counts"),
        Cell("</div>"),
    )
    with st.container(border=True, width=720):
        html.draw(
            Cell('<h2 class="ed-h2">Nothing is stored here yet</h2>'),
            html.text(
                "ECGDash follows a patient’s heart function over time. It reads ECG files and "
                "echo values, scores each ECG for LVEF ≤ 40\N{NO-BREAK SPACE}%, and shows what "
                "changed."
            ),
        )
        wanted = page.settings.demo or _draw_buttons()
        html.draw(
            html.small(
                "The simulated patients take well under a minute to load and are marked on every "
                "page. They describe no real person."
            )
        )
        # Whoever comes while the filling is under way watches it; where the one who began it
        # has left, the next visitor's session goes on with it.
        if wanted or _is_under_way(page):
            _fill(page)


def _draw_buttons() -> bool:
    """Draw the two ways to begin; tell whether the simulated patients are wanted."""
    with st.container(horizontal=True):
        wanted = st.button(
            "Open the simulated patients", type="primary", icon=":material/group_add:"
        )
        if st.button("Import ECGs", icon=":material/upload_file:"):
            st.switch_page("pages/import_data.py")
    return wanted


def _fill(page: Page) -> None:
    """Fill the store; a second browser waits on the same work and sees its progress."""
    bar = st.progress(0.0, "Opening the simulated patients")

    def show(done: int, total: int, message: str) -> None:
        bar.progress(done / total if total else 0.0, f"Opening the simulated patients: {message}")

    demo.fill(page.store, page.settings, show)
    st.rerun()
