"""What the DeepECG LVSD study printed in its Tables 2 to 5, to stand beside our figures.

Tables 3 and 5 (subgroups) are quoted in `ecgdash.labels.published`.
The study's Table 5 does not use the thresholds of its Table 4 (pooled over men
and women it gives the uncalibrated model 0.926/0.706 against 0.894/0.763), so
every row names its table.
"""

from dataclasses import dataclass
from typing import Final

from ecgdash.domain import MASKED, RECALIBRATED, UNCALIBRATED, Estimate
from ecgdash.labels.published import BASELINE, FOLLOW_UP, TABLES, figures_for, subgroup_for

__all__ = ["PAIRS_PER_PATIENT", "POPULATION", "PaperRow", "baseline_row", "follow_up_row"]


@dataclass(frozen=True)
class PaperRow:
    """One model in one group of pairs of hospital B (external), 12 leads."""

    table: str
    n_positive: int | None
    n: int | None
    auroc: Estimate
    sensitivity: Estimate
    specificity: Estimate


PAIRS_PER_PATIENT: Final = 16_864 / 52_787
"""Follow-up pairs per patient with a pair, hospital B (Table 5 over Table 3)."""

POPULATION: Final[dict[str, dict[str, float | None]]] = {
    "lvsd_prevalence": {"baseline": 0.078, "follow_up": 0.139},
    "mean_lvef_percent": {"baseline": 60.2, "follow_up": None},
    "AFIB": {"baseline": 0.074, "follow_up": 0.188},
    "LBBB": {"baseline": 0.0105, "follow_up": 0.028},
}
"""Baseline: hospital A, training set (Table 1); LBBB from Table 3. Follow-up: Table 5."""

_Triple = tuple[float, float, float]


def _row(
    table: str, counts: tuple[int | None, int | None], a: _Triple, b: _Triple, c: _Triple
) -> PaperRow:
    return PaperRow(table, *counts, Estimate(*a), Estimate(*b), Estimate(*c))


# fmt: off
_BASELINE_ALL: Final = _row(
    "Table 2", (TABLES[BASELINE].n_positive, TABLES[BASELINE].n),
    (0.947, 0.943, 0.951), (0.915, 0.904, 0.926), (0.847, 0.844, 0.850))

_FOLLOW_UP_ALL: Final = {
    UNCALIBRATED: _row("Table 4", (None, None),
                       (0.910, 0.905, 0.916), (0.894, 0.880, 0.906), (0.763, 0.757, 0.770)),
    MASKED: _row("Table 4", (None, None),
                 (0.920, 0.915, 0.925), (0.888, 0.875, 0.901), (0.810, 0.804, 0.817)),
    RECALIBRATED: _row("Table 4", (None, None),
                       (0.940, 0.936, 0.945), (0.874, 0.860, 0.887), (0.859, 0.854, 0.865)),
}
# fmt: on


def baseline_row(key: str) -> PaperRow | None:
    """Return the uncalibrated model's printed figures in a subgroup of baseline pairs."""
    return _BASELINE_ALL if key == "all" else _printed(key, UNCALIBRATED, BASELINE)


def follow_up_row(key: str, variant: str) -> PaperRow | None:
    """Return a model's printed figures in a subgroup of follow-up pairs, or None."""
    return _FOLLOW_UP_ALL.get(variant) if key == "all" else _printed(key, variant, FOLLOW_UP)


def _printed(key: str, variant: str, setting: str) -> PaperRow | None:
    row = subgroup_for(key, setting)
    figures = figures_for(key, variant, setting)
    if row is None or figures is None:
        return None
    counts = (row.n_positive, row.n)
    accuracy = (figures.auroc, figures.sensitivity, figures.specificity)
    return PaperRow(TABLES[setting].name, *counts, *accuracy)
