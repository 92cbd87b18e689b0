"""The subgroup tables of a family's card: its own evaluation beside the study's figures."""

from typing import Final

import streamlit as st

from ecgdash.domain import FamilyCard
from ecgdash.labels.published import BASELINE, FOLLOW_UP, TABLES, ModelFigures, Subgroup
from ecgdash.plots import variant_style
from ecgdash.services.family_figures import FamilyFigures
from ecgdash.ui import html, words
from ecgdash.ui.card_contents import heading
from ecgdash.ui.card_tables import figure
from ecgdash.ui.html import Cell

__all__ = ["draw_groups"]

_FIGURES: Final = ("Specificity", "Sensitivity", "AUROC")
_SETTINGS: Final = {
    FOLLOW_UP: "Follow-up (later pairs)",
    BASELINE: "Baseline (first pairs)",
}
_GROUP_WORDS: Final = {
    "all": "All pairs",
    "sinus_no_bbb": "Sinus rhythm, no bundle branch block",
    "age<=70": "Age ≤ 70",
    "age>70": "Age > 70",
    "male": "Men",
    "female": "Women",
}


def draw_groups(card: FamilyCard, figures: FamilyFigures | None, marked: str) -> None:
    """Draw AUROC, and sensitivity beside specificity, of every variant in every subgroup."""
    html.draw(heading("subgroups"))
    if figures is None or not any(figures.parts.values()):
        html.draw(
            html.text("Not evaluated: no evaluation of these weights is installed."),
            html.small("Make one with 'python -m ecgdash evaluate ... --report FOLDER'."),
        )
        return
    html.draw(html.small(_whose_words(figures)))
    setting = st.segmented_control(
        "Pairs of ECG and echo",
        [name for name in _SETTINGS if figures.parts[name]],
        default=next(name for name in _SETTINGS if figures.parts[name]),
        required=True,
        format_func=_SETTINGS.__getitem__,
        key="card_setting",
    )
    if setting:
        html.draw(
            html.small(_published_words(card, setting)), _table(card, setting, figures, marked)
        )


def _whose_words(figures: FamilyFigures) -> str:
    whose = "SIMULATED, " if figures.simulated else ""
    data = figures.data.removeprefix("SIMULATED: ")
    if figures.seeds:
        data = f"simulated patients, seeds {', '.join(map(str, figures.seeds))}"
    return (
        f"These weights: {whose}{words.plural(figures.n_patients, 'patient')} ({data}); at the "
        f"card's Youden thresholds. Intervals, {figures.interval_method}."
    )


def _published_words(card: FamilyCard, setting: str) -> str:
    table = TABLES[setting]
    leads = ""
    if card.lead_set != "12":
        leads = f" They are of 12 leads; this family reads {words.lead_set_words(card.lead_set)}."
    return (
        f"Published: {table.source}; 95 % bootstrap intervals, {table.n_positive:,} of "
        f"{table.n:,} with LVSD.{leads}"
    )


def _table(card: FamilyCard, setting: str, figures: FamilyFigures, marked: str) -> Cell:
    marks = ", SIMULATED" if figures.simulated else ""
    titles = (f"Published, {TABLES[setting].name}", f"This model{marks}")
    upper = [
        html.element("th", title, scope="col", rowspan=2)
        for title in ("Subgroup, and share with LVSD", "Score")
    ]
    lower = []
    for title, kind in zip(titles, ("pub", "own"), strict=True):
        span = len(_FIGURES)
        upper.append(
            html.element("th", title, scope="colgroup", colspan=span, kind=f"group {kind}")
        )
        lower += [
            html.element("th", name, scope="col", kind=f"{kind} f{i}")
            for i, name in enumerate(_FIGURES, 1)
        ]
    head = html.element("thead", html.element("tr", *upper), html.element("tr", *lower))
    bodies = [
        _body(card, group, TABLES[setting].rows.get(key), titles, marked)
        for key, group in figures.parts[setting].items()
    ]
    return html.element(
        "table", head, *bodies, kind="ed-table ed-flags ed-groups", aria_label=_SETTINGS[setting]
    )


def _body(
    card: FamilyCard,
    own: Subgroup,
    published: Subgroup | None,
    titles: tuple[str, str],
    marked: str,
) -> Cell:
    variants = [item.variant for item in reversed(card.variants) if item.variant in own.figures]
    counts = [f"this model: {_counts(own)}"]
    if published is not None:
        counts.insert(0, f"published: {_counts(published)}")
    name = _GROUP_WORDS.get(own.key, words.flag_words(own.key))
    told = html.join(html.text(name, "ed-strong"), *(html.small(line) for line in counts))
    rows = []
    for i, variant in enumerate(variants):
        look = variant_style(variant)
        first: tuple[Cell, ...] = ()
        if i == 0:
            first = (
                html.element("th", told, scope="rowgroup", rowspan=len(variants), kind="flag"),
            )
        rows.append(
            html.element(
                "tr",
                *first,
                html.element("th", f"{look.glyph} {look.label}", scope="row", kind="score"),
                *_cells(published, variant, (titles[0], "pub")),
                *_cells(own, variant, (titles[1], "own")),
                kind="ed-marked" if variant == marked else "",
            )
        )
    return html.element("tbody", *rows)


def _counts(group: Subgroup) -> str:
    added = f", {group.n_added:,} of them added" if group.n_added else ""
    share = words.percent(group.n_positive / group.n) if group.n else "none"
    return f"{group.n_positive:,} / {group.n:,} ({share}){added}"


def _cells(group: Subgroup | None, variant: str, names: tuple[str, str]) -> list[Cell]:
    """Return three figures, or one cell that says that there are none."""
    whose, kind = names
    found: ModelFigures | None = None if group is None else group.figures.get(variant)
    if found is None:
        none = html.small("not published")
        span = len(_FIGURES)
        return [html.element("td", none, colspan=span, kind=f"{kind} none", data_label=whose)]
    return [
        html.element(
            "td",
            figure(estimate),
            kind=f"{kind} f{i}",
            data_label=f"{whose}\n{title}" if i == 1 else title,
        )
        for i, (title, estimate) in enumerate(
            zip(_FIGURES, (found.specificity, found.sensitivity, found.auroc), strict=True), 1
        )
    ]
