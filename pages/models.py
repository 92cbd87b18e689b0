"""Installed model families: a table of them, and the card of one."""

from ecgdash.ui import models_page
from ecgdash.ui.page import setup

with setup("models") as page:
    models_page.draw_title(page.cards)
    card = models_page.asked_family(page)
    if card is not None:
        models_page.draw_overview(card, page)
        models_page.draw_family(card, page)
