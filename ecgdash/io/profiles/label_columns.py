"""What a table's own low-EF label means: definitions differ, and figures by two never compare."""

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["LVEF_ITSELF", "OWN_DEFINITION", "label_definitions"]

OWN_DEFINITION: Final = "<= 40"
"""LVSD here, in percent of LVEF (paper 000); made from the LVEF, never from a label."""

LVEF_ITSELF: Final = "LVEF in percent"
"""Stands for a column's name where a source has measured LVEFs and no label."""

_NAMED: Final = {
    "lvef_lte_45_flag": "<= 45",  # EchoNext 1.1
    "lvef_40": "<= 40",  # HeartWise DeepECG
    "lvef_50": "< 50",  # HeartWise DeepECG
}
_SPELT: Final = re.compile(
    r"(?:lv)?ef_?(?P<sign>lte|le|leq|lt|under|below|less_than)_?(?P<percent>\d\d)(?:_|$)"
)
_UNCLEAR: Final = frozenset({"lvsd", "low_ef", "reduced_ef", "hfref", "lvef_flag", "ef_label"})


def label_definitions(columns: Iterable[str]) -> dict[str, str]:
    """Return the low-EF labels among columns, with what each means.

    Parameters
    ----------
    columns : iterable of str
        Lower case.

    Returns
    -------
    dict of str to str
        Column to "<= 40", "< 40", "<= 45", "< 50" and the like, percent of LVEF; "not stated"
        where the name says that it is a label but not which.
    """
    found = {}
    for column in columns:
        spelt = _SPELT.search(column)
        if column in _NAMED:
            found[column] = _NAMED[column]
        elif spelt is not None:
            sign = "<=" if spelt.group("sign") in {"lte", "le", "leq"} else "<"
            found[column] = f"{sign} {spelt.group('percent')}"
        elif column in _UNCLEAR:
            found[column] = "not stated"
    return found
