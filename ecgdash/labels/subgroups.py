"""The subgroups of paper 000 that an ECG belongs to, made of its flags, the age and the sex."""

from collections.abc import Iterable
from typing import Final

from ecgdash.domain import Flag

__all__ = ["SUBGROUP_KEYS", "subgroups_of"]

SUBGROUP_KEYS: Final = (
    "all",
    "sinus",
    "sinus_no_bbb",
    "AFIB",
    "LBBB",
    "RBBB",
    "PR>200",
    "QRS>140",
    "long_QTc",
    "IHD",
    "CKD",
    "DM",
    "HTN",
    "age<=70",
    "age>70",
    "male",
    "female",
)
"""Subgroups of paper 000 (Tables 3 and 5), as the contract spells them."""

AGE_LIMIT_YEARS: Final = 70.0


def subgroups_of(flags: Iterable[Flag], age_years: float | None, sex: str | None) -> frozenset[str]:
    """Return the subgroups an ECG belongs to; "all" is always one.

    Parameters
    ----------
    flags : iterable of Flag
    age_years : float or None
        Above 120 (PTB-XL's 300) counts as over 70; negative as unknown.
    sex : {"male", "female"} or None
    """
    held = {flag.name for flag in flags} & set(SUBGROUP_KEYS)
    held.add("all")
    if "AFIB" in held:
        held.discard("sinus")
    if "sinus" in held and not held & {"LBBB", "RBBB"}:
        held.add("sinus_no_bbb")
    if age_years is not None and age_years >= 0:
        held.add("age>70" if age_years > AGE_LIMIT_YEARS else "age<=70")
    if sex in ("male", "female"):
        held.add(sex)
    return frozenset(held)
