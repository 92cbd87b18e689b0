"""The models page: every installed family, the one shown in full, and which one is active."""

from collections.abc import Callable, Sequence

import streamlit as st

from ecgdash.domain import FamilyCard
from ecgdash.labels.published import FOLLOW_UP
from ecgdash.plots.others import label_words
from ecgdash.services.monitoring import choose_family, refresh_worklist, rivals
from ecgdash.ui import card_tables, card_trust, card_view, html, words
from ecgdash.ui.card_contents import contents
from ecgdash.ui.card_precision import draw_precision
from ecgdash.ui.html import Cell, Column
from ecgdash.ui.navigation import card_href
from ecgdash.ui.page import Page

__all__ = ["asked_family", "draw_choice", "draw_family", "draw_overview", "draw_title"]


def draw_title(cards: Sequence[FamilyCard]) -> None:
    """Draw the title and how many families are installed."""
    count = words.plural(len(cards), "installed family", "installed families")
    html.draw(
        Cell('<div class="ed-title"><h1>Models</h1>'), html.text(count, "ed-counts"), Cell("</div>")
    )
    if not cards:
        html.draw(
            html.text(
                "No model is installed: ECGs are stored and shown without scores. Train one with "
                "'python -m ecgdash train', or add one with 'python -m ecgdash models add'."
            )
        )


def asked_family(page: Page) -> FamilyCard | None:
    """Return the family that the address names; else the active one, of 12 leads first.

    An address names a family, or only a lead set ("leads"), whose active family is then meant.
    """
    wanted = st.query_params.get("family")
    named = {card.family: card for card in page.cards}
    if wanted in named:
        return named[wanted]
    if wanted:
        html.draw(html.text("The family of this link is not installed any more.", "ed-weak"))
    by_leads = {str(lead_set): card for lead_set, card in page.active.items()}
    for lead_set in (st.query_params.get("leads"), "12", *by_leads):
        if lead_set in by_leads:
            return by_leads[lead_set]
    return next(iter(page.cards), None)


def draw_overview(shown: FamilyCard, page: Page) -> None:
    """Draw the installed families as a table of links, where there are several."""
    if len(page.cards) < 2:
        return
    columns = (
        Column("Family", "lead"),
        Column("Reads", "wide"),
        Column("Label"),
        Column("State"),
        Column("AUROC, follow-up pairs", "wide"),
        Column("Trained on", "wide"),
    )
    rows = [
        (
            html.join(html.link(card.title, card_href(card.family)), html.small(card.family)),
            words.lead_set_words(card.lead_set) if card.input_kind == "signal" else card.input_kind,
            label_words(card.label),
            html.bold("active") if _is_active(card, page) else html.text("not active", "ed-muted"),
            _auroc(card, page),
            html.text(
                "SIMULATED patients" if card.trained_on_simulated else card.trained_on, "ed-small"
            ),
        )
        for card in page.cards
    ]
    places = [i for i, card in enumerate(page.cards) if card.family == shown.family]
    html.draw(html.table("Installed families", columns, rows, marked=places))


def _auroc(card: FamilyCard, page: Page) -> Cell:
    figures = page.family_figures.get(card.family)
    group = None if figures is None else figures.subgroup("all", FOLLOW_UP)
    best = card.variants[-1].variant
    if figures is None or group is None or best not in group.figures:
        return html.text("not evaluated", "ed-muted")
    whose = f"{best}, SIMULATED" if figures.simulated else best
    return html.join(
        card_tables.figure(group.figures[best].auroc, 3),
        html.text(f" {whose}", "ed-small ed-muted"),
    )


def draw_family(card: FamilyCard, page: Page) -> None:
    """Draw a family's card; the address may name a variant, whose rows are then marked."""
    variant = st.query_params.get("variant", "")
    card_view.draw_head(card, status_words(card, page))
    draw_choice(card, page)
    html.draw(contents(_absent_sections(card, page)))
    card_view.draw_evidence(card, page.family_figures.get(card.family), variant, page)
    if not card.external:
        card_trust.draw_trust(card, page.family_trust.get(card.family), variant)
    card_view.draw_method(card)
    if not card.external:
        draw_precision(page.family_precision.get(card.family))


def _absent_sections(card: FamilyCard, page: Page) -> tuple[str, ...]:
    if card.external:
        return ("trust", "heats")
    trust = page.family_trust.get(card.family)
    return () if trust is not None and any(trust.maps.values()) else ("heats",)


def status_words(card: FamilyCard, page: Page) -> str:
    """Say whether worklist and timelines show a family, and what decides it."""
    if card.input_kind != "signal":
        return "Not active: worklist and timelines show scores of stored ECGs only."
    leads, active = words.lead_set_words(card.lead_set), page.active[card.lead_set]
    n_rivals = len(rivals(card, page.cards))
    if active.family != card.family:
        why = "" if active.label == card.label else f", whose label is {active.label}"
        shown = f"{active.title} ({active.family}){why}"
        return f"Not active: for {leads} worklist and timelines show {shown}."
    if n_rivals == 1 and all(other.label == card.label for other in page.cards):
        return f"Active: the only installed family for {leads}."
    same = f"{words.plural(n_rivals, 'family', 'families')} for {leads}"
    if any(other.label != card.label for other in page.cards):
        same += f" and {card.label}"
    return f"Active: of {same}, worklist and timelines show this one."


def draw_choice(card: FamilyCard, page: Page) -> None:
    """Offer to make a family the active one, where it competes with the one that is."""
    names = [other.family for other in rivals(card, page.cards)]
    active = page.active.get(card.lead_set)
    if len(names) > 1 and active is not None and active.family in names:
        if active.family != card.family:
            _draw_offer(card, page)
        else:
            html.draw(html.small("To make another family active, open it in the table above."))
    left = 0 if page.settings.demo else _n_left(page)
    if left:
        html.draw(
            html.small(
                f"The worklist still shows {words.plural(left, 'row')} as before.", "ed-weak"
            )
        )
        if st.button("Write them anew", key="refresh_rows"):
            refresh_worklist(page.store, page.cards, on_progress=_progress())
            st.rerun()


def _draw_offer(card: FamilyCard, page: Page) -> None:
    closed = page.settings.demo
    pressed = st.button(
        f"Show this family for {words.lead_set_words(card.lead_set)}",
        disabled=closed,
        help="Closed in the demonstration" if closed else None,
        key=f"use_{card.family}",
    )
    html.draw(
        html.small(
            "For everybody who uses this store. The worklist is written anew; nothing is scored "
            "again. An ECG that this family has not scored yet says so."
        )
    )
    if pressed:
        choose_family(page.store, card.family, page.cards, _progress())
        st.rerun()


def _progress() -> Callable[[int, int], None]:
    bar = st.progress(0.0, "Writing the worklist anew")

    def tell(done: int, total: int) -> None:
        bar.progress(done / total, f"Worklist: {done:,} of {words.plural(total, 'patient')}")

    return tell


def _n_left(page: Page) -> int:
    """Return how many worklist rows a choice has left as they were, when it was stopped."""
    return len(page.store.patient_keys(stale_only=True)) if page.store.active_families() else 0


def _is_active(card: FamilyCard, page: Page) -> bool:
    active = page.active.get(card.lead_set)
    return active is not None and active.family == card.family
