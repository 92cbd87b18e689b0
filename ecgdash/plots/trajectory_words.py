"""The words of the trajectory: hover texts, labels and where they stand."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ecgdash.domain import RiskTimeline, TimelineEcho
from ecgdash.plots import series, style
from ecgdash.plots.labels import spread
from ecgdash.plots.panel import Panel, TrajectoryView, echo_gap

__all__ = ["annotations", "day", "day_time", "echo_hover", "lead_words", "score_hover"]

_LINE_PX = 15
_REASON_CHARACTERS = 34
_FOOT_WORDS_PX = 190
_METHODS = {"simpson": "Simpson", "m-mode": "M-mode", "visual": "visual", "unknown": "no method"}
_VERDICTS = {True: "beyond noise", False: "within noise", None: "noise not measured"}
_RULES = {"youden": "Youden"}

Annotation = dict[str, Any]


def day(at: datetime) -> str:
    """Return a date as "28 Jan 2025"."""
    return f"{at.day} {at:%b %Y}"


def day_time(at: datetime) -> str:
    """Return a time as "28 Jan 2025, 10:40"."""
    return f"{at.day} {at:%b %Y, %H:%M}"


def score_hover(point: series.ScoredPoint, variant: str, lead_set: str) -> str:
    """Return the hover text of a score."""
    threshold = point.score.threshold.value
    side = "above" if point.score.positive else "below"
    leads = "" if lead_set == "12" else f", {lead_words(lead_set)}"
    label = style.variant_style(variant).label
    return (
        f"<b>{label}</b> {point.score.value:.2f}, {side} threshold {threshold:.2f}"
        f"<br>ECG {day_time(point.at)}{leads}"
    )


def echo_hover(echo: TimelineEcho, zone: ZoneInfo) -> str:
    """Return the hover text of an echo."""
    at = series.local_time(echo.study.performed_at, zone)
    pairing = "paired with an ECG" if echo.paired_ecg else "not paired: no ECG within 14 days"
    method = _METHODS[echo.study.method]
    return f"<b>LVEF {echo.study.lvef_percent:.0f} %</b> ({method})<br>echo {day(at)}, {pairing}"


def annotations(timeline: RiskTimeline, view: TrajectoryView, panel: Panel) -> list[Annotation]:
    """Return every label of the figure."""
    labels = [
        *_value_labels(timeline, view, panel),
        *_foot_labels(timeline, view, panel),
        *_lvef_labels(timeline, view, panel),
    ]
    common = {"showarrow": False, "font": {"size": style.TEXT_PX, "color": view.theme.ink}}
    return [{**common, **label} for label in labels]


def _value_labels(timeline: RiskTimeline, view: TrajectoryView, panel: Panel) -> list[Annotation]:
    """Labels right of the last points: values, the change, the threshold, moved apart."""
    main = series.main_lead_set(timeline)
    if main is None:
        return []
    threshold_px = _threshold_px(timeline, main, view, panel)
    labels: list[tuple[float, float, Annotation]] = []
    threshold = None
    for variant in series.variants_of(timeline):
        runs = series.scored_runs(timeline, variant, main, view.zone)
        if not runs:
            continue
        last = runs[-1][-1]
        labels.append(_value_label(last, variant, view, panel))
        labels[-1] = _beside_line(labels[-1], threshold_px)
        if variant == view.emphasised and not view.narrow:
            threshold = _threshold_label(last, view, panel)
    change = _change_label(timeline, view, panel)
    if change and not view.narrow:
        labels.append(_below_values(change, [y for y, _, _ in labels]))
    if threshold:
        labels.append(threshold)
    centres = spread([(y, height) for y, height, _ in labels], panel.size_px[1])
    placed = [
        {**label, "yshift": panel.y_px(label["y"]) - centre}
        for (_, _, label), centre in zip(labels, centres, strict=True)
    ]
    return [*placed, change[2]] if change and view.narrow else placed


def _below_values(
    change: tuple[float, float, Annotation], values_px: list[float]
) -> tuple[float, float, Annotation]:
    """Keep the words of a change from standing between the values."""
    y, height, label = change
    inside = min(values_px) - height <= y <= max(values_px) + height
    return (max(values_px) + 1 if inside else y), height, label


def _threshold_px(
    timeline: RiskTimeline, main: str, view: TrajectoryView, panel: Panel
) -> float | None:
    runs = series.scored_runs(timeline, view.emphasised, main, view.zone)
    if not runs:
        return None
    return panel.y_px(panel.scale.position(runs[-1][-1].score.threshold.value))


def _beside_line(
    label: tuple[float, float, Annotation], line_px: float | None
) -> tuple[float, float, Annotation]:
    """Move a label off the threshold's line, to the side its score is on."""
    y, height, annotation = label
    if line_px is None or abs(y - line_px) >= height / 2 + 2:
        return label
    side = 1 if y > line_px else -1
    return line_px + side * (height / 2 + 2), height, annotation


