"""How steady a score is: one row a condition, as distance to the threshold."""

import math
from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from ecgdash.domain.stability import StabilityPanel, StabilityRow
from ecgdash.plots import style
from ecgdash.plots.style import Theme, series_colour, variant_style

__all__ = ["stability_height_px", "stability_plot"]

_ROW_PX: Final = 24
_NARROW_ROW_PX: Final = 38
"""On a phone the words stand above the mark."""
_MARGIN_PX: Final = {"l": 196, "r": 12, "t": 26, "b": 42}
_NARROW_MARGIN_PX: Final = {"l": 8, "r": 8, "t": 26, "b": 42}
_STEPS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_LEAST_HALF_RANGE: Final = 0.5
"""Logits on either side, so that a score on its threshold does not fill the figure."""


def stability_height_px(panel: StabilityPanel, narrow: bool) -> int:
    """Return the height of the figure."""
    margin = _NARROW_MARGIN_PX if narrow else _MARGIN_PX
    row = _NARROW_ROW_PX if narrow else _ROW_PX
    return row * len(panel.rows) + margin["t"] + margin["b"]


def stability_plot(panel: StabilityPanel, theme: Theme, *, narrow: bool = False) -> go.Figure:
    """Draw the distances to the threshold, one row a condition.

    Parameters
    ----------
    panel : StabilityPanel
    theme : Theme
    narrow : bool
        For phones: words above the marks instead of beside them.

    Returns
    -------
    plotly.graph_objects.Figure
        One trace "own" (the score that was varied, filled) and one "other" (other families'
        own scores, open; absent where there are none); x in logits, 0 is each one's own
        threshold; y counts the rows from 0, downwards. Shapes "threshold" and, where the noise
        floor was measured, "noise".
    """
    numbered = list(enumerate(panel.rows))
    own = [(i, row) for i, row in numbered if row.kind != "leads" and row.score is not None]
    other = [(i, row) for i, row in numbered if row.kind == "leads" and row.score is not None]
    figure = go.Figure()
    look = variant_style(panel.variant)
    for name, rows, symbol in (("own", own, look.symbol), ("other", other, f"{look.symbol}-open")):
        if rows:
            figure.add_trace(_marks(name, rows, symbol, series_colour(theme, panel.variant)))
    _lay_out(figure, panel, theme, narrow)
    return figure


def _marks(
    name: str, rows: Sequence[tuple[int, StabilityRow]], symbol: str, colour: str
) -> go.Scatter:
    return go.Scatter(
        name=name,
        x=[row.distance_logit for _, row in rows],
        y=[i for i, _ in rows],
        customdata=[_hover(row) for _, row in rows],
        mode="markers",
        marker={"symbol": symbol, "size": 10, "color": colour, "line": {"width": 1.6}},
        hovertemplate="%{customdata}<extra></extra>",
    )


def _hover(row: StabilityRow) -> str:
    side = "above" if row.above else "below"
    label = variant_style(row.variant).label
    return f"{row.condition}<br>{label} {row.score:.2f}, {side} its threshold {row.threshold:.2f}"


def _lay_out(figure: go.Figure, panel: StabilityPanel, theme: Theme, narrow: bool) -> None:
    rows, text = panel.rows, style.text_font(theme)
    low, high = _ends(panel)
    axis = {**style.axis_lines(theme), "fixedrange": True}
    figure.update_layout(
        height=stability_height_px(panel, narrow),
        margin=_NARROW_MARGIN_PX if narrow else _MARGIN_PX,
        hovermode="closest",
        **style.plain_layout(theme),
        xaxis={
            **axis,
            "range": [low, high],
            **_ticks(low, high, 5 if narrow else 10),
            "title": {"text": "Distance to its threshold (logit)", "standoff": 4, "font": text},
        },
        yaxis={
            **axis,
            "range": [len(rows) - 0.5, -0.5],
            "showgrid": not narrow,
            "showticklabels": not narrow,
            "tickvals": list(range(len(rows))),
            "ticktext": [row.condition for row in rows],
        },
        shapes=list(_shapes(panel, theme)),
        annotations=_annotations(panel, theme, narrow, (low, high)),
    )


def _ticks(low: float, high: float, most: int) -> dict[str, Any]:
    """Return ticks at round logits, each with its sign."""
    step = next((step for step in _STEPS if (high - low) / step <= most), _STEPS[-1])
    values = [step * i for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
    words = [f"{value:+g}".replace("-", "\N{MINUS SIGN}") if value else "0" for value in values]
    return {"tickvals": values, "ticktext": words}


def _ends(panel: StabilityPanel) -> tuple[float, float]:
    """Return the ends of the axis: threshold, marks and noise floor with a margin."""
    values = [row.distance_logit for row in panel.rows if row.distance_logit is not None]
    box = _box(panel)
    values += [0.0, *(box or ())]
    low, high = min([*values, -_LEAST_HALF_RANGE]), max([*values, _LEAST_HALF_RANGE])
    margin = 0.06 * (high - low)
    return low - margin, high + margin


def _box(panel: StabilityPanel) -> tuple[float, float] | None:
    """Return the ends of the noise floor around the score as scored."""
    at = panel.rows[0].distance_logit
    floor = panel.noise_floor_logit
    return None if at is None or floor is None else (at - floor, at + floor)


def _shapes(panel: StabilityPanel, theme: Theme) -> list[dict[str, Any]]:
    shapes: list[dict[str, Any]] = []
    box = _box(panel)
    if box is not None:
        n_own = sum(row.kind != "leads" for row in panel.rows)
        shapes.append(
            {
                "name": "noise",
                "type": "rect",
                "x0": box[0],
                "x1": box[1],
                "y0": -0.5,
                "y1": n_own - 0.5,  # it says nothing about other families
                "fillcolor": style.translucent(series_colour(theme, panel.variant), 0.13),
                "line": {"width": 0},
                "layer": "below",
            }
        )
    shapes.append(
        {
            "name": "threshold",
            "type": "line",
            "x0": 0,
            "x1": 0,
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": {"width": 1.4, "color": theme.ink},
        }
    )
    return shapes


def _annotations(
    panel: StabilityPanel, theme: Theme, narrow: bool, ends: tuple[float, float]
) -> list[dict[str, Any]]:
    font = {**style.text_font(theme), "color": theme.ink}
    plain = {"showarrow": False, "font": font}
    # Beside the line, unless the threshold lies so near an end that the word would not fit.
    share = -ends[0] / (ends[1] - ends[0])
    found: list[dict[str, Any]] = [
        {**plain, "text": "threshold", "x": 0, "yref": "paper", "y": 1, "yanchor": "bottom"}
    ]
    for word, anchor, shift, room in (
        ("← below", "right", -36, share),
        ("above →", "left", 36, 1 - share),
    ):
        if room > (0.28 if narrow else 0.12):
            place = {"x": 0, "xanchor": anchor, "xshift": shift, "yref": "paper", "y": 1}
            found.append({**plain, "text": word, "yanchor": "bottom", **place})
    for i, row in enumerate(panel.rows):
        words = row.condition if narrow else ""
        if row.score is None:
            words = f"{words}: not made" if narrow else f"not made: {row.reason}"
        if words:
            muted = {**font, "color": theme.muted if row.score is None else theme.ink}
            place = {"xref": "paper", "x": 0, "xanchor": "left", "y": i, "xshift": 4}
            # On a phone the words lie over the threshold's line.
            over = {"yshift": 12, "bgcolor": theme.background, "borderpad": 0} if narrow else {}
            found.append({"showarrow": False, "font": muted, "text": words, **place, **over})
    return found
