"""Numbers in, numbers out: ROC with DeLong, exact intervals, thresholds, bootstrap, calibration."""

from ecgdash.stats.bootstrap import (
    bootstrap_auroc,
    bootstrap_auroc_contrast,
    bootstrap_auroc_difference,
)
from ecgdash.stats.calibration import CalibrationLine, brier, calibration_line, reliability_bins
from ecgdash.stats.proportions import (
    Accuracy,
    Confusion,
    accuracy_at,
    clopper_pearson,
    confusion_at,
    predictive_estimates,
    predictive_values,
    proportion,
    sensitivity_at_specificity,
    specificity_at_sensitivity,
    threshold_at_sensitivity,
    threshold_at_specificity,
    youden_threshold,
)
from ecgdash.stats.roc import (
    DeLong,
    auprc,
    auroc,
    auroc_value,
    delong_interval,
    delong_test,
    delong_variance,
)

__all__ = [
    "Accuracy",
    "CalibrationLine",
    "Confusion",
    "DeLong",
    "accuracy_at",
    "auprc",
    "auroc",
    "auroc_value",
    "bootstrap_auroc",
    "bootstrap_auroc_contrast",
    "bootstrap_auroc_difference",
    "brier",
    "calibration_line",
    "clopper_pearson",
    "confusion_at",
    "delong_interval",
    "delong_test",
    "delong_variance",
    "predictive_estimates",
    "predictive_values",
    "proportion",
    "reliability_bins",
    "sensitivity_at_specificity",
    "specificity_at_sensitivity",
    "threshold_at_sensitivity",
    "threshold_at_specificity",
    "youden_threshold",
]
