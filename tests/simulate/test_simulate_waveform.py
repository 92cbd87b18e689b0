"""The synthesis: exact identities, determinism and what each parameter must show."""

import numpy as np
import pytest

from ecgdash.domain.leads import CANONICAL_LEADS
from ecgdash.errors import InvalidValue
from ecgdash.simulate.examples import example_parameters, mixed_parameters
from ecgdash.simulate.parameters import typical_parameters
from ecgdash.simulate.waveform import LEAST_BIT_MV, synthesise, truth

QUIET = {"emg_uv": 0.0, "baseline_uv": 0.0, "mains_uv": 0.0, "motion_uv": 0.0}
LEAD = {name: i for i, name in enumerate(CANONICAL_LEADS)}


def average_beats(parameters, sampling_hz=500.0, before_s=0.3, after_s=0.5):
    """Return each ECG's mean non-ectopic beat (n, 12, samples) about the true QRS onset."""
    ecgs, known = synthesise(parameters, sampling_hz), truth(parameters)
    before, after = int(before_s * sampling_hz), int(after_s * sampling_hz)
    beats = []
    for ecg, onset_s, pvc, pac in zip(ecgs, known.onset_s, known.pvc, known.pac, strict=True):
        keep = ~pvc & ~pac & (onset_s > before_s + 0.05) & (onset_s < 9.95 - after_s)
        at = np.rint(onset_s[keep] * sampling_hz).astype(int)
        beats.append(np.mean([ecg[:, i - before : i + after] for i in at], axis=0))
    mean = np.array(beats)
    # the line between P and QRS, clear of a pacing spike
    return mean - mean[:, :, before - 12 : before - 7].mean(axis=2, keepdims=True)


def qrs_of(parameters, extra_s=0.02):
    """Return the mean QRS complexes (n, 12, samples) at 500 Hz."""
    length_s = float(parameters.qrs_ms.max()) / 1000.0 + extra_s
    return average_beats(parameters, before_s=0.3, after_s=length_s)[:, :, 150:]


def net(qrs, lead):
    """Return the net area of a lead's QRS."""
    return qrs[:, LEAD[lead]].mean(axis=1)


# determinism


@pytest.mark.parametrize("sampling_hz", [250.0, 500.0])
def test_a_row_gives_the_same_bits_in_any_batch(sampling_hz):
    table = mixed_parameters(63, seed=3)
    whole = synthesise(table, sampling_hz)
    order = np.random.default_rng(0).permutation(63)[:20]
    np.testing.assert_array_equal(synthesise(table.take(order), sampling_hz), whole[order])
    for i in (0, 17, 62):
        np.testing.assert_array_equal(synthesise(table.take([i]), sampling_hz)[0], whole[i])


def test_batches_beyond_the_internal_size_agree():
    table = typical_parameters(300, seed=9)
    whole = synthesise(table)
    np.testing.assert_array_equal(
        synthesise(table.take([3, 255, 256, 299])), whole[[3, 255, 256, 299]]
    )


def test_another_seed_gives_another_ecg():
    first, second = synthesise(typical_parameters(2, seed=1))
    assert np.abs(first - second).max() > 0.05


def test_the_beats_do_not_depend_on_the_sampling_rate():
    table = typical_parameters(5, seed=2, **QUIET)
    fine, coarse = synthesise(table, 500.0), synthesise(table, 250.0)
    difference = np.abs(fine[:, :, ::2] - coarse).max(axis=(0, 2))
    # two roundings to 4.88 uV; the derived leads add those of two others
    measured = np.isin(CANONICAL_LEADS, ("III", "aVR", "aVL", "aVF"), invert=True)
    assert difference[measured].max() < 1.01 * LEAST_BIT_MV
    assert difference.max() < 2.01 * LEAST_BIT_MV


# lead arithmetic


