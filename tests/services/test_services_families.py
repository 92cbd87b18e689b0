"""The active family of a lead set: chosen, kept, undone; no network runs for it."""

import math
from dataclasses import replace

import pytest
from courses import ANALYSABLE, MeanEngine, fill, make_card, make_record

from ecgdash.domain import NotApplicable
from ecgdash.errors import NotFound
from ecgdash.services.families import active_order, cards_by_lead_set, rivals
from ecgdash.services.monitoring import choose_family, refresh_worklist, timeline, worklist
from ecgdash.services.scoring import score_patients
from ecgdash.store import WorklistQuery

FIRST = make_card()
SECOND = replace(make_card(weights="x"), family="test-lvsd-12-b")
SIX = make_card("6")
OTHER_LABEL = replace(make_card(weights="y"), family="test-ef50-12", label="LVEF < 50 %")
IMAGE = replace(make_card(weights="z"), family="test-photo", input_kind="image")
PLACE = (FIRST.lead_set, FIRST.label)


class ShiftedEngine(MeanEngine):
    """The second family: one logit above the first, so that their scores differ."""

    def base_logits(self, records):
        return super().base_logits(records) + 1.0


@pytest.fixture
def scored(store):
    """Return a store with one patient of two ECGs that both families have scored."""
    patient, keys = fill(store, [(make_record(0.1, day), ANALYSABLE) for day in (0, 40)])
    engines = [MeanEngine(FIRST), ShiftedEngine(SECOND)]
    score_patients(store, engines)
    return store, patient, keys, engines


def shown(store, patient, cards=(FIRST, SECOND)):
    """Return family and uncalibrated logit of the latest ECG: timeline, then worklist."""
    point = timeline(store, patient, cards).points[-1]
    (row,) = worklist(store, WorklistQuery(show_folded=True)).rows
    value = point.scores["uncalibrated"].value
    return point.family, row.family, round(math.log(value / (1 - value)), 6)


def test_only_families_of_one_lead_set_label_and_input_compete():
    cards = [FIRST, SIX, OTHER_LABEL, IMAGE, SECOND]
    assert rivals(SECOND, cards) == [FIRST, SECOND]
    assert rivals(SIX, cards) == [SIX]
    ordered = active_order(cards, {PLACE: SECOND.family})
    assert ordered == [SECOND, SIX, OTHER_LABEL, IMAGE, FIRST]
    assert cards_by_lead_set(ordered) == {"12": SECOND, "6": SIX}


def test_a_choice_that_is_not_installed_changes_nothing():
    assert active_order([FIRST, SIX], {PLACE: SECOND.family}) == [FIRST, SIX]
    assert active_order([FIRST, SECOND], {}) == [FIRST, SECOND]
    assert active_order([IMAGE, FIRST], {PLACE: IMAGE.family}) == [IMAGE, FIRST]


def test_choosing_shows_the_other_scores_everywhere_and_is_undone(scored):
    store, patient, _, engines = scored
    before = [engine.n_seen for engine in engines]
    assert shown(store, patient) == (FIRST.family, FIRST.family, 0.1)
    told = []
    choose_family(store, SECOND.family, [FIRST, SECOND], lambda *done: told.append(done))
    assert told == [(1, 1)]
    assert shown(store, patient) == (SECOND.family, SECOND.family, 1.1)
    assert shown(store, patient, (FIRST, SECOND, SIX))[0] == SECOND.family
    choose_family(store, FIRST.family, [FIRST, SECOND])
    assert shown(store, patient) == (FIRST.family, FIRST.family, 0.1)
    assert [engine.n_seen for engine in engines] == before


def test_a_choice_that_was_removed_falls_back_to_the_first(scored):
    store, patient, _, _ = scored
    choose_family(store, SECOND.family, [FIRST, SECOND])
    refresh_worklist(store, [FIRST], [patient])
    assert shown(store, patient, (FIRST,)) == (FIRST.family, FIRST.family, 0.1)


def test_later_scoring_keeps_the_choice(scored):
    store, patient, _, engines = scored
    choose_family(store, SECOND.family, [FIRST, SECOND])
    fresh = make_record(0.3, 80)
    from ecgdash.store import Findings

    store.add_ecg(patient, fresh, Findings(ANALYSABLE))
    score_patients(store, engines)
    assert shown(store, patient) == (SECOND.family, SECOND.family, pytest.approx(1.3, abs=1e-5))


def test_a_family_that_has_not_scored_says_so(scored):
    store, patient, _, _ = scored
    unscored = replace(SECOND, family="test-lvsd-12-c", weights_sha256="c" * 64)
    choose_family(store, unscored.family, [FIRST, SECOND, unscored])
    point = timeline(store, patient, [FIRST, SECOND, unscored]).points[-1]
    assert set(point.scores.values()) == {NotApplicable("not scored yet")}
    (row,) = worklist(store, WorklistQuery()).rows
    assert (row.value, row.withheld_reason) == (None, "not scored yet")


def test_a_stopped_choice_leaves_rows_that_the_next_refresh_writes(scored, monkeypatch):
    store, patient, _, _ = scored
    from ecgdash.services import worklists

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(worklists, "refresh_worklist", stop)
        with pytest.raises(KeyboardInterrupt):
            choose_family(store, SECOND.family, [FIRST, SECOND])
    assert store.patient_keys(stale_only=True) == [patient]
    assert shown(store, patient)[:2] == (SECOND.family, FIRST.family)
    assert refresh_worklist(store, [FIRST, SECOND]) == 1
    assert shown(store, patient)[:2] == (SECOND.family, SECOND.family)


@pytest.mark.parametrize("family", ["nothing", IMAGE.family])
def test_what_cannot_be_shown_is_refused(store, family):
    with pytest.raises(NotFound) as caught:
        choose_family(store, family, [FIRST, IMAGE])
    assert caught.value.sentence == (
        f"no family '{family}' that scores stored ECGs is installed. "
        "Installed: test-lvsd-12. "
        "Look it up with 'python -m ecgdash models list'."
    )
    assert store.active_families() == {}