def _value_label(
    last: series.ScoredPoint, variant: str, view: TrajectoryView, panel: Panel
) -> tuple[float, float, Annotation]:
    position = panel.scale.position(last.score.value)
    value = f"{last.score.value:.2f}"
    words = f"<b>{value}</b>" if variant == view.emphasised else value
    if not view.narrow:
        words += f" {style.variant_style(variant).label}"
    label = {
        "x": last.at,
        "y": position,
        "text": words,
        "xanchor": "left",
        "xshift": 9,
        "name": f"value {variant}",
    }
    return panel.y_px(position), _LINE_PX, label


def _threshold_label(
    last: series.ScoredPoint, view: TrajectoryView, panel: Panel
) -> tuple[float, float, Annotation]:
    origin = last.score.threshold
    position = panel.scale.position(origin.value)
    rule = _RULES.get(origin.rule, origin.rule)
    lines = [f"threshold {origin.value:.2f}", *_wrapped(f"{rule}, {origin.data}", 22)[:2]]
    lines.append(f"n {origin.n:,}" if origin.n else "n not stated")
    label = {
        "xref": "paper",
        "x": 1.0,
        "y": position,
        "text": "<br>".join(lines),
        "xanchor": "left",
        "align": "left",
        "xshift": 8,
        "font": {"size": style.TEXT_PX, "color": view.theme.muted},
        "name": "threshold",
    }
    return panel.y_px(position), _LINE_PX * len(lines) + 2, label


def _change_label(
    timeline: RiskTimeline, view: TrajectoryView, panel: Panel
) -> tuple[float, float, Annotation] | None:
    """Words of the last change: right of its bracket, or above the panel where it is narrow."""
    main = series.main_lead_set(timeline)
    if main is None:
        return None
    runs = series.scored_runs(timeline, view.emphasised, main, view.zone)
    noise = series.noise_floor(timeline, view.emphasised, main)
    change = series.last_change(runs, noise)
    if change is None:
        return None
    before, after = change.earlier.score.value, change.latest.score.value
    words = f"from <b>{before:.2f} to {after:.2f}</b>"
    verdict = _VERDICTS[change.beyond_noise]
    if view.narrow:
        above = {"xref": "x domain", "x": 1, "yref": "y domain", "y": 1, "xanchor": "right"}
        text = f"{words}, {verdict}"
        return 0.0, 0.0, {**above, "yanchor": "bottom", "text": text, "name": "change"}
    middle = (panel.scale.position(before) + panel.scale.position(after)) / 2
    label = {
        "x": change.latest.at,
        "y": middle,
        "xanchor": "left",
        "xshift": 9,
        "align": "left",
        "text": f"{words}<br>since {day(change.earlier.at)},<br>{verdict}",
        "name": "change",
    }
    return panel.y_px(middle), 3 * _LINE_PX, label


