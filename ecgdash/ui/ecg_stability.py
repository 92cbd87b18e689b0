"""How steady the score of an ECG is, on request: a figure and its numbers."""

from typing import Final

import streamlit as st

from ecgdash.domain import RiskTimeline, TimelinePoint, VariantScore
from ecgdash.domain.stability import StabilityPanel, StabilityRow
from ecgdash.plots import variant_style
from ecgdash.plots.stability import stability_plot
from ecgdash.services.monitoring import StoredEcg
from ecgdash.ui import cache, html, words
from ecgdash.ui.html import Cell, Column
from ecgdash.ui.page import Page

__all__ = ["draw_stability", "stability_table", "verdict_sentence"]

_ASKED: Final = "stability_asked"
_KEPT: Final = "stability_kept"
"""The last panel with its key: of this session, because it describes a patient."""


def draw_stability(facts: StoredEcg, course: RiskTimeline, page: Page) -> None:
    """Offer the panel; it is computed when it is asked for, once for each ECG and weights."""
    html.draw(Cell('<h2 class="ed-h2">How steady this score is</h2>'))
    points = (*course.points, *course.undated)
    point = next((p for p in points if p.ecg == facts.key), None)
    if point is None or point.best_variant is None or point.family is None:
        html.draw(html.small("This ECG has no score, so there is none to vary."))
        return
    if any(card.external for card in page.cards if card.family == point.family):
        html.draw(html.small("Not shown for an external family: its own rules prepare the ECG."))
        return
    told = "Show how the score moves with crop, sampling rate, noise and number of leads"
    with st.container(key="ed-noprint-stability"):
        asked = st.toggle(told, key=_ASKED)
    if not asked:
        return
    panel = _panel(facts, point, course, page)
    html.draw(
        html.element("div", verdict_sentence(panel)),
        html.small(_caption(panel)),
    )
    for width, narrow in (("wide", False), ("narrow", True)):
        with st.container(key=f"ed-plot-{width}"):
            st.plotly_chart(
                stability_plot(panel, page.theme, narrow=narrow),
                theme=None,
                key=f"stability_{width}",
                config={"displayModeBar": False},
                alt=verdict_sentence(panel),
            )
    html.draw(stability_table(panel))


def _panel(
    facts: StoredEcg, point: TimelinePoint, course: RiskTimeline, page: Page
) -> StabilityPanel:
    from ecgdash.services.stability import stability

    scores = {
        name: (score.value, score.threshold.value)
        for name, score in point.scores.items()
        if isinstance(score, VariantScore)
    }
    weights = {card.family: card.weights_sha256 for card in page.cards}
    # The scores stand for the history: another one gives other scores of the same ECG.
    key = (facts.key, facts.sha256, tuple(weights.items()), tuple(scores.items()))
    kept = st.session_state.get(_KEPT)
    if kept is not None and kept[0] == key and isinstance(kept[1], StabilityPanel):
        return kept[1]
    with st.spinner("Scoring this ECG under other conditions"):
        engines = cache.own_engines(page.settings)
        panel = stability(page.store, engines, course, facts.key)
    st.session_state[_KEPT] = (key, panel)
    return panel


def verdict_sentence(panel: StabilityPanel) -> str:
    """Return on which side the score stays, and how far it moves."""
    first, *rest = panel.rows
    own = [row for row in rest if row.shift_logit is not None]
    label = variant_style(panel.variant).label
    side = "above" if first.above else "below"
    crossed = sum(bool(row.changed_side) for row in own)
    head = f"The {label} score of {first.score:.2f} is {side} its threshold"
    if crossed:
        told = f"{head} and changes side under {crossed} of {words.plural(len(own), 'condition')}."
    else:
        told = f"{head} and stays there under {_all(len(own))}."
    if not own:
        return f"{head}; no condition could be made."
    largest = max(own, key=lambda row: abs(row.shift_logit or 0.0))
    moved = f" The largest shift is {words.signed(largest.shift_logit or 0.0, 2)} logits"
    floor = panel.noise_floor_logit
    if floor is None:
        return f"{told}{moved} ({largest.condition}); the noise floor was not measured."
    place = "within" if largest.within_noise else "beyond"
    return f"{told}{moved} ({largest.condition}), {place} the noise floor of {floor:.2f}."


def _all(n: int) -> str:
    return "the one condition" if n == 1 else f"all {n} conditions"


def _caption(panel: StabilityPanel) -> str:
    label = variant_style(panel.variant).label
    box = (
        f"Shaded: the noise floor of ± {panel.noise_floor_logit:.2f} logits around it. "
        if panel.noise_floor_logit is not None
        else ""
    )
    simulated = "SIMULATED patient. " if panel.simulated else ""
    return (
        f"{simulated}Filled: the {label} score with its history held fixed; varied are the 9 s "
        "that are read, the sampling rate, and noise in the electrodes (half white, half muscle, "
        "0.67 to 40 Hz; root mean square in leads I, II and III; one seeded draw, the same at "
        f"every level). {box}Open: what other families say of this ECG with fewer leads, each "
        "against its own threshold."
    )


def stability_table(panel: StabilityPanel) -> Cell:
    """Return the figures of the panel as a table."""
    columns = (
        Column("Condition", "lead"),
        Column("Score", "num"),
        Column("Threshold", "num"),
        Column("Distance (logit)", "num"),
        Column("Side"),
        Column("Shift (logit)", "num"),
        Column("In words", "wide"),
    )
    return html.table("How steady this score is", columns, [_row(row) for row in panel.rows])


def _row(row: StabilityRow) -> list[Cell | str]:
    if row.score is None or row.threshold is None or row.distance_logit is None:
        reason = html.text(f"not made: {row.reason}", "ed-small ed-muted")
        return [row.condition, "–", "–", "–", "–", "–", reason]
    return [
        row.condition,
        html.card_link(html.bold(f"{row.score:.2f}"), row.family, row.variant),
        f"{row.threshold:.2f}",
        words.signed(row.distance_logit, 2),
        "above" if row.above else "below",
        "–" if row.shift_logit is None else words.signed(row.shift_logit, 2),
        html.text(_in_words(row), "ed-small"),
    ]


def _in_words(row: StabilityRow) -> str:
    if row.kind == "scored":
        return "computed again for this panel"
    parts = []
    if row.kind == "leads":
        parts.append(f"{variant_style(row.variant).label} score of {row.family}")
    elif row.within_noise is None:
        parts.append("noise floor not measured")
    else:
        parts.append("within noise" if row.within_noise else "beyond noise")
    parts.append("changed side" if row.changed_side else "same side")
    return ", ".join(parts)
