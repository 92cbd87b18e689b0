"""The tables of a family's card: thresholds, probability map, repeat ECGs, training data."""

import math
from collections.abc import Sequence
from typing import Final

from ecgdash.domain import Estimate, FamilyCard, OperatingPoint, ProbabilityMap, VariantCard
from ecgdash.plots import variant_style
from ecgdash.ui import html, words
from ecgdash.ui.html import Cell, Column

__all__ = [
    "NOT_MEASURED",
    "NOT_STATED",
    "figure",
    "probability_table",
    "repeat_table",
    "said_simulated",
    "threshold_table",
    "training_table",
    "variant_name",
]

NOT_MEASURED: Final = "not measured"
NOT_STATED: Final = "not stated"

_RULES: Final = {
    "youden": "Youden index (used for above and below)",
    "sensitivity_90": "90 % sensitivity",
    "specificity_90": "90 % specificity",
}
_PHASES: Final = {
    "pretrain": "1, pretraining on labels of the ECG itself",
    "finetune": "2, finetuning on baseline pairs",
    "recalibrate": "3, recalibration on follow-up pairs",
}
_SPLITS: Final = {"train": "training", "validation": "validation", "test": "test"}


def variant_name(variant: str) -> Cell:
    """Return a variant's marker and name."""
    look = variant_style(variant)
    return html.text(f"{look.glyph} {look.label}", "ed-strong ed-nowrap")


def figure(estimate: Estimate, digits: int = 2) -> Cell:
    """Return an estimate with its interval; what is not defined (NaN) is a dash or left out."""
    if math.isnan(estimate.value):
        return html.text("–", "ed-muted")
    value, low, high = (
        f"{part:.{digits}f}" for part in (estimate.value, estimate.low, estimate.high)
    )
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return html.bold(value)
    interval = html.text(f"{low}–{high}", "ed-muted ed-small")
    return html.element("span", html.bold(value), " ", interval, kind="ed-figure")


def said_simulated(data: str) -> str:
    """Return in what data something was measured, marked where those are simulated."""
    hidden = "simulated" in data.lower() and "SIMULATED" not in data
    return f"SIMULATED: {data}" if hidden else data


def threshold_table(card: FamilyCard, marked: str) -> Cell:
    """Return every threshold with what it did where it was chosen.

    Parameters
    ----------
    marked : str
        The variant that a link led to; "" for none.
    """
    columns = (
        Column("Variant", "lead"),
        Column("Operating point", "wide"),
        Column("Threshold", "num"),
        Column("Sensitivity there", "num"),
        Column("Specificity there", "num"),
        Column("n", "num"),
        Column("Prevalence", "num"),
        Column("Chosen on", "wide"),
    )
    told = [
        (variant.variant, point)
        for variant in reversed(card.variants)
        for point in (variant.youden, variant.sensitivity_90, variant.specificity_90)
        if not math.isnan(point.value)
    ]
    rows = [_threshold_row(name, point) for name, point in told]
    places = [i for i, (name, _) in enumerate(told) if name == marked]
    return html.table(f"Thresholds of {card.title}", columns, rows, marked=places)


def _threshold_row(variant: str, point: OperatingPoint) -> list[Cell | str]:
    if not point.n:
        return _stated_row(variant, point)
    return [
        variant_name(variant),
        _RULES.get(point.rule, point.rule),
        html.bold(f"{point.value:.3f}"),
        NOT_STATED if math.isnan(point.sensitivity) else f"{point.sensitivity:.2f}",
        NOT_STATED if math.isnan(point.specificity) else f"{point.specificity:.2f}",
        f"{point.n:,}",
        words.percent(point.prevalence),
        html.text(said_simulated(point.data), "ed-small ed-muted"),
    ]


def _stated_row(variant: str, point: OperatingPoint) -> list[Cell | str]:
    """Return the row of a threshold whose source does not state on how many it was chosen."""
    known = [
        NOT_STATED if math.isnan(share) else f"{share:.2f}"
        for share in (point.sensitivity, point.specificity)
    ]
    return [
        variant_name(variant),
        f"{_RULES.get(point.rule, point.rule)} (used for above and below)",
        html.bold(f"{point.value:.3f}"),
        *known,
        NOT_STATED,
        NOT_STATED,
        html.text(said_simulated(point.data), "ed-small ed-muted"),
    ]


def probability_table(card: FamilyCard, marked: str) -> Cell:
    """Return how well each variant's probability map did, and where it holds."""
    columns = (
        Column("Variant", "lead"),
        Column("Brier", "num"),
        Column("Brier of the score", "num"),
        Column("Slope (ideal 1)", "num"),
        Column("Intercept (ideal 0)", "num"),
        Column("ECE", "num"),
        Column("Holds at", "wide"),
        Column("Measured on", "wide"),
        Column("Map, fitted on", "wide"),
    )
    rows = [_probability_row(variant) for variant in reversed(card.variants)]
    return html.table(
        f"Probability maps of {card.title}", columns, rows, marked=_places(card, marked)
    )


