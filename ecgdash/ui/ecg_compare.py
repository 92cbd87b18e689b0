"""An earlier ECG beside or beneath this one, and what changed between the two."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import streamlit as st

from ecgdash.domain import EcgRecord, NotApplicable, RiskTimeline, TimelinePoint, VariantScore
from ecgdash.domain.timeline import Change
from ecgdash.plots import variant_style
from ecgdash.plots.sheets import BeatSheet
from ecgdash.services.ecg_comparison import (
    MeasurementRow,
    ScoreRow,
    compare_measurements,
    compare_scores,
    default_comparison,
    why_not_comparable,
)
from ecgdash.services.monitoring import StoredEcg, ecg_facts, ecg_record
from ecgdash.signal.median_leads import BEAT_HZ
from ecgdash.ui import cache, ecg_sheet, ecg_words, html, words
from ecgdash.ui.components import draw_beats
from ecgdash.ui.ecg_sheet import Drawing, SheetWords
from ecgdash.ui.html import Cell, Column
from ecgdash.ui.navigation import href
from ecgdash.ui.page import Page

__all__ = ["Shown", "choose_compared", "choose_way", "draw_changes", "draw_compared"]

Way = Literal["beats", "beside"]


@dataclass(frozen=True, eq=False)
class Shown:
    """The ECG of the page."""

    record: EcgRecord
    facts: StoredEcg
    course: RiskTimeline
    page: Page


_TITLES: Final = {
    "heart_rate_bpm": ("Rate", "/min"),
    "pr_ms": ("PR", "ms"),
    "qrs_ms": ("QRS", "ms"),
    "qt_ms": ("QT", "ms"),
    "qtc_ms": ("QTc (Bazett)", "ms"),
    "p_axis_deg": ("P axis", "°"),
    "qrs_axis_deg": ("QRS axis", "°"),
    "t_axis_deg": ("T axis", "°"),
}
_NONE: Final = ""
_WAYS: Final = {"beats": "Median beats", "beside": "Both sheets"}


def choose_compared(
    point: TimelinePoint | None, course: RiskTimeline, page: Page
) -> TimelinePoint | None:
    """Return the ECG to compare with: any other dated one, or none."""
    if point is None or point.recorded_at is None or len(course.points) < 2:
        return None
    others = {p.ecg: p for p in reversed(course.points) if p.ecg != point.ecg}
    options = [_NONE, *others]
    default = default_comparison(point, course.points) or _NONE

    def title(key: str) -> str:
        if key == _NONE:
            return "none"
        withheld = "" if others[key].status == "analysable" else " (no score)"
        return f"{ecg_words.when_words(others[key].recorded_at, page.zone)}{withheld}"

    chosen = st.selectbox(
        "Compare with",
        options,
        index=options.index(default),
        format_func=title,
        width=210,
        key=f"ecg_compared_{point.ecg}",
    )
    return others.get(chosen)


def choose_way(compared: TimelinePoint | None) -> Way:
    """Return how the two ECGs are laid: median beats on each other, or two sheets."""
    if compared is None:
        return "beats"
    chosen = st.segmented_control(
        "Compare by",
        list(_WAYS),
        default="beats",
        required=True,
        format_func=lambda way: _WAYS[way],
        key="ecg_way",
    )
    return "beside" if chosen == "beside" else "beats"


def draw_compared(shown: Shown, compared: TimelinePoint | None, way: Way, drawing: Drawing) -> None:
    """Draw the earlier ECG: its sheet below this one, or its median beats beneath this one's."""
    record, facts, course, page = shown.record, shown.facts, shown.course, shown.page
    earlier = None
    if compared is not None:
        earlier = ecg_record(page.store, compared.ecg), ecg_facts(page.store, compared.ecg)
    if way == "beats" or earlier is None:
        _draw_median_beats(record, facts, earlier, page)
        return
    told = ecg_words.paragraph(earlier[1], course, None, page.zone)
    head = ecg_words.sheet_title(earlier[1], course, page.zone)
    html.draw(
        html.element("h2", head, kind="ed-h2"),
        html.link("Open this ECG", href("ecg", patient=course.key, ecg=earlier[1].key), "ed-small"),
        html.small("Through the same display filter; the scored stretch of a longer recording."),
    )
    scored = replace(drawing, part=None)
    reads = ecg_sheet.input_words(earlier[1].key, course, page)
    about = SheetWords(head, told, course.simulated, reads)
    ecg_sheet.draw_sheet(*earlier, scored, about, slot="earlier")


