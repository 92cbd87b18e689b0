"""One family's card: what it is, what it must not be used for, and what is known of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ecgdash.domain import FamilyCard, ProbabilityMap, Repeatability
from ecgdash.plots.card import reliability, reliability_top, repeat_ranges, repeats
from ecgdash.plots.others import label_words
from ecgdash.services.family_figures import FamilyFigures
from ecgdash.ui import card_tables, html, words
from ecgdash.ui.card_contents import heading
from ecgdash.ui.card_groups import draw_groups
from ecgdash.ui.html import Cell
from ecgdash.ui.page import Page

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["draw_evidence", "draw_head", "draw_method"]


def draw_head(card: FamilyCard, status: str) -> None:
    """Draw what the family is, whether it is shown, and what it must not be used for.

    Parameters
    ----------
    status : str
        Whether worklist and timelines show it, in a sentence.
    """
    variants = words.plural(len(card.variants), "score")
    what = (
        f"{variants} of one ECG of {words.lead_set_words(card.lead_set)}, for "
        f"{label_words(card.label)}. "
    )
    if card.input_kind != "signal":
        what = f"{variants} of one {card.input_kind}, for {label_words(card.label)}. "
    html.draw(
        Cell(f'<h2 class="ed-h2">{html.text(card.title).html}</h2>'),
        Cell("<p class=ed-told>"),
        html.text(what),
        html.bold(status),
        Cell("</p>"),
        _must_not(card),
        html.small(
            f"{card.family} · {card.architecture} · input: {card.input_kind} · preprocessing "
            f"v{card.preprocessing_version} · weights sha256 {card.weights_sha256[:16]}… · "
            f"licence {card.licence}"
        ),
        html.small(
            f"Trained on: {card.trained_on}"
            + (" (simulated)" if card.trained_on_simulated else ""),
            "ed-weak" if card.trained_on_simulated else "ed-muted",
        ),
    )


def _must_not(card: FamilyCard) -> Cell:
    if not card.must_not:
        return html.small(
            "What it must not be used for: not stated on its card. Research use only."
        )
    return html.element(
        "div",
        html.bold("What it must not be used for"),
        _list(card.must_not),
        kind="ed-mustnot",
        role="note",
    )


def draw_evidence(
    card: FamilyCard, figures: FamilyFigures | None, variant: str, page: Page
) -> None:
    """Draw thresholds, probability maps, repeat ECGs and subgroups.

    Parameters
    ----------
    figures : FamilyFigures or None
        Of its installed evaluation; None: not evaluated.
    variant : str
        Whose rows are marked, because a link led there; "" for none.
    """
    html.draw(
        heading("thresholds"),
        html.small(
            "A score is above a threshold when it equals it or is higher. Youden's index weighs a "
            "missed case like a false call."
        ),
        card_tables.threshold_table(card, variant),
    )
    _draw_probability(card, variant, page)
    _draw_repeats(card, variant, page)
    draw_groups(card, figures, variant)


def _draw_probability(card: FamilyCard, marked: str, page: Page) -> None:
    maps = {
        item.variant: item.probability
        for item in reversed(card.variants)
        if item.probability is not None
    }
    html.draw(heading("probability"))
    if not maps:
        html.draw(html.text("Not measured: no map was fitted, so no score here is a probability."))
        return
    html.draw(
        html.small(
            "A score is not a probability. The map turns it into one for patients like those it "
            "was fitted on; at another prevalence it does not hold. Points: groups of equal size "
            "with Clopper-Pearson 95 % intervals; dotted: ideal. ECE: mean distance from it."
        )
    )
    top = reliability_top(list(maps.values()))
    _draw_side_by_side(
        "reliability",
        [
            (name, reliability(found, name, page.theme, top), _reliability_alt(found))
            for name, found in maps.items()
        ],
    )
    html.draw(card_tables.probability_table(card, marked))


def _reliability_alt(found: ProbabilityMap) -> str:
    pairs = ", ".join(f"{p.mean:.3f}: {p.observed.value:.3f}" for p in found.reliability)
    return f"Mapped probability and observed share: {pairs}"


def _draw_repeats(card: FamilyCard, marked: str, page: Page) -> None:
    found = {
        item.variant: item.repeatability
        for item in reversed(card.variants)
        if item.repeatability is not None
    }
    html.draw(
        heading("repeats"),
        html.small(
            "How far the score of a stable patient moves from one ECG to the next. Noise floor: "
            "half width of the 95 % limits of agreement (Bland and Altman); a change within it "
            "counts as none. CCC: Lin's concordance of the logits."
        ),
    )
    drawn = {name: one for name, one in found.items() if one.points}
    if drawn:
        ranges = repeat_ranges(list(drawn.values()))
        _draw_side_by_side(
            "repeats",
            [
                (name, repeats(one, name, page.theme, ranges), _repeats_alt(one))
                for name, one in drawn.items()
            ],
        )
        html.draw(html.small(_points_words(list(drawn.values()))))
    html.draw(card_tables.repeat_table(card, marked))


def _points_words(found: Sequence[Repeatability]) -> str:
    counts = sorted({(len(one.points), one.n_pairs) for one in found})
    shown = " or ".join(f"{n:,} of {n_pairs:,}" for n, n_pairs in counts)
    return (
        f"Each mark is a pair of ECGs ({shown} pairs are drawn). Solid: mean difference; "
        "dashed: limits of agreement."
    )


def _repeats_alt(found: Repeatability) -> str:
    return (
        f"Differences of {found.n_pairs:,} pairs of ECGs: mean "
        f"{found.mean_difference_logit:.2f}, limits of agreement {found.lower_logit:.2f} to "
        f"{found.upper_logit:.2f} logits"
    )


def _draw_side_by_side(kind: str, drawn: "Sequence[tuple[str, go.Figure, str]]") -> None:
    for place, (variant, figure, alt) in zip(
        st.columns(len(drawn), gap="medium"), drawn, strict=True
    ):
        with place:
            html.draw(card_tables.variant_name(variant))
            st.plotly_chart(
                figure,
                theme=None,
                key=f"{kind}_{variant}",
                config={"displayModeBar": False},
                alt=alt,
            )


def draw_method(card: FamilyCard) -> None:
    """Draw training data, label definition, our choices and the notes."""
    html.draw(heading("training"))
    definition = card.label_definition or "how it was read is not stated on the card"
    html.draw(html.join(html.bold(f"{label_words(card.label)}: "), definition))
    if card.training_data:
        html.draw(card_tables.training_table(card))
    else:
        html.draw(html.small("How many ECGs each phase learned from is not stated on the card."))
    source = "source" if card.external else "paper"
    for title, lines in (
        (f"What the {source} leaves open, and what we chose", card.chosen),
        (f"Where this differs from the {source}, and why", card.differs),
        ("Notes", card.notes),
    ):
        if lines:
            html.draw(html.element("h2", title, kind="ed-h2"), _list(lines))
    if card.check is not None:
        html.draw(
            html.small(
                "'python -m ecgdash models verify' computes the score of a simulated ECG again "
                "and compares it with the one on this card."
            )
        )


def _list(lines: Sequence[str]) -> Cell:
    return html.element("ul", *(html.element("li", line) for line in lines), kind="ed-list")
