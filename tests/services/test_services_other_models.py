"""Scores of other families: beside the row of the worklist, never in what it compares."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from courses import ANALYSABLE, FLAT, START, MeanEngine, fill, make_card, make_record

from ecgdash.domain import MASKED, UNCALIBRATED
from ecgdash.services.monitoring import choose_family, refresh_worklist, timeline, worklist
from ecgdash.services.scoring import score_patients
from ecgdash.store import WorklistQuery

OURS = make_card()
RETRAINED = replace(make_card(weights="x"), family="ours-again")
OTHER_LABEL = replace(
    make_card(weights="y"), family="ef50", label="LVEF < 50 %", title="Another, LVEF < 50 %"
)
OTHER_HOUSE = replace(make_card(weights="z"), family="house-b", title="House B", external=True)
LEAD_I = replace(make_card("1", weights="v"), family="lead-one", label="LVEF < 50 %")
EVERY = [OURS, RETRAINED, OTHER_LABEL, OTHER_HOUSE, LEAD_I]
EVERYBODY = WorklistQuery(show_folded=True)


class Shifted(MeanEngine):
    """One logit above the mean of lead I for every place behind the first."""

    def base_logits(self, records):
        return super().base_logits(records) + EVERY.index(self.card)


def scored(store, cards, *ecgs):
    patient, keys = fill(store, ecgs or [(make_record(0.1, d), ANALYSABLE) for d in (0, 40, 90)])
    score_patients(store, [Shifted(card) for card in cards])
    return patient, keys


def row_of(store, cards):
    (row,) = worklist(store, EVERYBODY, cards).rows
    return row


def test_another_label_house_and_lead_set_stand_beside_ours_but_no_retraining(store):
    scored(store, EVERY)
    row = row_of(store, EVERY)
    assert row.family == OURS.family
    found = {
        one.family: (one.title, one.label, one.lead_set, one.variant, one.threshold)
        for one in row.others
    }
    assert found == {
        "ef50": ("Another, LVEF < 50 %", "LVEF < 50 %", "12", MASKED, 0.1),
        "house-b": ("House B", "LVEF <= 40 %", "12", MASKED, 0.1),
        "lead-one": ("Made for tests", "LVEF < 50 %", "1", MASKED, 0.1),
    }
    latest = timeline(store, row.key, EVERY).points[-1]
    predictions = store.predictions_of(row.key)[latest.ecg]
    for one in row.others:
        assert one.value == predictions[one.family].scores[one.variant].value
        assert one.recorded_at == START + timedelta(days=90) == row.last_ecg_at
        assert one.positive == (one.value >= 0.1)


def test_nothing_of_theirs_enters_the_row_its_order_or_its_course(store):
    scored(store, [OURS])
    alone, course = row_of(store, [OURS]), timeline(store, row_of(store, [OURS]).key, [OURS])
    keys = sort_columns(store)
    score_patients(store, [Shifted(card) for card in EVERY])
    beside = row_of(store, EVERY)
    assert len(beside.others) == 3
    assert replace(beside, others=()) == alone
    assert sort_columns(store) == keys
    both = timeline(store, alone.key, EVERY)
    assert len(both.others) == 9
    assert replace(both, others=(), cards=course.cards) == course


def sort_columns(store):
    """Return what the worklist is ordered and filtered by, as it is stored."""
    names = "group_rank, change_kind, change, sort_change, sort_level, sort_ecg, trend"
    with store._reading() as connection:
        return [tuple(row) for row in connection.execute(sa.text(f"select {names} from worklist"))]


def test_the_latest_ecg_that_has_one_is_named_by_its_time(store):
    scored(
        store,
        [OURS, OTHER_LABEL],
        *[(make_record(0.1, day), ANALYSABLE) for day in (0, 40)],
        (make_record(0.1, 90), FLAT),
    )
    row = row_of(store, EVERY)
    assert row.value is None
    assert row.last_ecg_at == START + timedelta(days=90)
    (one,) = row.others
    assert one.recorded_at == START + timedelta(days=40)


@pytest.mark.parametrize(
    "left",
    [
        [OURS],
        [OURS, replace(OTHER_LABEL, weights_sha256="q" * 64)],
        [OURS, replace(OTHER_LABEL, label="LVEF < 45 %")],
    ],
    ids=["removed", "other weights", "other label"],
)
def test_what_is_not_installed_as_it_was_is_not_shown_nor_written_again(store, left):
    scored(store, [OURS, OTHER_LABEL])
    assert len(row_of(store, [OURS, OTHER_LABEL]).others) == 1
    assert row_of(store, left).others == ()
    refresh_worklist(store, left, [row_of(store, left).key])
    (stored,) = store.worklist(EVERYBODY).rows
    assert [one.label for one in stored.others] == [
        c.label for c in left[1:] if c.weights_sha256[0] == "y"
    ]


def test_activating_a_family_of_the_same_label_turns_the_sides(store):
    scored(store, [OURS, OTHER_HOUSE])
    cards = [OURS, OTHER_HOUSE]
    assert [one.family for one in row_of(store, cards).others] == ["house-b"]
    choose_family(store, "house-b", cards)
    row = row_of(store, cards)
    assert (row.family, [one.family for one in row.others]) == ("house-b", [OURS.family])


def test_a_row_of_an_earlier_version_has_none(store):
    scored(store, [OURS, OTHER_LABEL])
    with store._writing() as connection:
        connection.execute(sa.text("update worklist set others = '[]'"))
    assert row_of(store, EVERY).others == ()
    refresh_worklist(store, EVERY, [row_of(store, EVERY).key])
    assert [one.family for one in row_of(store, EVERY).others] == ["ef50"]


def test_a_lead_set_that_is_shown_as_such_is_not_listed_beside_itself(store):
    patient, _ = scored(store, [OURS, LEAD_I])
    assert {one.family for one in timeline(store, patient, EVERY).others} == {"lead-one"}
    as_lead_i = timeline(store, patient, EVERY, lead_set="1")
    assert {point.family for point in as_lead_i.points} == {"lead-one"}
    assert {one.family for one in as_lead_i.others} == {OURS.family}


def test_the_stored_json_is_plain(store):
    scored(store, [OURS, OTHER_LABEL])
    with store._reading() as connection:
        (text,) = connection.execute(sa.text("select others from worklist")).scalars()
    (one,) = json.loads(text)
    assert one["variant"] in (UNCALIBRATED, MASKED)
    assert one["recorded_at"].endswith("+00:00")
