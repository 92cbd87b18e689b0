"""The geometry of the trajectory: what is asked for, and where things lie."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from ecgdash.domain import RiskTimeline
from ecgdash.plots import series
from ecgdash.plots.scale import ScoreScale, expit, logit
from ecgdash.plots.style import LIGHT, Theme

__all__ = ["BOTTOM_DOMAIN", "TOP_DOMAIN", "Panel", "TrajectoryView", "echo_gap", "panel_of"]

TOP_DOMAIN: Final = (0.376, 1.0)
BOTTOM_DOMAIN: Final = (0.0, 0.321)
"""Scores to LVEF as 66 : 34 with a gap of 5.5 %."""

_FOOT_SHARE: Final = 0.09
"""Part of the score axis below the lowest score, for crosses and bars."""

_GAP_MONTHS: Final = 12
"""From here on the plot says how long there was no echo."""

_DAYS_PER_MONTH: Final = 30.4375


@dataclass(frozen=True)
class TrajectoryView:
    """How a timeline is drawn.

    Attributes
    ----------
    emphasised : str
        The variant with the thick line, the noise boxes and the change.
    narrow : bool
        For phones: fewer words in the plot, the same marks.
    linear : bool
        Scores on a linear axis from 0 to 1 instead of the logit axis.
    zone : ZoneInfo
        The site's zone, in which times are shown.
    others : bool
        Scores of other families as marks of their own.
    """

    emphasised: str
    theme: Theme = LIGHT
    narrow: bool = False
    linear: bool = False
    zone: ZoneInfo = ZoneInfo("UTC")  # noqa: B008 - an immutable zone
    others: bool = True

    @property
    def height_px(self) -> int:
        """Height of the figure."""
        return 460 if self.narrow else 512

    @property
    def margin_px(self) -> dict[str, int]:
        """Left, right, top and bottom margins."""
        return {"l": 52, "r": 40 if self.narrow else 138, "t": 22 if self.narrow else 4, "b": 26}


@dataclass(frozen=True)
class Panel:
    """Where things lie.

    Attributes
    ----------
    start, end : datetime
        Ends of the time axis, at the site, without zone.
    axis : (float, float)
        Ends of the score axis in positions of `scale`, with the foot.
    lvef_range : (float, float)
        Percent.
    size_px : (float, float)
        Width and height of the score panel.
    """

    start: datetime
    end: datetime
    scale: ScoreScale
    axis: tuple[float, float]
    lvef_range: tuple[float, float]
    size_px: tuple[float, float]

    @property
    def foot(self) -> float:
        """Position of crosses and bars, below every score."""
        return self.axis[0] + 0.035 * (self.axis[1] - self.axis[0])

    def x_share(self, at: datetime) -> float:
        """Return where a time lies on the axis, 0 to 1."""
        return (at - self.start) / (self.end - self.start)

    def y_px(self, position: float) -> float:
        """Return the distance from the top of the score panel in pixels."""
        low, high = self.axis
        return (high - position) / (high - low) * self.size_px[1]

    def time_ticks(self, narrow: bool) -> dict[str, Any]:
        """Return plotly's tick settings for the length of the course."""
        years = (self.end - self.start) / timedelta(days=365.25)
        if years < 0.3:
            return {"nticks": 3 if narrow else 7, "tickformat": "%-d %b %Y"}
        if years < 2.2:
            step = 1 if years < 0.8 else 3
            return {"dtick": f"M{2 * step if narrow else step}", "tickformat": "%b %Y"}
        step = max(2 if narrow else 1, round(years / (5 if narrow else 10)))
        return {"dtick": f"M{12 * step}", "tickformat": "%Y"}


def panel_of(timeline: RiskTimeline, view: TrajectoryView) -> Panel:
    """Lay out a timeline with at least one dated ECG or one echo."""
    scale = _score_scale(timeline, view)
    start, end = _time_range(timeline, view)
    low, high = scale.position(scale.low), scale.position(scale.high)
    margins = view.margin_px
    inner_px = view.height_px - margins["t"] - margins["b"]
    width_px = (366 if view.narrow else 940) - margins["l"] - margins["r"]
    return Panel(
        start,
        end,
        scale,
        (low - _FOOT_SHARE * (high - low), high),
        _lvef_range(timeline),
        (width_px, inner_px * (TOP_DOMAIN[1] - TOP_DOMAIN[0])),
    )


def echo_gap(timeline: RiskTimeline) -> tuple[datetime, datetime, int] | None:
    """Return the last echo, the last ECG and the months between, from 12 months on."""
    dated = [p.recorded_at for p in timeline.points if p.recorded_at]
    if not dated or not timeline.echoes:
        return None
    last_echo = max(echo.study.performed_at for echo in timeline.echoes)
    months = int((dated[-1] - last_echo) / timedelta(days=_DAYS_PER_MONTH))
    return (last_echo, dated[-1], months) if months >= _GAP_MONTHS else None


def _score_scale(timeline: RiskTimeline, view: TrajectoryView) -> ScoreScale:
    """Return the usual axis, or a wider one where scores need it."""
    if view.linear:
        return ScoreScale(0.0, 1.0, linear=True)
    values = [
        point.score.value
        for lead_set in series.lead_sets(timeline)
        for variant in series.variants_of(timeline)
        for run in series.scored_runs(timeline, variant, lead_set, view.zone)
        for point in run
    ]
    if view.others:
        values += [one.score.value for one in series.marked_scores(timeline)]
    low = min([logit(0.006), *(logit(v) - 0.25 for v in values)])
    high = max([logit(0.95), *(logit(v) + 0.35 for v in values)])
    return ScoreScale(expit(low), expit(high))


def _time_range(timeline: RiskTimeline, view: TrajectoryView) -> tuple[datetime, datetime]:
    """From the start of the first year, or a little before the first mark, to a little after."""
    times = [
        series.local_time(at, view.zone)
        for at in (
            *(p.recorded_at for p in timeline.points if p.recorded_at),
            *(e.study.performed_at for e in timeline.echoes),
        )
    ]
    first, last = min(times), max(times)
    if last - first < timedelta(days=500):
        margin = max(timedelta(days=3), (last - first) / 25)
        return first - margin, last + ((last - first) / 70 or margin)
    start = min(datetime(first.year, 1, 1), first - (last - first) / 40)
    return start, last + (last - first) / 70  # labels stand right of the axis


def _lvef_range(timeline: RiskTimeline) -> tuple[float, float]:
    values = [echo.study.lvef_percent for echo in timeline.echoes]
    low = min([20.0, *(10.0 * ((v - 4) // 10) for v in values)])
    return low, max([66.0, *(v + 8 for v in values)])
