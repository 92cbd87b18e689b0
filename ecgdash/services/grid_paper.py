"""What the DeepECG LVSD study printed for 12, 6 and 1 leads: its Tables 2 and 4, both hospitals.

Tables 3 and 5 (subgroups) are quoted in `ecgdash.labels.published`.
"""

from collections.abc import Mapping
from typing import Final

from ecgdash.domain import Estimate
from ecgdash.domain.leads import LeadSet
from ecgdash.domain.model import MASKED, RECALIBRATED, UNCALIBRATED
from ecgdash.labels.published import BASELINE, FOLLOW_UP, ModelFigures

__all__ = ["CONTROL", "EXTERNAL", "INTERNAL", "PAPER", "TABLE_OF_SETTING"]

CONTROL: Final = "control"
"""The study's "AI-ECG without pretraining"."""

INTERNAL: Final = "internal"
EXTERNAL: Final = "external"
"""Hospital A's test set and hospital B."""

TABLE_OF_SETTING: Final = {BASELINE: "Table 2", FOLLOW_UP: "Table 4"}

_Triple = tuple[float, float, float]
_Row = tuple[_Triple, _Triple, _Triple]


def _rows(auroc: _Row, sensitivity: _Row, specificity: _Row) -> dict[LeadSet, ModelFigures]:
    """Turn three rows of the print (columns: 12, 6 and 1 leads) into figures by lead set."""
    lead_sets: tuple[LeadSet, ...] = ("12", "6", "1")
    return {
        name: ModelFigures(*(Estimate(*row[i]) for row in (auroc, sensitivity, specificity)))
        for i, name in enumerate(lead_sets)
    }


# fmt: off
PAPER: Final[Mapping[str, Mapping[str, Mapping[str, Mapping[LeadSet, ModelFigures]]]]] = {
    BASELINE: {
        INTERNAL: {
            CONTROL: _rows(
                ((0.939, 0.926, 0.953), (0.927, 0.912, 0.942), (0.919, 0.905, 0.934)),
                ((0.897, 0.857, 0.928), (0.858, 0.814, 0.895), (0.910, 0.872, 0.939)),
                ((0.834, 0.822, 0.846), (0.840, 0.828, 0.852), (0.777, 0.764, 0.791))),
            UNCALIBRATED: _rows(
                ((0.953, 0.941, 0.965), (0.943, 0.930, 0.955), (0.930, 0.916, 0.944)),
                ((0.903, 0.865, 0.934), (0.935, 0.902, 0.960), (0.913, 0.876, 0.942)),
                ((0.844, 0.832, 0.856), (0.789, 0.776, 0.802), (0.787, 0.773, 0.800))),
        },
        EXTERNAL: {
            CONTROL: _rows(
                ((0.937, 0.933, 0.941), (0.926, 0.921, 0.930), (0.916, 0.911, 0.921)),
                ((0.890, 0.878, 0.902), (0.895, 0.883, 0.907), (0.854, 0.839, 0.867)),
                ((0.844, 0.841, 0.847), (0.814, 0.811, 0.817), (0.840, 0.837, 0.843))),
            UNCALIBRATED: _rows(
                ((0.947, 0.943, 0.951), (0.936, 0.932, 0.940), (0.922, 0.918, 0.927)),
                ((0.915, 0.904, 0.926), (0.909, 0.898, 0.920), (0.877, 0.863, 0.889)),
                ((0.847, 0.844, 0.850), (0.831, 0.828, 0.835), (0.823, 0.820, 0.826))),
        },
    },
    FOLLOW_UP: {
        INTERNAL: {
            UNCALIBRATED: _rows(
                ((0.945, 0.933, 0.957), (0.910, 0.894, 0.926), (0.909, 0.893, 0.926)),
                ((0.914, 0.875, 0.943), (0.848, 0.802, 0.888), (0.862, 0.817, 0.900)),
                ((0.852, 0.831, 0.871), (0.801, 0.778, 0.822), (0.799, 0.776, 0.821))),
            MASKED: _rows(
                ((0.950, 0.939, 0.960), (0.918, 0.903, 0.933), (0.918, 0.902, 0.933)),
                ((0.903, 0.863, 0.935), (0.893, 0.852, 0.926), (0.928, 0.891, 0.955)),
                ((0.855, 0.835, 0.874), (0.794, 0.771, 0.816), (0.756, 0.732, 0.780))),
            RECALIBRATED: _rows(
                ((0.956, 0.946, 0.965), (0.942, 0.930, 0.955), (0.939, 0.925, 0.953)),
                ((0.828, 0.779, 0.869), (0.869, 0.825, 0.906), (0.924, 0.887, 0.952)),
                ((0.912, 0.896, 0.927), (0.854, 0.833, 0.872), (0.814, 0.792, 0.835))),
        },
        EXTERNAL: {
            UNCALIBRATED: _rows(
                ((0.910, 0.905, 0.916), (0.902, 0.896, 0.907), (0.872, 0.866, 0.879)),
                ((0.894, 0.880, 0.906), (0.913, 0.901, 0.924), (0.901, 0.888, 0.913)),
                ((0.763, 0.757, 0.770), (0.705, 0.697, 0.712), (0.670, 0.662, 0.677))),
            MASKED: _rows(
                ((0.920, 0.915, 0.925), (0.911, 0.905, 0.916), (0.892, 0.886, 0.898)),
                ((0.888, 0.875, 0.901), (0.856, 0.842, 0.870), (0.861, 0.846, 0.874)),
                ((0.810, 0.804, 0.817), (0.819, 0.812, 0.825), (0.763, 0.756, 0.770))),
            RECALIBRATED: _rows(
                ((0.940, 0.936, 0.945), (0.939, 0.935, 0.944), (0.937, 0.932, 0.941)),
                ((0.874, 0.860, 0.887), (0.905, 0.892, 0.916), (0.864, 0.849, 0.877)),
                ((0.859, 0.854, 0.865), (0.833, 0.827, 0.839), (0.859, 0.853, 0.865))),
        },
    },
}
# fmt: on
"""By setting, hospital, model and lead set: AUROC, sensitivity, specificity (Tables 2 and 4)."""
