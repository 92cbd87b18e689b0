"""Timeline, change, rules, summary, JSON: figures checked by hand."""

import json
import math
from datetime import UTC, date, datetime, timedelta

import pytest
from courses import (
    ANALYSABLE,
    FLAT,
    PACED,
    START,
    MeanEngine,
    fill,
    make_card,
    make_echo,
    make_record,
)

from ecgdash.domain import LIMB_LEADS, Diagnosis, Flag, Patient
from ecgdash.errors import NotFound
from ecgdash.services.exporting import timeline_json
from ecgdash.services.monitoring import (
    find_patient,
    situation_of,
    summary,
    timeline,
    worklist,
    worklist_row,
)
from ecgdash.services.next_steps import RULES, next_step
from ecgdash.services.scoring import score_patients
from ecgdash.store import WorklistQuery

NOW = datetime(2022, 1, 1, tzinfo=UTC)
LBBB = (Flag("LBBB", "statement", "left bundle branch block"),)


def score_of(logit):
    return 1 / (1 + math.exp(-logit))


def course_of(store, ecgs, echoes=(), *, card=None, **options):
    engine = MeanEngine(card or make_card())
    patient, keys = fill(store, ecgs, echoes)
    score_patients(store, [engine])
    return timeline(store, patient, [engine.card], **options), keys


class TestTimeline:
    def test_points_stand_in_order_and_undated_ones_apart(self, store):
        ecgs = [(make_record(0.1, day), ANALYSABLE) for day in (90, None, 0, 30)]
        course, keys = course_of(store, ecgs)
        assert [point.ecg for point in course.points] == [keys[2], keys[3], keys[0]]
        assert [point.ecg for point in course.undated] == [keys[1]]

    def test_without_a_model_every_score_says_so(self, store):
        patient, _ = fill(store, [(make_record(0.1, 0), ANALYSABLE)])
        point = timeline(store, patient).points[0]
        assert {score.reason for score in point.scores.values()} == {
            "no model installed for 12 leads"
        }
        assert list(point.scores) == ["uncalibrated", "masked", "recalibrated"]
        assert point.best_variant is None

    def test_scores_of_other_weights_are_not_shown(self, store):
        course_of(store, [(make_record(0.1, 0), ANALYSABLE)])
        point = timeline(store, "17", [make_card(weights="y")]).points[0]
        assert point.scores["uncalibrated"].reason == "not scored yet"

    def test_an_echo_out_of_reach_is_not_paired(self, store):
        ecgs = [(make_record(0.1, 0), ANALYSABLE)]
        course, keys = course_of(store, ecgs, [make_echo(3, 50), make_echo(60, 40)])
        assert [echo.paired_ecg for echo in course.echoes] == [keys[0], None]

    def test_a_diagnosis_flags_only_ecgs_on_or_after_its_day(self, store):
        patient, _ = fill(store, [(make_record(0.1, d), ANALYSABLE) for d in (0, 10, 20)])
        day = (START + timedelta(days=10)).date()
        store.add_diagnoses(patient, [Diagnosis("17", "ICD-10", "I25.1", day)])
        points = timeline(store, patient).points
        named = [[flag.name for flag in point.flags] for point in points]
        assert named[0] == []
        assert named[1] == ["IHD"]
        assert named[2] == ["IHD"]

    def test_patient_is_found_by_id_site_or_key(self, store):
        key = store.put_patient(Patient("13619", "A"))
        assert find_patient(store, "13619.0").key == key
        assert find_patient(store, "A/13619").key == key
        assert find_patient(store, key).key == key
        with pytest.raises(NotFound, match="no such patient"):
            find_patient(store, "4711")

    def test_an_id_of_two_sites_asks_for_the_site(self, store):
        store.put_patient(Patient("1", "A"))
        store.put_patient(Patient("1", "B"))
        with pytest.raises(NotFound, match=r"2 sites have a patient of this id: A, B\..*SITE/ID"):
            find_patient(store, "1")


