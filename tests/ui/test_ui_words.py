from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ecgdash.domain import Flag
from ecgdash.labels.published import TABLES
from ecgdash.ui import words
from ecgdash.ui.page import banner_words

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "said"),
    [(0, "0 d ago"), (60, "60 d ago"), (61, "2 mo ago"), (365, "11 mo ago"), (-3, "0 d ago")],
)
def test_months_ago(days, said):
    assert words.months_ago(NOW - timedelta(days=days), NOW) == said


@pytest.mark.parametrize(
    ("value", "said"), [(1.24, "+1.2"), (-0.86, "−0.9"), (0.0, "0.0"), (-0.01, "0.0")]
)
def test_signed_uses_a_true_minus(value, said):
    assert words.signed(value) == said


def test_times_are_the_sites():
    seoul = ZoneInfo("Asia/Seoul")
    assert words.day_time(datetime(2026, 1, 1, 20, 5, tzinfo=UTC), seoul) == "2 Jan 2026, 05:05"
    assert words.zone_words(ZoneInfo("Asia/Kolkata"), NOW) == "Asia/Kolkata (UTC+05:30)"
    assert words.zone_words(ZoneInfo("UTC"), NOW) == "UTC"


def test_small_words():
    assert words.age_and_sex(71.4, "female") == "71 F"
    assert words.age_and_sex(None, None) == ""
    assert words.lead_set_words("1") == "lead I only"
    assert words.lead_set_words("6") == "6 leads"
    assert words.years_before(100) == "100 d before"
    assert words.years_before(1400) == "3.8 y before"
    assert words.plural(1, "echo", "echoes") == "1 echo"
    assert words.plural(1200, "echo", "echoes") == "1,200 echoes"


def test_sinus_rhythm_is_no_caution():
    flags = [
        Flag("sinus", "statement", "x"),
        Flag("LBBB", "statement", "x"),
        Flag("LBBB", "measurement", "x"),
    ]
    assert words.flags_of(flags) == ["LBBB"]


def test_flags_stand_in_order_of_caution_and_sinus_last():
    names = ["sinus", "HTN", "PVC", "unheard_of", "LBBB", "paced", "AFIB", "LBBB"]
    assert words.in_order(names) == [
        "paced",
        "AFIB",
        "LBBB",
        "PVC",
        "HTN",
        "unheard_of",
        "sinus",
    ]


def test_every_published_subgroup_that_is_a_flag_has_words():
    persons = {"age<=70", "age>70", "male", "female"}
    for table in TABLES.values():
        assert set(table.rows) - persons <= set(words.FLAG_WORDS)


def test_percent_is_for_shares():
    assert words.percent(0.13875) == "13.9\N{NO-BREAK SPACE}%"
    assert words.percent(0.5, 0) == "50\N{NO-BREAK SPACE}%"


@pytest.mark.parametrize(
    ("simulated", "real", "model", "start"),
    [
        (True, False, True, "Simulated patients and a model trained on simulated data."),
        (True, False, False, "Simulated patients."),
        (False, True, True, "The model was trained on simulated data."),
        (True, True, True, "Simulated patients are stored here, and the model was trained"),
    ],
)
def test_banner(simulated, real, model, start):
    bold, plain = banner_words(simulated, model, real_patients=real)
    assert bold.startswith(start)
    assert "must not guide care" in plain or "must guide care" in plain


def test_no_banner_for_real_patients_and_weights():
    assert banner_words(False, False, real_patients=True) is None
