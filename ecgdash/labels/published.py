"""What the DeepECG LVSD study published per subgroup: its Table 5, quoted.

External (hospital B) 12-lead follow-up pairs, each model at its own decision
threshold of that study; intervals are 95 % bootstrap intervals (1000
iterations) as printed. The LVEF-masked model has no subgroup figures there.
"""

from dataclasses import dataclass
from typing import Final

from ecgdash.domain.estimate import Estimate
from ecgdash.domain.model import RECALIBRATED, UNCALIBRATED

__all__ = [
    "PUBLISHED",
    "SOURCE",
    "WEAK_SPECIFICITY",
    "PublishedFigures",
    "PublishedSubgroup",
    "figures_for",
    "is_weak",
]

SOURCE: Final = (
    "DeepECG LVSD, external follow-up pairs, Table 5, at that study's thresholds "
    "(not the thresholds used here)"
)

WEAK_SPECIFICITY: Final = 0.50
"""Published specificity below which a score counts as weak evidence in that subgroup.

Not stated in the paper: our choice, because below it most people without LVSD are over-called.
"""


@dataclass(frozen=True)
class PublishedFigures:
    """One model in one subgroup; a specificity never goes without the other two."""

    auroc: Estimate
    sensitivity: Estimate
    specificity: Estimate


@dataclass(frozen=True)
class PublishedSubgroup:
    """One row of Table 5.

    Attributes
    ----------
    key : str
        Subgroup key, as in the evaluation.
    n_positive, n : int
        Cases of LVSD, and all pairs.
    recalibrated, uncalibrated : PublishedFigures
    """

    key: str
    n_positive: int
    n: int
    recalibrated: PublishedFigures
    uncalibrated: PublishedFigures


_Triple = tuple[float, float, float]


def _row(key: str, n_positive: int, n: int, *triples: _Triple) -> PublishedSubgroup:
    """Build a row from AUROC, sensitivity, specificity: recalibrated, then uncalibrated."""
    estimates = [Estimate(*triple) for triple in triples]
    return PublishedSubgroup(
        key, n_positive, n, PublishedFigures(*estimates[:3]), PublishedFigures(*estimates[3:])
    )


# fmt: off
_ROWS: Final = (
    _row("age<=70", 1245, 10002,
         (0.947, 0.941, 0.952), (0.802, 0.780, 0.825), (0.920, 0.914, 0.925),
         (0.921, 0.915, 0.928), (0.928, 0.913, 0.943), (0.733, 0.724, 0.742)),
    _row("age>70", 1095, 6862,
         (0.931, 0.924, 0.938), (0.767, 0.741, 0.793), (0.914, 0.907, 0.921),
         (0.894, 0.884, 0.903), (0.923, 0.908, 0.940), (0.666, 0.654, 0.677)),
    _row("male", 1404, 9259,
         (0.941, 0.936, 0.947), (0.818, 0.797, 0.839), (0.905, 0.898, 0.910),
         (0.912, 0.905, 0.919), (0.928, 0.914, 0.942), (0.706, 0.696, 0.716)),
    _row("female", 933, 7598,
         (0.938, 0.931, 0.945), (0.740, 0.712, 0.766), (0.933, 0.926, 0.938),
         (0.908, 0.900, 0.915), (0.922, 0.905, 0.939), (0.707, 0.696, 0.718)),
    _row("DM", 908, 5061,
         (0.933, 0.926, 0.940), (0.779, 0.753, 0.804), (0.902, 0.893, 0.911),
         (0.903, 0.892, 0.912), (0.941, 0.924, 0.956), (0.664, 0.650, 0.679)),
    _row("HTN", 1248, 8905,
         (0.939, 0.933, 0.945), (0.796, 0.774, 0.816), (0.914, 0.907, 0.920),
         (0.908, 0.900, 0.915), (0.932, 0.918, 0.945), (0.692, 0.681, 0.702)),
    _row("IHD", 552, 2147,
         (0.914, 0.902, 0.927), (0.853, 0.822, 0.884), (0.824, 0.806, 0.845),
         (0.876, 0.861, 0.890), (0.942, 0.922, 0.961), (0.562, 0.539, 0.586)),
    _row("CKD", 400, 1917,
         (0.911, 0.898, 0.924), (0.790, 0.752, 0.828), (0.866, 0.849, 0.882),
         (0.872, 0.854, 0.890), (0.955, 0.933, 0.973), (0.545, 0.520, 0.570)),
    _row("sinus", 1704, 13148,
         (0.946, 0.941, 0.950), (0.787, 0.768, 0.807), (0.923, 0.918, 0.928),
         (0.922, 0.916, 0.928), (0.920, 0.907, 0.932), (0.756, 0.748, 0.764)),
    _row("AFIB", 513, 3168,
         (0.926, 0.915, 0.937), (0.786, 0.750, 0.822), (0.900, 0.888, 0.911),
         (0.869, 0.854, 0.885), (0.936, 0.914, 0.956), (0.518, 0.500, 0.537)),
    _row("LBBB", 247, 470,
         (0.872, 0.841, 0.901), (0.947, 0.917, 0.973), (0.614, 0.554, 0.680),
         (0.819, 0.781, 0.855), (0.988, 0.972, 1.000), (0.184, 0.136, 0.238)),
    _row("RBBB", 205, 1440,
         (0.916, 0.900, 0.933), (0.785, 0.727, 0.839), (0.881, 0.863, 0.900),
         (0.853, 0.829, 0.877), (0.878, 0.835, 0.921), (0.669, 0.644, 0.696)),
    _row("PR>200", 219, 1444,
         (0.944, 0.930, 0.955), (0.813, 0.759, 0.863), (0.902, 0.885, 0.919),
         (0.908, 0.890, 0.924), (0.909, 0.867, 0.944), (0.749, 0.725, 0.773)),
    _row("QRS>140", 285, 770,
         (0.916, 0.894, 0.934), (0.926, 0.893, 0.956), (0.755, 0.713, 0.791),
         (0.860, 0.830, 0.885), (0.954, 0.927, 0.978), (0.470, 0.427, 0.513)),
    _row("long_QTc", 1512, 6270,
         (0.911, 0.904, 0.919), (0.814, 0.795, 0.833), (0.852, 0.841, 0.862),
         (0.869, 0.858, 0.878), (0.935, 0.922, 0.947), (0.538, 0.525, 0.552)),
)
# fmt: on

PUBLISHED: Final[dict[str, PublishedSubgroup]] = {row.key: row for row in _ROWS}
"""By subgroup key, in the order of Table 5; "AFIB" is fibrillation or flutter, as there."""


def figures_for(key: str, variant: str) -> PublishedFigures | None:
    """Return the published figures of a variant in a subgroup, or None if there are none."""
    row = PUBLISHED.get(key)
    if row is None:
        return None
    return {RECALIBRATED: row.recalibrated, UNCALIBRATED: row.uncalibrated}.get(variant)


def is_weak(key: str, variant: str) -> bool:
    """Tell whether a variant's score is weak evidence in a subgroup.

    A variant without published subgroup figures (the masked one) is judged by
    the uncalibrated model's. Not stated in the paper: our choice, the careful one.
    """
    figures = figures_for(key, variant) or figures_for(key, UNCALIBRATED)
    return figures is not None and figures.specificity.value < WEAK_SPECIFICITY