class TestChange:
    def test_best_common_variant_difference_and_crossing(self, store):
        ecgs = [(make_record(-4.0, 0), ANALYSABLE), (make_record(-1.0, 40), ANALYSABLE)]
        course, keys = course_of(store, ecgs)
        change = course.points[1].change
        # The first ECG has no history, so only the uncalibrated score is common.
        assert course.points[1].best_variant == "masked"
        assert (change.variant, change.earlier_ecg) == ("uncalibrated", keys[0])
        assert change.difference_logit == pytest.approx(3.0, abs=1e-5)
        assert change.noise_floor_logit == 0.8
        assert change.crossed == "up"
        assert change.beyond_noise

    def test_withheld_ecgs_between_are_counted(self, store):
        ecgs = [
            (make_record(-1.0, 0), ANALYSABLE),
            (make_record(0.0, 10), FLAT),
            (make_record(0.0, 20), PACED),
            (make_record(-1.1, 40), ANALYSABLE),
        ]
        course, keys = course_of(store, ecgs)
        change = course.points[3].change
        assert (change.earlier_ecg, change.n_withheld_between) == (keys[0], 2)
        assert change.beyond_noise is False
        assert change.crossed is None

    def test_unknown_noise_is_said_to_be_unknown(self, store):
        ecgs = [(make_record(-4.0, 0), ANALYSABLE), (make_record(-1.0, 40), ANALYSABLE)]
        course, _ = course_of(store, ecgs, card=make_card(noise=None))
        assert course.points[1].change.beyond_noise is None

    def test_a_six_lead_ecg_is_compared_with_the_six_lead_score_of_a_twelve_lead_one(self, store):
        engines = [MeanEngine(make_card("12")), MeanEngine(make_card("6"))]
        ecgs = [
            (make_record(-2.0, 0), ANALYSABLE),
            (make_record(-1.0, 40, LIMB_LEADS), ANALYSABLE),
            (make_record(0.0, 80), ANALYSABLE),
        ]
        patient, keys = fill(store, ecgs)
        score_patients(store, engines)
        course = timeline(store, patient, [engine.card for engine in engines])
        assert [point.lead_set for point in course.points] == ["12", "6", "12"]
        assert course.points[1].change.earlier_ecg == keys[0]
        assert course.points[2].change.earlier_ecg == keys[0]
        as_six = timeline(store, patient, [e.card for e in engines], lead_set="6")
        assert {point.lead_set for point in as_six.points} == {"6"}
        assert as_six.points[2].change.earlier_ecg == keys[1]


def ecgs_at(*logits, every=40):
    return [(make_record(logit, every * n), ANALYSABLE) for n, logit in enumerate(logits)]


SITUATIONS = {
    1: ([(make_record(-3.0, 0), ANALYSABLE), (make_record(0.0, 40), FLAT)], []),
    2: (ecgs_at(-4.0, 1.0), [make_echo(41, 60)]),
    3: (ecgs_at(1.0, 1.0), [make_echo(1, 30)]),
    4: (ecgs_at(-4.0, 1.0), []),
    5: (ecgs_at(-4.0, 1.0), [make_echo(1, 60)]),
    6: (ecgs_at(-2.3, -2.1), []),
    7: (ecgs_at(1.0), []),
    8: (ecgs_at(-1.0, 2.0, every=600), [make_echo(1, 60)]),
}


class TestNextStep:
    def test_every_rule_has_a_situation(self):
        assert [rule.number for rule in RULES] == list(SITUATIONS)

    @pytest.mark.parametrize("number", list(SITUATIONS))
    def test_rule(self, store, number):
        ecgs, echoes = SITUATIONS[number]
        course, _ = course_of(store, ecgs, echoes)
        # Rules read the best variant; here the first that all ECGs have is looked at.
        suggestion = next_step(situation_of(course))
        rule = RULES[number - 1]
        assert suggestion.rule == f"rule {rule.number}: {rule.words}"
        assert (suggestion.step, suggestion.group) == (rule.step, rule.group)

    def test_below_its_threshold_and_unchanged_nothing_is_suggested(self, store):
        course, _ = course_of(store, ecgs_at(-6.0, -6.0))
        assert next_step(situation_of(course)).step == ""
        assert next_step(None).group == "stable"

    def test_paced_rhythm_asks_for_no_repeat(self, store):
        course, _ = course_of(store, [(make_record(1.0, 0), PACED)])
        assert next_step(situation_of(course)).group == "stable"


