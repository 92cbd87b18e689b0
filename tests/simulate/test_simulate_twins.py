"""Twins differ by remodelling alone."""

import numpy as np
import pytest

from ecgdash.simulate.cohort import simulate_patients
from ecgdash.simulate.courses import true_lvef_percent
from ecgdash.simulate.expression import remodelling
from ecgdash.simulate.twins import twin_ecgs

N = 150


@pytest.fixture(scope="module")
def cohort():
    return simulate_patients(80, 77)


@pytest.fixture(scope="module")
def twins(cohort):
    return twin_ecgs(cohort, np.arange(N))


def test_the_more_remodelled_a_heart_the_more_its_twin_differs(cohort, twins):
    size = np.abs(twins.signal_mv - twins.twin_mv).mean(axis=(1, 2))
    depth = remodelling(cohort._latent)[:N]
    visits = cohort._latent.visits
    lvef = true_lvef_percent(cohort._latent.courses.take(visits.patient), visits.years)[:N]
    assert np.corrcoef(size, depth)[0, 1] > 0.8
    assert np.median(size[lvef <= 35]) > 5 * np.median(size[lvef >= 58])


def test_beats_come_at_the_same_times(twins):
    """R peaks of both lie on each other: the sharpest moment of every second is the same."""
    sharp = [
        np.abs(np.diff(x, axis=-1)).sum(axis=1).reshape(N, -1)[:, :2475].reshape(N, 9, 275)
        for x in (twins.signal_mv, twins.twin_mv)
    ]
    apart = np.abs(sharp[0].argmax(axis=2) - sharp[1].argmax(axis=2))
    assert np.quantile(apart, 0.9) <= 8  # 32 ms, within one QRS: it may be wider or narrower


def test_the_ecg_is_the_recorded_one_without_its_noise(cohort, twins):
    recorded = next(cohort.iter_ecgs(N, which=np.arange(N))).signal_mv
    slow = recorded - twins.signal_mv
    fast = np.diff(slow, axis=-1)
    assert np.median(np.abs(fast)) < 0.01  # what is left is noise and wander, no QRS
    quiet = np.argsort(cohort.noise_uv[:N])[:20]
    steep = np.abs(np.diff(recorded[quiet], axis=-1)).max(axis=2)
    assert (np.abs(fast[quiet]).max(axis=2) < 0.5 * steep.max(axis=1, keepdims=True)).all()


def test_a_row_is_its_own_whatever_the_batch(cohort, twins):
    alone = twin_ecgs(cohort, [7])
    np.testing.assert_array_equal(alone.signal_mv[0], twins.signal_mv[7])
    np.testing.assert_array_equal(alone.twin_mv[0], twins.twin_mv[7])
