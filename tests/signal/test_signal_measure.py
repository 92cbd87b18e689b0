from dataclasses import fields

import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.errors import InvalidValue
from ecgdash.signal.leads import derive_limb_leads
from ecgdash.signal.measure import measure, measure_batch

# A made heart: (time from QRS onset in s, width in s, mV in I, II, V1..V6)
P = (-0.12, 0.018, (0.08, 0.12, 0.05, 0.06, 0.06, 0.07, 0.07, 0.06))
Q = (0.015, 0.007, (-0.05, -0.05, 0.2, 0.25, 0.1, -0.05, -0.1, -0.1))
R = (0.042, 0.010, (0.7, 0.9, -0.2, 0.2, 0.8, 1.4, 1.3, 1.0))
S = (0.070, 0.009, (-0.1, -0.15, -0.9, -1.3, -0.7, -0.4, -0.2, -0.1))
T = (0.27, 0.040, (0.2, 0.3, -0.05, 0.3, 0.35, 0.3, 0.3, 0.25))
WIDE_R = (0.075, 0.025, (0.8, 0.5, -1.2, -1.6, -0.9, 0.2, 0.7, 0.9))
VENTRICULAR = (0.08, 0.030, (-1.2, 0.9, 1.4, 1.6, 1.2, 0.9, 0.5, 0.3))


def made_ecg(onsets_s, waves=(P, Q, R, S, T), *, hz=250.0, noise_mv=0.003, seed=0):
    """Return 10 s of 12 leads; `waves` is one tuple for all beats or one per beat."""
    time_s = np.arange(round(10 * hz)) / hz
    eight = np.random.default_rng(seed).normal(0, noise_mv, size=(8, time_s.size))
    for i, onset in enumerate(onsets_s):
        for at, width, size in waves[i] if isinstance(waves, list) else waves:
            shape = np.exp(-((time_s - onset - at) ** 2) / (2 * width**2))
            eight += np.outer(size, shape)
    limb = derive_limb_leads(eight[0], eight[1])
    return np.concatenate([limb, eight[2:]]).astype(np.float32)


REGULAR = np.arange(0.3, 10, 0.8)


@pytest.mark.parametrize("hz", [250.0, 500.0])
def test_a_made_sinus_rhythm_is_measured_right(hz):
    m = measure_batch(made_ecg(REGULAR, hz=hz)[np.newaxis], hz)
    assert m.heart_rate_bpm[0] == pytest.approx(75.0, abs=0.5)
    assert m.rr_cv[0] < 0.01
    assert m.p_found[0]
    # P begins 2.4 widths before its peak: 163 ms before QRS
    assert m.pr_ms[0] == pytest.approx(163, abs=20)
    assert m.qrs_ms[0] == pytest.approx(92, abs=16)
    # T ends, as a cart sees it, 2.75 widths after its peak: 380 ms after QRS onset
    assert m.qt_ms[0] == pytest.approx(380, abs=16)
    assert m.qtc_ms[0] == pytest.approx(m.qt_ms[0] * np.sqrt(75 / 60), rel=0.01)
    assert m.ectopic_beats[0] == 0
    assert m.spike_share[0] == 0


def test_amplitudes_and_axis_come_from_the_right_leads():
    m = measure_batch(made_ecg(REGULAR)[np.newaxis], 250.0)
    assert m.lead("r_mv", "V4")[0] == pytest.approx(1.4, abs=0.1)
    assert m.lead("s_mv", "V2")[0] == pytest.approx(-1.3, abs=0.1)
    assert m.lead("t_mv", "II")[0] == pytest.approx(0.3, abs=0.03)
    assert m.lead("t_mv", "aVR")[0] == pytest.approx(-0.25, abs=0.03)
    net_i, net_avf = m.lead("qrs_net_mv_ms", "I")[0], m.lead("qrs_net_mv_ms", "aVF")[0]
    assert m.qrs_axis_deg[0] == pytest.approx(
        np.degrees(np.arctan2(1.1547 * net_avf, net_i)), abs=0.1
    )
    assert 30 < m.qrs_axis_deg[0] < 60


def test_a_longer_pr_and_a_wider_complex_are_seen():
    late_p = (P[0] - 0.08, *P[1:])
    first_degree = measure_batch(made_ecg(REGULAR, (late_p, Q, R, S, T))[np.newaxis], 250.0)
    assert first_degree.pr_ms[0] == pytest.approx(243, abs=20)
    wide = measure_batch(made_ecg(REGULAR, (P, WIDE_R, T))[np.newaxis], 250.0)
    assert 120 <= wide.qrs_ms[0] <= 180


def test_irregular_beats_without_p_have_no_pr():
    gaps = np.random.default_rng(3).uniform(0.5, 1.1, size=14)
    m = measure_batch(made_ecg(0.3 + np.cumsum(gaps)[:11], (Q, R, S, T))[np.newaxis], 250.0)
    assert not m.p_found[0]
    assert np.isnan(m.pr_ms[0])
    assert m.rr_cv[0] > 0.1
    assert m.pvc_count[0] == 0


def test_a_ventricular_premature_beat_is_counted_and_leaves_the_median_alone():
    onsets = [0.3, 1.1, 1.9, 2.7, 3.2, 4.3, 5.1, 5.9, 6.7, 7.5, 8.3, 9.1]
    waves = [(P, Q, R, S, T)] * 12
    waves[4] = (VENTRICULAR, (0.34, 0.06, tuple(-0.4 * v for v in VENTRICULAR[2])))
    m = measure_batch(made_ecg(onsets, waves)[np.newaxis], 250.0)
    assert (m.pvc_count[0], m.pac_count[0]) == (1, 0)
    assert m.qrs_ms[0] == pytest.approx(92, abs=16)
    assert m.rr_cv[0] < 0.01


