"""The sheet of the ECG page: which part of the recording, through which filter for the eye."""

from dataclasses import dataclass

import streamlit as st

from ecgdash.domain import EcgRecord, RiskTimeline
from ecgdash.plots.sheets import Overlay, Sheet, longest_part_s
from ecgdash.services.ecg_views import (
    DrawnPart,
    Part,
    draw_part,
    mains_in,
    part_holding,
    parts_of,
)
from ecgdash.services.model_input import model_input_words
from ecgdash.services.monitoring import StoredEcg
from ecgdash.signal.display_filter import DISPLAY_BANDS, DisplayFilter
from ecgdash.ui import ecg_words, state
from ecgdash.ui.components import draw_viewer
from ecgdash.ui.page import Page

__all__ = ["Drawing", "SheetWords", "choose_drawing", "draw_sheet", "input_words"]


@dataclass(frozen=True)
class Drawing:
    """How a sheet is to be drawn.

    Attributes
    ----------
    band : int
        Row of `DISPLAY_BANDS`.
    mains : bool
        Whether the mains are filtered out.
    part : int or None
        Index of the part shown; None: the one that holds the scored window.
    """

    band: int = 0
    mains: bool = False
    part: int | None = None


@dataclass(frozen=True)
class SheetWords:
    """What is written over a printed sheet, the ECG in words, and what its foot needs to know.

    Attributes
    ----------
    simulated : bool
        Whether the patient is.
    model_input : str
        What the network of the family shown reads; "": nothing is said.
    """

    title: str
    alt: str
    simulated: bool
    model_input: str = ""


def choose_drawing(record: EcgRecord, facts: StoredEcg) -> Drawing:
    """Offer the display filter, the mains filter and, for a long recording, its parts."""
    mains = mains_in(record, facts.gate.window_s)
    saved = st.session_state.get(state.DISPLAY_FILTER, Drawing())
    rows = list(range(len(DISPLAY_BANDS)))
    band = st.selectbox(
        "Display filter",
        rows,
        index=saved.band,
        format_func=_band_words,
        width=175,
        key="ecg_band",
        help="For the eye only: it changes neither the score nor a measurement.",
    )
    notch = False
    if mains is not None:
        how = "found in the signal" if mains.seen else "none stands out; 50 Hz assumed"
        notch = st.checkbox(
            f"{mains.hz:.0f} Hz notch",
            value=saved.mains,
            key="ecg_mains",
            help=f"Takes out the mains, for the eye only. Mains frequency: {how}.",
        )
    st.session_state[state.DISPLAY_FILTER] = Drawing(band, notch)
    return Drawing(band, notch, _choose_part(record, facts))


def _choose_part(record: EcgRecord, facts: StoredEcg) -> int | None:
    parts = _parts(record)
    holding = part_holding(parts, facts.gate.window_s)
    if len(parts) == 1:
        return None
    number = st.number_input(
        f"Part (1 to {len(parts)})",
        min_value=1,
        max_value=len(parts),
        value=holding + 1,
        width=150,
        key=f"ecg_part_{facts.key}",
        help=f"The scored stretch lies in part {holding + 1}.",
    )
    return int(number) - 1


def draw_sheet(
    record: EcgRecord,
    facts: StoredEcg,
    drawing: Drawing,
    told: SheetWords,
    *,
    overlay: Overlay | None = None,
    slot: str = "now",
) -> None:
    """Draw one ECG on paper, with colour beneath the trace if there is any.

    Parameters
    ----------
    record : EcgRecord
    facts : StoredEcg
        Of the same ECG.
    drawing : Drawing
    told : SheetWords
    overlay : Overlay, optional
        Of the same leads in the same order.
    slot : str
        Names the place on the page.
    """
    parts = _parts(record)
    scored = part_holding(parts, facts.gate.window_s)
    part = parts[scored if drawing.part is None else drawing.part]
    chosen = _filter_of(drawing, record, facts)
    drawn = draw_part(record, part, chosen)
    window = facts.gate.window_s
    inside = window is not None and part.start_s <= window[0] < part.stop_s
    draw_viewer(
        Sheet(
            key=f"{facts.sha256}-{part.number}",
            leads=record.leads,
            signal_mv=drawn.signal_mv,
            sampling_hz=drawn.sampling_hz,
            start_s=drawn.start_s,
            shown_from_s=window[0] if window is not None and inside else drawn.start_s,
            recording_s=record.duration_s,
            in_millivolts=record.in_millivolts,
            title=told.title,
            foot=_foot(record, chosen, part, drawn, told.model_input),
            alt=told.alt,
            simulated=told.simulated,
            rr_s=_rr_s(facts),
            overlay=overlay,
        ),
        slot=slot,
    )


def _parts(record: EcgRecord) -> tuple[Part, ...]:
    return parts_of(record.duration_s, longest_part_s(len(record.leads), record.sampling_hz))


def _filter_of(drawing: Drawing, record: EcgRecord, facts: StoredEcg) -> DisplayFilter:
    mains = mains_in(record, facts.gate.window_s) if drawing.mains else None
    return DisplayFilter(DISPLAY_BANDS[drawing.band], mains.hz if mains else None)


def _rr_s(facts: StoredEcg) -> float | None:
    """Return the mean interval between beats by our measurement, else by the cart's."""
    ours, cart = facts.measured.get("heart_rate_bpm"), facts.measurements.get("heart_rate_bpm")
    rate = ours or cart
    return 60.0 / rate if rate else None


def _band_words(row: int) -> str:
    band = DISPLAY_BANDS[row]
    return "as recorded" if band is None else f"{band[0]:g}–{band[1]:g} Hz"


def input_words(ecg: str, course: RiskTimeline, page: Page) -> str:
    """Return what the network of the family that an ECG is shown with reads; "": nothing known."""
    point = ecg_words.point_of(ecg, course)
    card = None if point is None or point.lead_set is None else course.cards.get(point.lead_set)
    return model_input_words(card, page.settings.models_dir)


def _foot(
    record: EcgRecord, chosen: DisplayFilter, part: Part, drawn: DrawnPart, model_input: str
) -> str:
    told = [f"Display: {_display_words(chosen, record.sampling_hz)}"]
    if drawn.resampled_from_hz is not None:
        told.append(f"drawn at {drawn.sampling_hz:g} of {drawn.resampled_from_hz:g} Hz")
    told.append(f"cart: {record.filters or 'not stated'}")
    if model_input:
        told.append(f"model input {model_input}")
    if part.of > 1:
        stretch = f"{ecg_words.clock(part.start_s)} to {ecg_words.clock(part.stop_s)}"
        told.append(f"part {part.number} of {part.of}, {stretch}")
    return "; ".join(told)


def _display_words(chosen: DisplayFilter, sampling_hz: float) -> str:
    if chosen.is_off:
        return "as recorded"
    told = []
    if chosen.band_hz is not None:
        low, high = chosen.band_hz
        reached = high < sampling_hz / 2
        end = f"{high:g} Hz" if reached else f"{high:g} Hz (recorded to {sampling_hz / 2:g} Hz)"
        told.append(f"{low:g}–{end}")
    if chosen.mains_hz is not None:
        told.append(f"{chosen.mains_hz:g} Hz notch")
    return " and ".join(told)
