"""Our components: style sheets and scripts beside this file, mounted without a build step.

Scripts draw what the server computed and set every text as text, never as markup.
"""

import json
import struct
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from ecgdash.plots.style import ECG_PAPER
from ecgdash.ui import navigation

__all__ = ["asset", "draw_sheet", "draw_worklist", "listen_to_links", "print_button"]

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


def draw_sheet(layout: dict[str, Any], samples: bytes, *, key: str) -> None:
    """Draw an ECG sheet to scale on a canvas.

    Parameters
    ----------
    layout : dict
        Strips in millimetres, as `ui.ecg_page` makes them.
    samples : bytes
        Little-endian int16 microvolts of all strips, one after another.
    key : str
        Content hash of the ECG.
    """
    mount = st.components.v2.component(
        "ecgdash_sheet",
        html='<div class="scroll"><canvas></canvas></div>',
        css=asset("paper.css"),
        js=asset("paper.js"),
    )
    head = json.dumps({"sheet": layout, "paper": asdict(ECG_PAPER)}).encode("utf-8")
    # One block of bytes is the only binary form that Streamlit hands to a component.
    mount(key=f"ed-sheet-{key}", data=struct.pack("<I", len(head)) + head + samples)


def print_button(label: str) -> None:
    """Draw a button that opens the browser's print dialog for this page."""
    mount = st.components.v2.component(
        "ecgdash_print",
        html=f'<button type="button">{label}</button>',
        css=asset("print.css"),
        js=asset("print.js"),
    )
    mount(key="ed-print", width="content")
