"""Flags of imported diagnoses: ICD codes of the diseases that paper 000 names."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Final

from ecgdash.domain import Diagnosis, Flag

__all__ = ["DIAGNOSIS_PREFIXES", "PRIOR_MI_CODES", "diagnoses_known_on", "diagnosis_flags"]

DIAGNOSIS_PREFIXES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "IHD": {
        "10": ("I20", "I21", "I22", "I23", "I24", "I25"),
        "9": ("410", "411", "412", "413", "414"),
    },
    "CKD": {"10": ("N18",), "9": ("585",)},
    "DM": {"10": ("E10", "E11", "E12", "E13", "E14"), "9": ("250",)},
    "HTN": {
        "10": ("I10", "I11", "I12", "I13", "I15", "I16"),
        "9": ("401", "402", "403", "404", "405"),
    },
    "AFIB": {"10": ("I48",), "9": ("42731", "42732")},
}
"""Flag -> ICD revision -> beginnings of codes.

The paper names the diseases but not the codes: our choice, by the block
headings of WHO's ICD-10 (I20-I25, N18, E10-E14, I10-I15, with I16 of ICD-10-CM, and
I48 for fibrillation and flutter) and the same diseases in ICD-9-CM.
"""

_RHYTHMS: Final = frozenset({"AFIB"})
_OTHER_RHYTHM: Final = frozenset({"sinus", "paced"})

PRIOR_MI_CODES: Final = {"10": ("I21", "I22", "I252"), "9": ("410", "412")}
"""An infarction, old (I25.2, 412) or acute on the day it was coded, which is past later."""


def diagnoses_known_on(diagnoses: Iterable[Diagnosis], day: date | None) -> list[Diagnosis]:
    """Return the diagnoses recorded on or before a day; none where the day is unknown."""
    return [] if day is None else [item for item in diagnoses if item.recorded_on <= day]


def diagnosis_flags(diagnoses: Iterable[Diagnosis], shown: Collection[str] = ()) -> Iterator[Flag]:
    """Yield the flags of coded diagnoses, each with the code and its day.

    Parameters
    ----------
    diagnoses : iterable of Diagnosis
    shown : collection of str
        Flags that the ECG itself raises. One that shows sinus or a paced rhythm is in no
        fibrillation on that day, whatever was coded before: fibrillation comes and goes.
    """
    elsewhere = _RHYTHMS if _OTHER_RHYTHM & set(shown) else frozenset()
    for item in diagnoses:
        code = item.code.upper().replace(".", "").strip()
        revision = _icd_revision(item.code_system)
        for name, by_revision in DIAGNOSIS_PREFIXES.items():
            codes = () if name in elsewhere else by_revision.get(revision, ())
            if code.startswith(codes):
                yield Flag(name, "diagnosis", f"{item.code} of {item.recorded_on.isoformat()}")
        if code.startswith(PRIOR_MI_CODES.get(revision, ())):
            yield Flag("prior_MI", "diagnosis", f"{item.code} of {item.recorded_on.isoformat()}")


def _icd_revision(code_system: str) -> str:
    """Return "10" or "9", or "" for a code system that is not ICD."""
    folded = code_system.upper().replace("-", "").replace(" ", "").replace("_", "")
    for revision in ("10", "9"):
        if folded.startswith(("ICD" + revision, "ICD0" + revision)) or folded == revision:
            return revision
    return ""
