"""Which installed family is shown for a lead set: the site's choice, else the first one.

Families compete where lead set, label and input are the same; the choice is kept in the
store, because the worklist's rows are. Every installed family scores every ECG, so that
another choice needs no network.
"""

from collections.abc import Mapping, Sequence

from ecgdash.domain.leads import LeadSet
from ecgdash.domain.model import FamilyCard

__all__ = ["active_order", "cards_by_lead_set", "rivals"]


def cards_by_lead_set(cards: Sequence[FamilyCard]) -> dict[LeadSet, FamilyCard]:
    """Return the first signal family of each lead set; for the active one, order them first."""
    chosen: dict[LeadSet, FamilyCard] = {}
    for card in cards:
        if card.input_kind == "signal":
            chosen.setdefault(card.lead_set, card)
    return chosen


def rivals(card: FamilyCard, cards: Sequence[FamilyCard]) -> list[FamilyCard]:
    """Return the families that compete with a card, itself included, in their order."""
    return [other for other in cards if _place(other) == _place(card)]


def active_order(
    cards: Sequence[FamilyCard], chosen: Mapping[tuple[str, str], str]
) -> list[FamilyCard]:
    """Return the cards with each chosen one ahead of those it competes with.

    Parameters
    ----------
    cards : sequence of FamilyCard
        In the manifest's order.
    chosen : mapping of (lead set, label) to str
        Names of families, as `Store.active_families` returns them; one that is not
        installed any more changes nothing.
    """
    ordered = list(cards)
    for lead_set, label in chosen:
        places = [
            i
            for i, card in enumerate(ordered)
            if card.input_kind == "signal" and (card.lead_set, card.label) == (lead_set, label)
        ]
        own = [ordered[i] for i in places]
        own.sort(key=lambda card: card.family != chosen[lead_set, label])
        for i, card in zip(places, own, strict=True):
            ordered[i] = card
    return ordered


def _place(card: FamilyCard) -> tuple[str, str, str]:
    return card.input_kind, card.lead_set, card.label
