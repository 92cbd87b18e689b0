"""What stands beside a flag: all sources in one row, figures of the right setting, what is open."""

from datetime import UTC, datetime, timedelta

import pytest

from ecgdash.domain import (
    EchoStudy,
    Estimate,
    Flag,
    Patient,
    RiskTimeline,
    TimelineEcho,
    TimelinePoint,
)
from ecgdash.labels.published import BASELINE, FOLLOW_UP, ModelFigures, Subgroup
from ecgdash.services.family_figures import FamilyFigures
from ecgdash.services.flag_rows import flag_rows, setting_of, unjudged_flags

START = datetime(2024, 3, 1, 9, tzinfo=UTC)
ALL_MEASURED = {"pr_ms": 160.0, "qrs_ms": 96.0, "qt_ms": 400.0, "heart_rate_bpm": 70.0}


def point(number, *flags, days=None, **facts):
    at = None if days is None else START + timedelta(days=days)
    plain = {"lead_set": "12", "family": "f", "scores": {}, "measured": ALL_MEASURED}
    return TimelinePoint(
        ecg=f"e{number}",
        recorded_at=at,
        local_day=at and at.date(),
        status="analysable",
        reasons=(),
        flags=flags,
        **{**plain, **facts},
    )


def course(*points, paired=(), sex="female", diagnoses=("I10",)):
    echoes = tuple(
        TimelineEcho(EchoStudy("1", START, START.date(), 55.0, "simpson"), ecg) for ecg in paired
    )
    return RiskTimeline(
        "k", Patient("1", "local", sex, 1950), points, (), echoes, diagnoses=diagnoses
    )


def figures(n, n_positive, key="LBBB"):
    half = Estimate(0.5, 0.4, 0.6)
    group = Subgroup(key, n_positive, n, {"uncalibrated": ModelFigures(half, half, half)})
    parts = {BASELINE: {key: group}, FOLLOW_UP: {}}
    return FamilyFigures("f", "0", True, "SIMULATED: made up", (1,), 9, "95 %", {}, parts)


def test_a_pair_with_an_earlier_ecg_makes_the_follow_up_setting():
    first, second, third = (point(i, days=100 * i) for i in range(3))
    points = (first, second, third)
    assert [setting_of(p, course(*points)) for p in points] == [BASELINE] * 3
    # The echo of the second ECG is that ECG's label: earlier only for the third.
    paired = course(*points, paired=("e1",))
    assert [setting_of(p, paired) for p in points] == [BASELINE, BASELINE, FOLLOW_UP]
    unpaired = course(*points, paired=(None,))
    assert setting_of(third, unpaired) == BASELINE


def test_an_undated_ecg_is_read_as_baseline():
    dated, undated = point(0, days=0), point(1)
    assert setting_of(undated, course(dated, paired=("e0",))) == BASELINE


def test_every_source_of_a_flag_stands_in_one_row():
    flags = (
        Flag("LBBB", "statement", "Left bundle branch block"),
        Flag("LBBB", "measurement", "QRS 156 ms"),
        Flag("PVC", "measurement", "3 of 12 beats"),
        Flag("LBBB", "model", "label head 0.97"),
        Flag("LBBB", "model", "label head 0.97"),
    )
    rows = flag_rows(point(0, *flags), FOLLOW_UP, None)
    assert [row.name for row in rows] == ["LBBB", "PVC"]
    assert [flag.source for flag in rows[0].sources] == ["statement", "measurement", "model"]
    assert rows[0].published.n == 470
    assert (rows[1].published, rows[1].own) == (None, None)


def test_figures_are_those_of_the_setting():
    lbbb = point(0, Flag("LBBB", "statement", "x"))
    (first,) = flag_rows(lbbb, BASELINE, figures(300, 90))
    assert (first.published.n, first.own.n) == (553, 300)
    (later,) = flag_rows(lbbb, FOLLOW_UP, figures(300, 90))
    assert (later.published.n, later.own) == (470, None)


@pytest.mark.parametrize(("n", "n_positive", "shown"), [(10, 5, True), (9, 5, False), (99, 4, 0)])
def test_too_few_pairs_give_no_figures(n, n_positive, shown):
    (row,) = flag_rows(point(0, Flag("LBBB", "statement", "x")), BASELINE, figures(n, n_positive))
    assert (row.own is not None) == bool(shown)


def test_nothing_is_open_where_everything_was_measured():
    whole = point(0, days=0)
    assert unjudged_flags(whole, course(whole)) == ()


def test_what_could_not_be_judged_is_told_with_its_reason():
    bare = point(0, Flag("AFIB", "statement", "x"), days=0, measured={"qt_ms": 400.0}, lead_set="1")
    found = {one.reason: one.names for one in unjudged_flags(bare, course(bare, diagnoses=()))}
    assert found == {
        "no PR interval in AFIB": ("PR>200",),
        "no QRS duration found": ("QRS>140",),
        "no QT interval found": ("long_QTc",),
        "no lead V1": ("LBBB", "RBBB"),
        "no diagnosis on file": ("IHD", "CKD", "DM", "HTN"),
    }


def test_sex_unknown_leaves_long_qtc_open():
    whole = point(0, days=0)
    (one,) = unjudged_flags(whole, course(whole, sex=None))
    assert (one.names, one.reason) == (("long_QTc",), "sex unknown, and its limit differs by sex")


def test_a_flag_that_another_source_raised_is_not_open():
    stated = point(
        0, Flag("LBBB", "statement", "x"), Flag("IHD", "diagnosis", "I25"), days=0, lead_set="6"
    )
    found = [one.names for one in unjudged_flags(stated, course(stated, diagnoses=()))]
    assert found == [("RBBB",), ("CKD", "DM", "HTN")]


def test_the_carts_value_counts_as_measured():
    carts = point(0, days=0, measured={}, measurements={"pr_ms": 1.0, "qrs_ms": 1.0, "qtc_ms": 1.0})
    assert unjudged_flags(carts, course(carts)) == ()
