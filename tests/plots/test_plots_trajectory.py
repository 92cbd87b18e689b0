"""The figure's data are read back and compared with the timeline."""

from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from handmade_timelines import NOISE, START, THRESHOLDS, card, course, echo, point, timeline

from ecgdash.domain import MASKED, RECALIBRATED, UNCALIBRATED, VariantScore
from ecgdash.plots import DARK, LIGHT, TrajectoryView, trajectory
from ecgdash.plots.scale import expit, logit
from ecgdash.plots.style import series_colour


def traces(figure, **meta):
    return [t for t in figure.data if all((t.meta or {}).get(k) == v for k, v in meta.items())]


def shapes(figure, name):
    return [s for s in figure.layout.shapes if (s.name or "").startswith(name)]


def texts(figure):
    return [a.text for a in figure.layout.annotations]


def drawn(figure, variant, lead_set="12"):
    """Return (key, score) of a series, None where the line breaks."""
    (trace,) = traces(figure, variant=variant, lead_set=lead_set)
    return [(key, score) for key, score in trace.customdata], trace


def stored(line, variant):
    return {
        p.ecg: p.scores[variant].value
        for p in line.points
        if isinstance(p.scores.get(variant), VariantScore)
    }


@pytest.mark.parametrize("variant", [UNCALIBRATED, MASKED, RECALIBRATED])
@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("narrow", [False, True])
def test_points_are_the_timelines(variant, linear, narrow):
    line = course()
    figure = trajectory(line, TrajectoryView(RECALIBRATED, linear=linear, narrow=narrow))
    custom, trace = drawn(figure, variant)
    assert {key: score for key, score in custom if key} == stored(line, variant)
    by_key = {p.ecg: p.recorded_at for p in line.points}
    for (key, score), x, y in zip(custom, trace.x, trace.y, strict=True):
        if key is None:
            assert y is None
            continue
        assert (y if linear else expit(y)) == pytest.approx(score)
        assert x.isoformat() + "+00:00" == by_key[key].isoformat()


def test_gaps_are_not_connected():
    custom, trace = drawn(trajectory(course(), TrajectoryView(RECALIBRATED)), RECALIBRATED)
    assert [key for key, _ in custom] == ["b", "c", "d", None, "f"]
    assert trace.connectgaps is False


def test_lead_sets_are_separate_traces_with_hollow_markers():
    scores = {UNCALIBRATED: 0.1}
    line = timeline(
        [point("a", 0, scores, lead_set="1"), point("b", 300, scores), point("c", 600, scores)],
        cards={"12": card(), "1": card("1")},
    )
    figure = trajectory(line, TrajectoryView(UNCALIBRATED))
    other, main = drawn(figure, UNCALIBRATED, "1")[1], drawn(figure, UNCALIBRATED)[1]
    assert [key for key, _ in other.customdata] == ["a"]
    assert [key for key, _ in main.customdata] == ["b", "c"]
    assert other.marker.color == LIGHT.background
    assert main.marker.color == series_colour(LIGHT, UNCALIBRATED)
    assert "lead I only" in other.hovertext[0]
    boxes = shapes(figure, "noise")
    assert [box.x0 for box in boxes] == [main.x[0]]


def test_noise_boxes_are_score_plus_minus_noise_in_logits():
    figure = trajectory(course(), TrajectoryView(RECALIBRATED))
    boxes = shapes(figure, "noise")
    assert len(boxes) == 3
    noise = NOISE[RECALIBRATED]
    assert (boxes[0].y0, boxes[0].y1) == pytest.approx((logit(0.2) - noise, logit(0.2) + noise))
    low, high = figure.layout.yaxis.range
    assert all(low <= box.y0 < box.y1 <= high for box in boxes)


def test_noise_is_not_drawn_where_it_was_not_measured():
    line = timeline(course().points, cards={"12": card(noise=0)})
    figure = trajectory(line, TrajectoryView(RECALIBRATED))
    assert shapes(figure, "noise") == []
    assert any("noise not measured" in text for text in texts(figure))


