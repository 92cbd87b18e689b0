"""Echoes, gates, scores and changes hold only what can be true."""

from datetime import UTC, date, datetime

import pytest

from ecgdash.domain import (
    Change,
    EchoStudy,
    GateFinding,
    GateResult,
    OperatingPoint,
    Patient,
    VariantScore,
)
from ecgdash.errors import EcgDashError, InvalidValue

NOON = datetime(2020, 5, 4, 12, tzinfo=UTC)


def echo(**fields) -> EchoStudy:
    known = {
        "patient_id": "1",
        "performed_at": NOON,
        "local_day": date(2020, 5, 4),
        "lvef_percent": 55.0,
    }
    return EchoStudy(**{**known, **fields})


@pytest.mark.parametrize("lvef", [0.0, 0.55, 1.0, 100.5, float("nan")])
def test_an_lvef_outside_percent_is_asked_about(lvef):
    with pytest.raises(InvalidValue, match="Percent or fraction"):
        echo(lvef_percent=lvef)


@pytest.mark.parametrize(("lvef", "lvsd"), [(40.0, True), (40.5, False), (35.0, True)])
def test_lvsd_is_at_most_40_percent(lvef, lvsd):
    assert echo(lvef_percent=lvef).lvsd is lvsd


def test_an_unknown_method_is_refused():
    with pytest.raises(InvalidValue, match="teichholz"):
        echo(method="teichholz")


def test_patients_of_two_sites_differ():
    assert Patient("7", "A") != Patient("7", "B")
    assert Patient("7.0").id == "7"
    with pytest.raises(InvalidValue):
        Patient(" ")


FLAT = GateFinding("flat", "withholds", "lead V2 is flat for 10.0 s", ("V2",))
CHILD = GateFinding("age", "excludes", "age 12, the model is made for adults")
WANDERS = GateFinding("baseline", "notes", "the baseline wanders: V1 1.80 mV", ("V1",))


@pytest.mark.parametrize(
    ("findings", "status", "reasons", "notes"),
    [
        ((), "analysable", (), ()),
        ((WANDERS,), "analysable", (), (WANDERS.text,)),
        ((WANDERS, FLAT), "poor_quality", (FLAT.text,), (WANDERS.text,)),
        ((FLAT, CHILD), "excluded", (CHILD.text, FLAT.text), ()),
    ],
)
def test_the_strongest_finding_decides_the_gate(findings, status, reasons, notes):
    result = GateResult(findings)
    assert (result.status, result.reasons, result.notes) == (status, reasons, notes)
    assert result.analysable is (status == "analysable")


@pytest.mark.parametrize(
    "words", [("flatt", "notes", "x"), ("flat", "hides", "x"), ("flat", "notes", "")]
)
def test_a_finding_outside_the_tables_is_refused(words):
    with pytest.raises(InvalidValue, match="gate finding"):
        GateFinding(*words)


@pytest.mark.parametrize(("value", "positive"), [(0.05, True), (0.0499, False), (0.9, True)])
def test_a_score_at_its_threshold_is_above(value, positive):
    youden = OperatingPoint("id", "youden", 0.05, "data", 100, 8, 0.9, 0.9)
    assert VariantScore(value, youden).positive is positive
    assert youden.prevalence == pytest.approx(0.08)


@pytest.mark.parametrize(
    ("difference", "noise", "beyond"),
    [(0.9, 0.8, True), (-0.9, 0.8, True), (0.5, 0.8, False),
     (9, None, None)]
)  # fmt: skip
def test_change_is_told_against_the_noise_floor(difference, noise, beyond):
    change = Change("masked", "a", NOON, 0.1, 0.2, difference, noise, None)
    assert change.beyond_noise is beyond


def test_an_error_tells_what_where_accepted_and_what_to_do():
    error = EcgDashError(
        "leads V5, V6 are missing",
        where="visit3.dcm",
        accepted="The model needs 12 leads.",
        todo="Export the full 12-lead ECG",
    )
    assert str(error) == (
        "visit3.dcm: leads V5, V6 are missing. The model needs 12 leads. "
        "Export the full 12-lead ECG."
    )
