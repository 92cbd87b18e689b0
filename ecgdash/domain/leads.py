"""Lead names, their order, and the lead sets that models exist for."""

from typing import Final, Literal

__all__ = [
    "CANONICAL_LEADS",
    "LEADS_OF_SET",
    "LIMB_LEADS",
    "PRECORDIAL_LEADS",
    "LeadSet",
    "canonical_lead",
    "lead_sets_of",
]

LeadSet = Literal["12", "6", "1"]

LIMB_LEADS: Final = ("I", "II", "III", "aVR", "aVL", "aVF")
PRECORDIAL_LEADS: Final = ("V1", "V2", "V3", "V4", "V5", "V6")
CANONICAL_LEADS: Final = LIMB_LEADS + PRECORDIAL_LEADS
"""The one order in which leads are stored, hashed and handed to a network."""

LEADS_OF_SET: Final[dict[LeadSet, tuple[str, ...]]] = {
    "12": CANONICAL_LEADS,
    "6": LIMB_LEADS,
    "1": ("I",),
}
"""Leads of each lead set (paper 000, 'Training With Different Lead Configurations')."""

_BY_FOLDED_NAME: Final = {name.upper(): name for name in CANONICAL_LEADS}


def canonical_lead(name: str) -> str | None:
    """Return the canonical spelling of a lead name, or None if it is none of the twelve.

    Accepts any capitalisation, surrounding space and the prefixes "lead" and
    "ECG" that vendors write ("Lead I", "ECG aVR", "LEAD_II").
    """
    folded = name.strip().upper().replace("_", " ").replace("-", " ")
    for prefix in ("MDC ECG LEAD ", "ECG LEAD ", "LEAD ", "ECG "):
        folded = folded.removeprefix(prefix)
    return _BY_FOLDED_NAME.get(folded.strip())


def lead_sets_of(leads: tuple[str, ...]) -> tuple[LeadSet, ...]:
    """Return the lead sets that these leads cover, the largest first."""
    held = set(leads)
    return tuple(name for name, needed in LEADS_OF_SET.items() if held.issuperset(needed))