class TestSummary:
    def told(self, store, ecgs, echoes=(), **options):
        course, _ = course_of(store, ecgs, echoes, **options)
        return summary(course, NOW)

    def test_one_ecg(self, store):
        told = self.told(store, ecgs_at(-3.0))
        assert told.first_sentence == (
            "The uncalibrated score is 0.05, below its threshold of 0.10."
        )
        assert told.rest == "No earlier ECG has a score. No echo is on file."
        assert not told.act

    def test_rise_beyond_noise_names_the_variant_both_have(self, store):
        told = self.told(store, ecgs_at(-4.0, -1.0))
        assert told.first_sentence.startswith("The LVEF-masked score is ")
        assert told.rest == (
            "By the uncalibrated score, which both ECGs have: from 0.02 to 0.27, beyond noise. "
            "No echo is on file."
        )
        assert (told.suggested_step, told.act) == ("echo", True)
        assert told.rule.startswith("rule 4: ")

    def test_third_ecg_by_the_masked_score(self, store):
        ecgs = ecgs_at(-6.0, -6.0, 0.0)
        course, _ = course_of(store, ecgs, [make_echo(300, 52)])
        change = course.points[2].change
        told = summary(course, NOW)
        assert change.variant == "masked"
        assert told.first_sentence == (
            f"The LVEF-masked score rose from {change.earlier_value:.2f} to {change.value:.2f} "
            "and is now above its threshold of 0.10."
        )
        assert told.rest == (
            "The change is beyond noise. The last echo is 14 months old (LVEF 52 %)."
        )

    def test_within_noise(self, store):
        card = make_card(noise=9.0)
        course, _ = course_of(store, ecgs_at(-6.0, -6.0, -5.9), card=card)
        told = summary(course, NOW)
        assert "is unchanged at" in told.first_sentence
        assert "is within noise" in told.rest

    def test_withheld_and_excluded(self, store):
        told = self.told(store, [(make_record(0.0, 0), FLAT)])
        assert told.first_sentence == "Score withheld: lead V2 is flat for 10.0 s."
        assert told.suggested_step == "repeat ECG"

    def test_excluded(self, store):
        told = self.told(store, [(make_record(0.0, 0), PACED)])
        assert told.first_sentence == "No score: paced rhythm."

    def test_no_ecg(self, store):
        key = store.put_patient(Patient("1"))
        assert summary(timeline(store, key), NOW).first_sentence == "No ECG is on file."

    def test_no_model(self, store):
        patient, _ = fill(store, ecgs_at(0.0))
        told = summary(timeline(store, patient), NOW)
        assert told.first_sentence == "No score: no model installed for 12 leads."

    def test_weak_evidence_comes_with_sensitivity_and_auroc(self, store):
        told = self.told(store, [(make_record(0.0, 0), ANALYSABLE, LBBB)])
        assert told.rest.endswith(
            "Weak evidence in LBBB: published specificity 0.22 (0.18-0.27), "
            "sensitivity 0.99 (0.98-1.00), AUROC 0.86 (0.83-0.89) (Table 3)."
        )

    def test_recalibrated_is_not_weak_in_lbbb(self, store):
        ecgs = [(record, gate, LBBB) for record, gate in ecgs_at(-3.0, -3.0)]
        told = self.told(store, ecgs, [make_echo(1, 60)])
        assert told.first_sentence.startswith("The recalibrated score")
        assert "Weak evidence" not in told.rest

    def test_no_percent_sign_and_no_word_of_risk_for_scores(self, store):
        told = self.told(store, ecgs_at(-4.0, -1.0))
        words = f"{told.first_sentence} {told.rest} {told.rule}".lower()
        assert "%" not in words
        assert "risk" not in words
        assert "positive" not in words


