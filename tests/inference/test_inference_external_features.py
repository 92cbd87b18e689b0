"""The 15 LVEF features of PULSE-HF: order and definitions of its training, by hand."""

from datetime import date, timedelta

import pytest

from ecgdash.domain.patient import Diagnosis
from ecgdash.inference.external_features import (
    PULSE_HF_FEATURES,
    heart_failure_since,
    pulse_hf_features,
)

DAY = date(2024, 6, 1)


def echoes(*known):
    return [(DAY - timedelta(days=days), float(lvef)) for days, lvef in sorted(known, reverse=True)]


def named(*known, since=None, day=DAY):
    return dict(zip(PULSE_HF_FEATURES, pulse_hf_features(day, echoes(*known), since), strict=True))


def test_the_numbers_of_a_patient_worked_out_by_hand():
    # 500 days ago is outside the year; 40, 45 and 50 lie on the edges of the three classes
    found = named((500, 62), (300, 50), (200, 45), (20, 40), since=DAY - timedelta(days=600))
    assert found == {
        "days_since_diagnosis": 600,
        "initial_lvef": 62,
        "preceding_lvef": 40,
        "support": 3,
        "mean": 45,
        "min": 40,
        "max": 50,
        "std": pytest.approx(5.0),  # sample: sqrt((25 + 0 + 25) / 2)
        "range": 10,
        "any_hfref": 1,
        "all_hfref": 0,
        "any_hfpef": 1,
        "all_hfpef": 0,
        "any_hfmref": 1,
        "all_hfmref": 0,
    }


def test_the_class_of_50_is_preserved_not_mildly_reduced():
    """The public notebook exchanges the two; training does not."""
    assert [named((100, 50))[f"all_{name}"] for name in ("hfref", "hfpef", "hfmref")] == [0, 1, 0]
    assert [named((100, 45))[f"all_{name}"] for name in ("hfref", "hfpef", "hfmref")] == [0, 0, 1]


@pytest.mark.parametrize(("days", "support"), [(1, 0), (2, 1), (365, 1), (366, 0)])
def test_the_window_is_2_to_365_days(days, support):
    assert named((days, 55))["support"] == support
    assert named((days, 55))["preceding_lvef"] == 55


def test_what_is_missing_is_zero():
    assert set(named().values()) == {0.0}
    assert set(pulse_hf_features(None, echoes((9, 40)), None)) == {0.0}
    one = named((100, 35))
    assert (one["std"], one["range"], one["support"]) == (0, 0, 1)


def test_a_later_echo_and_one_of_the_same_day_change_nothing():
    before = named((100, 35), (30, 38))
    assert named((100, 35), (30, 38), (0, 20), (-40, 60)) == before


def test_lvefs_before_the_diagnosis_do_not_count():
    since = DAY - timedelta(days=150)
    assert named((200, 60), (100, 35), since=since) == named((100, 35), since=since)


def test_heart_failure_is_found_by_its_codes():
    def one(system, code, day):
        return Diagnosis("p", system, code, date(2020, 1, day))

    known = [one("ICD-10", "I50.1", 9), one("ICD-9", "428.0", 5), one("ICD-10", "I25", 1)]
    assert heart_failure_since(known) == date(2020, 1, 5)
    assert heart_failure_since(known[2:]) is None
