"""What the DeepECG LVSD study published per subgroup: its Tables 3 and 5, quoted.

External (hospital B) 12-lead pairs. Table 3: baseline pairs, the uncalibrated
model. Table 5: follow-up pairs, the recalibrated and the uncalibrated model, each
at its own decision threshold of that study. Intervals are 95 % bootstrap intervals
(1000 iterations) as printed. The LVEF-masked model has no subgroup figures in the
study. Of the rows for absent conditions ("DM (-)") none is kept: no flag means
unknown, never absent.

Table 5 does not use the thresholds of the study's Table 4: pooled over men and women it
gives the uncalibrated model 0.926/0.706 (sensitivity/specificity) against 0.894/0.763 there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ecgdash.domain.estimate import Estimate
from ecgdash.domain.model import RECALIBRATED, UNCALIBRATED

__all__ = [
    "BASELINE",
    "FOLLOW_UP",
    "TABLES",
    "WEAK_SPECIFICITY",
    "ModelFigures",
    "PublishedTable",
    "Subgroup",
    "figures_for",
    "is_weak",
    "subgroup_for",
]

BASELINE: Final = "baseline"
FOLLOW_UP: Final = "follow_up"
"""Settings: a patient's first pair of ECG and echo, and every later one."""

WEAK_SPECIFICITY: Final = 0.50
"""Published specificity below which a score counts as weak evidence in that subgroup.

Not stated in the paper: our choice, because below it most people without LVSD are over-called.
"""


@dataclass(frozen=True)
class ModelFigures:
    """One model in one subgroup, each in [0, 1]; a specificity never goes without the other two.

    Attributes
    ----------
    ppv, npv : Estimate or None
        At the prevalence of that subgroup in that study; None: not printed.
    """

    auroc: Estimate
    sensitivity: Estimate
    specificity: Estimate
    ppv: Estimate | None = None
    npv: Estimate | None = None


@dataclass(frozen=True)
class Subgroup:
    """One subgroup with the figures of each model.

    Attributes
    ----------
    key : str
        Subgroup key, as in the evaluation.
    n_positive, n : int
        Cases of LVSD, and all pairs.
    figures : mapping of str to ModelFigures
        By variant.
    n_added : int
        How many of the pairs are of patients added to enrich this subgroup.
    """

    key: str
    n_positive: int
    n: int
    figures: Mapping[str, ModelFigures]
    n_added: int = 0


@dataclass(frozen=True)
class PublishedTable:
    """One table of the study.

    Attributes
    ----------
    name : str
        "Table 3" or "Table 5".
    source : str
        Where the figures come from and at which thresholds, for the line below a table.
    n_positive, n : int
        Of the whole table, the sum of its two age rows.
    rows : mapping of str to Subgroup
        By subgroup key, in the order of the print; "AFIB" is fibrillation or flutter, as there.
    """

    name: str
    source: str
    n_positive: int
    n: int
    rows: Mapping[str, Subgroup]

    @property
    def prevalence(self) -> float:
        """Share of pairs with LVSD, in [0, 1]."""
        return self.n_positive / self.n


_Triple = tuple[float, float, float]


def _baseline(key: str, n_positive: int, n: int, *triples: _Triple) -> Subgroup:
    """Build a row from AUROC, sensitivity, specificity, PPV and NPV of the uncalibrated model."""
    figures = ModelFigures(*(Estimate(*triple) for triple in triples))
    return Subgroup(key, n_positive, n, {UNCALIBRATED: figures})


def _follow_up(key: str, n_positive: int, n: int, *triples: _Triple) -> Subgroup:
    """Build a row from AUROC, sensitivity, specificity: recalibrated, then uncalibrated."""
    estimates = [Estimate(*triple) for triple in triples]
    recalibrated, uncalibrated = ModelFigures(*estimates[:3]), ModelFigures(*estimates[3:])
    return Subgroup(key, n_positive, n, {UNCALIBRATED: uncalibrated, RECALIBRATED: recalibrated})