def test_limb_leads_obey_einthoven_and_goldberger():
    counts = np.rint(synthesise(mixed_parameters(42, seed=5)) / LEAST_BIT_MV)
    one, two, three, avr, avl, avf = counts[:, :6].transpose(1, 0, 2)
    np.testing.assert_array_equal(three, two - one)
    for augmented, exact in ((avr, -(one + two) / 2), (avl, one - two / 2), (avf, two - one / 2)):
        assert np.abs(augmented - exact).max() <= 0.5


def test_amplitudes_are_whole_steps_of_the_cart():
    ecg = synthesise(typical_parameters(2))
    steps = ecg / LEAST_BIT_MV
    assert ecg.dtype == np.float32
    assert np.abs(steps - np.rint(steps)).max() < 1e-3


@pytest.mark.parametrize(("rate", "duration"), [(50.0, 10.0), (250.0, 1.0), (np.nan, 10.0)])
def test_impossible_recordings_are_refused(rate, duration):
    with pytest.raises(InvalidValue):
        synthesise(typical_parameters(1), rate, duration_s=duration)


def test_duration_and_rate_give_the_length():
    assert synthesise(typical_parameters(2), 250.0, duration_s=12.0).shape == (2, 12, 3000)
    assert synthesise(typical_parameters(0), 250.0).shape == (0, 12, 2500)


# noise


@pytest.mark.parametrize("hz", [50.0, 60.0])
def test_hum_lies_at_its_frequency(hz):
    table = typical_parameters(8, mains_hz=hz, **(QUIET | {"mains_uv": 40.0}))
    clean = synthesise(typical_parameters(8, **QUIET), 500.0)
    hum = synthesise(table, 500.0)[:, LEAD["V3"]] - clean[:, LEAD["V3"]]
    power = np.abs(np.fft.rfft(hum, axis=1)) ** 2
    assert (power.argmax(axis=1) == hz * 10).all()
    # the rest is rounding; it weighs where the chest electrode and the limbs cancel
    assert np.median(power[:, int(hz * 10)] / power[:, 1:].sum(axis=1)) > 0.99


def test_muscle_noise_has_the_stated_size_and_band():
    quiet = synthesise(typical_parameters(40, **QUIET), 500.0)
    noisy = synthesise(typical_parameters(40, **(QUIET | {"emg_uv": 20.0})), 500.0)
    noise_uv = 1000.0 * (noisy - quiet)
    # lead I: two limb electrodes of 1.2 x 20 uV, spread exp(N(0, .25))
    assert np.median(noise_uv[:, LEAD["I"]].std(axis=1)) == pytest.approx(24 * np.sqrt(2), rel=0.15)
    power = np.abs(np.fft.rfft(noise_uv[:, LEAD["I"]], axis=1)) ** 2
    assert power[:, :80].sum() < 0.05 * power.sum()


def test_chest_leads_share_the_noise_of_wilsons_terminal():
    table = typical_parameters(40, **(QUIET | {"baseline_uv": 60.0}))
    wander = synthesise(table) - synthesise(typical_parameters(40, **QUIET))
    shared = [np.corrcoef(e[LEAD["V1"]], e[LEAD["V6"]])[0, 1] for e in wander]
    assert np.median(shared) > 0.1


# rhythm


def test_fibrillation_is_irregular_and_sinus_is_not():
    def variation(name):
        onset_s = truth(example_parameters(name, 60, seed=20)).onset_s
        rr = np.diff(onset_s, axis=1)
        return np.nanstd(rr, axis=1) / np.nanmean(rr, axis=1)

    assert np.median(variation("afib")) > 0.14
    assert np.percentile(variation("normal"), 95) < 0.10
    assert variation("paced").max() < 0.12
    assert variation("ventricular_tachycardia").max() < 0.02


