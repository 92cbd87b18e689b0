"""The lines and boxes of the trajectory: thresholds, noise, change, withheld ECGs."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from ecgdash.domain import RiskTimeline
from ecgdash.plots import series, style
from ecgdash.plots.panel import Panel, TrajectoryView, echo_gap

__all__ = ["shapes"]

_LVEF_LEVELS = (40, 50)
"""LVSD at or below 40 % (paper 000); from 50 % on the function counts as preserved."""


def shapes(timeline: RiskTimeline, view: TrajectoryView, panel: Panel) -> Iterator[dict[str, Any]]:
    """Yield plotly shapes; `name` says what each one is."""
    main = series.main_lead_set(timeline)
    for lead_set in series.lead_sets(timeline):
        runs = series.scored_runs(timeline, view.emphasised, lead_set, view.zone)
        noise = series.noise_floor(timeline, view.emphasised, lead_set)
        if noise is not None:
            yield from _noise_boxes(runs, noise, view, panel)
        if lead_set == main:
            yield from _bracket(series.last_change(runs, noise), view, panel)
    for variant in series.variants_of(timeline):
        yield from _threshold_lines(timeline, variant, view, panel)
    for mark in series.withheld(timeline, view.zone):
        line = {"color": view.theme.muted, "width": 1, "dash": "dot"}
        yield _segment((mark.at, mark.at), panel.axis, line, layer="below")
    yield from _lvef_levels(view, panel)
    gap = echo_gap(timeline)
    if gap:
        after_echo = series.local_time(gap[0], view.zone) + 0.02 * (panel.end - panel.start)
        ends = (after_echo, series.local_time(gap[1], view.zone))
        height = panel.lvef_range[1] - 6
        yield _segment(ends, (height, height), {"color": view.theme.ink, "width": 1}, yref="y2")


def _lvef_levels(view: TrajectoryView, panel: Panel) -> Iterator[dict[str, Any]]:
    """Draw the levels of the LVEF panel; plotly's own grid would cover the dashed ones."""
    low, high = panel.lvef_range
    for level in range(int(-(-low // 10) * 10), int(high) + 1, 10):
        dashed = {"color": view.theme.muted, "width": 1, "dash": "dash"}
        line = dashed if level in _LVEF_LEVELS else {"color": view.theme.hair, "width": 1}
        name = f"LVEF {level}"
        ends = {"xref": "x domain", "yref": "y2", "layer": "below", "name": name}
        yield _segment((0, 1), (level, level), line, **ends)


def _noise_boxes(
    runs: list[list[series.ScoredPoint]], noise: float, view: TrajectoryView, panel: Panel
) -> Iterator[dict[str, Any]]:
    colour = style.series_colour(view.theme, view.emphasised)
    for earlier, later in series.noise_spans(runs):
        yield {
            "type": "rect",
            "name": "noise",
            "x0": earlier.at,
            "x1": later.at,
            "y0": panel.scale.moved(earlier.score.value, -noise),
            "y1": panel.scale.moved(earlier.score.value, noise),
            "fillcolor": style.translucent(colour, 0.13),
            "line": {"width": 0},
            "layer": "below",
        }


def _bracket(
    change: series.LastChange | None, view: TrajectoryView, panel: Panel
) -> Iterator[dict[str, Any]]:
    if change is None:
        return
    at = change.latest.at
    before = panel.scale.position(change.earlier.score.value)
    after = panel.scale.position(change.latest.score.value)
    line = {"color": view.theme.ink, "width": 1}
    yield {**_segment((at, at), (before, after), line), "name": "change"}
    yield {
        **_segment((-6, 6), (before, before), line),
        "xsizemode": "pixel",
        "xanchor": at,
        "name": "change",
    }


def _threshold_lines(
    timeline: RiskTimeline, variant: str, view: TrajectoryView, panel: Panel
) -> Iterator[dict[str, Any]]:
    main = series.main_lead_set(timeline)
    line = {
        "color": style.series_colour(view.theme, variant),
        "width": 1 if variant == view.emphasised else 2,
        "dash": style.variant_style(variant).dash if variant == view.emphasised else "solid",
    }
    for lead_set in series.lead_sets(timeline):
        runs = series.scored_runs(timeline, variant, lead_set, view.zone)
        if not runs:
            continue
        level = panel.scale.position(runs[-1][-1].score.threshold.value)
        name = f"threshold {variant} {lead_set}"
        if variant != view.emphasised:
            ends: tuple[float, float] = (0.0, 0.012)
        elif lead_set == main:
            ends = (0.0, 1.0)
        else:
            span = (runs[0][0].at - timedelta(days=20), runs[-1][-1].at + timedelta(days=20))
            yield {**_segment(span, (level, level), line), "name": name}
            continue
        yield {**_segment(ends, (level, level), line, xref="x domain"), "name": name}


def _segment(
    x: tuple[Any, Any],
    y: tuple[float, float],
    line: dict[str, Any],
    **extra: str,
) -> dict[str, Any]:
    return {"type": "line", "x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1], "line": line, **extra}
