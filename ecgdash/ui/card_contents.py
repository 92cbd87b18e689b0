"""The sections of a model's card: one table of their names, their headings, the way to each.

A card is some twenty screens long on a phone.
"""

from collections.abc import Collection
from typing import Final

from ecgdash.ui import html
from ecgdash.ui.html import Cell

__all__ = ["SECTIONS", "contents", "heading"]

SECTIONS: Final = {
    "thresholds": "Thresholds",
    "probability": "From score to probability",
    "repeats": "Repeat ECGs",
    "subgroups": "Subgroups",
    "trust": "How far to trust the maps",
    "heats": "What moves the score, by lead and wave",
    "training": "Training data and label",
}
"""In the order of the card, by their place in the page's address."""


def heading(section: str) -> Cell:
    """Return the heading of a section, to which links lead."""
    return html.element("h2", SECTIONS[section], kind="ed-h2", id=f"card-{section}")


def contents(without: Collection[str] = ()) -> Cell:
    """Return links to the sections, but for those that a card does not have."""
    links = [
        html.element("a", title, href=f"#card-{section}", target="_self")
        for section, title in SECTIONS.items()
        if section not in without
    ]
    return html.element("nav", *links, kind="ed-contents", aria_label="Sections of this card")