def test_fibrillation_has_no_p_wave_but_f_waves():
    regular = average_beats(example_parameters("normal", 40, seed=1, **QUIET))
    table = example_parameters("afib", 40, seed=1, hr_bpm=70.0, **QUIET)
    before = slice(int(0.08 * 500), int(0.29 * 500))
    p_wave = np.ptp(regular[:, LEAD["II"], before], axis=1)
    residue = np.ptp(average_beats(table)[:, LEAD["II"], before], axis=1)
    assert np.median(residue) < 0.6 * np.median(p_wave)
    still = {"f_wave_mv": 0.0, "hr_bpm": 45.0, "rr_irregularity": 0.05, "u_wave_mv": 0.0}
    silent = average_beats(example_parameters("afib", 40, seed=1, **still, **QUIET))
    assert np.ptp(silent[:, LEAD["II"], 40:140], axis=1).max() < 0.02


def test_flutter_repeats_at_its_rate_and_sets_the_ventricular_rate():
    table = example_parameters("flutter", 12, seed=1, qrs_gain=0.1, t_gain=0.0, **QUIET)
    power = np.abs(np.fft.rfft(synthesise(table)[:, LEAD["III"]], axis=1)) ** 2
    in_band = slice(30, 70)
    assert (np.abs(power[:, in_band].argmax(axis=1) + 30 - 49) <= 1).all()
    np.testing.assert_allclose(truth(table).heart_rate_bpm, 60 * 4.9 / 4, rtol=1e-6)


def test_first_degree_block_moves_p_by_its_pr():
    def p_peak_ms(pr_ms):
        table = typical_parameters(1, pr_ms=pr_ms, hr_bpm=60.0, p_jitter=0.0, **QUIET)
        beat = average_beats(table, before_s=0.36)[0, LEAD["II"], : int(0.33 * 500)]
        return 360.0 - 2.0 * beat.argmax()

    assert p_peak_ms(280.0) - p_peak_ms(160.0) == pytest.approx(120.0, abs=4.0)


def test_pvcs_come_early_wide_and_with_a_full_pause():
    table = typical_parameters(200, pvc_probability=0.15, rsa_depth=0.0)
    known = truth(table)
    share = known.pvc.sum() / np.isfinite(known.onset_s).sum()
    assert 0.08 < share < 0.17
    rr = np.diff(known.onset_s, axis=1)
    pvc = known.pvc[:, 1:-1] & np.isfinite(rr[:, :-1]) & np.isfinite(rr[:, 1:])
    alone = pvc & ~known.pvc[:, 2:] & ~known.pvc[:, :-2]
    mean_s = 60.0 / 70.0
    assert (rr[:, :-1][alone] < 0.75 * mean_s).all()
    both = rr[:, :-1][alone] + rr[:, 1:][alone]
    assert np.median(both) == pytest.approx(2 * mean_s, rel=0.02)


def test_pacs_come_early_without_a_full_pause():
    known = truth(typical_parameters(200, pac_probability=0.15, rsa_depth=0.0))
    rr = np.diff(known.onset_s, axis=1)
    pac = known.pac[:, 1:-1] & np.isfinite(rr[:, :-1]) & np.isfinite(rr[:, 1:])
    alone = pac & ~known.pac[:, 2:] & ~known.pac[:, :-2]
    both = rr[:, :-1][alone] + rr[:, 1:][alone]
    assert np.median(both) < 1.9 * 60.0 / 70.0


# conduction and disease: signs that a reader of ECGs looks for


def test_left_bundle_branch_block():
    table = example_parameters("lbbb", 40, seed=3, **QUIET)
    qrs = qrs_of(table)
    assert (truth(table).qrs_ms >= 120).all()
    assert (net(qrs, "V1") < 0).all()
    assert (net(qrs, "I") > 0).mean() > 0.95
    assert (net(qrs, "V6") > 0).mean() > 0.95
    # late R peak in V6, no q there, S wave at V1 much deeper than its r
    assert np.median(qrs[:, LEAD["V6"]].argmax(axis=1) * 2) >= 50
    assert np.median(qrs[:, LEAD["V6"], :30].min(axis=1)) > -0.05
    st_t = average_beats(table)[:, LEAD["V1"], 150 + 110 :].max(axis=1)
    assert (st_t > 0.1).mean() > 0.9  # discordant, upright T in V1