def test_thresholds():
    figure = trajectory(course(), TrajectoryView(MASKED))
    for variant, value in THRESHOLDS.items():
        (line,) = shapes(figure, f"threshold {variant} ")
        assert line.y0 == line.y1 == pytest.approx(logit(value))
        assert line.x1 == (1.0 if variant == MASKED else 0.012)
        assert line.line.color == series_colour(LIGHT, variant)
    (label,) = [a for a in figure.layout.annotations if a.name == "threshold"]
    assert label.text == "threshold 0.07<br>Youden, validation set<br>n 1,812"


def test_last_change_is_told_with_both_scores():
    figure = trajectory(course(), TrajectoryView(RECALIBRATED))
    upright, tick = shapes(figure, "change")
    assert (upright.y0, upright.y1) == pytest.approx((logit(0.03), logit(0.3)))
    assert tick.y0 == pytest.approx(logit(0.03))
    (label,) = [a.text for a in figure.layout.annotations if a.name == "change"]
    assert label == "from <b>0.03 to 0.30</b><br>since 25 Mar 2022,<br>beyond noise"
    assert START + timedelta(days=800) == course().points[3].recorded_at


@pytest.mark.parametrize(
    ("days", "form"), [(0, "%-d %b %Y"), (25, "%-d %b %Y"), (400, "%b %Y"), (3000, "%Y")]
)
def test_time_axis_fits_the_course(days, form):
    points = [point("a", 0, {UNCALIBRATED: 0.1}), point("b", days, {UNCALIBRATED: 0.1})]
    axis = trajectory(timeline(points), TrajectoryView(UNCALIBRATED)).layout.xaxis
    start, end = axis.range
    first, last = (p.recorded_at.replace(tzinfo=None) for p in points)
    assert start < first <= last < end
    assert (end - start) <= max(1.4 * (last - first), timedelta(days=7))
    assert axis.tickformat == form


def test_labels_at_the_right_do_not_overlap():
    figure = trajectory(course(), TrajectoryView(RECALIBRATED))
    low, high = figure.layout.yaxis.range
    panel_px = (512 - 30) * (1.0 - 0.376)
    spans = []
    for label in figure.layout.annotations:
        if label.xanchor == "left" and label.yref in (None, "y"):
            centre = (high - label.y) / (high - low) * panel_px - (label.yshift or 0)
            half = 15 * (label.text.count("<br>") + 1) / 2
            spans.append((centre - half, centre + half, label.text))
    spans = sorted(span for span in spans if "not applicable" not in span[2])
    assert len(spans) == 5
    assert all(a[1] <= b[0] + 0.01 for a, b in pairwise(spans))
    assert spans[-1][1] <= panel_px


def test_withheld_and_not_applicable_stand_at_the_foot():
    figure = trajectory(course(), TrajectoryView(RECALIBRATED))
    (crosses,) = traces(figure, mark="withheld")
    (bars,) = traces(figure, mark="not applicable")
    assert [key for key, _ in crosses.customdata] == ["e"]
    assert [key for key, _ in bars.customdata] == ["a"]
    lowest = min(y for t in traces(figure, lead_set="12") for y in t.y if y is not None)
    assert crosses.y[0] < lowest
    assert "withheld: lead V2 is flat" in texts(figure)
    assert crosses.hovertext[0].endswith("Score withheld (lead V2 is flat for 10.0 s)")
    dotted = [s for s in figure.layout.shapes if s.line.dash == "dot" and s.x0 == s.x1]
    assert [s.x0 for s in dotted] == [crosses.x[0]]


def test_lvef_panel():
    line = course()
    figure = trajectory(line, TrajectoryView(RECALIBRATED))
    (lvef,) = traces(figure, echo="lvef")
    assert list(lvef.y) == [31, 36, 44, 52]
    assert list(lvef.marker.symbol) == ["diamond", "diamond-open", "square-open", "circle-open"]
    assert list(lvef.text) == ["31", "36", "44", "52"]
    assert lvef.hovertext[1].startswith("<b>LVEF 36 %</b> (visual)<br>echo 7 Aug 2020")
    assert "not paired" in lvef.hovertext[2]
    (paired,) = traces(figure, echo="paired")
    assert list(paired.x) == list(lvef.x[:2])


