"""The patient's course: scores above, LVEF below, on one time axis.

The figure only draws. What may be joined and what counts as a change stands in
`plots.series`, where things lie in `plots.panel`.
"""

import plotly.graph_objects as go

from ecgdash.domain import RiskTimeline
from ecgdash.plots import style
from ecgdash.plots.panel import BOTTOM_DOMAIN, TOP_DOMAIN, Panel, TrajectoryView, panel_of
from ecgdash.plots.trajectory_shapes import shapes
from ecgdash.plots.trajectory_traces import traces
from ecgdash.plots.trajectory_words import annotations

__all__ = ["TrajectoryView", "trajectory"]


def trajectory(timeline: RiskTimeline, view: TrajectoryView) -> go.Figure:
    """Draw scores and LVEF over time.

    Parameters
    ----------
    timeline : RiskTimeline
        At least one dated ECG or one echo.
    view : TrajectoryView

    Returns
    -------
    plotly.graph_objects.Figure
        One trace of marks per other family, one per variant and lead set (`meta`
        names them; `customdata` holds the ECG key and the score), one for the withheld
        ECGs, one for those not applicable, and the LVEF traces. On the logit axis y is
        the logit.
    """
    panel = panel_of(timeline, view)
    figure = go.Figure(data=list(traces(timeline, view, panel)))
    _lay_out(figure, view, panel)
    figure.update_layout(
        shapes=list(shapes(timeline, view, panel)),
        annotations=annotations(timeline, view, panel),
    )
    return figure


def _lay_out(figure: go.Figure, view: TrajectoryView, panel: Panel) -> None:
    theme, scale = view.theme, panel.scale
    text, axis = style.text_font(theme), style.axis_lines(theme)
    figure.update_layout(
        height=view.height_px,
        margin=view.margin_px,
        hovermode="closest",
        **style.plain_layout(theme),
        xaxis={
            **axis,
            **panel.time_ticks(view.narrow),
            "range": [panel.start, panel.end],
            "anchor": "y2",
            "fixedrange": True,
            "showspikes": True,
            "spikemode": "across",
            "spikedash": "dot",
            "spikethickness": 1,
            "spikecolor": theme.muted,
        },
        yaxis={
            **axis,
            "domain": list(TOP_DOMAIN),
            "range": list(panel.axis),
            "fixedrange": True,
            "title": {"text": "Score (0 to 1)", "standoff": 4, "font": text},
            "tickvals": [scale.position(t) for t in scale.ticks],
            "ticktext": [f"{t:g}" for t in scale.ticks],
        },
        yaxis2={
            **axis,
            "domain": list(BOTTOM_DOMAIN),
            "range": list(panel.lvef_range),
            "fixedrange": True,
            "dtick": 10,
            "showgrid": False,
            "title": {"text": "LVEF (%)", "standoff": 4, "font": text},
        },
    )
