from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ecgdash.domain import Change, WorklistPage, WorklistRow
from ecgdash.plots.scale import share
from ecgdash.ui.worklist_view import legend, row_view, worklist_view

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
CHANGE = Change("recalibrated", "e", NOW, 0.02, 0.11, 1.8, 0.7, "up")
ROW = WorklistRow(
    key="k3y",
    code="P-1",
    site="local",
    age_years=71.0,
    sex="female",
    flags=("sinus", "AFIB", "LBBB", "QRS>140", "CKD", "DM"),
    group="act",
    lead_set="12",
    variant="recalibrated",
    value=0.11,
    threshold=0.08,
    withheld_reason=None,
    weak_evidence=None,
    change=CHANGE,
    trend=((0.3, "uncalibrated"), (0.02, "recalibrated"), (None, None), (0.11, "recalibrated")),
    last_lvef_percent=52.4,
    last_echo_at=NOW - timedelta(days=600),
    last_ecg_at=NOW - timedelta(days=9),
    n_ecgs=4,
    next_step="echo",
    next_reason="rule 4: new crossing beyond noise",
)


def view(**changes):
    return row_view(replace(ROW, **changes), NOW, ZONE)


def test_row():
    row = view()
    assert row["href"] == "patient?patient=k3y"
    assert row["who"] == "71 F"
    assert row["flags"] == ["AFIB or flutter", "LBBB", "QRS > 140 ms", "+2"]
    assert (row["value"], row["side"], row["threshold"], row["variant"]) == (
        "0.11",
        "above",
        "0.08",
        "recalibrated",
    )
    assert row["bar"]["score"] == share(0.11)
    assert row["bar"]["threshold"] == share(0.08)
    assert (row["lvef"], row["lvef_age"], row["when"]) == ("52 %", "19 mo ago", "12 Nov 2026")
    assert (row["step"], row["reason"]) == ("Echo suggested", "new crossing beyond noise")


def test_numbers_lead_to_the_card_of_their_family_and_variant():
    row = view(family="deepecg-lvsd-12", change=replace(CHANGE, variant="masked"))
    assert row["card"] == "models?family=deepecg-lvsd-12&variant=recalibrated"
    assert row["change"]["card"] == "models?family=deepecg-lvsd-12&variant=masked"
    assert row["card_title"] == "Card of deepecg-lvsd-12, recalibrated"
    within = replace(CHANGE, difference_logit=0.1)
    assert (
        view(family="f", change=within)["change"]["card"] == "models?family=f&variant=recalibrated"
    )


def test_a_row_of_an_earlier_version_leads_to_the_active_family_of_its_leads():
    assert view(lead_set="6")["card"] == "models?leads=6&variant=recalibrated"


def test_trend_joins_one_variant_only_and_breaks_at_withheld():
    points = view()["trend"]["points"]
    assert [point["joined"] for point in points] == [False, False, False, False]
    assert [point["y"] for point in points] == [share(0.3), share(0.02), None, share(0.11)]
    same = view(trend=((0.3, "masked"), (0.2, "masked")))["trend"]
    assert [point["joined"] for point in same["points"]] == [False, True]
    assert same["alt"] == "scores, oldest first: 0.30, 0.20"
    assert view(trend=())["trend"] is None


@pytest.mark.parametrize(
    ("change", "words", "verdict"),
    [
        (CHANGE, "▲ 0.02 → 0.11", "beyond noise"),
        (replace(CHANGE, difference_logit=-1.8), "▼ 0.02 → 0.11", "beyond noise"),
        (replace(CHANGE, noise_floor_logit=9.0), "0.02 → 0.11", "within noise"),
        (replace(CHANGE, noise_floor_logit=None), "▲ 0.02 → 0.11", "noise not measured"),
        (replace(CHANGE, variant="masked"), "▲ 0.02 → 0.11", "beyond noise (LVEF-masked)"),
        (None, "no change to give", ""),
    ],
)
def test_change(change, words, verdict):
    found = view(change=change)["change"]
    assert (found["words"], found["verdict"]) == (words, verdict)


def test_first_ecg_and_no_score():
    assert view(change=None, n_ecgs=1)["change"]["words"] == "first ECG"
    none = view(value=None, variant=None, threshold=None, withheld_reason="paced rhythm")
    assert none["bar"] is None
    assert none["no_score"] == "No score: paced rhythm"
    assert view(last_lvef_percent=None, last_echo_at=None)["lvef"] == ""
    assert view(lead_set="1")["variant"] == "recalibrated · lead I only"
    assert view(next_step="", next_reason="")["step"] == "No step suggested"


def page(*rows):
    return WorklistPage(rows, 30, 30, {"act": 1, "repeat": 0, "stable": 29}, 2, 25)


def test_groups_stand_only_where_the_order_is_theirs():
    rows = (ROW, replace(ROW, group="stable"))
    grouped = worklist_view(page(*rows), NOW, ZONE, grouped=True)
    assert [g["title"] for g in grouped["groups"]] == ["Needs action", "Stable or improving"]
    plain = worklist_view(page(*rows), NOW, ZONE, grouped=False)
    assert [(g["title"], len(g["rows"])) for g in plain["groups"]] == [("", 2)]


def test_legend_counts_the_page():
    assert legend(page(ROW, ROW)).startswith("Rows 26 to 27 of 30. ● recalibrated")
