"""The ECG page: the sheet to scale, its scores, and what the file and the gate said."""

from dataclasses import replace

import numpy as np

from ecgdash.domain import EcgRecord, RiskTimeline, TimelinePoint
from ecgdash.plots.paper import PAPER_HEIGHT_MM, PAPER_WIDTH_MM, Strip, sheet
from ecgdash.services.monitoring import StoredEcg
from ecgdash.ui import html, patient_view, words
from ecgdash.ui.components import draw_sheet
from ecgdash.ui.html import Cell, Column
from ecgdash.ui.navigation import href
from ecgdash.ui.page import Page

__all__ = ["draw_about", "draw_header", "draw_paper", "draw_values"]

_LARGEST_UV = 32767
_NO_SAMPLE = -32768
_TOLD_START_S = 0.5
_MEASUREMENTS = {
    "heart_rate_bpm": "HR (/min)",
    "pr_ms": "PR (ms)",
    "qrs_ms": "QRS (ms)",
    "qt_ms": "QT (ms)",
    "qtc_ms": "QTc (ms; ours by Bazett)",
    "p_axis_deg": "P axis (°)",
    "qrs_axis_deg": "QRS axis (°)",
    "t_axis_deg": "T axis (°)",
    "qtc_fridericia_ms": "QTc, Fridericia (ms)",
    "p_ms": "P (ms)",
    "rr_cv": "RR variation (%)",
    "p_consistency": "P alike from beat to beat (%)",
    "n_beats": "Beats",
    "pvc_count": "PVCs",
    "pac_count": "PACs",
}
_SHARES = ("rr_cv", "p_consistency")
"""Told in percent."""


def draw_header(facts: StoredEcg, timeline: RiskTimeline, page: Page) -> None:
    """Draw the back link, the time, age and sex, and the flags."""
    when = words.day_time(facts.recorded_at, page.zone) if facts.recorded_at else "undated"
    person = words.age_and_sex(facts.age_years, facts.sex or timeline.patient.sex)
    flags = words.flags_of(facts.flags)
    about = [words.zone_words(page.zone, page.now), person, "unconfirmed"]
    html.draw(
        Cell('<div class="ed-title">'),
        html.link(f"← {timeline.patient.id}", href("patient", patient=timeline.key), "ed-back"),
        Cell(f"<h1>ECG, {html.text(when).html}</h1>"),
        html.text(" · ".join(part for part in about if part), "ed-facts"),
        html.chips(flags),
        Cell("</div>"),
    )


def draw_paper(record: EcgRecord, facts: StoredEcg) -> None:
    """Draw the sheet from where the scored window starts; samples travel as int16 microvolts."""
    start_s = facts.gate.window_s[0] if facts.gate.window_s else 0.0
    first = round(start_s * record.sampling_hz)
    strips = sheet(replace(record, signal_mv=record.signal_mv[:, first:]))
    layout = {
        "width_mm": PAPER_WIDTH_MM,
        "height_mm": PAPER_HEIGHT_MM,
        "strips": [_strip_view(strip, calibrated=record.in_millivolts) for strip in strips],
        "foot": _foot(record, start_s),
        "alt": f"ECG of {record.duration_s:.1f} s, leads {', '.join(record.leads)}",
    }
    draw_sheet(layout, b"".join(_microvolts(strip) for strip in strips), key=record.sha256)


def _strip_view(strip: Strip, *, calibrated: bool) -> dict[str, object]:
    return {
        "lead": strip.lead,
        "x_mm": strip.x_mm,
        "baseline_mm": strip.baseline_mm,
        "step_mm": strip.step_mm,
        "n": len(strip.signal_mv),
        # The pulse means 1 mV: there is none where amplitudes are in no unit.
        "pulse": calibrated and strip.x_mm <= 10.0,
    }


def _microvolts(strip: Strip) -> bytes:
    rounded = np.clip(np.rint(strip.signal_mv * 1000.0), -_LARGEST_UV, _LARGEST_UV)
    samples: bytes = np.nan_to_num(rounded, nan=_NO_SAMPLE).astype("<i2").tobytes()
    return samples


def _foot(record: EcgRecord, start_s: float) -> str:
    layout = "3 × 4 + 1, columns are consecutive 2.5 s" if len(record.leads) == 12 else "10 s rows"
    filters = record.filters or "not stated"
    whence = f"from {start_s:.1f} s   " if start_s >= _TOLD_START_S else ""
    gain = "10 mm/mV" if record.in_millivolts else "arbitrary units, 10 mm each"
    return f"{whence}As recorded, filter of the cart: {filters}   25 mm/s   {gain}   {layout}"


def draw_values(facts: StoredEcg, timeline: RiskTimeline, page: Page) -> None:
    """Draw the scores and the cart's measurements."""
    point = _point_of(facts.key, timeline)
    if point is not None:
        patient_view.draw_scores(point, timeline, page, linked=False)
    measured = [
        (title, _told(key, facts.measurements.get(key)), _told(key, facts.measured.get(key)))
        for key, title in _MEASUREMENTS.items()
        if key in facts.measurements or key in facts.measured
    ]
    if measured:
        columns = (Column("Measurement", "lead"), Column("Cart", "num"), Column("Ours", "num"))
        html.draw(html.table("Measurements", columns, measured))


def _told(key: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{100 * value if key in _SHARES else value:.0f}"


def draw_about(facts: StoredEcg) -> None:
    """Draw the statements, and the remarks of reader and gate."""
    rows = [
        ("Statements (cart, unconfirmed)", "; ".join(facts.statements) or "none in the file"),
        ("Gate", _gate_words(facts)),
        ("Judged and scored", _window_words(facts)),
        ("Recording", _recording_words(facts)),
        ("Remarks of the reader", "; ".join(facts.notes) or "none"),
    ]
    html.draw(html.table("About this ECG", (Column("About", "lead"), Column("", "wide")), rows))


def _point_of(ecg: str, timeline: RiskTimeline) -> TimelinePoint | None:
    points = (*timeline.points, *timeline.undated)
    return next((point for point in points if point.ecg == ecg), None)


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


def _recording_words(facts: StoredEcg) -> str:
    seconds = facts.n_samples / facts.sampling_hz
    device = facts.device or "device not stated"
    leads = ", ".join(facts.leads)
    return f"{seconds:.1f} s at {facts.sampling_hz:g} Hz, {leads}; {facts.file_format}; {device}"
