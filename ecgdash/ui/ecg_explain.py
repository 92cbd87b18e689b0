"""What moved the score of an ECG: the control, the colour, its reliability and its tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import streamlit as st

from ecgdash.domain import BIN_S, Attribution, RiskTimeline, TimelinePoint, VariantScore
from ecgdash.errors import EcgDashError, NotFound
from ecgdash.plots import variant_style
from ecgdash.plots.sheets import Overlay
from ecgdash.services.explaining import attribute, earlier_of, with_contributions
from ecgdash.services.moments import moments
from ecgdash.services.monitoring import StoredEcg
from ecgdash.ui import cache, ecg_explain_words, html
from ecgdash.ui.card_trust import trust_table, wave_heat
from ecgdash.ui.html import Cell
from ecgdash.ui.page import Page
from ecgdash.ui.patient_tables import draw_history

if TYPE_CHECKING:
    from ecgdash.inference import Engine

__all__ = [
    "Explanation",
    "choose_explanation",
    "draw_map_notes",
    "draw_map_trust",
    "draw_waves",
    "overlay_of",
]

_OFF: Final = "off"
_ZERO: Final = "zero"
_EARLIER: Final = "earlier"
_MOMENTS: Final = "moments"


@dataclass(frozen=True, eq=False)
class Explanation:
    """What the user chose to see, and what came of it.

    Attributes
    ----------
    attribution : Attribution or None
        None: the map is off.
    overlay : Overlay or None
        Colour for the sheet, in the ECG's own lead order.
    since : str
        The reference in words, "since 28 Jan 2025" or "against a flat line".
    earlier_key : str or None
        Of the ECG compared with.
    problem : str
        Why there is no map, in a sentence; "" where nothing is wrong.
    remark : str
        What a colour without an attribution means.
    """

    attribution: Attribution | None = None
    overlay: Overlay | None = None
    since: str = ""
    earlier_key: str | None = None
    problem: str = ""
    remark: str = ""


def choose_explanation(
    facts: StoredEcg, course: RiskTimeline, page: Page, compared: str | None = None
) -> Explanation:
    """Draw the control, and make the map if one is asked for; only then is a network loaded.

    Parameters
    ----------
    facts : StoredEcg
    course : RiskTimeline
    page : Page
    compared : str, optional
        Key of the ECG that the page compares with; where there is none, or the gate withheld its
        score, the last analysable one before is offered.
    """
    point = _point_of(facts.key, course)
    if point is None or point.best_variant is None or point.family is None:
        reason = ecg_explain_words.why_no_score(point)
        _ask(facts, (_OFF,), "", disabled=True)
        return Explanation(problem=f"Nothing can be explained: {reason}.")
    earlier = None if compared is None else _point_of(compared, course)
    if earlier is None or earlier.status != "analysable":
        # What the gate holds unfit for a score is no reference for one.
        before = earlier_of(course, facts.key)
        earlier = None if before is None else _point_of(before, course)
    since = ecg_explain_words.since_words(point, earlier, page.zone)
    middle = (_ZERO,) if earlier is None else (_ZERO, _EARLIER)
    options = (_OFF, *middle, _MOMENTS)
    chosen = _ask(facts, options, since)
    if chosen == _OFF:
        return Explanation()
    variant = _ask_variant(facts, point)
    if chosen == _MOMENTS:
        return _moments(facts, point.family, variant, page)
    key = earlier.ecg if earlier is not None and chosen == _EARLIER else None
    against = since if chosen == _EARLIER else "against a flat line"
    try:
        found = _attribution(facts, point.family, variant, page, key)
    except EcgDashError as error:
        return Explanation(since=against, earlier_key=key, problem=f"No map. {error.sentence}")
    title = f"What moved the {variant_style(variant).label} score {against}"
    return Explanation(found, overlay_of(found, facts.leads, title), against, key)


def _ask(facts: StoredEcg, options: Sequence[str], since: str, *, disabled: bool = False) -> str:
    told = {
        _OFF: "Off",
        _ZERO: "Since zero",
        _EARLIER: since[:1].upper() + since[1:],
        _MOMENTS: "Grad-CAM",
    }
    chosen = st.segmented_control(
        "What moved the score",
        options,
        format_func=lambda option: told[option],
        default=_OFF,
        disabled=disabled,
        help="Since zero: against a flat line. Grad-CAM: another method, of moments only. "
        "Colour lies beneath the trace; supporting evidence only.",
        # Off again at the next ECG: a map is never shown that nobody asked for.
        key=f"moved_{facts.key}",
    )
    return str(chosen or _OFF)


def _ask_variant(facts: StoredEcg, point: TimelinePoint) -> str:
    """Return the variant to explain: the one with most history until another is chosen."""
    names = [name for name, score in point.scores.items() if isinstance(score, VariantScore)]
    names.reverse()
    chosen = st.selectbox(
        "Score explained",
        names,
        format_func=lambda name: f"{variant_style(name).glyph} {variant_style(name).label}",
        key=f"moved_variant_{facts.key}",
        width=180,
    )
    return str(chosen)


def _attribution(
    facts: StoredEcg, family: str, variant: str, page: Page, earlier_key: str | None
) -> Attribution:
    with st.spinner("Working out what moved the score"):
        engine = _own_engine(family, page)
        return attribute(page.store, engine, facts.key, variant, earlier_key)


def _own_engine(family: str, page: Page) -> "Engine":
    """Return the engine of a family whose network can be looked into.

    Raises
    ------
    NotFound
        For a family that others trained.
    """
    for engine in cache.own_engines(page.settings):
        if engine.card.family == family:
            return engine
    raise NotFound(f"{family} is an external family, whose network is not looked into")


def _moments(facts: StoredEcg, family: str, variant: str, page: Page) -> Explanation:
    """Return Grad-CAM as colour, alike in all leads that the family reads."""
    try:
        with st.spinner("Working out which moments carry the score"):
            engine = _own_engine(family, page)
            found = moments(page.store, engine, facts.key, variant)
    except EcgDashError as error:
        return Explanation(problem=f"No map. {error.sentence}")
    values = np.zeros((len(facts.leads), len(found.bins)), dtype=np.float32)
    values[[lead in engine.leads for lead in facts.leads]] = found.bins
    label = variant_style(variant).label
    title = f"Grad-CAM of the {label} score, all leads alike"
    return Explanation(
        overlay=Overlay(found.start_s, BIN_S, values, title, "no unit"),
        remark=f"Grad-CAM shows at which moments the network's last block carries the {label} "
        f"score, in steps of {1000 * found.step_s:.0f} ms. It tells no lead from another, has no "
        "unit and adds up to nothing; how far it agrees with the other maps stands on the card.",
    )


def overlay_of(found: Attribution, leads: Sequence[str], title: str) -> Overlay:
    """Return the map in the lead order of a sheet; leads that the family does not read are 0."""
    values = np.zeros((len(leads), found.bins.shape[1]), dtype=np.float32)
    for row, lead in zip(found.bins, found.leads, strict=True):
        if lead in leads:
            values[list(leads).index(lead)] = row
    return Overlay(found.start_s, BIN_S, values, title)


def draw_map_notes(
    explanation: Explanation, facts: StoredEcg, course: RiskTimeline, page: Page
) -> None:
    """Draw what belongs under the sheet: reliability, what adds up, and what history added."""
    found = explanation.attribution
    if found is None:
        if explanation.problem:
            html.draw(
                html.element("div", explanation.problem, kind="ed-small ed-weak", role="note")
            )
        elif explanation.remark:
            html.draw(html.small(f"Supporting evidence only. {explanation.remark}"))
        return
    html.draw(
        html.element(
            "div",
            ecg_explain_words.badge(found, page.family_trust),
            html.small(
                "Supporting evidence only. The black trace is unaltered; colour lies beneath it."
            ),
            html.element("div", ecg_explain_words.sum_sentence(found, explanation.since)),
            kind="ed-notes-of-map",
        )
    )
    told = with_contributions(course, page.history_terms)
    point = _point_of(facts.key, told)
    score = None if point is None else point.scores.get(found.variant)
    if point is None or not isinstance(score, VariantScore) or score.history is None:
        return
    earlier = None
    if explanation.earlier_key is not None:
        earlier = _point_of(explanation.earlier_key, told)
    html.draw(
        html.element("div", ecg_explain_words.history_sentence(found.variant, point, earlier, page))
    )
    draw_history(point, found.variant, told, page)


def draw_waves(explanation: Explanation) -> None:
    """Draw the map summed by lead and wave."""
    found = explanation.attribution
    if found is None:
        return
    label = variant_style(found.variant).label
    caption = f"Logit change of the {label} score {explanation.since}, ECG part"
    html.draw(Cell('<h2 class="ed-h2">Lead by wave</h2>'), wave_heat(found.waves, caption))


def draw_map_trust(explanation: Explanation, page: Page) -> None:
    """Draw how far the shown map can be trusted, check by check."""
    found = explanation.attribution
    if found is None:
        return
    trust = ecg_explain_words.trust_of(found, page.family_trust)
    html.draw(Cell('<h2 class="ed-h2">How far to trust this map</h2>'))
    if trust is None:
        html.draw(html.small("Not measured for these weights."))
        return
    label = variant_style(found.variant).label
    told = f"Maps of the {label} score on {trust.data}. "
    link = html.card_link("Model card", found.family, found.variant)
    html.draw(
        html.element("div", told, link, kind="ed-small ed-muted"),
        trust_table(trust.checks[found.variant]),
    )


def _point_of(ecg: str, course: RiskTimeline) -> TimelinePoint | None:
    points = (*course.points, *course.undated)
    return next((point for point in points if point.ecg == ecg), None)
