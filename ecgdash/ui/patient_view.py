"""The sections of the patient page."""

from collections.abc import Sequence

import streamlit as st

from ecgdash.domain import NotApplicable, Patient, RiskTimeline, TimelinePoint, VariantScore
from ecgdash.labels.published import is_weak
from ecgdash.plots import TrajectoryView, trajectory, variant_style
from ecgdash.plots.series import main_lead_set, variants_of
from ecgdash.services.exporting import threshold_origin
from ecgdash.services.flag_rows import setting_of
from ecgdash.services.summaries import Summary, has_no_study
from ecgdash.ui import html, other_models, state, words
from ecgdash.ui.html import Cell, Column
from ecgdash.ui.navigation import href, open_address
from ecgdash.ui.page import Page

__all__ = [
    "choose_ecg",
    "choose_variant",
    "draw_header",
    "draw_plot",
    "draw_scores",
    "draw_summary",
    "open_clicked",
]


def draw_header(timeline: RiskTimeline, page: Page) -> None:
    """Back link, code, name where kept, one line of facts, flags of the latest ECG."""
    latest = timeline.points[-1] if timeline.points else None
    flags = words.flags_of(latest.flags) if latest else []
    own_site = timeline.simulated or timeline.patient.site == "local"
    site = "" if own_site else f"{timeline.patient.site} · "
    facts = html.text(site + words.patient_facts(timeline, page.zone), "ed-facts")
    html.draw(
        Cell('<div class="ed-title">'),
        html.link("← Worklist", "?", "ed-back"),
        Cell(f"<h1>{html.text(timeline.patient.id).html}</h1>"),
        _person(timeline.patient),
        facts,
        html.chips(flags),
        Cell("</div>"),
    )


def _person(patient: Patient) -> Cell:
    """Return name and birth date; nothing where the site keeps none."""
    born = patient.birth_date
    parts = (patient.name, f"born {born.day} {born:%b %Y}" if born else None)
    shown = ", ".join(part for part in parts if part)
    return html.text(shown, "ed-facts") if shown else Cell("")


def draw_summary(summary: Summary, timeline: RiskTimeline) -> None:
    """Tell the sentence before the number; then the suggested step with its rule."""
    latest = timeline.points[-1] if timeline.points else None
    best = latest.best_variant if latest is not None else None
    card = Cell("")
    if latest is not None and best is not None:
        card = html.join(" ", html.card_link("Model card", latest.family, best))
    step = summary.suggested_step or "none"
    rule = f" ({summary.rule})" if summary.rule else ""
    source = f". A suggestion for a clinician, from the site's rule table{rule}."
    html.draw(
        Cell(f'<div class="ed-summary{" act" if summary.act else ""}"><p>'),
        html.bold(summary.first_sentence),
        html.text(f" {summary.rest}".replace(" %", "\N{NO-BREAK SPACE}%")),
        Cell('</p><p class="step"><b>Suggested next step:</b> '),
        html.text(step),
        html.text(source, "ed-muted"),
        card,
        Cell("</p></div>"),
    )


def choose_variant(timeline: RiskTimeline) -> str:
    """Return the emphasised variant, chosen or the best one of the last scored ECG."""
    options = list(reversed(variants_of(timeline)))
    scored = [p.best_variant for p in timeline.points if p.best_variant]
    wanted = st.session_state.get(state.EMPHASISED)
    best = wanted if wanted in options else (scored[-1] if scored else options[0])
    chosen = st.segmented_control(
        "Emphasised score",
        options,
        default=best,
        required=True,
        format_func=lambda name: f"{variant_style(name).glyph} {variant_style(name).label}",
        key=f"{state.EMPHASISED}_control",
    )
    st.session_state[state.EMPHASISED] = chosen or best
    return str(chosen or best)