def _probability_row(variant: VariantCard) -> list[Cell | str]:
    found, name = variant.probability, variant_name(variant.variant)
    if found is None:
        none = html.text("–", "ed-muted")
        told = html.text(f"{NOT_MEASURED}: no map was fitted, so this is no probability")
        return [name, *([none] * 5), none, told, none]
    measured, fitted = found.n_positive / found.n, found.n_positive_fitted / found.n_fitted
    plus = words.signed(found.intercept, 2)
    return [
        name,
        html.bold(f"{found.brier:.4f}"),
        f"{found.brier_of_scores:.4f}",
        _defined(found.calibration_slope, f"{found.calibration_slope:.2f}"),
        _defined(found.calibration_intercept, words.signed(found.calibration_intercept, 2)),
        f"{found.ece:.4f}",
        html.text(f"prevalence {words.percent(measured)}", "ed-nowrap"),
        html.text(
            f"{_measured_words(found)}; {found.n_positive:,} of {found.n:,} positive",
            "ed-small ed-muted",
        ),
        html.text(
            f"logit(probability) = {found.slope:.2f} × logit(score) {plus}; "
            f"{said_simulated(found.fitted_on)}; {found.n_positive_fitted:,} of "
            f"{found.n_fitted:,} positive ({words.percent(fitted)})",
            "ed-small ed-muted",
        ),
    ]


def _measured_words(found: ProbabilityMap) -> str:
    """Return on whom a map was measured; of simulated patients too if only the fit says so."""
    data = said_simulated(found.measured_on)
    if "simulated" in found.fitted_on.lower() and "simulated" not in data.lower():
        return f"SIMULATED: {data}"
    return data


def _defined(value: float, told: str) -> str:
    return "–" if math.isnan(value) else told


def repeat_table(card: FamilyCard, marked: str) -> Cell:
    """Return how far the scores of stable patients moved from one ECG to the next."""
    columns = (
        Column("Variant", "lead"),
        Column("Noise floor (logit)", "num"),
        Column("Mean difference", "num"),
        Column("95 % limits of agreement", "num"),
        Column("CCC", "num"),
        Column("Kappa at the threshold", "num"),
        Column("On different sides", "num"),
        Column("Pairs", "num"),
        Column("Patients", "num"),
        Column("Measured on", "wide"),
    )
    rows = [_repeat_row(variant) for variant in reversed(card.variants)]
    return html.table(f"Repeat ECGs, {card.title}", columns, rows, marked=_places(card, marked))


def _repeat_row(variant: VariantCard) -> list[Cell | str]:
    floor, found = variant.noise_floor_logit, variant.repeatability
    name = variant_name(variant.variant)
    told = html.text(NOT_MEASURED, "ed-muted") if floor is None else html.bold(f"±{floor:.2f}")
    if found is None:
        none = html.text("–", "ed-muted")
        why = "" if floor is None else "its card does not say on what"
        return [name, told, *([none] * 7), html.text(why, "ed-small ed-muted")]
    low, high = words.signed(found.lower_logit, 2), words.signed(found.upper_logit, 2)
    return [
        name,
        told,
        words.signed(found.mean_difference_logit, 2),
        f"{low} to {high}",
        figure(found.ccc),
        figure(found.kappa),
        words.percent(found.share_of_other_side),
        f"{found.n_pairs:,}",
        f"{found.n_patients:,}",
        html.text(said_simulated(found.data), "ed-small ed-muted"),
    ]


def training_table(card: FamilyCard) -> Cell:
    """Return what each phase of the training learned from."""
    columns = (
        Column("Phase", "lead"),
        Column("Part"),
        Column("ECGs or pairs", "num"),
        Column("Patients", "num"),
        Column("With the label", "num"),
    )
    rows = [
        (
            html.text(_PHASES.get(part.phase, part.phase), "ed-strong"),
            _SPLITS.get(part.split, part.split),
            f"{part.n:,}",
            f"{part.n_patients:,}",
            _positive_words(part.n_positive, part.n),
        )
        for part in card.training_data
    ]
    return html.table(f"Training data of {card.title}", columns, rows)


def _positive_words(n_positive: int | None, n: int) -> str:
    if n_positive is None:
        return "many labels"
    return f"{n_positive:,} ({words.percent(n_positive / n)})" if n else f"{n_positive:,}"


def _places(card: FamilyCard, marked: str) -> Sequence[int]:
    """Return the row of a variant in tables with one row per variant, most history first."""
    names = [variant.variant for variant in reversed(card.variants)]
    return [i for i, name in enumerate(names) if name == marked]
