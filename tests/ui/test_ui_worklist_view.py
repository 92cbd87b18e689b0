from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ecgdash.domain import Change, WorklistOther, WorklistPage, WorklistRow
from ecgdash.plots.scale import share
from ecgdash.plots.style import OTHER_MARKS
from ecgdash.ui.components import asset
from ecgdash.ui.worklist_others import marks_of
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
    row = replace(ROW, **changes)
    return row_view(row, NOW, ZONE, marks_of([row]))


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


OTHER = WorklistOther(
    "ef50",
    "House B <i>net</i>, LVEF < 50 %",
    "LVEF < 50 %",
    "12",
    "uncalibrated",
    0.77,
    0.268,
    ROW.last_ecg_at,
    "0" * 64,
)


def test_scores_of_other_families_stand_in_a_column_of_their_own():
    others = view(others=(OTHER,))["others"]
    (one,) = others["rows"]
    assert (one["title"], one["label"]) == ("House B <i>net</i>", "LVEF < 50\N{NO-BREAK SPACE}%")
    assert (one["value"], one["side"], one["threshold"]) == ("0.77", "above", "0.27")
    assert one["card"] == "models?family=ef50&variant=uncalibrated"
    assert one["when"] == ""
    assert (one["bar"]["score"], one["bar"]["threshold"]) == (share(0.77), share(0.268))
    assert one["bar"]["shape"] == OTHER_MARKS[0].shape
    assert one["bar"]["alt"] == (
        "House B <i>net</i>, LVEF < 50\N{NO-BREAK SPACE}%: score 0.77, above its own threshold 0.27"
    )
    # all else of the row is what it is without them
    assert {**view(others=(OTHER,)), "others": None} == {**view(), "others": None}


def test_an_older_ecg_other_leads_and_a_history_are_said():
    older = replace(OTHER, recorded_at=NOW - timedelta(days=400), value=0.2)
    (one,) = view(others=(older,))["others"]["rows"]
    assert (one["when"], one["side"]) == ("ECG of 17 Oct 2025", "below")
    read = replace(OTHER, variant="recalibrated", lead_set="1")
    (one,) = view(others=(read,))["others"]["rows"]
    assert one["title"] == "House B <i>net</i>, recalibrated, lead I only"


def test_more_families_than_marks_are_counted():
    many = tuple(replace(OTHER, family=f"f{i}") for i in range(6))
    others = view(others=many)["others"]
    assert [one["bar"]["shape"] for one in others["rows"]] == [mark.shape for mark in OTHER_MARKS]
    assert others["more"] == "2 more on the patient's page"


def test_a_family_has_the_same_mark_in_every_row():
    both = (OTHER, replace(OTHER, family="ef40"))
    rows = (replace(ROW, others=both), replace(ROW, others=both[1:]))
    shown = worklist_view(page(*rows), NOW, ZONE, grouped=False)["groups"][0]["rows"]
    first, second = ([one["bar"]["shape"] for one in row["others"]["rows"]] for row in shown)
    assert first == [mark.shape for mark in OTHER_MARKS[:2]]
    assert second == first[1:]


def test_the_column_is_there_only_where_a_row_has_such_scores():
    without = worklist_view(page(ROW, ROW), NOW, ZONE, grouped=True)
    beside = worklist_view(page(ROW, replace(ROW, others=(OTHER,))), NOW, ZONE, grouped=True)
    assert not without["others"]
    names = [column["name"] for column in without["columns"]]
    assert "others" not in names
    assert [column["name"] for column in beside["columns"]] == [*names[:-1], "others", names[-1]]
    assert "Other models" not in legend(page(ROW))
    assert "not comparable with the score in the row" in legend(page(replace(ROW, others=(OTHER,))))


def test_the_script_draws_every_mark_of_other_families():
    script = asset("worklist.js")
    assert all(f'"{mark.shape}": [[' in script for mark in OTHER_MARKS)