def draw_plot(timeline: RiskTimeline, emphasised: str, page: Page, alt: str) -> None:
    """Draw the trajectory for wide and for narrow windows; the style sheet shows one of them."""
    html.draw(
        Cell('<h2 class="ed-h2">Score and LVEF over time</h2>'),
        Cell('<p class="ed-caption">'),
        html.text(_plot_caption(timeline, emphasised)),
        _to_card("Noise floor", timeline, emphasised),
        Cell("</p>"),
    )
    linear = st.session_state.get(state.LINEAR_AXIS, False)
    others = other_models.shows_other_marks()
    for narrow in (False, True):
        size = "narrow" if narrow else "wide"
        view = TrajectoryView(emphasised, page.theme, narrow, linear, page.zone, others)
        key = f"{state.PLOT}_{size}_{timeline.key}"
        with st.container(key=f"ed-plot-{size}"):
            st.plotly_chart(
                trajectory(timeline, view),
                theme=None,
                key=key,
                on_select=lambda key=key: _remember_clicked(key),
                selection_mode="points",
                config={"displayModeBar": False},
                alt=alt,
            )
    html.draw(
        Cell('<p class="ed-caption">'),
        html.text(_marks_caption(timeline, emphasised)),
        _to_card("Threshold and its origin", timeline, emphasised),
        Cell("</p>"),
    )
    other_models.draw_other_legend(timeline)
    with st.container(horizontal=True, key="ed-noprint-axis"):
        st.checkbox("Linear score axis (0 to 1)", key=state.LINEAR_AXIS)
        other_models.choose_other_marks(timeline)


def _to_card(words_: str, timeline: RiskTimeline, variant: str) -> Cell:
    """Return the link to the card that a caption speaks of; nothing where there is none."""
    card = timeline.cards.get(main_lead_set(timeline) or "")
    if card is None:
        return Cell("")
    return html.join(" ", html.card_link(f"{words_}: model card", card.family, variant))


def _remember_clicked(key: str) -> None:
    """Note the ECG of a clicked point; a callback cannot switch pages itself."""
    points = st.session_state[key].selection.points
    ecgs = [point["customdata"][0] for point in points if point.get("customdata")]
    if ecgs:
        st.session_state[state.OPENED_ECG] = ecgs[0]


def open_clicked(patient_key: str) -> None:
    """Go to the ECG whose point was clicked; called first, so that nothing is drawn in vain."""
    ecg = st.session_state.pop(state.OPENED_ECG, None)
    if ecg is not None:
        open_address(href("ecg", patient=patient_key, ecg=ecg))


def _plot_caption(timeline: RiskTimeline, emphasised: str) -> str:
    card = timeline.cards.get(main_lead_set(timeline) or "")
    if card is None:
        return "No ECG here has a score; the marks at the foot of the panel say why."
    if card.variant(emphasised).noise_floor_logit is None:
        return "The noise floor of this model was not measured: no range of unchanged scores."
    return (
        "Shaded box: range in which the next score would count as unchanged (emphasised score). "
        "A marker outside its box is a change beyond noise. A click on a point opens that ECG."
    )


def _marks_caption(timeline: RiskTimeline, emphasised: str) -> str:
    text = (
        "Ticks at the left edge: thresholds of the other variants. Bar at the foot of the LVEF "
        "panel: echo paired with an ECG within 14 days. ◆ Simpson, ◇ visual, □ M-mode, ○ method "
        "not stated. × score withheld, the line breaks there. Bar at the foot of the score panel: "
        "not applicable. Hollow score markers: fewer leads than the latest ECG, or more; lines "
        "never join different lead sets."
    )
    card = timeline.cards.get(main_lead_set(timeline) or "")
    if card is None:
        return text
    origin = card.variant(emphasised).youden
    if card.external:
        return f"{text} Threshold {origin.value:.2f}: {threshold_origin(origin)}."
    prevalence = f"{100 * origin.prevalence:.0f}\N{NO-BREAK SPACE}%"
    return (
        f"{text} Threshold {origin.value:.2f}: Youden index, {origin.data}, n = {origin.n:,}, "
        f"prevalence {prevalence}, sensitivity {origin.sensitivity:.2f}, "
        f"specificity {origin.specificity:.2f} there."
    )


