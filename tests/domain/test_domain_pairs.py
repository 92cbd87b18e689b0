"""Pairs and histories: named situations, then properties over random courses."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgdash.domain.ecg import EcgRef
from ecgdash.domain.pairs import form_pairs, masked_history, recalibrated_history
from ecgdash.domain.patient import EchoStudy

START = datetime(2020, 3, 1, 12, 0, tzinfo=UTC)


def ecg(key: str, days: float, *, analysable: bool = True) -> EcgRef:
    moment = START + timedelta(days=days)
    return EcgRef(key, moment, moment.date(), analysable)


def echo(
    days: float,
    lvef: float = 50.0,
    method: str = "unknown",
    *,
    has_time: bool = True,
    key: str = "",
) -> EchoStudy:
    moment = START + timedelta(days=days)
    return EchoStudy("p", moment, moment.date(), lvef, method, has_time, key)


def labels(pairs):
    return [(pair.ecg.key, pair.echo.lvef_percent) for pair in pairs]


class TestPairs:
    def test_no_echo(self):
        assert form_pairs([ecg("a", 0)], []) == []

    def test_no_ecg(self):
        assert form_pairs([], [echo(0)]) == []

    def test_nearest_ecg_wins_on_either_side(self):
        ecgs = [ecg("before", 0), ecg("after", 10)]
        assert labels(form_pairs(ecgs, [echo(4, 40)])) == [("before", 40)]
        assert labels(form_pairs(ecgs, [echo(6, 40)])) == [("after", 40)]

    def test_tie_goes_to_the_earlier_ecg(self):
        assert labels(form_pairs([ecg("late", 10), ecg("early", 0)], [echo(5)])) == [("early", 50)]

    def test_two_ecgs_at_the_same_time_tie_by_key(self):
        assert labels(form_pairs([ecg("b", 0), ecg("a", 0)], [echo(1)])) == [("a", 50)]

    @pytest.mark.parametrize(("days", "paired"), [(14, True), (14.01, False), (-14, True)])
    def test_window_is_fourteen_days_to_the_moment(self, days, paired):
        assert bool(form_pairs([ecg("a", 0)], [echo(days)])) is paired

    def test_a_day_only_echo_counts_calendar_days(self):
        # 14.4 days after by the clock (noon to evening), 14 calendar days
        late = ecg("a", 14.4)
        assert form_pairs([late], [echo(0)]) == []
        assert form_pairs([late], [echo(0, has_time=False)])[0].days_apart == 14

    def test_poor_ecgs_are_passed_over(self):
        ecgs = [ecg("near", 0, analysable=False), ecg("far", 9)]
        assert labels(form_pairs(ecgs, [echo(0)])) == [("far", 50)]

    def test_two_echoes_on_one_ecg_the_nearer_stays(self):
        assert labels(form_pairs([ecg("a", 0)], [echo(3, 30), echo(1, 60)])) == [("a", 60)]

    def test_two_echoes_of_one_day_the_better_method_stays(self):
        found = form_pairs(
            [ecg("a", 0)],
            [
                echo(1, 30, "visual", has_time=False),
                echo(1, 35, "m-mode", has_time=False),
                echo(1, 60, "simpson", has_time=False),
            ],
        )
        assert labels(found) == [("a", 60)]

    def test_nearer_beats_better_method(self):
        found = form_pairs([ecg("a", 0)], [echo(2, 30, "simpson"), echo(1, 60, "visual")])
        assert labels(found) == [("a", 60)]

    def test_an_echo_that_loses_is_not_given_to_another_ecg(self):
        ecgs = [ecg("a", 0), ecg("b", 9)]
        assert labels(form_pairs(ecgs, [echo(0, 60), echo(2, 30)])) == [("a", 60)]

    def test_pairs_come_in_order_of_their_ecgs(self):
        ecgs = [ecg("c", 200), ecg("a", 0), ecg("b", 100)]
        pairs = form_pairs(ecgs, [echo(201), echo(1), echo(99)])
        assert [pair.ecg.key for pair in pairs] == ["a", "b", "c"]


class TestHistories:
    scores = {name: 0.1 + 0.1 * i for i, name in enumerate("abcde")}

    def test_first_ecg_has_none(self):
        first = ecg("a", 0)
        assert masked_history(first, [first], self.scores) is None
        pairs = form_pairs([first], [echo(0)])
        assert recalibrated_history(first, pairs, self.scores) is None

    def test_same_day_ecgs_are_no_history(self):
        morning, evening = ecg("a", 0), ecg("b", 0.3)
        assert masked_history(evening, [morning, evening], self.scores) is None

    def test_most_recent_three_come_first(self):
        ecgs = [ecg(name, 100 * i) for i, name in enumerate("abcde")]
        history = masked_history(ecgs[-1], ecgs, self.scores)
        assert history is not None
        assert [slot.ecg for slot in history.slots] == ["d", "c", "b"]
        assert [slot.interval_days for slot in history.slots] == [100, 200, 300]
        assert history.n_observed == 3

    def test_missing_older_slots_repeat_the_oldest(self):
        ecgs = [ecg("a", 0), ecg("b", 100), ecg("c", 200)]
        history = masked_history(ecgs[-1], ecgs, self.scores)
        assert history is not None
        assert [(slot.ecg, slot.imputed) for slot in history.slots] == [
            ("b", False),
            ("a", False),
            ("a", True),
        ]
        assert history.n_observed == 2

    def test_masked_holds_unpaired_ecgs_and_no_lvef(self):
        ecgs = [ecg("a", 0), ecg("b", 100)]
        history = masked_history(ecgs[1], ecgs, self.scores)
        assert history is not None
        assert all(slot.lvef_percent is None for slot in history.slots)

    def test_poor_and_unscored_ecgs_are_no_history(self):
        ecgs = [ecg("a", 0, analysable=False), ecg("unscored", 10), ecg("b", 100)]
        assert masked_history(ecgs[-1], ecgs, self.scores) is None

    def test_the_label_is_never_history_even_if_done_before(self):
        only = ecg("a", 10)
        pairs = form_pairs([only], [echo(5, 20)])
        assert labels(pairs) == [("a", 20)]
        assert recalibrated_history(only, pairs, self.scores) is None

    def test_a_pair_counts_once_its_echo_is_done(self):
        ecgs = [ecg("a", 0), ecg("b", 5)]
        pairs = form_pairs(ecgs, [echo(2, 30)])
        assert labels(pairs) == [("a", 30)]
        assert recalibrated_history(ecgs[1], pairs, self.scores) is not None
        late = form_pairs([ecg("a", 0), ecg("b", 50)], [echo(10, 30)])
        assert recalibrated_history(ecg("x", 9), late, self.scores) is None

    def test_a_day_only_echo_of_the_same_day_is_not_before(self):
        ecgs = [ecg("a", 0), ecg("b", 10)]
        pairs = form_pairs([ecgs[0]], [echo(9.9, 30, has_time=False)])
        assert pairs
        assert recalibrated_history(ecg("b", 9.9), pairs, self.scores) is None
        assert recalibrated_history(ecg("b", 11), pairs, self.scores) is not None


def local(moment: datetime) -> date:
    return moment.date()


hours = st.integers(min_value=0, max_value=24 * 400)
courses = st.tuples(
    st.lists(st.tuples(hours, st.booleans()), min_size=1, max_size=8),
    st.lists(
        st.tuples(
            hours, st.integers(10, 70), st.sampled_from(["simpson", "visual"]), st.booleans()
        ),
        max_size=6,
    ),
)


def build(course):
    raw_ecgs, raw_echoes = course
    ecgs = [ecg(f"e{i}", h / 24, analysable=ok) for i, (h, ok) in enumerate(raw_ecgs)]
    echoes = [
        echo(h / 24, lvef, method, has_time=timed, key=f"t{i}")
        for i, (h, lvef, method, timed) in enumerate(raw_echoes)
    ]
    return ecgs, echoes, {ref.key: 0.05 + 0.01 * i for i, ref in enumerate(ecgs)}


def histories(target, ecgs, echoes, scores):
    return (
        masked_history(target, ecgs, scores),
        recalibrated_history(target, form_pairs(ecgs, echoes), scores),
    )


@given(courses, st.integers(1, 300))
@settings(max_examples=200)
def test_a_later_ecg_never_changes_an_earlier_masked_history(course, days_later):
    ecgs, _, scores = build(course)
    last = max(ref.recorded_at for ref in ecgs)
    moment = last + timedelta(days=days_later)
    later = EcgRef("later", moment, local(moment))
    for target in ecgs:
        before = masked_history(target, ecgs, scores)
        assert masked_history(target, [*ecgs, later], {**scores, "later": 0.9}) == before


@given(courses, st.integers(1, 300), st.integers(10, 70))
@settings(max_examples=200)
def test_later_records_never_change_an_earlier_recalibrated_history(course, days_later, lvef):
    """A later echo and a later ECG; the echo may claim an earlier ECG as its label only."""
    ecgs, echoes, scores = build(course)
    moments = [ref.recorded_at for ref in ecgs] + [study.performed_at for study in echoes]
    moment = max(moments) + timedelta(days=days_later)
    later = EcgRef("later", moment, local(moment))
    late_echo = EchoStudy("p", moment, local(moment), float(lvef), key="late")
    # An ECG that is not analysable has no score, hence no history that could change.
    for target in (ref for ref in ecgs if ref.analysable):
        before = histories(target, ecgs, echoes, scores)
        after = histories(target, [*ecgs, later], [*echoes, late_echo], {**scores, "later": 0.9})
        assert after == before


@given(courses, st.integers(10, 70))
@settings(max_examples=200)
def test_the_labels_lvef_never_reaches_the_score_it_labels(course, lvef):
    ecgs, echoes, scores = build(course)
    for pair in form_pairs(ecgs, echoes):
        changed = [
            EchoStudy("p", e.performed_at, e.local_day, float(lvef), e.method, e.has_time, e.key)
            if e.key == pair.echo.key
            else e
            for e in echoes
        ]
        assert histories(pair.ecg, ecgs, changed, scores) == histories(
            pair.ecg, ecgs, echoes, scores
        )


@given(courses)
@settings(max_examples=100)
def test_order_of_input_does_not_matter(course):
    ecgs, echoes, scores = build(course)
    forward = form_pairs(ecgs, echoes)
    backward = form_pairs(ecgs[::-1], echoes[::-1])
    assert [p.ecg.key for p in forward] == [p.ecg.key for p in backward]
    for target in ecgs:
        assert masked_history(target, ecgs, scores) == masked_history(target, ecgs[::-1], scores)


@given(courses)
@settings(max_examples=100)
def test_each_ecg_and_each_echo_is_in_one_pair_at_most(course):
    ecgs, echoes, _ = build(course)
    pairs = form_pairs(ecgs, echoes)
    assert len({p.ecg.key for p in pairs}) == len({p.echo.key for p in pairs}) == len(pairs)
