"""The traces of the trajectory: scores by variant and lead set, foot marks, LVEF."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import plotly.graph_objects as go

from ecgdash.domain import RiskTimeline, TimelineEcho
from ecgdash.plots import series, style
from ecgdash.plots.others import other_traces
from ecgdash.plots.panel import Panel, TrajectoryView
from ecgdash.plots.trajectory_words import day_time, echo_hover, score_hover

__all__ = ["traces"]

_UNFADED: Final = {"marker": {"opacity": 1.0}}
"""A click on a point opens its ECG; the other points stay as they are."""


def traces(timeline: RiskTimeline, view: TrajectoryView, panel: Panel) -> Iterator[go.Scatter]:
    """Yield every trace, the emphasised variant last of the scores.

    Marks of other families lie beneath them, so that they never cover a point of the line.
    """
    yield from other_traces(timeline, view, panel)
    order = sorted(series.variants_of(timeline), key=lambda name: name == view.emphasised)
    for lead_set in series.lead_sets(timeline):
        for variant in order:
            runs = series.scored_runs(timeline, variant, lead_set, view.zone)
            if runs:
                main = lead_set == series.main_lead_set(timeline)
                yield _series_trace(runs, (variant, lead_set, main), view, panel)
    yield _foot_trace(series.withheld(timeline, view.zone), "withheld", view, panel)
    absent = series.not_applicable(timeline, view.emphasised, view.zone)
    yield _foot_trace(absent, "not applicable", view, panel)
    yield from _lvef_traces(timeline, view, panel)


def _series_trace(
    runs: list[list[series.ScoredPoint]],
    identity: tuple[str, str, bool],
    view: TrajectoryView,
    panel: Panel,
) -> go.Scatter:
    variant, lead_set, main = identity
    look = style.variant_style(variant)
    colour = style.series_colour(view.theme, variant)
    strong = variant == view.emphasised
    x: list[datetime | None] = []
    y: list[float | None] = []
    custom: list[tuple[str | None, float | None]] = []
    hover: list[str] = []
    for number, run in enumerate(runs):
        if number:  # an empty point breaks the line
            x, y, custom = [*x, None], [*y, None], [*custom, (None, None)]
            hover.append("")
        for point in run:
            x.append(point.at)
            y.append(panel.scale.position(point.score.value))
            custom.append((point.ecg, point.score.value))
            hover.append(score_hover(point, variant, lead_set))
    return go.Scatter(
        x=x,
        y=y,
        customdata=custom,
        hovertext=hover,
        hovertemplate="%{hovertext}<extra></extra>",
        meta={"variant": variant, "lead_set": lead_set},
        name=look.label,
        mode="lines+markers",
        connectgaps=False,
        cliponaxis=False,
        unselected=_UNFADED,
        opacity=1.0 if strong else 0.9,
        line={"color": colour, "width": 2.5 if strong else 1.5, "dash": look.dash},
        marker={
            "color": colour if main else view.theme.background,
            "symbol": look.symbol,
            "size": 9 if strong else 7,
            "line": {
                "width": 1 if main else 1.5,
                "color": view.theme.background if main else colour,
            },
        },
    )


def _foot_trace(
    marks: list[series.Mark], kind: str, view: TrajectoryView, panel: Panel
) -> go.Scatter:
    """Crosses of withheld ECGs or bars of those not applicable, at the foot of the panel."""
    label = style.variant_style(view.emphasised).label
    word = "Score withheld" if kind == "withheld" else f"{label}: not applicable"
    hover = [
        f"ECG {day_time(m.at)}<br>{word} ({m.reason.removeprefix('withheld: ')})" for m in marks
    ]
    return go.Scatter(
        x=[m.at for m in marks],
        y=[panel.foot] * len(marks),
        customdata=[(m.ecg, None) for m in marks],
        hovertext=hover,
        hovertemplate="%{hovertext}<extra></extra>",
        meta={"mark": kind},
        unselected=_UNFADED,
        name=kind,
        mode="markers",
        marker={
            "symbol": "x-thin" if kind == "withheld" else "line-ns",
            "size": 8 if kind == "withheld" else 10,
            "line": {"width": 2, "color": view.theme.muted},
        },
    )


def _lvef_traces(
    timeline: RiskTimeline, view: TrajectoryView, panel: Panel
) -> Iterator[go.Scatter]:
    ordered = sorted(timeline.echoes, key=lambda echo: echo.study.performed_at)
    x = [series.local_time(echo.study.performed_at, view.zone) for echo in ordered]
    ink = view.theme.ink
    yield go.Scatter(
        x=x,
        y=[echo.study.lvef_percent for echo in ordered],
        yaxis="y2",
        mode="lines+markers+text",
        text=_lvef_words(ordered, x, view),
        textposition="top center",
        textfont={"size": style.TEXT_PX, "color": ink},
        hovertext=[echo_hover(echo, view.zone) for echo in ordered],
        hovertemplate="%{hovertext}<extra></extra>",
        meta={"echo": "lvef"},
        cliponaxis=False,
        unselected={**_UNFADED, "textfont": {"color": ink}},
        name="LVEF",
        line={"color": ink, "width": 1.2},
        marker={
            "symbol": [style.lvef_symbol(echo.study) for echo in ordered],
            "size": 10,
            "color": ink,
            "line": {"width": 1.5, "color": ink},
        },
    )
    paired = [at for echo, at in zip(ordered, x, strict=True) if echo.paired_ecg]
    yield go.Scatter(
        x=paired,
        y=[panel.lvef_range[0] + 2] * len(paired),
        yaxis="y2",
        mode="markers",
        hoverinfo="skip",
        meta={"echo": "paired"},
        unselected=_UNFADED,
        name="paired",
        marker={"symbol": "line-ns", "size": 11, "line": {"width": 3, "color": ink}},
    )


def _lvef_words(ordered: list[TimelineEcho], x: list[datetime], view: TrajectoryView) -> list[str]:
    """Values above the diamonds; where they stand too close, only every so many."""
    if len(x) < 2:
        return [f"{echo.study.lvef_percent:.0f}" for echo in ordered]
    room = 12 if view.narrow else 30
    step = max(1, -(-len(x) // room))
    last = len(x) - 1
    return [
        f"{echo.study.lvef_percent:.0f}" if i % step == 0 or i == last else ""
        for i, echo in enumerate(ordered)
    ]
