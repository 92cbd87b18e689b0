"""Courses of LVEF against hand-worked values, and how they reach the ECG."""

import dataclasses

import numpy as np
import pytest

from ecgdash.simulate.cohort import simulate_patients
from ecgdash.simulate.courses import Archetype, true_lvef_percent
from ecgdash.simulate.expression import express_features, express_parameters, remodelling
from ecgdash.simulate.latent import FEATURES, LatentCohort, LatentCourses
from ecgdash.simulate.parameters import Conduction


def one_course(**columns: float) -> LatentCourses:
    """A patient of LVEF 60 without variation, with the given event."""
    event = {
        "onset": 1.0,
        "drop": 30.0,
        "fall_years": 0.01,
        "recovery_at": 1000.0,
        "recovered": 0.0,
        "recovery_years": 0.5,
        "relapse_at": 1000.0,
        "relapsed": 0.0,
    } | columns
    second = {"onset": 1000.0, "relapse_at": 1000.0, "recovery_at": 1000.0}
    two = {k: np.array([[v, second.get(k, 0.0)]]) for k, v in event.items() if k != "slope"}
    two["fall_years"][0, 1] = two["recovery_years"][0, 1] = 1.0
    return LatentCourses(
        archetype=np.array([0], dtype=np.int8),
        base_percent=np.array([60.0]),
        slope_percent=np.array([columns.get("slope", 0.0)]),
        wobble_percent=np.zeros(1),
        wobble_rate=np.zeros((1, 8)),
        wobble_phase=np.zeros((1, 8)),
        **two,
    )


def lvef(course: LatentCourses, years: float) -> float:
    return float(true_lvef_percent(course, np.array([years]))[0])


def test_an_infarction_drops_at_once_and_not_before():
    course = one_course()
    assert lvef(course, 0.99) == pytest.approx(60.0)
    assert lvef(course, 1.5) == pytest.approx(30.0, abs=0.01)


def test_recovery_brings_back_its_share():
    course = one_course(recovery_at=2.0, recovered=0.6)
    # Half a year constant: after one constant 1 - 1/e of 0.6 x 30 has come back.
    assert lvef(course, 2.5) == pytest.approx(30 + 18 * (1 - np.exp(-1)), abs=0.01)
    assert lvef(course, 9.0) == pytest.approx(48.0, abs=0.01)


def test_relapse_takes_most_of_it_again():
    course = one_course(recovery_at=2.0, recovered=1.0, relapse_at=6.0, relapsed=0.8)
    assert lvef(course, 5.9) == pytest.approx(60.0, abs=0.05)
    assert lvef(course, 9.0) == pytest.approx(36.0, abs=0.05)


def test_a_slope_runs_from_the_onset_on():
    course = one_course(drop=0.0, slope=-2.0)
    assert lvef(course, 1.0) == pytest.approx(60.0)
    assert lvef(course, 4.0) == pytest.approx(54.0)


def test_every_course_of_the_plan_occurs():
    cohort = simulate_patients(3000, 502)
    counts = np.bincount(cohort._latent.courses.archetype, minlength=len(Archetype))
    assert (counts > 0).all()
    assert counts[Archetype.STABLE] > 0.6 * 3000


def test_low_lvef_persists_but_not_always():
    """Therapy works in many: an echo a year old must not decide alone."""
    courses = simulate_patients(6000, 503)._latent.courses
    now = true_lvef_percent(courses, np.full(6000, 0.0)) <= 40
    later = true_lvef_percent(courses, np.full(6000, 1.0)) <= 40
    assert 0.35 < later[now].mean() < 0.80
    assert 0.01 < later[~now].mean() < 0.12


@pytest.fixture(scope="module")
def hidden() -> LatentCohort:
    return simulate_patients(1500, 504)._latent


def flat_courses(hidden: LatentCohort, lvef_percent: float) -> LatentCohort:
    n = len(hidden.people)
    courses = hidden.courses.replaced(
        base_percent=np.full(n, lvef_percent),
        drop=np.zeros((n, 2)),
        slope_percent=np.zeros(n),
        wobble_percent=np.zeros(n),
    )
    return dataclasses.replace(hidden, courses=courses)


def test_lvef_reaches_the_ecg_only_through_remodelling(hidden):
    """Equal LVEF, equal ECG: no other part of the course has an influence."""
    n, m = len(hidden.people), len(hidden.visits)
    seeds = np.arange(m, dtype=np.uint64), np.arange(n, dtype=np.uint64)
    flat = flat_courses(hidden, 35.0)
    other = dataclasses.replace(
        flat,
        courses=flat.courses.replaced(
            archetype=np.zeros(n, dtype=np.int8), recovered=np.ones((n, 2))
        ),
    )
    a, b = express_parameters(flat, *seeds), express_parameters(other, *seeds)
    for column in dataclasses.fields(a):
        assert (getattr(a, column.name) == getattr(b, column.name)).all(), column.name


def test_low_lvef_moves_every_feature_the_same_way(hidden):
    low, high = (express_features(flat_courses(hidden, v)) for v in (30.0, 65.0))
    assert (low > high).all()
    assert remodelling(flat_courses(hidden, 65.0)).max() < 0.2


def test_personal_offsets_are_constant_over_a_patients_visits(hidden):
    """Within a patient, what is no disease repeats itself: correlation about .8 as intended."""
    flat = flat_courses(hidden, 65.0)
    features = express_features(flat)
    patient = flat.visits.patient
    pair = np.flatnonzero(np.diff(patient) == 0)
    again = [np.corrcoef(features[pair, j], features[pair + 1, j])[0, 1] for j in range(12)]
    assert min(again) > 0.6
    assert len(FEATURES) == 12


def test_a_wide_qrs_hides_most_of_the_t_wave(hidden):
    n, m = len(hidden.people), len(hidden.visits)
    seeds = np.arange(m, dtype=np.uint64), np.arange(n, dtype=np.uint64)

    def t_change(code: Conduction) -> float:
        people = hidden.people.replaced(conduction=np.full(n, code, dtype=np.int8))
        same = dataclasses.replace(hidden, people=people)
        t = [
            express_parameters(flat_courses(same, v), *seeds).t_vector_delta[:, 0]
            for v in (30.0, 65.0)
        ]
        return float(np.mean(t[0] - t[1]))

    assert abs(t_change(Conduction.LBBB)) < 0.4 * abs(t_change(Conduction.NORMAL))