def choose_ecg(timeline: RiskTimeline, page: Page) -> TimelinePoint:
    """Return the ECG shown beside the plot: the latest, or the one chosen or clicked."""
    by_key = {p.ecg: p for p in reversed(timeline.points)}
    if st.session_state.get(state.SHOWN_ECG) not in by_key:
        st.session_state[state.SHOWN_ECG] = next(iter(by_key))
    latest = next(iter(by_key))

    def title(key: str) -> str:
        recorded_at = by_key[key].recorded_at
        when = words.day_time(recorded_at, page.zone) if recorded_at else "undated"
        return f"Latest ECG, {when}" if key == latest else f"ECG, {when}"

    with st.container(key="ed-noprint-ecg"):
        chosen = st.selectbox(
            "ECG shown here", list(by_key), format_func=title, key=state.SHOWN_ECG
        )
    return by_key[chosen]


def draw_scores(
    point: TimelinePoint, timeline: RiskTimeline, page: Page, *, linked: bool = True
) -> None:
    """Threshold bars of every variant of one ECG, or why there is no score."""
    when = words.day_time(point.recorded_at, page.zone) if point.recorded_at else "undated"
    if linked:
        address = href("ecg", patient=timeline.key, ecg=point.ecg)
        title = "Latest ECG" if point is timeline.points[-1] else "Chosen ECG"
        html.draw(
            Cell(f'<h2 class="ed-h2">{title}, {html.text(when).html}</h2>'),
            html.link("Open this ECG", address, "ed-small"),
            html.text(f" {words.lead_set_words(point.lead_set)}", "ed-small ed-muted"),
        )
    else:
        html.draw(Cell('<h2 class="ed-h2">Scores</h2>'))
    if point.status != "analysable":
        word = "No score" if point.status == "excluded" else "Score withheld"
        html.draw(html.text(f"{word}: {'; '.join(point.reasons)}."))
        return
    weak_in = _weak_flags(point, setting_of(point, timeline))
    if has_no_study(timeline, point.family):
        weak_in = dict.fromkeys(weak_in, [])
    rows = [_score_row(name, point, weak_in[name]) for name in reversed(list(point.scores))]
    columns = (
        Column("Variant", "lead"),
        Column("Score", "num"),
        Column("line = threshold"),
        Column("", "now"),
    )
    html.draw(html.table("Scores of this ECG", columns, rows, reflows=False))


def _weak_flags(point: TimelinePoint, setting: str) -> dict[str, list[str]]:
    """Return by variant the flags in which its score is weak evidence, as people write them."""
    flags = words.in_order(flag.name for flag in point.flags)
    return {
        variant: [words.flag_words(name) for name in flags if is_weak(name, variant, setting)]
        for variant in point.scores
    }


def _score_row(variant: str, point: TimelinePoint, weak_in: list[str]) -> Sequence[Cell | str]:
    label = variant_style(variant).label
    score = point.scores[variant]
    if isinstance(score, NotApplicable):
        return (html.join(label, html.small(_not_applicable(score))), "–", "", "")
    threshold = score.threshold.value
    side = "above" if score.positive else "below"
    level = html.text(f"{threshold:.2f}", "ed-muted ed-small")
    return (
        html.join(label, _standing(score, weak_in)),
        html.card_link(html.bold(f"{score.value:.2f}"), point.family, variant),
        html.threshold_bar(score.value, threshold, variant),
        html.join(html.bold(side), " ", html.card_link(level, point.family, variant, quiet=True)),
    )


def _not_applicable(score: NotApplicable) -> str:
    reason = score.reason.rstrip(".")
    return reason if reason.lower().startswith(("not", "no ")) else f"Not applicable: {reason}"


def _standing(score: VariantScore, weak_in: list[str]) -> Cell:
    """Say what a score stands on, and first where it is weak evidence."""
    if weak_in:
        return html.small(f"weak evidence in {', '.join(weak_in)}", "ed-weak")
    if score.history is None:
        return html.small("this ECG alone")
    return html.small(f"applies: {words.plural(score.history.n_observed, 'earlier ECG')} known")
