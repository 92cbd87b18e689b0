"""The stability figure puts every condition where its logit says."""

import math

import pytest

from ecgdash.domain.stability import StabilityPanel, StabilityRow
from ecgdash.plots.stability import stability_height_px, stability_plot
from ecgdash.plots.style import DARK, LIGHT


def _row(kind, condition, score, threshold=0.2, reason=""):
    if score is None:
        return StabilityRow(kind, condition, "f", "masked", reason=reason)
    distance = math.log(score / (1 - score)) - math.log(threshold / (1 - threshold))
    return StabilityRow(
        kind, condition, "f", "masked", score, threshold, distance, 0.0, True, False
    )


PANEL = StabilityPanel(
    "key",
    "f",
    "masked",
    0.5,
    (
        _row("scored", "As scored, three crops", 0.5),
        _row("crop", "One crop of 9 s from 1 s", None, reason="needs 10 s"),
        _row("noise", "Noise of 50 µV added", 0.1),
        _row("leads", "6 leads", 0.3, threshold=0.3),
    ),
)


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_marks_lie_at_their_distance_to_their_own_threshold(theme, narrow):
    figure = stability_plot(PANEL, theme, narrow=narrow)
    own, other = figure.data
    # ln 1 - ln(1/4) and ln(1/9) - ln(1/4)
    assert list(own.x) == pytest.approx([math.log(4), math.log(4 / 9)])
    assert list(own.y) == [0, 2]
    assert list(other.x) == pytest.approx([0.0])
    assert list(other.y) == [3]
    assert other.marker.symbol.endswith("-open")
    low, high = figure.layout.xaxis.range
    assert low < min(own.x)
    assert high > math.log(4) + 0.5


def test_the_box_is_the_noise_floor_around_the_score_as_scored():
    shapes = {shape.name: shape for shape in stability_plot(PANEL, LIGHT).layout.shapes}
    box = shapes["noise"]
    assert (box.x0, box.x1) == pytest.approx((math.log(4) - 0.5, math.log(4) + 0.5))
    assert (box.y0, box.y1) == (-0.5, 2.5), "not over the other families"
    assert shapes["threshold"].x0 == shapes["threshold"].x1 == 0
    unknown = StabilityPanel("key", "f", "masked", None, PANEL.rows)
    names = [shape.name for shape in stability_plot(unknown, LIGHT).layout.shapes]
    assert names == ["threshold"]


@pytest.mark.parametrize("narrow", [False, True])
def test_every_condition_is_named_and_told_why_it_is_missing(narrow):
    figure = stability_plot(PANEL, LIGHT, narrow=narrow)
    texts = [note.text for note in figure.layout.annotations]
    named = texts if narrow else list(figure.layout.yaxis.ticktext)
    for row in PANEL.rows:
        assert any(text.startswith(row.condition) for text in named)
    assert any("not made" in text for text in texts)
    assert {"threshold", "← below", "above →"} <= set(texts)


def test_a_row_more_makes_it_higher():
    longer = StabilityPanel("key", "f", "masked", 0.5, (*PANEL.rows, PANEL.rows[2]))
    for narrow in (False, True):
        assert stability_height_px(longer, narrow) > stability_height_px(PANEL, narrow)
        figure = stability_plot(longer, LIGHT, narrow=narrow)
        assert figure.layout.height == stability_height_px(longer, narrow)


@pytest.mark.parametrize("narrow", [False, True])
def test_ticks_are_round_signed_and_hold_the_threshold(narrow):
    axis = stability_plot(PANEL, LIGHT, narrow=narrow).layout.xaxis
    assert "0" in axis.ticktext
    assert 3 <= len(axis.tickvals) <= 11
    for value, text in zip(axis.tickvals, axis.ticktext, strict=True):
        assert float(text.replace("−", "-")) == pytest.approx(value)
        assert axis.range[0] <= value <= axis.range[1]
