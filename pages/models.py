"""Installed model families: thresholds with their origin, noise floors, notes."""

from ecgdash.ui import models_page
from ecgdash.ui.page import setup

with setup("models") as page:
    models_page.draw_title(page.cards)
    for card in page.cards:
        models_page.draw_family(card, page.family_figures.get(card.family))
