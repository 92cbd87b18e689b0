"""Marks of other families: where they stand, what they say, and that nothing joins them."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from handmade_timelines import START, course, operating_point, point, timeline

from ecgdash.domain import RECALIBRATED, UNCALIBRATED, OtherScore, VariantScore
from ecgdash.plots import DARK, LIGHT, TrajectoryView, trajectory
from ecgdash.plots.others import label_words, marked_families, short_title, what_it_read
from ecgdash.plots.scale import logit
from ecgdash.plots.style import OTHER_MARKS, variant_style

VIEW = TrajectoryView(RECALIBRATED)
THRESHOLD = replace(operating_point(UNCALIBRATED), value=0.268)


def other(family, ecg, days, value, **facts):
    plain = {
        "family": family,
        "title": f"Network {family}",
        "label": "LVEF < 50 %",
        "variant": UNCALIBRATED,
        "ecg": ecg,
        "recorded_at": START + timedelta(days=days),
        "score": VariantScore(value, THRESHOLD),
        "lead_set": "12",
        "weights_sha256": "0" * 64,
    }
    return OtherScore(**{**plain, **facts})


A = (other("a", "f", 1400, 0.77), other("a", "d", 800, 0.1), other("a", "a", 0, 0.4))
B = (other("b", "f", 1400, 0.2, label="LVEF <= 40 %", variant=RECALIBRATED, lead_set="1"),)


def with_others(*others):
    return replace(course(), others=others)


def marks(figure):
    return {t.meta["other"]: t for t in figure.data if "other" in (t.meta or {})}


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("narrow", [False, True])
def test_each_family_is_one_trace_of_unjoined_hollow_marks(linear, narrow):
    view = replace(VIEW, linear=linear, narrow=narrow)
    found = marks(trajectory(with_others(*A, *B), view))
    assert list(found) == ["a", "b"]
    for trace, scores in zip(found.values(), (A, B), strict=True):
        assert trace.mode == "markers"
        assert trace.line.to_plotly_json() == {}
        assert trace.marker.symbol.endswith("-open")
        assert [x.isoformat() for x in trace.x] == [
            one.recorded_at.replace(tzinfo=None).isoformat() for one in scores
        ]
        expected = [s.score.value if linear else logit(s.score.value) for s in scores]
        assert list(trace.y) == pytest.approx(expected)
        assert [custom[0] for custom in trace.customdata] == [one.ecg for one in scores]


def test_all_else_of_the_figure_is_what_it_is_without_them():
    alone = json.loads(trajectory(course(), VIEW).to_json())
    beside = json.loads(trajectory(with_others(*A, *B), VIEW).to_json())
    hidden = json.loads(trajectory(with_others(*A, *B), replace(VIEW, others=False)).to_json())
    assert hidden == alone
    beside["data"] = [t for t in beside["data"] if "other" not in (t.get("meta") or {})]
    assert beside == alone  # thresholds, boxes, bracket and words are of the line alone


def test_the_axis_holds_their_scores_only_while_they_are_shown():
    extreme = with_others(other("a", "f", 1400, 0.9999))
    shown = trajectory(extreme, VIEW).layout.yaxis.range
    assert shown[1] > logit(0.9999)
    hidden = trajectory(extreme, replace(VIEW, others=False)).layout.yaxis.range
    assert hidden == trajectory(course(), VIEW).layout.yaxis.range


def test_hover_names_family_label_and_its_own_threshold():
    found = marks(trajectory(with_others(*A, *B), VIEW))
    first, second, _ = found["a"].hovertext
    assert first == (
        "<b>Network a</b> 0.77<br>label LVEF &lt; 50\N{NO-BREAK SPACE}%, above its own threshold "
        "0.27<br>not comparable with the line<br>ECG 15 Nov 2023, 09:30"
    )
    assert "below its own threshold 0.27" in second
    assert "<b>Network b</b> 0.20 (recalibrated, lead I only)<br>" in found["b"].hovertext[0]


def test_a_title_of_others_is_text():
    """Plotly draws a subset of HTML; a title comes from a file that others wrote."""
    trace = marks(trajectory(with_others(replace(A[0], title="<a href='x'>X</a> & Y")), VIEW))["a"]
    assert "<b>&lt;a href='x'&gt;X&lt;/a&gt; &amp; Y</b>" in trace.hovertext[0]
    assert set(re.findall(r"<[^>]*>", trace.hovertext[0] + trace.name)) == {"<b>", "</b>", "<br>"}


def test_four_families_have_marks_and_the_next_stands_in_the_table_only():
    many = with_others(*(other(name, "f", 1400, 0.5) for name in "abcde"))
    found = marks(trajectory(many, VIEW))
    assert [trace.marker.symbol for trace in found.values()] == [m.symbol for m in OTHER_MARKS]
    assert [one.mark for one in marked_families(many)] == [*OTHER_MARKS, None]
    # a score without a mark does not move the axis either
    beyond = with_others(*many.others[:4], other("e", "f", 1400, 0.99999))
    assert trajectory(beyond, VIEW).layout.yaxis == trajectory(many, VIEW).layout.yaxis


def test_marks_differ_without_colour_from_each_other_and_from_every_variant():
    for aspect in ("symbol", "glyph", "shape"):
        assert len({getattr(mark, aspect) for mark in OTHER_MARKS}) == len(OTHER_MARKS) == 4
    ours = {variant_style(name).symbol for name in (RECALIBRATED, UNCALIBRATED, "masked", "x")}
    assert not ours & {mark.symbol.removesuffix("-open") for mark in OTHER_MARKS}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_they_take_no_hue_of_ours(theme):
    (trace,) = marks(trajectory(with_others(*A), replace(VIEW, theme=theme))).values()
    assert trace.marker.color == theme.muted


def test_a_course_without_a_score_of_ours_shows_them_still():
    bare = timeline([point("a", 0)], others=(other("a", "a", 0, 0.4),))
    (trace,) = marks(trajectory(bare, VIEW)).values()
    assert len(trace.x) == 1


@pytest.mark.parametrize(
    ("title", "label", "expected"),
    [
        ("HeartWise EfficientNetV2, LVEF < 50 %", "LVEF < 50 %", "HeartWise EfficientNetV2"),
        ("HeartWise EfficientNetV2, LVEF ≤ 40 %", "LVEF <= 40 %", "HeartWise EfficientNetV2"),
        ("PULSE-HF, LVEF ≤ 40 % within a year", "LVEF <= 40 %, 1 year forecast", "PULSE-HF"),
        ("A network, of a house", "LVEF < 50 %", "A network, of a house"),
        ("LVEF < 50 %", "LVEF < 50 %", "LVEF < 50 %"),
    ],
)
def test_the_title_does_not_repeat_the_label(title, label, expected):
    assert short_title(title, label) == expected
    assert "<=" not in label_words(label)


def test_what_a_score_read_is_said_where_it_is_not_twelve_leads_alone():
    assert what_it_read(UNCALIBRATED, "12") == ""
    assert what_it_read(RECALIBRATED, "6") == "recalibrated, 6 leads"
