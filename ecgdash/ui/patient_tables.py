"""The tables of the patient page: history, ECGs, echoes; flags stand in `ui.flag_table`."""

from collections.abc import Sequence

import streamlit as st

from ecgdash.domain import (
    UNCALIBRATED,
    Change,
    HistorySlot,
    RiskTimeline,
    TimelineEcho,
    TimelinePoint,
    VariantScore,
)
from ecgdash.domain.patient import EchoNotes
from ecgdash.plots import variant_style
from ecgdash.plots.scale import logit
from ecgdash.plots.series import variants_of
from ecgdash.ui import html, state, words
from ecgdash.ui.html import Cell, Column
from ecgdash.ui.navigation import href
from ecgdash.ui.page import Page

__all__ = ["draw_ecgs", "draw_echoes", "draw_history", "draw_undated"]

_FEW = 6
_LONGEST_REPORT = 240
_METHODS = {
    "simpson": "◆ Simpson",
    "visual": "◇ visual",
    "m-mode": "□ M-mode",
    "unknown": "○ not stated",
}


def draw_history(point: TimelinePoint, variant: str, timeline: RiskTimeline, page: Page) -> None:
    """Draw what the emphasised variant was told about the past, and what each slot did."""
    label = variant_style(variant).label
    score = point.scores.get(variant)
    html.draw(Cell('<h2 class="ed-h2">History at work</h2>'))
    if not isinstance(score, VariantScore):
        html.draw(html.small(f"The {label} score does not exist for this ECG."))
        return
    if score.history is None:
        html.draw(html.small(f"The {label} score uses this ECG alone; no history moves it."))
        return
    pushes = point.contributions.get(variant, ())
    told = html.text(f"{_sum_words(variant, score, pushes)} ")
    link = html.card_link("Model card", point.family, variant)
    html.draw(html.element("div", told, link, kind="ed-small ed-muted"))
    slots = score.history.slots
    columns = [Column("Earlier ECG", "lead"), Column("LVEF and score"), Column("Slot")]
    if pushes:
        columns += [Column("lowers | raises"), Column("Logit", "num")]
    rows = [
        _slot_row(
            slot, _push(pushes, index), _observed_number(slots, index), (timeline, page, point)
        )
        for index, slot in enumerate(slots)
    ]
    html.draw(html.table(f"History of the {label} score", columns, rows, reflows=False))


def _sum_words(variant: str, score: VariantScore, pushes: Sequence[float]) -> str:
    """Tell the sum. What is not history is this ECG: crops are averaged as scores."""
    told = f"What the {variant_style(variant).label} model was told about the past"
    if not pushes:
        return f"{told}."
    total, history = logit(score.value), sum(pushes)
    return (
        f"{told}, and how far each slot moved the logit. This ECG "
        f"{words.signed(total - history)}, history {words.signed(history)}, sum "
        f"{words.signed(total)}: score {score.value:.2f}."
    )


def _push(pushes: Sequence[float], index: int) -> tuple[float, float] | None:
    """Return a slot's contribution and the largest one, in logits."""
    if index >= len(pushes):
        return None
    return pushes[index], max(abs(push) for push in pushes)


def _observed_number(slots: Sequence[HistorySlot], index: int) -> int:
    """Return the number of the observed slot that this one is, or repeats."""
    return min(index + 1, sum(not slot.imputed for slot in slots))


def _slot_row(
    slot: HistorySlot,
    push: tuple[float, float] | None,
    number: int,
    context: tuple[RiskTimeline, Page, TimelinePoint],
) -> list[Cell | str]:
    timeline, page, point = context
    at = next((p.recorded_at for p in timeline.points if p.ecg == slot.ecg), None)
    when = words.day(at, page.zone) if at else "earlier ECG"
    lvef = f"{slot.lvef_percent:.0f} %" if slot.lvef_percent is not None else "LVEF not used"
    kind = (
        html.join("○ imputed", html.small(f"copy of slot {number}"))
        if slot.imputed
        else html.text("● observed")
    )
    # The score that stands in a slot is the uncalibrated one of that ECG.
    earlier = html.card_link(f"{slot.score:.2f}", point.family, UNCALIBRATED)
    row: list[Cell | str] = [
        html.join(when, html.small(words.years_before(slot.interval_days))),
        html.join(lvef, html.element("div", "score ", earlier, kind="ed-small ed-muted")),
        kind,
    ]
    if push is not None:
        row += [html.push_bar(*push), html.bold(words.signed(push[0]))]
    return row


def draw_ecgs(timeline: RiskTimeline, page: Page) -> None:
    """Draw every dated ECG, the latest first; the first few until all are asked for."""
    if not timeline.points:
        return
    html.draw(Cell('<h2 class="ed-h2">ECGs</h2>'))
    points = tuple(reversed(timeline.points))
    if len(points) > _FEW and not st.session_state.get(state.ALL_ECGS, False):
        points = points[:_FEW]
    html.draw(_ecg_table("ECGs", points, timeline, page))
    html.draw(html.small("HR, QRS and QTc: the cart's; where it gave none, measured by ECGDash."))
    if len(timeline.points) > _FEW:
        st.checkbox(f"Show all {len(timeline.points)} ECGs", key=state.ALL_ECGS)


