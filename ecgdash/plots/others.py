"""Scores of families that a timeline is not of: which mark each gets, and its words.

They are marks alone: nothing joins them, and nothing here states a change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from ecgdash.domain import UNCALIBRATED, OtherScore, RiskTimeline
from ecgdash.plots import series, style
from ecgdash.plots.panel import Panel, TrajectoryView
from ecgdash.plots.trajectory_words import day_time, lead_words

__all__ = [
    "MarkedFamily",
    "label_words",
    "marked_families",
    "other_traces",
    "short_title",
    "what_it_read",
]

_UNFADED = {"marker": {"opacity": 1.0}}


@dataclass(frozen=True)
class MarkedFamily:
    """One other family with its scores, and its mark.

    Attributes
    ----------
    mark : OtherMark or None
        None: its scores stand in the table only.
    scores : tuple of OtherScore
        At least one, the latest first.
    """

    mark: style.OtherMark | None
    scores: tuple[OtherScore, ...]

    @property
    def name(self) -> str:
        """Title and label definition, as legends name the family."""
        first = self.scores[0]
        return f"{short_title(first.title, first.label)} ({label_words(first.label)})"


def label_words(label: str) -> str:
    """Return a label definition as people write it: "LVEF ≤ 40 %", with a hard space."""
    return label.replace("<=", "≤").replace(">=", "≥").replace(" %", "\N{NO-BREAK SPACE}%")


def short_title(title: str, label: str) -> str:
    """Return a family's title without the label definition that stands beside it anyway.

    "HeartWise EfficientNetV2, LVEF < 50 %" becomes "HeartWise EfficientNetV2".
    """
    head, _, rest = title.partition(", ")
    definition = label_words(label.partition(",")[0])
    return head if head and label_words(rest).startswith(definition) else title


def what_it_read(variant: str, lead_set: str) -> str:
    """Return "recalibrated, lead I only"; "" for the score of a 12-lead ECG alone."""
    history = "" if variant == UNCALIBRATED else style.variant_style(variant).label
    leads = "" if lead_set == "12" else lead_words(lead_set)
    return ", ".join(part for part in (history, leads) if part)


def marked_families(timeline: RiskTimeline) -> list[MarkedFamily]:
    """Return the other families of a timeline in its order, the first four with a mark."""
    by_family: dict[str, list[OtherScore]] = {}
    for one in timeline.others:
        by_family.setdefault(one.family, []).append(one)
    marks = (*style.OTHER_MARKS, *[None] * len(by_family))
    return [
        MarkedFamily(mark, tuple(scores))
        for mark, scores in zip(marks, by_family.values(), strict=False)
    ]


def other_traces(
    timeline: RiskTimeline, view: TrajectoryView, panel: Panel
) -> Iterator[go.Scatter]:
    """Yield one trace of unjoined hollow marks for each other family that has a mark."""
    if not view.others:
        return
    for marked in marked_families(timeline):
        if marked.mark is None:
            continue
        scores = marked.scores
        yield go.Scatter(
            x=[series.local_time(one.recorded_at, view.zone) for one in scores],
            y=[panel.scale.position(one.score.value) for one in scores],
            customdata=[(one.ecg, one.score.value) for one in scores],
            hovertext=[_hover(one, view) for one in scores],
            hovertemplate="%{hovertext}<extra></extra>",
            meta={"other": scores[0].family},
            name=escape(marked.name, quote=False),
            mode="markers",
            cliponaxis=False,
            unselected=_UNFADED,
            marker={
                "symbol": marked.mark.symbol,
                "size": 10,
                "color": view.theme.muted,
                "line": {"width": 1.3, "color": view.theme.muted},
            },
        )


def _hover(one: OtherScore, view: TrajectoryView) -> str:
    """Return the hover text; the title comes from a file of others and is no markup."""
    side = "above" if one.score.positive else "below"
    title, label = short_title(one.title, one.label), label_words(one.label)
    at = series.local_time(one.recorded_at, view.zone)
    read = what_it_read(one.variant, one.lead_set)
    return (
        f"<b>{escape(title, quote=False)}</b> {one.score.value:.2f}{f' ({read})' if read else ''}"
        f"<br>label {escape(label, quote=False)}, "
        f"{side} its own threshold {one.score.threshold.value:.2f}"
        f"<br>not comparable with the line"
        f"<br>ECG {day_time(at)}"
    )
