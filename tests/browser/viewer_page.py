"""A page with nothing but the viewer, on square waves whose every edge is known.

Each lead is 0 mV, and at its own height from 0.5 to 1 s of each second. `?case=` picks the sheet.
"""

import numpy as np
import streamlit as st

from ecgdash.domain import CANONICAL_LEADS
from ecgdash.plots.sheets import BeatSheet, Overlay, Sheet
from ecgdash.ui import html
from ecgdash.ui.components import draw_beats, draw_viewer

FIRST_HEIGHT_MV = 1.0
STEP_MV = 0.05


def square_waves(leads, seconds, rate):
    """Return leads that differ in height: 1 mV for the first, 0.05 mV more for each next."""
    t = np.arange(int(seconds * rate)) / rate
    high = (t % 1.0 >= 0.5).astype(np.float32)
    heights = FIRST_HEIGHT_MV + STEP_MV * np.arange(len(leads), dtype=np.float32)
    return heights[:, None] * high


def sheet(leads=CANONICAL_LEADS, *, seconds=10.0, rate=500.0, **changes):
    values = {
        "key": f"waves-{len(leads)}-{seconds:g}",
        "leads": leads,
        "signal_mv": square_waves(leads, seconds, rate),
        "sampling_hz": rate,
        "start_s": 0.0,
        "shown_from_s": 0.0,
        "recording_s": seconds,
        "in_millivolts": True,
        "title": "12 Nov 2026, 09:14, woman, 71 y",
        "foot": "Display: as recorded. Model input 0.67-40 Hz",
        "alt": "Square waves of 1 s",
        "rr_s": 0.81,
    }
    return Sheet(**(values | changes))


def overlay(leads):
    """Return colour from 2 to 8 s: raises in even steps of half a second, lowers in odd ones."""
    values = np.zeros((len(leads), 150), dtype=np.float32)
    values[:] = np.where((np.arange(150) // 12) % 2 == 0, 0.043, -0.021)
    return Overlay(2.0, 0.04, values, "What moved the recalibrated score since 28 Jan 2025")


def beats(*, earlier=True):
    t = np.arange(400) / 500.0
    now = np.stack([np.exp(-(((t - 0.3) / 0.02) ** 2)) * (1 - 0.1 * k) for k in range(12)])
    return BeatSheet(
        "beats",
        CANONICAL_LEADS,
        now.astype(np.float32),
        (0.8 * now).astype(np.float32) if earlier else None,
        500.0,
        0.3,
        "12 Nov 2026",
        "28 Jan 2025" if earlier else "",
        "Median beats",
    )


SHEETS = {
    "twelve": lambda: sheet(),
    "colour": lambda: sheet(overlay=overlay(CANONICAL_LEADS), simulated=True),
    "six": lambda: sheet(CANONICAL_LEADS[:6]),
    "one": lambda: sheet(("I",), seconds=25.0),
    "three": lambda: sheet(("II", "V1", "V5")),
    "long": lambda: sheet(seconds=14.0, recording_s=60.0, shown_from_s=2.0),
    "spike": lambda: sheet(("I",), signal_mv=np.array([[0.0, 0.0, 30.0, 0.0]], np.float32)),
    "arbitrary": lambda: sheet(in_millivolts=False, rr_s=None),
}

if __name__ == "__main__":
    st.set_page_config(layout="wide")
    html.draw(html.style_sheet())
    case = st.query_params.get("case", "twelve")
    if case == "beats":
        draw_beats(beats())
    else:
        # A rerun with other data, as when the reader picks a display filter.
        inverted = st.checkbox("Invert")
        shown = SHEETS[case]()
        if inverted:
            shown.signal_mv[:] *= -1
        # The key by which the ECG page's rules for print know the sheet.
        with st.container(key="ed-ecg-sheet"):
            draw_viewer(shown)
        if "beside" in st.query_params:
            draw_viewer(sheet(key="earlier"), slot="earlier")
