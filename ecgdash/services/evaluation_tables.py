"""From a table of pairs to the figures: AUROC, DeLong, subgroups, controls."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ecgdash.domain import MASKED, RECALIBRATED, UNCALIBRATED, Estimate
from ecgdash.services.evaluation_pairs import (
    MASKED_PAIRS,
    SUBGROUP_KEYS,
    Bools,
    Floats,
    PairTable,
)
from ecgdash.stats import (
    accuracy_at,
    auprc,
    auroc,
    bootstrap_auroc_difference,
    brier,
    calibration_line,
    delong_test,
    sensitivity_at_specificity,
    specificity_at_sensitivity,
)

__all__ = [
    "COMPARISONS",
    "CONTROLS",
    "INTERVAL_METHOD",
    "accuracy_figures",
    "evaluation_tables",
    "jsonable",
]

INTERVAL_METHOD = (
    "95 %: DeLong for AUROC, Clopper-Pearson for proportions, "
    "percentile bootstrap over patients for 'bootstrap' (1000 replicates)"
)

COMPARISONS = (
    ("masked_minus_uncalibrated", MASKED, UNCALIBRATED),
    ("recalibrated_minus_masked", RECALIBRATED, MASKED),
    ("recalibrated_minus_uncalibrated", RECALIBRATED, UNCALIBRATED),
    ("masked_pairs_minus_uncalibrated", MASKED_PAIRS, UNCALIBRATED),
)

CONTROLS = {
    "shuffled_histories": "the recalibrated variant, each ECG with the history of another patient",
    "shuffled_histories_masked": "the masked variant, each ECG with another patient's history",
    "last_lvef_alone": "the LVEF of the most recent earlier pair, and no ECG",
    "no_history": "the recalibrated network with its history term left out",
    "no_history_masked": "the masked network with its history term left out",
}


def evaluation_tables(table: PairTable, *, bootstrap_seed: int = 0) -> dict[str, Any]:
    """Return the tables of an evaluation as plain numbers, estimates and NaN.

    Parameters
    ----------
    table : PairTable
    bootstrap_seed : int
        Of the bootstrap over patients; the figures are repeatable.

    Returns
    -------
    dict
        Keys `baseline`, `follow_up`, `controls`, `population` (DESIGN, 5);
        `jsonable` turns it into JSON.
    """
    return {
        "baseline": _baseline(table),
        "follow_up": _follow_up(table, bootstrap_seed),
        "controls": _controls(table),
        "population": _population(table),
    }


def jsonable(value: Any) -> Any:
    """Return the value with estimates as dicts, NumPy numbers as numbers and NaN as None."""
    if isinstance(value, Estimate):
        return {key: jsonable(getattr(value, key)) for key in ("value", "low", "high")}
    if isinstance(value, Mapping):
        return {key: jsonable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(inner) for inner in value]
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _baseline(table: PairTable) -> dict[str, Any]:
    rows = _plain(table, table.baseline_rows)
    return {
        **_counts(table, rows),
        "auroc": {UNCALIBRATED: auroc(table.positive[rows], table.scores[UNCALIBRATED][rows])},
        "scores": {UNCALIBRATED: _score_quality(table, UNCALIBRATED, rows)},
        "subgroups": _subgroups(table, table.baseline_rows, (UNCALIBRATED,)),
    }


def _follow_up(table: PairTable, bootstrap_seed: int) -> dict[str, Any]:
    rows = _plain(table, table.follow_up_rows)
    y, patient = table.positive[rows], table.patient[rows]
    tests: dict[str, Any] = {}
    boots: dict[str, Any] = {}
    for key, a, b in COMPARISONS:
        if a not in table.variants or b not in table.variants:
            continue
        pair = (table.scores[a][rows], table.scores[b][rows])
        tests[key] = delong_test(y, *pair)._asdict()
        boots[key] = bootstrap_auroc_difference(y, pair, patient, seed=bootstrap_seed)
    return {
        **_counts(table, rows),
        "n_without_history": int(_plain(table, table.follow_up & ~table.follow_up_rows).sum()),
        "auroc": {name: auroc(y, table.scores[name][rows]) for name in table.variants},
        "delong": tests,
        "bootstrap": boots,
        "scores": {name: _score_quality(table, name, rows) for name in table.variants},
        "subgroups": _subgroups(table, table.follow_up_rows, table.variants),
    }


def _plain(table: PairTable, rows: Bools) -> Bools:
    """Leave out the patients that were added to enrich a subgroup."""
    kept: Bools = rows & (table.added_for == "")
    return kept


def _counts(table: PairTable, rows: Bools) -> dict[str, int]:
    return {
        "n": int(rows.sum()),
        "n_positive": int(table.positive[rows].sum()),
        "n_patients": int(np.unique(table.patient[rows]).size),
    }


def _subgroups(table: PairTable, rows: Bools, variants: tuple[str, ...]) -> dict[str, Any]:
    members = {"all": np.ones_like(rows), **table.subgroups}
    known = [key for key in SUBGROUP_KEYS if key in members]
    found: dict[str, Any] = {}
    for key in known:
        added = rows & members[key] & (table.added_for == key)
        inside = _plain(table, rows & members[key]) | added
        row: dict[str, Any] = _counts(table, inside)
        row["n_enriched"] = int(added.sum())
        for name in variants:
            row[name] = accuracy_figures(
                table.positive[inside], table.scores[name][inside], table.thresholds[name][inside]
            )
        if RECALIBRATED in variants:
            y = table.positive[inside]
            a, b = table.scores[RECALIBRATED][inside], table.scores[UNCALIBRATED][inside]
            test = delong_test(y, a, b)._asdict()
            row["delong"] = {"recalibrated_minus_uncalibrated": test}
        found[key] = row
    return found


def accuracy_figures(y: Bools, score: Floats, threshold: Floats) -> dict[str, Estimate]:
    """Return AUROC, accuracy at the thresholds, and at 90 % sensitivity or specificity.

    Parameters
    ----------
    y : ndarray of bool, shape (n,)
    score, threshold : ndarray, shape (n,)
        The threshold of each row; NaN anywhere: none is known, so its figures are NaN.
    """
    unknown = Estimate(float("nan"), float("nan"), float("nan"))
    found = {
        "auroc": auroc(y, score),
        "sensitivity": unknown,
        "specificity": unknown,
        "ppv": unknown,
        "npv": unknown,
        "specificity_at_90_sensitivity": specificity_at_sensitivity(y, score, 0.9),
        "sensitivity_at_90_specificity": sensitivity_at_specificity(y, score, 0.9),
    }
    # The distance to the threshold, because a table of scores may hold several thresholds.
    margin = score - threshold
    if not np.isnan(margin).any():
        at_threshold = accuracy_at(y, margin, 0.0)
        for key in ("sensitivity", "specificity", "ppv", "npv"):
            found[key] = getattr(at_threshold, key)
    return found


def _score_quality(table: PairTable, variant: str, rows: Bools) -> dict[str, Any]:
    """Brier score and calibration line: how far the score is from a probability."""
    y, score = table.positive[rows], table.scores[variant][rows]
    line = calibration_line(y, np.clip(score, 0.0, 1.0))
    return {
        "auprc": auprc(y, score),
        "brier": brier(y, score),
        "calibration_slope": line.slope,
        "calibration_intercept": line.intercept,
        "calibration_in_the_large": line.in_the_large,
    }


def _controls(table: PairTable) -> dict[str, Any]:
    rows = _plain(table, table.follow_up_rows)
    y, plain = table.positive[rows], table.scores[UNCALIBRATED][rows]
    found: dict[str, Any] = {}
    for key, score in table.controls.items():
        test = delong_test(y, score[rows], plain)
        found[key] = {
            "auroc": auroc(y, score[rows]),
            "minus_uncalibrated": test._asdict(),
            "what": CONTROLS[key],
        }
        if RECALIBRATED in table.variants:
            test = delong_test(y, score[rows], table.scores[RECALIBRATED][rows])
            found[key]["minus_recalibrated"] = test._asdict()
    return found


def _population(table: PairTable) -> dict[str, Any]:
    """How the cohort differs from another: prevalences and pairs per patient."""
    first, later = _plain(table, table.baseline_rows), _plain(table, table.follow_up_rows)
    shares = {
        key: {"baseline": _share(member[first]), "follow_up": _share(member[later])}
        for key, member in table.subgroups.items()
    }
    plain = _plain(table, np.ones(table.patient.shape, dtype=bool))
    with_pair = max(int(np.unique(table.patient[plain]).size), 1)
    return {
        "lvsd_prevalence": {
            "baseline": _share(table.positive[first]),
            "follow_up": _share(table.positive[later]),
        },
        "mean_lvef_percent": {
            "baseline": _mean(table.lvef_percent[first]),
            "follow_up": _mean(table.lvef_percent[later]),
        },
        "follow_up_pairs_per_patient": float(table.follow_up[plain].sum()) / with_pair,
        "subgroup_share": shares,
        "counts": dict(table.counts),
    }


def _share(values: Bools) -> float:
    return float(values.mean()) if values.size else float("nan")


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")
