"""The last part of the ECG page: what gate and reader remarked, and the lesser measurements."""

from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

from ecgdash.domain import Provenance, TimelinePoint
from ecgdash.services.monitoring import StoredEcg
from ecgdash.ui import html, words
from ecgdash.ui.html import Column

__all__ = ["draw_about", "draw_words"]

_OTHERS: Final = {
    "p_ms": "P duration {:.0f} ms",
    "rr_cv": "RR variation {:.0%}",
    "p_consistency": "correlation of P between beats {:.2f}",
    "n_beats": "{:.0f} beats",
    "pvc_count": "{:.0f} PVCs",
    "pac_count": "{:.0f} PACs",
}


def draw_about(facts: StoredEcg, point: TimelinePoint | None, zone: ZoneInfo) -> None:
    """Draw the outcome of the gate, what was scored and by what, and the remarks of the reader."""
    others = [
        told.format(facts.measured[key])
        .replace("%", "\N{NO-BREAK SPACE}%")
        .replace("-", "\N{MINUS SIGN}")
        for key, told in _OTHERS.items()
        if key in facts.measured
    ]
    rows = [
        ("Gate", _gate_words(facts)),
        ("Judged and scored", _window_words(facts)),
        ("Scores come from", _origin_words(None if point is None else point.provenance, zone)),
        ("Also measured (ours)", ", ".join(others) or "nothing"),
        ("Remarks of the reader", "; ".join(facts.notes) or "none"),
    ]
    html.draw(html.table("About this ECG", (Column("About", "lead"), Column("", "wide")), rows))


def _origin_words(origin: Provenance | None, zone: ZoneInfo) -> str:
    if origin is None:
        return "no score"
    sha = origin.weights_sha256
    by = f"computed by {origin.backend}" if origin.backend else "what computed them was not kept"
    return (
        f"{origin.family}, weights sha256 {sha[:4]}…{sha[-4:]}; {by}; "
        f"ECGDash {origin.software_version}, {words.day_time(origin.made_at, zone)}"
    )


def _typeset(figure: str) -> str:
    return figure.replace("%", "\N{NO-BREAK SPACE}%").replace("-", "\N{MINUS SIGN}")


def draw_words(paragraph: str) -> None:
    """Offer the whole ECG in words."""
    with st.container(key="ed-noprint-words"), st.expander("This ECG in words"):
        html.draw(html.element("p", paragraph, kind="ed-words"))


def _gate_words(facts: StoredEcg) -> str:
    words_by_status = {
        "analysable": "analysable",
        "poor_quality": "score withheld, poor quality",
        "excluded": "no score, excluded",
    }
    return "; ".join([words_by_status[facts.gate.status], *facts.gate.reasons, *facts.gate.notes])


def _window_words(facts: StoredEcg) -> str:
    if facts.gate.window_s is None:
        return "the first 10 s, by an earlier version"
    start_s, stop_s = facts.gate.window_s
    return f"{start_s:.2f} to {stop_s:.2f} s of the recording"