def test_right_bundle_branch_block():
    qrs = qrs_of(example_parameters("rbbb", 40, seed=3, **QUIET))
    late = slice(40, 70)  # 80 to 140 ms: R' in V1, wide S in I and V6
    assert (qrs[:, LEAD["V1"], late].max(axis=1) > 0.2).mean() > 0.9
    assert (qrs[:, LEAD["I"], late].min(axis=1) < -0.05).mean() > 0.9
    assert (qrs[:, LEAD["V6"], late].min(axis=1) < -0.05).mean() > 0.9


def test_left_anterior_block_turns_the_axis_left():
    qrs = qrs_of(example_parameters("lafb", 40, seed=3, **QUIET))
    assert (net(qrs, "I") > 0).mean() > 0.9
    assert (net(qrs, "II") < 0).mean() > 0.7
    assert (net(qrs, "aVF") < 0).mean() > 0.95


def test_pacing_shows_spikes_just_before_qrs():
    table = example_parameters("paced", 20, seed=3, frontal_rotation_deg=0.0, **QUIET)
    beat = average_beats(table)
    spike = np.ptp(beat[:, :, 145:149], axis=2).max(axis=1)
    assert (spike > 0.2).all()
    assert (net(qrs_of(table), "aVF") < 0).mean() > 0.9


def test_anterior_infarction_takes_r_from_v2_and_inverts_t():
    seeds = {"seed": 3, **QUIET}
    healthy = qrs_of(example_parameters("normal", 40, **seeds))[:, LEAD["V2"]]
    scarred = qrs_of(example_parameters("anterior_mi", 40, **seeds))[:, LEAD["V2"]]
    assert np.median(healthy.max(axis=1)) > 0.3
    assert np.median(scarred.max(axis=1)) < 0.1
    t_wave = average_beats(example_parameters("anterior_mi", 40, **seeds))
    assert np.median(t_wave[:, LEAD["V3"], 150 + 100 : 150 + 180].min(axis=1)) < -0.1


def test_inferior_infarction_makes_q_in_iii():
    qrs = qrs_of(example_parameters("inferior_mi", 40, seed=3, **QUIET))
    early = qrs[:, LEAD["III"], :18]
    assert (early.min(axis=1) < -0.1).mean() > 0.9


def test_wide_conduction_hides_infarction():
    plain = example_parameters("lbbb", 3, seed=1, **QUIET)
    scarred = example_parameters("lbbb", 3, seed=1, infarct=(1.0, 1.0, 1.0), **QUIET)
    np.testing.assert_array_equal(synthesise(plain), synthesise(scarred))


def test_hypertrophy_meets_sokolow_and_low_voltage_its_limit():
    def sokolow_mv(name):
        qrs = qrs_of(example_parameters(name, 60, seed=3, **QUIET))
        left = np.maximum(qrs[:, LEAD["V5"]].max(axis=1), qrs[:, LEAD["V6"]].max(axis=1))
        return left - qrs[:, LEAD["V1"]].min(axis=1)

    assert np.median(sokolow_mv("lvh")) > 3.0
    assert np.median(sokolow_mv("normal")) < 2.7
    low = qrs_of(example_parameters("low_voltage", 60, seed=3, **QUIET))
    assert (np.ptp(low[:, :6], axis=2).max(axis=1) < 0.5).mean() > 0.75


def test_strain_is_set_apart_from_voltage():
    def t_in_v6(name):
        beat = average_beats(example_parameters(name, 40, seed=3, **QUIET))[:, LEAD["V6"], 250:330]
        return np.median(np.where(beat.max(1) > -beat.min(1), beat.max(1), beat.min(1)))

    assert t_in_v6("lvh") > 0.1
    assert t_in_v6("lvh_strain") < -0.03
