"""The models page: every installed family with its card."""

from collections.abc import Sequence

from ecgdash.domain import FamilyCard, OperatingPoint, VariantCard
from ecgdash.plots import variant_style
from ecgdash.services.family_figures import FamilyFigures
from ecgdash.ui import html, words
from ecgdash.ui.html import Cell, Column

__all__ = ["draw_family", "draw_title"]

_RULES = {
    "youden": "Youden index (used for above and below)",
    "sensitivity_90": "90 % sensitivity",
    "specificity_90": "90 % specificity",
}


def draw_title(cards: Sequence[FamilyCard]) -> None:
    """Draw the title and how many families are installed."""
    count = words.plural(len(cards), "installed family", "installed families")
    html.draw(
        Cell('<div class="ed-title"><h1>Models</h1>'), html.text(count, "ed-counts"), Cell("</div>")
    )
    if not cards:
        html.draw(
            html.text(
                "No model is installed: ECGs are stored and shown without scores. Train one with "
                "'python -m ecgdash train', or add one with 'python -m ecgdash models add'."
            )
        )


def draw_family(card: FamilyCard, figures: FamilyFigures | None) -> None:
    """Draw one family: what it is, its thresholds with their origin, noise floors, notes.

    Parameters
    ----------
    figures : FamilyFigures or None
        Of its installed evaluation; None: not evaluated.
    """
    html.draw(
        Cell(f'<h2 class="ed-h2">{html.text(card.title).html}</h2>'),
        html.small(
            f"{card.family} · {words.lead_set_words(card.lead_set)} · {card.label} · "
            f"{card.architecture} · input: {card.input_kind} · preprocessing "
            f"v{card.preprocessing_version} · weights sha256 {card.weights_sha256[:16]}… · "
            f"licence {card.licence}"
        ),
        html.small(
            f"Trained on: {card.trained_on}"
            + (" (simulated)" if card.trained_on_simulated else ""),
            "ed-weak" if card.trained_on_simulated else "ed-muted",
        ),
        html.small(_evaluation_words(figures)),
    )
    columns = (
        Column("Variant", "lead"),
        Column("Operating point", "wide"),
        Column("Threshold", "num"),
        Column("Sensitivity there", "num"),
        Column("Specificity there", "num"),
        Column("n", "num"),
        Column("Prevalence", "num"),
        Column("Chosen on", "wide"),
        Column("Noise floor (logit)", "num"),
    )
    rows = [
        _point_row(variant, point)
        for variant in reversed(card.variants)
        for point in (variant.youden, variant.sensitivity_90, variant.specificity_90)
    ]
    html.draw(html.table(f"Thresholds of {card.title}", columns, rows))
    notes = "".join(f"<li>{html.text(note).html}</li>" for note in card.notes)
    html.draw(
        html.small(
            "A score is not a probability. Youden's index weighs a missed case like a false call. "
            "Noise floor: half width of the 95 % limits of agreement between repeat ECGs."
        ),
        Cell(f'<ul class="ed-notes">{notes}</ul>' if notes else ""),
    )


def _evaluation_words(figures: FamilyFigures | None) -> str:
    if figures is None:
        return "Evaluation of these weights: none installed (not evaluated)."
    whose = "SIMULATED, " if figures.simulated else ""
    return (
        f"Evaluation of these weights: {whose}{words.plural(figures.n_patients, 'patient')}; "
        "its figures per subgroup stand beside the flags of a patient."
    )


def _point_row(variant: VariantCard, point: OperatingPoint) -> list[Cell | str]:
    look = variant_style(variant.variant)
    noise = variant.noise_floor_logit
    return [
        html.text(f"{look.glyph} {look.label}", "ed-strong"),
        _RULES.get(point.rule, point.rule),
        html.bold(f"{point.value:.3f}"),
        f"{point.sensitivity:.2f}",
        f"{point.specificity:.2f}",
        f"{point.n:,}",
        f"{100 * point.prevalence:.1f} %",
        html.text(point.data, "ed-small ed-muted"),
        "not measured" if noise is None else f"±{noise:.2f}",
    ]