def _foot_labels(
    timeline: RiskTimeline, view: TrajectoryView, panel: Panel
) -> Iterator[Annotation]:
    """Reasons at the foot: of the last withheld ECG, and of the first run not applicable."""
    if view.narrow:
        return
    crosses = series.withheld(timeline, view.zone)
    bars = series.not_applicable(timeline, view.emphasised, view.zone)
    if crosses:
        last = crosses[-1]
        right = _is_crowded(last, [*crosses[:-1], *bars], panel)
        yield _foot_label(last, _shortened(last.reason), view, panel, right=right)
    if not bars:
        return
    marks = sorted([*crosses, *bars], key=lambda mark: mark.at)
    last = bars[-1] if len(bars) == 1 else _end_of_first_run(bars, marks)
    later = [mark.at for mark in marks if mark.at > last.at]
    room_px = (panel.x_share(min(later)) if later else 1.0) - panel.x_share(last.at)
    if room_px * panel.size_px[0] > 400 or (not later and room_px * panel.size_px[0] > 200):
        reason = last.reason.split(":")[-1].strip() if ":" in last.reason else last.reason
        yield _foot_label(last, f"not applicable: {_shortened(reason)}", view, panel, right=True)


def _is_crowded(mark: series.Mark, others: list[series.Mark], panel: Panel) -> bool:
    """Tell whether words to the left of a mark would cover another, and the right is free."""
    place = panel.x_share(mark.at)
    words = _FOOT_WORDS_PX / panel.size_px[0]
    shares = [panel.x_share(other.at) for other in others]
    free = place + words < 1 and not any(place < share < place + words for share in shares)
    return free and any(place - words < share < place for share in shares)


def _end_of_first_run(bars: list[series.Mark], marks: list[series.Mark]) -> series.Mark:
    reason = bars[0].reason
    last = bars[0]
    for mark in marks:
        if mark not in bars or mark.reason != reason:
            break
        last = mark
    return last


def _foot_label(
    mark: series.Mark, words: str, view: TrajectoryView, panel: Panel, *, right: bool = False
) -> Annotation:
    rightwards = right or panel.x_share(mark.at) < 0.35
    return {
        "x": mark.at,
        "y": panel.foot,
        "text": words,
        "xanchor": "left" if rightwards else "right",
        "xshift": 8 if rightwards else -8,
        "font": {"size": style.TEXT_PX, "color": view.theme.muted},
        "name": "foot",
    }


def _lvef_labels(
    timeline: RiskTimeline, view: TrajectoryView, panel: Panel
) -> Iterator[Annotation]:
    muted = {"size": style.TEXT_PX, "color": view.theme.muted}
    if not view.narrow:
        text = "40 %: LVSD<br>at or below"
        margin = {"xref": "paper", "x": 1.0, "yref": "y2", "xanchor": "left", "xshift": 8}
        yield {**margin, "y": 40, "align": "left", "text": text, "font": muted}
    if not timeline.echoes:
        yield {
            "xref": "x domain",
            "x": 0.5,
            "yref": "y2 domain",
            "y": 0.12,
            "text": "no echo on file",
            "font": muted,
        }
    gap = echo_gap(timeline)
    if gap and not view.narrow:  # on a phone the words would cover the values; the line stays
        yield {
            "x": series.local_time(gap[1], view.zone),
            "yref": "y2",
            "y": panel.lvef_range[1] - 6,
            "yanchor": "bottom",
            "xanchor": "right",
            "text": f"no echo for {gap[2]} months",
            "name": "echo gap",
        }


def lead_words(lead_set: str) -> str:
    """Return "lead I only" or "6 leads"."""
    return "lead I only" if lead_set == "1" else f"{lead_set} leads"


def _shortened(reason: str) -> str:
    """Return the head of a reason; hover text and tables hold all of it."""
    reason = reason.partition(" for ")[0]
    if len(reason) <= _REASON_CHARACTERS:
        return reason
    return reason[: _REASON_CHARACTERS - 1].rsplit(" ", 1)[0] + " …"


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