def _draw_median_beats(
    record: EcgRecord,
    facts: StoredEcg,
    earlier: tuple[EcgRecord, StoredEcg] | None,
    page: Page,
) -> None:
    beat = cache.lead_beat(record, facts)
    html.draw(Cell('<h2 class="ed-h2">Median beats, aligned on the middle of QRS</h2>'))
    if beat is None:
        html.draw(html.small(_no_beats("this ECG", record)))
        return
    before = None if earlier is None else cache.lead_beat(*earlier)
    now = words.day(facts.recorded_at, page.zone) if facts.recorded_at else "undated"
    then = ""
    if earlier is not None and earlier[1].recorded_at is not None and before is not None:
        then = words.day(earlier[1].recorded_at, page.zone)
    legend = [f"Black: {now}, median of {words.plural(beat.n_beats, 'beat')}."]
    if before is not None and then:
        n_beats = words.plural(before.n_beats, "beat")
        legend.append(f"Grey, thicker: {then}, median of {n_beats}.")
    elif earlier is not None:
        legend.append(_no_beats("the other ECG", earlier[0]))
    told = " ".join(legend)
    html.draw(html.small(told))
    held = [not bool(np.isnan(row).all()) for row in beat.mv]
    leads = tuple(lead for lead, here in zip(beat.leads, held, strict=True) if here)
    draw_beats(
        BeatSheet(
            key=facts.sha256,
            leads=leads,
            now_mv=beat.mv[held],
            earlier_mv=None if before is None else before.mv[held],
            sampling_hz=BEAT_HZ,
            centre_s=beat.centre_s,
            now=now,
            earlier=then,
            alt=f"Median beats of leads {', '.join(leads)}. {told}",
        )
    )


def _no_beats(which: str, record: EcgRecord) -> str:
    why = "no beat was found" if record.in_millivolts else "its amplitudes are in arbitrary units"
    return f"No median beats of {which}: {why}."


def draw_changes(
    point: TimelinePoint | None, compared: TimelinePoint | None, course: RiskTimeline, page: Page
) -> None:
    """Draw measurements and scores of both ECGs with what changed."""
    if point is None or point.recorded_at is None or compared is None:
        return
    assert compared.recorded_at is not None  # only dated ECGs are offered
    if compared.recorded_at > point.recorded_at:
        html.draw(html.small("The other ECG is the later one; change is this ECG minus it."))
    columns = (
        Column("", "lead"),
        Column(words.short_day(point.recorded_at, page.zone), "num"),
        Column(words.short_day(compared.recorded_at, page.zone), "num"),
        Column("Change", "now"),
    )
    measured = compare_measurements(point, compared)
    with st.container(key="ed-ecg-measured"):
        html.draw(
            Cell('<h2 class="ed-h2">Change between the two ECGs</h2>'),
            html.table(
                "Measurements of both ECGs",
                columns,
                [_measurement_cells(row) for row in measured],
                reflows=False,
            ),
            html.small(_source_words(measured)),
        )
    with st.container(key="ed-ecg-scored"):
        _draw_score_changes(point, compared, course, columns)


def _draw_score_changes(
    point: TimelinePoint,
    compared: TimelinePoint,
    course: RiskTimeline,
    columns: Sequence[Column],
) -> None:
    why = why_not_comparable(point, compared)
    if why:
        html.draw(html.small(f"Scores are not compared: {why}."))
        return
    card = course.cards.get(point.lead_set) if point.lead_set else None
    rows = compare_scores(point, compared, card)
    html.draw(
        html.table(
            "Scores of both ECGs",
            (Column("Score", "lead"), *columns[1:]),
            [_score_cells(row, point.family) for row in rows],
            reflows=False,
        ),
        html.small('"Within noise": smaller than the variation of the score between repeat ECGs.'),
    )


def _measurement_cells(row: MeasurementRow) -> Sequence[Cell | str]:
    title, unit = _TITLES[row.key]
    name = html.join(title, " ", html.text(unit, "ed-small ed-muted"))
    if row.now is None or row.earlier is None or row.change is None:
        missing = html.element("span", "–", title="no source has it for both ECGs")
        return name, missing, missing, missing
    now, earlier = (f"{value:.0f}".replace("-", "−") for value in (row.now, row.earlier))
    return name, html.bold(now), earlier, words.signed(row.change, 0)


def _source_words(rows: Sequence[MeasurementRow]) -> str:
    told = []
    for source, whose in (("cart", "by the cart"), ("ours", "by our measurement")):
        named = [_TITLES[row.key][0] for row in rows if row.source == source]
        if len(named) == len(rows):
            return f"All of both ECGs {whose}. Their repeatability was not measured."
        if named:
            told.append(f"{', '.join(named)}: {whose}, for both ECGs.")
    return " ".join([*told, "Their repeatability was not measured."])


def _score_cells(row: ScoreRow, family: str | None) -> Sequence[Cell | str]:
    look = variant_style(row.variant)
    name = html.text(f"{look.glyph} {look.label}", "ed-nowrap")
    return (
        name,
        _score(row.now, family, row.variant, strong=True),
        _score(row.earlier, family, row.variant, strong=False),
        "–" if row.change is None else _change(row.change),
    )


def _score(
    score: VariantScore | NotApplicable, family: str | None, variant: str, *, strong: bool
) -> Cell:
    if isinstance(score, NotApplicable):
        return html.element("span", "n/a", title=score.reason)
    figure = f"{score.value:.2f}"
    inner = html.bold(figure) if strong else html.text(figure)
    return html.card_link(inner, family, variant, quiet=not strong)


def _change(change: Change) -> Cell:
    difference = words.signed(change.value - change.earlier_value, 2)
    if change.beyond_noise is None:
        return html.join(difference, " ", html.text("noise not measured", "ed-small ed-muted"))
    if change.beyond_noise:
        told = Cell('<b class="ed-small">beyond noise</b>')
    else:
        told = html.text("within noise", "ed-small ed-muted")
    return html.join(difference, " ", told)
