"""Our components: style sheets and scripts beside this file, mounted without a build step.

Scripts draw what the server computed and set every text as text, never as markup.
"""

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from ecgdash.plots.sheets import BeatSheet, Sheet
from ecgdash.ui import navigation
from ecgdash.ui.components.packing import pack_beats, pack_sheet

__all__ = [
    "asset",
    "draw_beats",
    "draw_viewer",
    "draw_worklist",
    "listen_to_links",
    "pack_beats",
    "pack_sheet",
    "print_button",
]

_FOLDER = Path(__file__).parent


@cache
def asset(name: str) -> str:
    """Return the text of a script or style sheet of this folder."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def listen_to_links() -> None:
    """Open links of class `ed-open` within the session.

    Called once, before the content: a click then leaves the page without building it again,
    and no link is there before its listener.
    """
    mount = st.components.v2.component("ecgdash_links", js=asset("links.js"))
    result = mount(key="ed-links", height=1, on_opened_change=lambda: None)
    if result.opened:
        navigation.open_address(str(result.opened))


def draw_worklist(data: dict[str, Any]) -> None:
    """Draw the worklist from words and positions made by `ui.worklist_view`."""
    mount = st.components.v2.component(
        "ecgdash_worklist",
        html='<div class="wl"></div>',
        css=asset("worklist.css"),
        js=asset("worklist.js"),
    )
    mount(key="ed-worklist", data=data)


_VIEWER_SCRIPTS = (
    "viewer_scale.js",
    "viewer_pens.js",
    "viewer_layout.js",
    "viewer_paint.js",
    "viewer_calipers.js",
    "viewer_toolbar.js",
    "viewer_calibrate.js",
)
"""One script after another makes one module: nothing is imported from anywhere."""


def draw_viewer(sheet: Sheet, *, slot: str = "now") -> None:
    """Draw an ECG on paper, to scale, with its tools; none of them asks the server.

    Parameters
    ----------
    sheet : Sheet
    slot : str
        Names the place on the page, where two ECGs lie side by side.
    """
    mount = st.components.v2.component(
        "ecgdash_viewer",
        html='<div class="ev"></div>',
        css=asset("viewer.css"),
        js=_joined(*_VIEWER_SCRIPTS, "viewer.js"),
    )
    mount(key=f"ed-viewer-{slot}", data=pack_sheet(sheet))


def draw_beats(sheet: BeatSheet) -> None:
    """Draw median beats at 50 mm/s and 10 mm/mV, an earlier ECG's beneath."""
    mount = st.components.v2.component(
        "ecgdash_beats",
        html='<div class="ev"></div>',
        css=asset("viewer.css"),
        js=_joined(*_VIEWER_SCRIPTS[:4], "beats.js"),
    )
    mount(key="ed-beats", data=pack_beats(sheet))


@cache
def _joined(*names: str) -> str:
    return "\n".join(asset(name) for name in names)


def print_button(label: str) -> None:
    """Draw a button that opens the browser's print dialog for this page."""
    mount = st.components.v2.component(
        "ecgdash_print",
        html=f'<button type="button">{label}</button>',
        css=asset("print.css"),
        js=asset("print.js"),
    )
    mount(key="ed-print", width="content")
