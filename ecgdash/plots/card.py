"""The figures of a model card: reliability of a probability map, and repeat ECGs.

One small figure per variant, so that the page sets them side by side or below each other.
"""

from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from ecgdash.domain import ProbabilityMap, Repeatability
from ecgdash.plots import style
from ecgdash.plots.scale import logit
from ecgdash.plots.style import Theme, series_colour, variant_style

__all__ = ["HEIGHT_PX", "reliability", "reliability_top", "repeat_ranges", "repeats"]

HEIGHT_PX: Final = 260
_MARGIN_PX: Final = {"l": 48, "r": 10, "t": 6, "b": 40}
_LIMITS_MARGIN_PX: Final = 44
"""Right of the repeat figure, where the limits are written."""

_STEPS: Final = (0.1, 0.2, 0.25, 0.5, 1.0)
_TICKS: Final = (0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)

Ranges = tuple[tuple[float, float], tuple[float, float]]


def reliability_top(maps: Sequence[ProbabilityMap]) -> float:
    """Return the end of both axes, so that the variants of a family share one scale.

    Where few have the label, every group lies far below 1: the axes then end just above
    the highest point or interval.
    """
    ends = [max(point.mean, point.observed.high) for one in maps for point in one.reliability]
    highest = max(ends, default=1.0)
    return next(step for step in _STEPS if step >= min(highest, 1.0))


def reliability(map_: ProbabilityMap, variant: str, theme: Theme, top: float) -> go.Figure:
    """Draw observed shares against mapped probabilities.

    Parameters
    ----------
    map_ : ProbabilityMap
    variant : str
    theme : Theme
    top : float
        End of both axes, in (0, 1].

    Returns
    -------
    plotly.graph_objects.Figure
        A trace "ideal" (the diagonal) and one of the variant's groups with their 95 %
        intervals.
    """
    points = map_.reliability
    observed = [point.observed for point in points]
    groups = go.Scatter(
        name=variant_style(variant).label,
        x=[point.mean for point in points],
        y=[one.value for one in observed],
        customdata=[
            [one.low, one.high, point.n] for one, point in zip(observed, points, strict=True)
        ],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [one.high - one.value for one in observed],
            "arrayminus": [one.value - one.low for one in observed],
            "thickness": 1.2,
            "width": 3,
        },
        mode="lines+markers",
        line={"width": 1, "dash": variant_style(variant).dash},
        marker={"symbol": variant_style(variant).symbol, "size": 8},
        hovertemplate=(
            "mapped %{x:.3f}<br>observed %{y:.3f} (%{customdata[0]:.3f}–%{customdata[1]:.3f})"
            "<br>n = %{customdata[2]:,}<extra></extra>"
        ),
    )
    groups.update(line_color=series_colour(theme, variant))
    ideal = go.Scatter(
        name="ideal",
        x=[0.0, top],
        y=[0.0, top],
        mode="lines",
        line={"width": 1, "dash": "dot", "color": theme.muted},
        hoverinfo="skip",
    )
    figure = go.Figure([ideal, groups])
    _lay_out(figure, theme)
    # A point on the edge keeps its whole marker.
    ends = [-0.03 * top, 1.03 * top]
    figure.update_xaxes(title_text="Mapped probability", range=ends, tickformat="~g", nticks=6)
    figure.update_yaxes(title_text="Observed share", range=ends, tickformat="~g", nticks=6)
    return figure


def repeat_ranges(found: Sequence[Repeatability]) -> Ranges:
    """Return the ends of both axes, logits, shared by the variants of a family."""
    means = [mean for one in found for mean, _ in one.points]
    spread = max(
        abs(value)
        for one in found
        for value in (one.lower_logit, one.upper_logit, *(d for _, d in one.points))
    )
    low, high = min(means, default=-4.0), max(means, default=0.0)
    margin = 0.05 * max(high - low, 1.0)
    return (low - margin, high + margin), (-1.1 * spread, 1.1 * spread)


def repeats(found: Repeatability, variant: str, theme: Theme, ranges: Ranges) -> go.Figure:
    """Draw differences of repeat ECGs against their means, with limits of agreement.

    The figure of Bland and Altman (Lancet 1986). Both axes are logits; the horizontal one is
    labelled in scores.

    Parameters
    ----------
    found : Repeatability
    variant : str
    theme : Theme
    ranges : ((float, float), (float, float))
        Ends of the axes, from `repeat_ranges`.

    Returns
    -------
    plotly.graph_objects.Figure
        One trace of the pairs; shapes "mean", "lower" and "upper", each with its number.
    """
    (low, high), vertical = ranges
    pairs = go.Scatter(
        name=variant_style(variant).label,
        x=[mean for mean, _ in found.points],
        y=[difference for _, difference in found.points],
        mode="markers",
        marker={
            "symbol": variant_style(variant).symbol,
            "size": 5,
            "color": style.translucent(series_colour(theme, variant), 0.55),
        },
        hovertemplate="difference %{y:+.2f} logits<extra></extra>",
    )
    figure = go.Figure([pairs])
    _lay_out(figure, theme)
    figure.update_layout(margin={**_MARGIN_PX, "r": _LIMITS_MARGIN_PX})
    for name, value, dash in (
        ("mean", found.mean_difference_logit, "solid"),
        ("lower", found.lower_logit, "dash"),
        ("upper", found.upper_logit, "dash"),
    ):
        figure.add_shape(
            name=name,
            type="line",
            xref="paper",
            x0=0,
            x1=1,
            y0=value,
            y1=value,
            line={"width": 1.2, "dash": dash, "color": theme.ink},
        )
        figure.add_annotation(
            text=f"{value:+.2f}".replace("-", "−"),
            xref="paper",
            x=1.01,
            xanchor="left",
            y=value,
            showarrow=False,
            font={"color": theme.ink, "size": style.TEXT_PX},
        )
    ticks = [tick for tick in _TICKS if low <= logit(tick) <= high]
    figure.update_xaxes(
        title_text="Mean of both (score, logit axis)",
        range=[low, high],
        tickvals=[logit(tick) for tick in ticks],
        ticktext=[f"{tick:g}" for tick in ticks],
        tickangle=0,
    )
    figure.update_yaxes(title_text="Later − earlier (logit)", range=list(vertical), nticks=7)
    return figure


def _lay_out(figure: go.Figure, theme: Theme) -> None:
    axis = {
        **style.axis_lines(theme),
        "fixedrange": True,
        "title": {"standoff": 4, "font": style.text_font(theme)},
    }
    figure.update_layout(
        height=HEIGHT_PX,
        margin=_MARGIN_PX,
        **style.plain_layout(theme),
        xaxis=axis,
        yaxis=axis,
    )
