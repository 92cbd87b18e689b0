"""What every page shares: set-up, frame, banner, foot, and the one place that shows errors."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import streamlit as st

from ecgdash import __version__
from ecgdash.domain import FamilyCard
from ecgdash.errors import EcgDashError
from ecgdash.plots.style import Theme, theme_named
from ecgdash.settings import Settings
from ecgdash.ui import cache, html, navigation, words
from ecgdash.ui.components import listen_to_links

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from ecgdash.domain.leads import LeadSet
    from ecgdash.domain.trust import FamilyTrust
    from ecgdash.inference.precision_record import PrecisionRecord
    from ecgdash.services.explaining import Terms
    from ecgdash.services.family_figures import FamilyFigures
    from ecgdash.store import Store

__all__ = ["Page", "banner_words", "setup"]

RESEARCH_USE = (
    "Research use only. Not a medical device; not for diagnosis or monitoring of patients."
)


@dataclass(frozen=True)
class Page:
    """What a page works with."""

    settings: Settings
    theme: Theme
    now: datetime
    banner: "DeltaGenerator"

    def say_whose(self, simulated: Iterable[bool]) -> None:
        """Word the banner for the patients that the page shows.

        Parameters
        ----------
        simulated : iterable of bool
            Whether each shown patient is simulated; empty: no patient is shown.
        """
        kinds = set(simulated)
        if kinds:
            _draw_banner(self, True in kinds, False in kinds)

    @cached_property
    def store(self) -> "Store":
        """The store of the settings."""
        return cache.store(self.settings)

    @cached_property
    def cards(self) -> Sequence[FamilyCard]:
        """Installed families."""
        return cache.cards(self.settings)

    @cached_property
    def active(self) -> "Mapping[LeadSet, FamilyCard]":
        """The family that worklist and timelines show, by lead set."""
        from ecgdash.services.families import active_order, cards_by_lead_set

        return cards_by_lead_set(active_order(self.cards, self.store.active_families()))

    @cached_property
    def history_terms(self) -> "Terms":
        """What turns a history into logits, of the installed families."""
        return cache.history_terms(self.settings)

    @cached_property
    def family_figures(self) -> Mapping[str, "FamilyFigures"]:
        """Evaluations of the installed families, by family."""
        return cache.family_figures(self.settings)

    @cached_property
    def family_trust(self) -> Mapping[str, "FamilyTrust"]:
        """How far the maps of the installed families can be trusted, by family."""
        return cache.family_trust(self.settings)

    @cached_property
    def family_precision(self) -> Mapping[str, "PrecisionRecord"]:
        """What lower precisions do to the scores of the installed families, by family."""
        return cache.family_precision(self.settings)

    @property
    def zone(self) -> ZoneInfo:
        """The site's zone, in which times are shown."""
        return self.settings.zone


@contextmanager
def setup(name: str) -> Iterator[Page]:
    """Set up a page, show its content between menu and foot, and show its errors.

    Parameters
    ----------
    name : str
        Row of `ui.navigation.ENTRIES`.

    Yields
    ------
    Page
    """
    row = navigation.entry(name)
    st.set_page_config(f"{row.title} · ECGDash", layout="wide", initial_sidebar_state="collapsed")
    html.draw(html.style_sheet())
    listen_to_links()
    navigation.draw_menu(name)
    theme = theme_named(st.context.theme.type)
    page = Page(cache.settings(), theme, datetime.now(UTC), st.empty())
    shown: set[str] = set()
    with _errors_shown(shown):
        _draw_store_banner(page)
    with _errors_shown(shown):
        yield page
    _draw_foot(page)


@contextmanager
def _errors_shown(shown: set[str]) -> Iterator[None]:
    """Show an error that a user can meet as its sentence, once; anything else stays loud."""
    try:
        yield
    except EcgDashError as error:
        if error.sentence not in shown:
            st.error(error.sentence)
        shown.add(error.sentence)


def banner_words(
    simulated_patients: bool, simulated_model: bool, *, real_patients: bool
) -> tuple[str, str] | None:
    """Return the bold and the plain sentence of the banner, or None.

    Parameters
    ----------
    simulated_patients, real_patients : bool
        Whether the page shows any; both where that is not known apart.
    simulated_model : bool
        Whether any installed family was trained on simulated data.
    """
    if simulated_patients and real_patients:
        bold = "Simulated patients are stored here"
        bold += ", and the model was trained on simulated data." if simulated_model else "."
        return bold, "Their scores describe no real person. No score here must guide care."
    if simulated_patients:
        bold = "Simulated patients"
        bold += " and a model trained on simulated data." if simulated_model else "."
        return bold, "Scores here describe no real person and must not guide care."
    if simulated_model:
        return (
            "The model was trained on simulated data.",
            "Its scores for real ECGs have not been tested and must not guide care.",
        )
    return None


def _draw_banner(page: Page, simulated: bool, real: bool) -> None:
    model = any(card.trained_on_simulated for card in page.cards)
    sentences = banner_words(simulated, model, real_patients=real) if simulated or real else None
    if sentences:
        bold, plain = (html.text(part).html for part in sentences)
        note = f'<div class="ed-banner" role="note"><b>{bold}</b> {plain}</div>'
        page.banner.html(note)
    else:
        page.banner.empty()


def _draw_store_banner(page: Page) -> None:
    """Say what the store holds, until the page knows whom it shows."""
    _draw_banner(page, page.store.any_simulated(), page.store.any_real())


def _draw_foot(page: Page) -> None:
    parts: list[html.Cell] = [html.text(RESEARCH_USE)]
    cards: Sequence[FamilyCard] = ()
    with suppress(EcgDashError):  # shown above already
        cards = page.cards
    if cards:
        told = [html.card_link(words.model_words(card), card.family).html for card in cards]
        parts.append(html.Cell(f"Model {'; '.join(told)}."))
        versions = sorted({card.preprocessing_version for card in cards})
        numbers = ", ".join(f"v{number}" for number in versions)
        parts.append(html.text(f"Preprocessing {numbers}."))
    else:
        parts.append(html.text("No model installed."))
    zone = words.zone_words(page.zone, page.now)
    parts.append(html.text(f"Software {__version__}. Times in {zone}."))
    html.draw(html.Cell(f'<div class="ed-foot">{" ".join(part.html for part in parts)}</div>'))
