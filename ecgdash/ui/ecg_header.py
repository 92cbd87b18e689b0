"""The head of the ECG page: whose ECG, when, what was measured, and what the cart said."""

from collections.abc import Mapping, Sequence
from typing import Final

from ecgdash.domain import RiskTimeline
from ecgdash.services.monitoring import StoredEcg
from ecgdash.ui import ecg_words, html, words
from ecgdash.ui.html import Cell, Column
from ecgdash.ui.navigation import href
from ecgdash.ui.page import Page

__all__ = ["draw_header"]

_COLUMNS: Final = (
    Column("", "lead"),
    Column("Rate (/min)", "num"),
    Column("PR (ms)", "num"),
    Column("QRS (ms)", "num"),
    Column("QT (ms)", "num"),
    Column("QTc (ms)", "num"),
    Column("Axis P / QRS / T (°)", "num"),
)
_PLAIN: Final = ("heart_rate_bpm", "pr_ms", "qrs_ms", "qt_ms")
_AXES: Final = ("p_axis_deg", "qrs_axis_deg", "t_axis_deg")


def draw_header(facts: StoredEcg, course: RiskTimeline, page: Page) -> None:
    """Draw the title line, why there is no score, the measurements, and what the file says."""
    about = [
        words.zone_words(page.zone, page.now),
        ecg_words.person_words(facts, course),
        "unconfirmed",
    ]
    when = ecg_words.when_words(facts.recorded_at, page.zone)
    why = ecg_words.status_sentence(facts)
    html.draw(
        Cell('<div class="ed-title">'),
        html.link(f"← {course.patient.id}", href("patient", patient=course.key), "ed-back"),
        Cell(f"<h1>ECG, {html.text(when).html}</h1>"),
        html.text(f"{course.patient.id} · {' · '.join(about)}", "ed-facts"),
        html.chips(words.flags_of(facts.flags)),
        Cell("</div>"),
        html.element("p", html.bold(why), kind="ed-mustnot", role="note") if why else Cell(""),
        Cell('<div class="ed-ecg-facts">'),
        html.table("Measurements of this ECG", _COLUMNS, _rows(facts)),
        Cell("</div>"),
        _said(facts),
    )


def _rows(facts: StoredEcg) -> Sequence[Sequence[Cell | str]]:
    cart, ours = facts.measurements, facts.measured
    return (
        (
            "Cart",
            *(_figure(cart, key, "not in the file") for key in _PLAIN),
            _named(_figure(cart, "qtc_ms", "not in the file"), "formula of the cart")
            if "qtc_ms" in cart
            else _figure(cart, "qtc_ms", "not in the file"),
            _axes(cart, "not in the file"),
        ),
        (
            "Ours",
            *(_figure(ours, key, "not found") for key in _PLAIN),
            _own_qtc(ours),
            _axes(ours, "not found"),
        ),
    )


def _figure(values: Mapping[str, float], key: str, missing: str) -> Cell:
    if key in values:
        return html.text(f"{values[key]:.0f}".replace("-", "−"))
    return html.element("span", "–", title=missing)


def _named(figure: Cell, formula: str) -> Cell:
    return html.join(figure, " ", html.text(formula, "ed-small ed-muted"))


def _own_qtc(values: Mapping[str, float]) -> Cell:
    if "qtc_ms" not in values and "qtc_fridericia_ms" not in values:
        return _figure(values, "qtc_ms", "not found")
    return html.join(
        _named(_figure(values, "qtc_ms", "not found"), "Bazett"),
        " · ",
        _named(_figure(values, "qtc_fridericia_ms", "not found"), "Fridericia"),
    )


def _axes(values: Mapping[str, float], missing: str) -> Cell:
    first, second, third = (_figure(values, key, missing) for key in _AXES)
    return html.join(first, " / ", second, " / ", third)


def _said(facts: StoredEcg) -> Cell:
    """Return what the file says: statements, device, filter and recording."""
    statements = "; ".join(facts.statements) or "none in the file"
    parts = (
        ("Statements (cart, unconfirmed)", statements),
        ("Device", facts.device or "not stated"),
        ("Filter of the cart", facts.filters or "not stated"),
        ("Recording", ecg_words.recording_words(facts)),
    )
    told = [
        html.join(html.bold(f"{name}:"), html.text(f" {value.rstrip('.')}. ")).html
        for name, value in parts
    ]
    return html.element("p", Cell("".join(told)), kind="ed-notes ed-said")