def test_an_atrial_premature_beat_is_counted():
    onsets = [0.3, 1.1, 1.9, 2.7, 3.25, 4.2, 5.0, 5.8, 6.6, 7.4, 8.2, 9.0]
    m = measure_batch(made_ecg(onsets)[np.newaxis], 250.0)
    assert (m.pvc_count[0], m.pac_count[0]) == (0, 1)


def test_spikes_before_wide_complexes_are_seen():
    signal = made_ecg(REGULAR, (WIDE_R, T))
    for onset in REGULAR:
        signal[:, round((onset + 0.01) * 250)] += np.float32(1.5)
    assert measure_batch(signal[np.newaxis], 250.0).spike_share[0] > 0.8


def test_complexes_at_the_ends_of_the_record_and_padding_are_left_out():
    onsets = np.arange(0.1, 10, 0.8)  # the first and the last complex lie within 0.3 s of an end
    plain = made_ecg(onsets) + np.float32(0.4)
    padded = plain.copy()
    padded[:, -30:] = 0.0  # an electrode offset, then zeros: a step of 0.4 mV in every lead
    for signal in (plain, padded):
        m = measure_batch(signal[np.newaxis], 250.0)
        assert m.n_beats[0] == len(onsets) - 2
        assert m.heart_rate_bpm[0] == pytest.approx(75.0, abs=0.5)
        assert m.ectopic_beats[0] == 0


def test_p_has_a_duration_and_an_amplitude():
    m = measure_batch(made_ecg(REGULAR)[np.newaxis], 250.0)
    assert m.p_ms[0] == pytest.approx(90, abs=15)  # from 2.4 widths before to 2.4 after the peak
    assert m.lead("p_mv", "II")[0] == pytest.approx(0.12, abs=0.03)
    assert m.lead("p_mv", "aVR")[0] == pytest.approx(-0.10, abs=0.03)
    without = measure_batch(made_ecg(REGULAR + 0.01, (Q, R, S, T))[np.newaxis], 250.0)
    assert np.isnan(without.p_ms[0])
    assert np.isnan(without.p_mv).all()


def test_both_corrections_of_qt_come_from_the_rate():
    m = measure_batch(made_ecg(np.arange(0.4, 10, 0.6))[np.newaxis], 250.0)
    assert m.heart_rate_bpm[0] == pytest.approx(100, abs=0.5)
    assert m.qtc_ms[0] == pytest.approx(m.qt_ms[0] / 0.6**0.5, rel=0.005)
    assert m.qtc_fridericia_ms[0] == pytest.approx(m.qt_ms[0] / 0.6 ** (1 / 3), rel=0.005)


def test_sinus_arrhythmia_is_no_ectopy():
    breathing = 0.8 + 0.16 * np.sin(2 * np.pi * np.arange(14) / 5.0)
    onsets = 0.4 + np.cumsum(breathing)
    m = measure_batch(made_ecg(onsets[onsets < 9.9])[np.newaxis], 250.0)
    assert m.rr_cv[0] > 0.1
    assert m.ectopic_beats[0] == 0


def test_noise_is_measured_in_microvolts():
    m = measure_batch(made_ecg(REGULAR, noise_mv=0.02)[np.newaxis], 250.0)
    assert m.noise_uv[0] == pytest.approx(20, rel=0.25)


def test_a_record_measures_the_same_alone_and_in_a_batch():
    batch = np.stack(
        [made_ecg(np.arange(0.3, 10, rr), seed=i) for i, rr in enumerate(np.linspace(0.5, 1.3, 40))]
    )
    together = measure_batch(batch, 250.0)
    for row in (0, 17, 39):
        alone = measure_batch(batch[row : row + 1], 250.0)
        for f in fields(alone):
            np.testing.assert_allclose(
                getattr(alone, f.name)[0], getattr(together, f.name)[row], atol=1e-6, err_msg=f.name
            )


def test_an_empty_record_measures_nothing_and_raises_no_warning():
    signals = np.zeros((2, 12, 2500))
    signals[1] = np.nan
    m = measure_batch(signals, 250.0)
    assert np.isnan(m.heart_rate_bpm).all()
    assert np.isnan(m.qrs_ms).all()
    assert not m.p_found.any()
    assert m.as_cart(0) == {}


def test_a_single_lead_is_measured_and_other_leads_are_not_invented():
    signal = made_ecg(REGULAR)
    m = measure(EcgRecord(signal[:1], ("I",), 250.0))
    assert m.heart_rate_bpm[0] == pytest.approx(75, abs=0.5)
    assert np.isnan(m.lead("r_mv", "V1")[0])
    assert np.isnan(m.qrs_axis_deg[0])
    assert "qrs_axis_deg" not in m.as_cart()


def test_any_rate_is_measured():
    m = measure(EcgRecord(made_ecg(REGULAR, hz=1000.0), CANONICAL_LEADS, 1000.0))
    assert m.heart_rate_bpm[0] == pytest.approx(75, abs=0.5)
    assert m.qrs_ms[0] == pytest.approx(92, abs=16)


def test_wrong_input_is_refused():
    with pytest.raises(InvalidValue):
        measure_batch(np.zeros((1, 8, 2500)), 250.0)
    with pytest.raises(InvalidValue):
        measure_batch(np.zeros((1, 12, 2500)), 100.0)
    with pytest.raises(InvalidValue):
        measure_batch(np.zeros((1, 12, 250)), 250.0)
