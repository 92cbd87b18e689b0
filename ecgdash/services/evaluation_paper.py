"""What the DeepECG LVSD study printed in its Tables 2 to 5, to stand beside our figures.

Table 5 (subgroups of follow-up pairs) is quoted in `ecgdash.labels.published`.
The study's Table 5 does not use the thresholds of its Table 4 (pooled over men
and women it gives the uncalibrated model 0.926/0.706 against 0.894/0.763), so
every row names its table.
"""

from dataclasses import dataclass
from typing import Final

from ecgdash.domain import MASKED, RECALIBRATED, UNCALIBRATED, Estimate
from ecgdash.labels.published import PUBLISHED, figures_for

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
_BASELINE: Final = {
    "all": _row("Table 2", (2563, 52787),
                (0.947, 0.943, 0.951), (0.915, 0.904, 0.926), (0.847, 0.844, 0.850)),
    "age<=70": _row("Table 3", (1268, 33176),
                    (0.957, 0.952, 0.961), (0.914, 0.899, 0.929), (0.874, 0.870, 0.878)),
    "age>70": _row("Table 3", (1295, 19611),
                   (0.930, 0.924, 0.936), (0.918, 0.903, 0.932), (0.797, 0.791, 0.802)),
    "male": _row("Table 3", (1550, 28391),
                 (0.945, 0.940, 0.950), (0.920, 0.906, 0.933), (0.831, 0.826, 0.835)),
    "female": _row("Table 3", (1011, 24338),
                   (0.949, 0.944, 0.954), (0.910, 0.893, 0.927), (0.864, 0.859, 0.868)),
    "DM": _row("Table 3", (836, 11795),
               (0.939, 0.932, 0.946), (0.926, 0.906, 0.943), (0.809, 0.803, 0.816)),
    "HTN": _row("Table 3", (1188, 23050),
                (0.948, 0.943, 0.952), (0.936, 0.921, 0.949), (0.832, 0.827, 0.837)),
    "IHD": _row("Table 3", (497, 3098),
                (0.868, 0.852, 0.883), (0.934, 0.910, 0.955), (0.596, 0.577, 0.614)),
    "CKD": _row("Table 3", (326, 3280),
                (0.906, 0.890, 0.920), (0.926, 0.898, 0.952), (0.706, 0.690, 0.724)),
    "sinus": _row("Table 3", (2014, 46763),
                  (0.956, 0.952, 0.959), (0.910, 0.897, 0.922), (0.877, 0.874, 0.880)),
    "AFIB": _row("Table 3", (428, 4963),
                 (0.875, 0.858, 0.890), (0.944, 0.920, 0.965), (0.578, 0.564, 0.592)),
    "LBBB": _row("Table 3", (220, 553),
                 (0.859, 0.828, 0.890), (0.991, 0.977, 1.000), (0.219, 0.177, 0.266)),
    "RBBB": _row("Table 3", (199, 3420),
                 (0.927, 0.910, 0.941), (0.910, 0.867, 0.947), (0.803, 0.788, 0.816)),
    "PR>200": _row("Table 3", (156, 3696),
                   (0.935, 0.913, 0.956), (0.878, 0.821, 0.927), (0.870, 0.858, 0.881)),
    "QRS>140": _row("Table 3", (238, 1317),
                    (0.927, 0.910, 0.942), (0.979, 0.961, 0.996), (0.653, 0.623, 0.682)),
    "long_QTc": _row("Table 3", (1566, 13518),
                     (0.909, 0.902, 0.916), (0.939, 0.927, 0.952), (0.671, 0.663, 0.680)),
}

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
    return _BASELINE.get(key)


def follow_up_row(key: str, variant: str) -> PaperRow | None:
    """Return a model's printed figures in a subgroup of follow-up pairs, or None."""
    if key == "all":
        return _FOLLOW_UP_ALL.get(variant)
    row = PUBLISHED.get(key)
    figures = figures_for(key, variant)
    if row is None or figures is None:
        return None
    return PaperRow(
        "Table 5", row.n_positive, row.n, figures.auroc, figures.sensitivity, figures.specificity
    )
