"""Two ECGs compared: one source for both, axes on the circle, noise in logits; by hand."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ecgdash.domain import (
    FamilyCard,
    NotApplicable,
    OperatingPoint,
    TimelinePoint,
    VariantCard,
    VariantScore,
)
from ecgdash.services.ecg_comparison import (
    axis_change,
    bazett_ms,
    compare_measurements,
    compare_scores,
    default_comparison,
    why_not_comparable,
)

NOW = datetime(2026, 11, 12, 9, 14, tzinfo=UTC)
THRESHOLD = OperatingPoint("t", "youden", 0.42, "data", 100, 8, 0.8, 0.9)


def point(ecg="now", days=0, **changes):
    at = NOW - timedelta(days=days)
    plain = TimelinePoint(ecg, at, at.date(), "analysable", (), "12", "family-12", (), {})
    return replace(plain, **changes)


def card(noise):
    variants = tuple(
        VariantCard(name, THRESHOLD, THRESHOLD, THRESHOLD, floor) for name, floor in noise.items()
    )
    return FamilyCard(
        "family-12", "", "12", "signal", "", "", "0" * 64, 1, "", True, "", variants=variants
    )


@pytest.mark.parametrize(
    ("now", "earlier", "change"),
    [(10.0, -20.0, 30.0), (170.0, -170.0, -20.0), (-170.0, 170.0, 20.0), (-12.0, -4.0, -8.0)],
)
def test_an_axis_changes_the_short_way_round(now, earlier, change):
    assert axis_change(now, earlier) == pytest.approx(change)


def test_bazett_by_hand():
    # 444 ms at 68 /min: RR 0.8824 s, its root 0.9393, 472.7 ms
    assert bazett_ms({"qt_ms": 444.0, "heart_rate_bpm": 68.0}) == pytest.approx(472.7, abs=0.05)
    assert bazett_ms({"qt_ms": 444.0}) is None


def test_a_measurement_is_taken_from_one_source_for_both():
    now = point(
        measurements={"qrs_ms": 156.0, "pr_ms": 178.0, "qtc_ms": 478.0},
        measured={"qrs_ms": 150.0, "pr_ms": 170.0, "t_axis_deg": 175.0},
    )
    earlier = point(
        "earlier",
        300,
        measurements={"qrs_ms": 152.0, "qtc_ms": 466.0},
        measured={"qrs_ms": 140.0, "pr_ms": 166.0, "t_axis_deg": -175.0},
    )
    rows = {row.key: row for row in compare_measurements(now, earlier)}
    qrs, pr, axis = rows["qrs_ms"], rows["pr_ms"], rows["t_axis_deg"]
    assert (qrs.source, qrs.now, qrs.earlier, qrs.change) == ("cart", 156.0, 152.0, 4.0)
    # The earlier file holds no PR: never 178 by the cart against 166 by us.
    assert (pr.source, pr.now, pr.earlier, pr.change) == ("ours", 170.0, 166.0, 4.0)
    assert (axis.source, axis.change) == ("ours", -10.0)
    # Two carts may use two formulas, and neither file holds QT: no QTc is compared.
    assert rows["qtc_ms"].source is None
    assert rows["qtc_ms"].change is None


def test_scores_are_judged_against_each_variants_own_noise():
    scores = {
        "uncalibrated": VariantScore(0.96, THRESHOLD),
        "masked": VariantScore(0.74, THRESHOLD),
        "recalibrated": VariantScore(0.53, THRESHOLD),
    }
    before = {
        "uncalibrated": VariantScore(0.92, THRESHOLD),
        "masked": VariantScore(0.52, THRESHOLD),
        "recalibrated": NotApplicable("no earlier ECG-echo pair"),
    }
    noise = {"uncalibrated": 0.9, "masked": 0.9, "recalibrated": None}
    rows = compare_scores(point(scores=scores), point("e", 9, scores=before), card(noise))
    recalibrated, masked, uncalibrated = rows
    assert recalibrated.change is None
    assert isinstance(recalibrated.earlier, NotApplicable)
    # ln(0.74/0.26) - ln(0.52/0.48) = 1.0460 - 0.0800
    assert masked.change.difference_logit == pytest.approx(0.9659, abs=1e-4)
    assert masked.change.beyond_noise is True
    assert uncalibrated.change.difference_logit == pytest.approx(
        math.log(0.96 / 0.04) - math.log(0.92 / 0.08)
    )
    assert uncalibrated.change.beyond_noise is False  # 0.74
    unmeasured = compare_scores(
        point(scores=scores), point("e", 9, scores=scores), card({**noise, "masked": None})
    )
    assert unmeasured[1].change.beyond_noise is None


def test_why_scores_are_not_compared():
    assert why_not_comparable(point(), point("e", 9)) is None
    assert "different leads" in why_not_comparable(point(), point("e", 9, lead_set="1"))
    assert "one model family" in why_not_comparable(point(), point("e", 9, family="other"))
    flat = point("e", 9, status="poor_quality", reasons=("lead V2 is flat",))
    assert why_not_comparable(point(), flat) == (
        "the other ECG had its score withheld: lead V2 is flat"
    )


def test_the_default_is_the_analysable_ecg_before():
    withheld = point("b", 5, status="poor_quality")
    points = (point("a", 9), withheld, point("c"), point("d", -3))
    assert default_comparison(points[2], points) == "a"
    assert default_comparison(points[0], points) is None
    assert default_comparison(point("undated", recorded_at=None), points) is None