# fmt: off
_TABLE_3: Final = (
    _baseline("age<=70", 1268, 33176,
           (0.957, 0.952, 0.961), (0.914, 0.899, 0.929), (0.874, 0.870, 0.878),
           (0.224, 0.213, 0.236), (0.996, 0.995, 0.997)),
    _baseline("age>70", 1295, 19611,
           (0.930, 0.924, 0.936), (0.918, 0.903, 0.932), (0.797, 0.791, 0.802),
           (0.242, 0.231, 0.254), (0.993, 0.991, 0.994)),
    _baseline("male", 1550, 28391,
           (0.945, 0.940, 0.950), (0.920, 0.906, 0.933), (0.831, 0.826, 0.835),
           (0.239, 0.228, 0.250), (0.994, 0.993, 0.995)),
    _baseline("female", 1011, 24338,
           (0.949, 0.944, 0.954), (0.910, 0.893, 0.927), (0.864, 0.859, 0.868),
           (0.224, 0.212, 0.236), (0.996, 0.995, 0.996)),
    _baseline("DM", 836, 11795,
           (0.939, 0.932, 0.946), (0.926, 0.906, 0.943), (0.809, 0.803, 0.816),
           (0.270, 0.255, 0.286), (0.993, 0.991, 0.995)),
    _baseline("HTN", 1188, 23050,
           (0.948, 0.943, 0.952), (0.936, 0.921, 0.949), (0.832, 0.827, 0.837),
           (0.233, 0.220, 0.245), (0.996, 0.995, 0.997)),
    _baseline("IHD", 497, 3098,
           (0.868, 0.852, 0.883), (0.934, 0.910, 0.955), (0.596, 0.577, 0.614),
           (0.306, 0.283, 0.330), (0.979, 0.972, 0.986)),
    _baseline("CKD", 326, 3280,
           (0.906, 0.890, 0.920), (0.926, 0.898, 0.952), (0.706, 0.690, 0.724),
           (0.258, 0.233, 0.282), (0.989, 0.984, 0.993)),
    _baseline("sinus", 2014, 46763,
           (0.956, 0.952, 0.959), (0.910, 0.897, 0.922), (0.877, 0.874, 0.880),
           (0.250, 0.241, 0.260), (0.995, 0.995, 0.996)),
    _baseline("AFIB", 428, 4963,
           (0.875, 0.858, 0.890), (0.944, 0.920, 0.965), (0.578, 0.564, 0.592),
           (0.174, 0.158, 0.190), (0.991, 0.987, 0.994)),
    _baseline("LBBB", 220, 553,
           (0.859, 0.828, 0.890), (0.991, 0.977, 1.000), (0.219, 0.177, 0.266),
           (0.456, 0.412, 0.501), (0.973, 0.933, 1.000)),
    _baseline("RBBB", 199, 3420,
           (0.927, 0.910, 0.941), (0.910, 0.867, 0.947), (0.803, 0.788, 0.816),
           (0.222, 0.194, 0.249), (0.993, 0.990, 0.996)),
    _baseline("PR>200", 156, 3696,
           (0.935, 0.913, 0.956), (0.878, 0.821, 0.927), (0.870, 0.858, 0.881),
           (0.229, 0.195, 0.262), (0.994, 0.991, 0.996)),
    _baseline("QRS>140", 238, 1317,
           (0.927, 0.910, 0.942), (0.979, 0.961, 0.996), (0.653, 0.623, 0.682),
           (0.384, 0.348, 0.424), (0.993, 0.987, 0.999)),
    _baseline("long_QTc", 1566, 13518,
           (0.909, 0.902, 0.916), (0.939, 0.927, 0.952), (0.671, 0.663, 0.680),
           (0.272, 0.260, 0.285), (0.988, 0.986, 0.991)),
)