class TestJson:
    def test_golden_timeline(self, store):
        """Worked out by hand: pairs, slots, a withheld score, an undated ECG."""
        ecgs = [
            (make_record(-3.0, 0), ANALYSABLE),
            (make_record(-2.5, 30), FLAT),
            (make_record(-2.0, 100), ANALYSABLE, LBBB),
            (make_record(-1.0, 200), ANALYSABLE),
            (make_record(0.0, None), ANALYSABLE),
        ]
        echoes = [make_echo(2, 35), make_echo(150, 45), make_echo(201, 55, "visual")]
        course, keys = course_of(store, ecgs, echoes)
        exported = json.loads(json.dumps(timeline_json(course), allow_nan=False))
        assert exported["patient"] == "17"
        points = exported["points"]
        assert [point["ecg"] for point in points] == keys[:4]
        assert points[0]["recorded_at"] == "2020-01-01T09:00:00+00:00"
        assert [point["status"] for point in points] == [
            "analysable",
            "poor_quality",
            "analysable",
            "analysable",
        ]
        assert points[1]["reasons"] == ["lead V2 is flat for 10.0 s"]
        assert all(score["value"] is None for score in points[1]["scores"].values())
        assert points[2]["flags"] == [
            {"name": "LBBB", "source": "statement", "evidence": "left bundle branch block"}
        ]
        first = points[0]["scores"]
        assert first["uncalibrated"]["value"] == pytest.approx(score_of(-3.0), abs=1e-6)
        assert first["uncalibrated"]["positive"] is False
        assert first["uncalibrated"]["threshold_origin"].startswith("youden on made-up data, n = ")
        assert first["masked"] == {"not_applicable": "no earlier ECG at least one day older"}
        assert first["recalibrated"] == {"not_applicable": "no earlier ECG-echo pair"}

        def slots(point, variant):
            return [
                (slot["ecg"], slot["lvef_percent"], slot["interval_days"], slot["imputed"])
                for slot in point["history"][variant]
            ]

        assert slots(points[0], "masked") == []
        # Day 200 looks back on days 100 and 0; the withheld ECG of day 30 is no slot.
        assert slots(points[3], "masked") == [
            (keys[2], None, 100, False),
            (keys[0], None, 200, False),
            (keys[0], None, 200, True),
        ]
        # Its own echo (day 201) is its label; the echo of day 150 has no ECG in reach.
        assert slots(points[3], "recalibrated") == [
            (keys[0], 35, 200, False),
            (keys[0], 35, 200, True),
            (keys[0], 35, 200, True),
        ]
        assert points[3]["history"]["recalibrated"][0]["score"] == pytest.approx(
            score_of(-3.0), abs=1e-6
        )
        assert exported["undated"][0]["recorded_at"] is None
        assert exported["undated"][0]["lead_set"] == "12"
        assert [
            (echo["lvef_percent"], echo["method"], echo["paired_ecg"])
            for echo in exported["echoes"]
        ] == [(35, "simpson", keys[0]), (45, "simpson", None), (55, "visual", keys[3])]

    def test_no_model(self, store):
        patient, _ = fill(store, ecgs_at(0.0))
        point = timeline_json(timeline(store, patient))["points"][0]
        assert point["scores"]["recalibrated"] == {
            "not_applicable": "no model installed for 12 leads"
        }


class TestWorklist:
    def test_row_tells_what_the_timeline_tells(self, store):
        ecgs = [*ecgs_at(-4.0, -4.0), (make_record(1.0, 80), ANALYSABLE, LBBB)]
        course, _ = course_of(store, ecgs, [make_echo(-300, 52)])
        row = worklist(store, WorklistQuery()).rows[0]
        assert row == worklist_row(course)
        latest = course.points[-1]
        assert (row.variant, row.value) == ("masked", latest.scores["masked"].value)
        assert row.change == latest.change
        assert row.flags == ("LBBB",)
        assert [variant for _, variant in row.trend] == ["uncalibrated", "masked", "masked"]
        assert (row.group, row.next_step, row.n_ecgs) == ("act", "echo", 3)
        assert row.last_lvef_percent == 52
        assert row.weak_evidence.startswith("Weak evidence in LBBB")

    def test_trend_marks_a_withheld_score_and_keeps_to_one_lead_set(self, store):
        ecgs = [
            (make_record(-1.0, 0, LIMB_LEADS), ANALYSABLE),
            (make_record(-1.0, 10), FLAT),
            (make_record(-1.0, 20), ANALYSABLE),
        ]
        course, _ = course_of(store, ecgs)
        trend = worklist_row(course).trend
        assert trend[0] == (None, None)
        assert len(trend) == 2

    def test_a_patient_with_an_echo_only_has_a_row(self, store):
        key = store.put_patient(Patient("1"))
        store.add_echo(key, make_echo(0, 33))
        row = worklist_row(timeline(store, key))
        assert row.withheld_reason == "no ECG with a date"
        assert row.last_lvef_percent == 33

    def test_birth_year_gives_the_age_where_the_ecg_does_not(self, store):
        key = store.put_patient(Patient("17", birth_year=1950))
        fill(store, ecgs_at(0.0))
        assert timeline(store, key).age_years == 70
        assert START.date() == date(2020, 1, 1)