def draw_undated(timeline: RiskTimeline, page: Page) -> None:
    """ECGs without a usable time: scored alone, in no trend and no history."""
    if not timeline.undated:
        return
    html.draw(
        Cell('<h2 class="ed-h2">ECGs without a date</h2>'),
        html.small("Scored from the ECG alone; they stand in no trend and no history."),
        _ecg_table("ECGs without a date", timeline.undated, timeline, page),
    )


def _ecg_table(
    name: str, points: Sequence[TimelinePoint], timeline: RiskTimeline, page: Page
) -> Cell:
    variants = variants_of(timeline)
    looks = [variant_style(variant) for variant in variants]
    columns = [
        Column("Recorded", "lead"),
        Column("Flags", "wide"),
        Column("HR (/min)", "num"),
        Column("QRS (ms)", "num"),
        Column("QTc (ms)", "num"),
        *(Column(f"{look.glyph} {look.label}", "num") for look in looks),
        Column("Change since last", "wide"),
        Column("Quality", "wide"),
    ]
    rows = [_ecg_row(point, variants, timeline, page) for point in points]
    return html.table(name, columns, rows)


def _ecg_row(
    point: TimelinePoint, variants: Sequence[str], timeline: RiskTimeline, page: Page
) -> list[Cell | str]:
    when = words.day(point.recorded_at, page.zone) if point.recorded_at else "undated"
    clock = f" {point.recorded_at.astimezone(page.zone):%H:%M}" if point.recorded_at else ""
    address = href("ecg", patient=timeline.key, ecg=point.ecg)
    measured = {**point.measured, **point.measurements}  # the cart's value where it gave one
    return [
        html.join(html.link(when, address), html.text(clock, "ed-muted")),
        html.text(", ".join(words.flags_of(point.flags)) or "–"),
        *(_measured(measured.get(key)) for key in ("heart_rate_bpm", "qrs_ms", "qtc_ms")),
        *(_score(point, variant) for variant in variants),
        _change(point.change, point.family),
        _quality(point),
    ]


def _measured(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def _score(point: TimelinePoint, variant: str) -> Cell:
    score = point.scores.get(variant)
    if not isinstance(score, VariantScore):
        return html.text("–", "ed-muted")
    told = f"{score.value:.2f}"
    value = html.bold(told) if variant == point.best_variant else html.text(told)
    return html.card_link(value, point.family, variant, quiet=variant != point.best_variant)


def _change(change: Change | None, family: str | None) -> Cell:
    if change is None:
        return html.text("no change to give", "ed-small ed-muted")
    verdict = {True: "beyond noise", False: "within noise", None: "noise not measured"}
    told = f"{change.earlier_value:.2f} to {change.value:.2f}, {verdict[change.beyond_noise]}"
    linked = html.card_link(told, family, change.variant, quiet=True)
    return html.element("span", linked, kind="ed-small")


def _quality(point: TimelinePoint) -> Cell:
    leads = "" if point.lead_set in ("12", None) else f", {words.lead_set_words(point.lead_set)}"
    if point.status == "analysable":
        return html.text(f"analysable{leads}", "ed-small")
    word = "excluded" if point.status == "excluded" else "withheld"
    return html.text(f"× {word}: {'; '.join(point.reasons)}", "ed-small")


def draw_echoes(timeline: RiskTimeline, page: Page) -> None:
    """Every echo, the latest first, with the ECG it is paired with."""
    if not timeline.echoes:
        return
    columns = [Column("Echo", "lead"), Column("LVEF"), Column("Method"), Column("Pairing", "wide")]
    ordered = sorted(timeline.echoes, key=lambda echo: echo.study.performed_at, reverse=True)
    rows = [_echo_row(echo, timeline, page) for echo in ordered]
    if any(echo.study.report for echo in ordered):  # the site keeps reports
        columns.append(Column("Report, as written", "wide"))
        rows = [
            [*row, _report_words(echo.study.report)]
            for row, echo in zip(rows, ordered, strict=True)
        ]
    html.draw(Cell('<h2 class="ed-h2">Echoes</h2>'), html.table("Echoes", columns, rows))


def _report_words(report: EchoNotes | None) -> Cell:
    """Return what a report says of wall motion and pressure, else how it begins."""
    if report is None:
        return html.text("–")
    said = (*report.wall_motion, *report.pulmonary_pressure)
    return html.text("; ".join(said) or report.text[:_LONGEST_REPORT], "ed-small")


def _echo_row(echo: TimelineEcho, timeline: RiskTimeline, page: Page) -> list[Cell | str]:
    at = next((p.recorded_at for p in timeline.points if p.ecg == echo.paired_ecg), None)
    pairing = (
        f"paired with the ECG of {words.day(at, page.zone)}"
        if at
        else "not paired: no analysable ECG within 14 days, or a nearer echo has it"
    )
    return [
        words.day(echo.study.performed_at, page.zone),
        html.bold(f"{echo.study.lvef_percent:.0f} %"),
        _METHODS[echo.study.method],
        html.text(pairing, "ed-small ed-muted"),
    ]