_TABLE_5: Final = (
    _follow_up("age<=70", 1245, 10002,
           (0.947, 0.941, 0.952), (0.802, 0.780, 0.825), (0.920, 0.914, 0.925),
           (0.921, 0.915, 0.928), (0.928, 0.913, 0.943), (0.733, 0.724, 0.742)),
    _follow_up("age>70", 1095, 6862,
           (0.931, 0.924, 0.938), (0.767, 0.741, 0.793), (0.914, 0.907, 0.921),
           (0.894, 0.884, 0.903), (0.923, 0.908, 0.940), (0.666, 0.654, 0.677)),
    _follow_up("male", 1404, 9259,
           (0.941, 0.936, 0.947), (0.818, 0.797, 0.839), (0.905, 0.898, 0.910),
           (0.912, 0.905, 0.919), (0.928, 0.914, 0.942), (0.706, 0.696, 0.716)),
    _follow_up("female", 933, 7598,
           (0.938, 0.931, 0.945), (0.740, 0.712, 0.766), (0.933, 0.926, 0.938),
           (0.908, 0.900, 0.915), (0.922, 0.905, 0.939), (0.707, 0.696, 0.718)),
    _follow_up("DM", 908, 5061,
           (0.933, 0.926, 0.940), (0.779, 0.753, 0.804), (0.902, 0.893, 0.911),
           (0.903, 0.892, 0.912), (0.941, 0.924, 0.956), (0.664, 0.650, 0.679)),
    _follow_up("HTN", 1248, 8905,
           (0.939, 0.933, 0.945), (0.796, 0.774, 0.816), (0.914, 0.907, 0.920),
           (0.908, 0.900, 0.915), (0.932, 0.918, 0.945), (0.692, 0.681, 0.702)),
    _follow_up("IHD", 552, 2147,
           (0.914, 0.902, 0.927), (0.853, 0.822, 0.884), (0.824, 0.806, 0.845),
           (0.876, 0.861, 0.890), (0.942, 0.922, 0.961), (0.562, 0.539, 0.586)),
    _follow_up("CKD", 400, 1917,
           (0.911, 0.898, 0.924), (0.790, 0.752, 0.828), (0.866, 0.849, 0.882),
           (0.872, 0.854, 0.890), (0.955, 0.933, 0.973), (0.545, 0.520, 0.570)),
    _follow_up("sinus", 1704, 13148,
           (0.946, 0.941, 0.950), (0.787, 0.768, 0.807), (0.923, 0.918, 0.928),
           (0.922, 0.916, 0.928), (0.920, 0.907, 0.932), (0.756, 0.748, 0.764)),
    _follow_up("AFIB", 513, 3168,
           (0.926, 0.915, 0.937), (0.786, 0.750, 0.822), (0.900, 0.888, 0.911),
           (0.869, 0.854, 0.885), (0.936, 0.914, 0.956), (0.518, 0.500, 0.537)),
    _follow_up("LBBB", 247, 470,
           (0.872, 0.841, 0.901), (0.947, 0.917, 0.973), (0.614, 0.554, 0.680),
           (0.819, 0.781, 0.855), (0.988, 0.972, 1.000), (0.184, 0.136, 0.238)),
    _follow_up("RBBB", 205, 1440,
           (0.916, 0.900, 0.933), (0.785, 0.727, 0.839), (0.881, 0.863, 0.900),
           (0.853, 0.829, 0.877), (0.878, 0.835, 0.921), (0.669, 0.644, 0.696)),
    _follow_up("PR>200", 219, 1444,
           (0.944, 0.930, 0.955), (0.813, 0.759, 0.863), (0.902, 0.885, 0.919),
           (0.908, 0.890, 0.924), (0.909, 0.867, 0.944), (0.749, 0.725, 0.773)),
    _follow_up("QRS>140", 285, 770,
           (0.916, 0.894, 0.934), (0.926, 0.893, 0.956), (0.755, 0.713, 0.791),
           (0.860, 0.830, 0.885), (0.954, 0.927, 0.978), (0.470, 0.427, 0.513)),
    _follow_up("long_QTc", 1512, 6270,
           (0.911, 0.904, 0.919), (0.814, 0.795, 0.833), (0.852, 0.841, 0.862),
           (0.869, 0.858, 0.878), (0.935, 0.922, 0.947), (0.538, 0.525, 0.552)),
)
# fmt: on

TABLES: Final[Mapping[str, PublishedTable]] = {
    BASELINE: PublishedTable(
        "Table 3",
        "DeepECG LVSD, external baseline pairs, Table 3, at that study's threshold "
        "(not the threshold used here)",
        2563,
        52787,
        {row.key: row for row in _TABLE_3},
    ),
    FOLLOW_UP: PublishedTable(
        "Table 5",
        "DeepECG LVSD, external follow-up pairs, Table 5, at that study's thresholds "
        "(not the thresholds used here, and not those of its Table 4)",
        2340,
        16864,
        {row.key: row for row in _TABLE_5},
    ),
}
"""By setting; the prevalences are 4.9 % (baseline) and 13.9 % (follow-up)."""


def subgroup_for(key: str, setting: str) -> Subgroup | None:
    """Return the published subgroup of a setting (`BASELINE`, `FOLLOW_UP`), or None."""
    return TABLES[setting].rows.get(key)


def figures_for(key: str, variant: str, setting: str = FOLLOW_UP) -> ModelFigures | None:
    """Return the published figures of a variant in a subgroup, or None if there are none."""
    row = subgroup_for(key, setting)
    return None if row is None else row.figures.get(variant)


def is_weak(key: str, variant: str, setting: str = FOLLOW_UP) -> bool:
    """Tell whether a variant's score is weak evidence in a subgroup.

    A variant without published subgroup figures (the masked one) is judged by
    the uncalibrated model's. Not stated in the paper: our choice, the careful one.
    """
    figures = figures_for(key, variant, setting) or figures_for(key, UNCALIBRATED, setting)
    return figures is not None and figures.specificity.value < WEAK_SPECIFICITY
