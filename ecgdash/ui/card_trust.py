"""How far a family's maps can be trusted, and what moves its scores by lead and wave."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import streamlit as st

from ecgdash.domain import FamilyCard
from ecgdash.domain.attribution import WAVE_COLUMNS, WaveTable
from ecgdash.domain.trust import TRUST_MARKS, FamilyTrust, TrustCheck, verdict
from ecgdash.plots import variant_style
from ecgdash.services.trust_maps import LOW_LVEF
from ecgdash.ui import card_tables, html, words
from ecgdash.ui.card_contents import heading
from ecgdash.ui.html import Cell, Column

__all__ = ["draw_trust", "trust_table", "verdict_words", "wave_heat"]

_MARKS: Final = {mark.key: mark for mark in TRUST_MARKS}
_DEEPEST_PERCENT: Final = 85
"""Share of the hue in the largest cell: ink stays readable on it in both themes."""
_NOTHING: Final = 0.005
"""Below, a cell reads 0: it would round to 0.00."""
_VARIANT_KEY: Final = "trust_variant"
_GROUP_KEY: Final = "trust_group"
_ABOUT: Final = (
    "Six checks with marks set before any figure was known. Maps that fail are shown with a "
    "warning. Result: median over ECGs, quartiles beside it."
)
_GROUPS: Final = {
    "all": "All checked ECGs",
    LOW_LVEF: "LVEF ≤ 40 % by echo",
    "sinus": "Sinus rhythm",
}
_ASIDES: Final = {
    "randomisation": "of sizes {:.2f}",
    "deletion": "{:.1f} times the fall for the 10 % with the largest amplitude",
    "agreement": "block 3: {:.2f}",
    "pointing": "the ECG's own amplitude there: {:.2f}; chance 0.25",
}


def verdict_words(checks: Sequence[TrustCheck]) -> Cell:
    """Return how reliable the maps are, in a sentence; "not measured" without any check."""
    if not checks:
        return html.text("Map reliability: not measured.")
    passed = sum(check.passed for check in checks)
    found = verdict(tuple(checks))
    return html.join(
        "Map reliability: ",
        html.text(found, "ed-strong" if found == "good" else "ed-weak"),
        f", {passed} of {words.plural(len(checks), 'check')} passed",
    )


def trust_table(checks: Sequence[TrustCheck]) -> Cell:
    """Return each check with its result, its mark, the outcome and what that means.

    Parameters
    ----------
    checks : sequence of TrustCheck
        Of one variant.
    """
    columns = (
        Column("Check", "lead"),
        Column("Result", "wide"),
        Column("Pass if"),
        Column("Outcome"),
        Column("ECGs", "num"),
        Column("In words", "wide"),
    )
    rows = [
        (
            html.text(_MARKS[check.key].title, "ed-strong"),
            _result(check),
            html.text(_MARKS[check.key].rule, "ed-nowrap"),
            _outcome(check),
            f"{check.n_ecgs:,}",
            html.text(
                _MARKS[check.key].passed if check.passed else _MARKS[check.key].failed,
                "ed-small ed-muted" if check.passed else "ed-small",
            ),
        )
        for check in checks
    ]
    return html.table("How far to trust the maps", columns, rows)


def _outcome(check: TrustCheck) -> Cell:
    return (
        html.text("✓ passed", "ed-outcome")
        if check.passed
        else html.text("⚠ not passed", "ed-weak ed-nowrap")
    )


def _result(check: TrustCheck) -> Cell:
    found = check.result
    if math.isnan(found.value):
        return html.text("not measured", "ed-muted")
    if check.key == "completeness":
        return html.bold(f"{100 * found.value:.2g} %")
    digits, unit = (1, " times") if check.key == "deletion" else (2, "")
    main = html.bold(_minus(f"{found.value:.{digits}f}{unit}"))
    spread = html.text(
        _minus(f"{found.low:.{digits}f} to {found.high:.{digits}f}"), "ed-muted ed-small"
    )
    parts: list[Cell | str] = [main, " ", spread]
    told = _aside_words(check)
    if told:
        parts.append(html.small(told))
    return html.join(*parts)


def _aside_words(check: TrustCheck) -> str:
    if check.aside is None or check.key not in _ASIDES:
        return ""
    if check.key == "deletion":
        # A ratio of a fall to a rise says nothing in figures.
        if check.result.value <= 0:
            return "taking out the top 10 % does not lower the score"
        if check.aside <= 0:
            return "taking out the 10 % with the largest amplitude raises the score"
    return _minus(_ASIDES[check.key].format(check.aside))


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


def draw_trust(card: FamilyCard, trust: FamilyTrust | None, variant: str) -> None:
    """Draw how far a family's maps can be trusted, and what moves its scores.

    Parameters
    ----------
    trust : FamilyTrust or None
        Of its installed figures; None: not measured.
    variant : str
        Shown first, because a link led there; "" for the one with most history.
    """
    html.draw(heading("trust"))
    if trust is None:
        html.draw(
            html.text(
                "Not measured: no figure says whether what is marked on an ECG can be relied on. "
                f"'python -m ecgdash models trust {card.family}' measures it."
            )
        )
        return
    names = [one.variant for one in reversed(card.variants) if one.variant in trust.checks]
    html.draw(html.small(f"{_ABOUT} Measured on {trust.data}."), _verdicts(names, trust))
    first = names.index(variant) if variant in names else 0
    shown = st.segmented_control(
        "Variant",
        names,
        default=names[first],
        format_func=lambda name: variant_style(name).label,
        key=f"{_VARIANT_KEY}_{card.family}_{variant}",
    )
    chosen = shown or names[first]
    html.draw(trust_table(trust.checks[chosen]))
    _draw_heats(card, trust, chosen)


def _verdicts(names: Sequence[str], trust: FamilyTrust) -> Cell:
    lines = [
        html.element("div", card_tables.variant_name(name), ": ", verdict_words(trust.checks[name]))
        for name in names
    ]
    return html.join(*lines)


def _draw_heats(card: FamilyCard, trust: FamilyTrust, variant: str) -> None:
    maps = trust.maps.get(variant, {})
    if not maps:
        return
    html.draw(
        heading("heats"),
        html.small(
            "DeepLIFT against a flat line, of the logit without history. Rest: what lies between "
            "the waves. Supporting evidence only."
        ),
    )
    group = st.selectbox(
        "ECGs",
        list(maps),
        format_func=lambda key: f"{_group_words(key)} ({maps[key].n_ecgs:,})",
        key=f"{_GROUP_KEY}_{card.family}",
        width=320,
    )
    found = maps[group or next(iter(maps))]
    heats = [
        wave_heat(found.signed, "Mean with sign"),
        wave_heat(found.absolute, "Mean size", signed=False),
    ]
    if trust.cause is not None and group == LOW_LVEF:
        heats.append(
            wave_heat(
                trust.cause,
                "What the low LVEF changed (simulator)",
                unit="mV·s",
                signed=False,
                digits=3,
            )
        )
    html.draw(html.element("div", *heats, kind="ed-heats"))
    if trust.cause is not None and group != LOW_LVEF:
        html.draw(
            html.small(
                f"Choose {_group_words(LOW_LVEF)} to see beside them through which leads and waves "
                "the simulator shows a low LVEF."
            )
        )


def _group_words(key: str) -> str:
    return _GROUPS.get(key) or words.flag_words(key)


def wave_heat(
    table: WaveTable,
    caption: str,
    *,
    unit: str = "logit",
    signed: bool = True,
    largest: float | None = None,
    digits: int = 2,
) -> Cell:
    """Return a lead-by-wave table, tinted by size on a scale that is symmetric about zero.

    Parameters
    ----------
    table : WaveTable
    caption : str
        What the figures are; a screen reader hears it first.
    unit : str
        Of the figures.
    signed : bool
        Whether figures carry their sign; sizes do not.
    largest : float, optional
        End of the scale; the largest cell by default.
    digits : int
        Decimals of the figures.
    """
    top = float(np.abs(table.values).max(initial=0.0)) if largest is None else largest
    names = ("Lead", *WAVE_COLUMNS, "sum")
    head = html.element(
        "tr",
        *(
            html.element("th", name, scope="col", kind="num" if i else "")
            for i, name in enumerate(names)
        ),
    )
    style = _Figures(top, signed, digits)
    rows = [
        _heat_row(lead, row, style) for lead, row in zip(table.leads, table.values, strict=True)
    ]
    if len(table.leads) > 1:
        rows.append(_heat_row("sum", table.values.sum(axis=0), style, total=True))
    ends = f"±{top:.{digits}f}" if signed else f"0 to {top:.{digits}f}"
    hues = "amber raises, blue lowers; " if signed else ""
    scale = f"{hues}deepest tint {ends} {unit}" if top > 0 else f"no {unit} to tint"
    return html.element(
        "table",
        html.element("caption", html.text(caption), html.small(scale)),
        html.element("thead", head),
        html.element("tbody", *rows),
        kind="ed-table ed-narrow ed-heat",
    )


class _Figures:
    """How figures and tints of one table are made."""

    def __init__(self, top: float, signed: bool, digits: int) -> None:
        self.top, self.signed, self.digits = top, signed, digits

    def words(self, value: float) -> str:
        """Return a figure; what would round to nothing is 0."""
        if abs(value) < 0.5 * 10.0**-self.digits:
            return "0"
        return words.signed(value, self.digits) if self.signed else f"{value:.{self.digits}f}"

    def tint(self, value: float) -> str:
        """Return the cell's style: the hue of its sign, as deep as it is large."""
        share = 0.0 if self.top <= 0 else min(abs(value) / self.top, 1.0)
        if self.words(value) == "0":
            return ""
        token = "raises" if value > 0 else "lowers"
        deep = _DEEPEST_PERCENT * share
        return f"background:color-mix(in srgb, var(--ed-{token}) {deep:.0f}%, transparent)"


def _heat_row(lead: str, values: "np.ndarray", figures: _Figures, *, total: bool = False) -> Cell:
    told = [
        html.element(
            "td",
            figures.words(float(value)),
            kind="num",
            style="" if total else figures.tint(float(value)),
        )
        for value in values
    ]
    whole = html.element("td", html.bold(figures.words(float(values.sum()))), kind="num")
    return html.element(
        "tr", html.element("th", lead, scope="row"), *told, whole, kind="ed-total" if total else ""
    )
