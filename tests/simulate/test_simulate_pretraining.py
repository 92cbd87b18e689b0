"""ECGs of the first training phase: enriched classes, other people."""

import numpy as np
import pytest

from ecgdash.errors import InvalidValue
from ecgdash.simulate.cohort import pretraining_ecgs, simulate_patients
from ecgdash.simulate.parameters import Conduction, Rhythm


@pytest.fixture(scope="module")
def parameters():
    cohort = pretraining_ecgs(6000, 511)
    return cohort._parameters(np.arange(cohort.n_ecgs))


def test_one_ecg_a_person_without_echo_or_diagnosis():
    cohort = pretraining_ecgs(700, 1)
    assert cohort.patient_index.tolist() == list(range(700))
    assert len(cohort.echoes) == 0
    assert len(cohort.diagnosis_codes) == 0
    assert cohort.patient_id(3) == "PRE-A-000003"


@pytest.mark.parametrize(
    ("code", "share"),
    [
        (Conduction.LBBB, 0.10),
        (Conduction.RBBB, 0.13),
        (Conduction.PACED, 0.05),
        (Conduction.WPW, 0.025),
        (Conduction.IRBBB, 0.05),
        (Conduction.LPFB, 0.025),
    ],
)
def test_conduction_shares(parameters, code, share):
    assert (parameters.conduction == code).mean() == pytest.approx(share, abs=0.015)


def test_rhythm_shares(parameters):
    flutter = parameters.rhythm == Rhythm.FLUTTER
    either = flutter | (parameters.rhythm == Rhythm.AFIB)
    assert either.mean() == pytest.approx(0.25, abs=0.02)
    assert flutter.sum() / either.sum() == pytest.approx(0.40, abs=0.04)
    assert (parameters.rhythm == Rhythm.JUNCTIONAL).mean() == pytest.approx(0.05, abs=0.012)
    tachycardia = parameters.rhythm == Rhythm.VENTRICULAR_TACHYCARDIA
    assert tachycardia.mean() == pytest.approx(0.025, abs=0.008)
    assert parameters.hr_bpm[tachycardia].min() > 110


def test_fibrillation_and_junctional_rhythm_run_from_slow_to_fast(parameters):
    for code in (Rhythm.AFIB, Rhythm.JUNCTIONAL):
        rate = parameters.hr_bpm[parameters.rhythm == code]
        assert np.percentile(rate, 5) < 62
        assert np.percentile(rate, 95) > 120


def test_an_eighth_is_hypertrophic_with_and_without_strain(parameters):
    hypertrophic = parameters.lvh > 0.35
    assert hypertrophic.mean() == pytest.approx(0.12, abs=0.02)
    strained = parameters.lvh_strain[hypertrophic] > 0.1
    assert 0.3 < strained.mean() < 0.9


def test_pacing_spikes_come_small_and_large_filtered_and_not(parameters):
    gain, width = (getattr(parameters, k)[parameters.paced] for k in ("spike_gain", "spike_ms"))
    assert np.percentile(gain, 10) < 0.4 < 1.5 < np.percentile(gain, 90)
    assert 0.2 < (width < 1.5).mean() < 0.6


def test_blocks_have_wide_qrs_and_a_seventh_a_long_pr(parameters):
    wide = np.isin(parameters.conduction, (Conduction.LBBB, Conduction.PACED))
    assert np.median(parameters.qrs_ms[wide]) > 130
    assert np.median(parameters.qrs_ms[parameters.conduction == Conduction.NORMAL]) < 95
    sinus = parameters.rhythm == Rhythm.SINUS
    assert 0.13 < (parameters.pr_ms[sinus] > 200).mean() < 0.28


def test_ectopy_is_enriched(parameters):
    # One beat or more is expected in most ECGs with a share above .05 a beat.
    assert (parameters.pvc_probability > 0.05).mean() == pytest.approx(0.20, abs=0.07)
    assert (parameters.pac_probability > 0.05).mean() == pytest.approx(0.15, abs=0.05)


def test_waveforms_come_and_are_nobody_of_a_cohort():
    pre, cohort = pretraining_ecgs(30, 5), simulate_patients(30, 5)
    batch = next(pre.iter_ecgs(30, 100.0))
    assert batch.signal_mv.shape == (30, 12, 1000)
    assert np.isfinite(batch.signal_mv).all()
    assert not np.isin(pre._patient_seed, cohort._patient_seed).any()
    assert not np.isin(pre.age_years, cohort.age_years).any()


def test_wrong_arguments_are_refused():
    with pytest.raises(InvalidValue, match="cannot simulate 0 ECGs"):
        pretraining_ecgs(0, 1)
