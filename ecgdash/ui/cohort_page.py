"""The cohort page: what the store holds, and its scores against its own echoes."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from ecgdash.domain import Estimate, FamilyCard
from ecgdash.plots import variant_style
from ecgdash.services.evaluation import evaluate_store
from ecgdash.services.monitoring import WorklistQuery, worklist
from ecgdash.ui import html, words
from ecgdash.ui.html import Cell, Column
from ecgdash.ui.page import Page
from ecgdash.ui.worklist_view import GROUP_TITLES

__all__ = ["draw_counts", "draw_evaluation"]

_FEWEST: Final = 5
"""Pairs of either class below which no figure is shown (not stated in the paper: our choice)."""

_PARTS: Final = {
    "baseline": "Baseline: each patient's first pair",
    "follow_up": "Follow-up: later pairs",
}


def draw_counts(page: Page) -> None:
    """Draw counts of patients, ECGs and groups."""
    shown = worklist(page.store, WorklistQuery(page_size=1))
    n_patients = page.store.n_patients()
    facts = f"{words.plural(n_patients, 'patient')} · {words.plural(page.store.n_ecgs(), 'ECG')}"
    html.draw(
        Cell('<div class="ed-title"><h1>Cohort</h1>'), html.text(facts, "ed-counts"), Cell("</div>")
    )
    columns = (Column("Group", "lead"), Column("Patients", "num"))
    rows = [(title, f"{shown.n_by_group.get(key, 0):,}") for key, title in GROUP_TITLES.items()]
    html.draw(html.table("Patients by group", columns, rows))


def draw_evaluation(page: Page) -> None:
    """Draw how the stored scores did against the stored echoes, when asked for."""
    cards = [card for card in page.cards if card.input_kind == "signal"]
    if not cards or not page.store.n_patients():
        return
    html.draw(
        Cell('<h2 class="ed-h2">Scores against the echoes of this store</h2>'),
        html.small(
            "Each echo labels the one ECG it is paired with (14 days either side); LVSD is "
            "LVEF ≤ 40 %. Above and below are told by each card's threshold."
        ),
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # By name too: two families may have the same title, and a choice is kept by its words.
        names = [f"{card.title} ({card.family})" for card in cards]
        chosen = st.selectbox(
            "Model family", range(len(cards)), format_func=names.__getitem__, width=360
        )
        wanted = st.button("Evaluate")
    if wanted:
        with st.spinner("Evaluating"):
            result = evaluate_store(page.settings, cards[chosen].family)
        _draw_result(result, cards[chosen])


def _draw_result(result: Mapping[str, Any], card: FamilyCard) -> None:
    columns = (
        Column("Score", "lead"),
        Column("AUROC (95 % CI)"),
        Column("Sensitivity (95 % CI)"),
        Column("Specificity (95 % CI)"),
    )
    for part, title in _PARTS.items():
        found = result[part]
        n, n_positive = found["n"], found["n_positive"]
        html.draw(
            Cell(f'<h2 class="ed-h2">{title}</h2>'),
            html.small(f"{words.plural(n, 'pair')}, {n_positive:,} with LVSD"),
        )
        if min(n_positive, n - n_positive) < _FEWEST:
            html.draw(html.text(f"Fewer than {_FEWEST} pairs with or without LVSD: no figures."))
            continue
        html.draw(html.table(title, columns, list(_rows(found, card))))
    html.draw(html.small(f"Intervals: {result['interval_method']}."))
    if result["simulated"]:
        html.draw(
            html.small("Simulated data or weights: these figures say nothing about patients.")
        )


def _rows(part: Mapping[str, Any], card: FamilyCard) -> Iterator[Sequence[Cell | str]]:
    for variant in reversed([item.variant for item in card.variants]):
        figures = part["subgroups"]["all"].get(variant)
        if figures is None:
            continue
        look = variant_style(variant)
        yield (
            html.text(f"{look.glyph} {look.label}", "ed-strong"),
            *(
                html.card_link(_figure(figures[name]), card.family, variant, quiet=i > 0)
                for i, name in enumerate(("auroc", "sensitivity", "specificity"))
            ),
        )


def _figure(estimate: Estimate) -> Cell:
    if math.isnan(estimate.value):
        return html.text("–", "ed-muted")
    interval = html.text(f" {estimate.low:.2f}–{estimate.high:.2f}", "ed-muted ed-small")
    return html.join(html.bold(f"{estimate.value:.2f}"), interval)