def test_lvef_levels_are_dashed_at_40_and_50_only():
    figure = trajectory(course(), TrajectoryView(RECALIBRATED))
    lines = {shape.name: shape for shape in shapes(figure, "LVEF ")}
    assert list(lines) == ["LVEF 20", "LVEF 30", "LVEF 40", "LVEF 50", "LVEF 60"]
    assert [name for name, line in lines.items() if line.line.dash == "dash"] == [
        "LVEF 40",
        "LVEF 50",
    ]
    assert all(line.y0 == line.y1 == int(name[5:]) for name, line in lines.items())


@pytest.mark.parametrize(("months", "said"), [(11, False), (13, True)])
def test_no_echo_for_months(months, said):
    last = timedelta(days=months * 30.4375 + 1).days
    line = timeline(
        [point("a", 0, {UNCALIBRATED: 0.1}), point("b", last, {UNCALIBRATED: 0.1})], [echo(0, 50)]
    )
    found = [t for t in texts(trajectory(line, TrajectoryView(UNCALIBRATED))) if "no echo for" in t]
    assert found == ([f"no echo for {months} months"] if said else [])


def test_no_echo_on_file_is_said():
    line = timeline([point("a", 0, {UNCALIBRATED: 0.1})])
    assert "no echo on file" in texts(trajectory(line, TrajectoryView(UNCALIBRATED)))


def test_no_model_installed_draws_bars_and_no_series():
    line = timeline([point("a", 0), point("b", 40)], cards={})
    figure = trajectory(line, TrajectoryView(UNCALIBRATED))
    (bars,) = traces(figure, mark="not applicable")
    assert len(bars.x) == 2
    assert traces(figure, variant=UNCALIBRATED) == []


def test_echoes_alone():
    figure = trajectory(timeline([], [echo(0, 44)]), TrajectoryView(UNCALIBRATED))
    (lvef,) = traces(figure, echo="lvef")
    assert list(lvef.y) == [44]


def test_axis_holds_extreme_scores():
    scores = ({UNCALIBRATED: 0.0004}, {UNCALIBRATED: 0.9995})
    line = timeline([point("a", 0, scores[0]), point("b", 300, scores[1])])
    low, high = trajectory(line, TrajectoryView(UNCALIBRATED)).layout.yaxis.range
    assert low < logit(0.0004) < logit(0.9995) < high


def test_axis_is_labelled_in_scores_without_percent():
    axis = trajectory(course(), TrajectoryView(RECALIBRATED)).layout.yaxis
    assert {"0.01", "0.05", "0.1", "0.5", "0.9"} <= set(axis.ticktext)
    for value, text in zip(axis.tickvals, axis.ticktext, strict=True):
        assert expit(value) == pytest.approx(float(text))
    assert axis.title.text == "Score (0 to 1)"


def test_hover():
    _, trace = drawn(
        trajectory(course(), TrajectoryView(RECALIBRATED, zone=ZoneInfo("Asia/Seoul"))),
        RECALIBRATED,
    )
    assert trace.hovertext[0] == (
        "<b>recalibrated</b> 0.20, above threshold 0.08<br>ECG 2 Aug 2020, 18:30"
    )


def test_emphasis_and_theme():
    figure = trajectory(course(), TrajectoryView(MASKED, DARK))
    thick = drawn(figure, MASKED)[1]
    thin = drawn(figure, RECALIBRATED)[1]
    assert (thick.line.width, thick.marker.size) == (2.5, 9)
    assert (thin.line.width, thin.marker.size) == (1.5, 7)
    assert thick.line.color == DARK.masked
    assert thick.line.dash == "dot"
    assert thin.marker.symbol == "circle"


def test_drawing_leaves_the_timeline_alone():
    line = course()
    before = repr(line)
    trajectory(line, TrajectoryView(RECALIBRATED))
    assert repr(line) == before
