"""Simulated normal ECGs against real ones, and independent delineation against the truth.

The real figures are medians of 179 normal sinus ECGs of PTB-XL (NORM at 80 % or
more, 500 Hz), measured once by the code of this file's author: QRS peak-to-peak
per lead; the test measures the simulated ones from their noise-free mean beat.
"""

import warnings

import numpy as np
import pytest

from ecgdash.domain.leads import CANONICAL_LEADS
from ecgdash.simulate.examples import example_parameters
from ecgdash.simulate.waveform import synthesise, truth

SAMPLING_HZ = 500.0
LEAD = {name: i for i, name in enumerate(CANONICAL_LEADS)}
REAL_PEAK_TO_PEAK_MV = {
    "I": 0.777,
    "II": 0.952,
    "III": 0.597,
    "aVL": 0.500,
    "aVF": 0.681,
    "V1": 0.994,
    "V2": 1.782,
    "V3": 1.617,
    "V4": 1.743,
    "V5": 1.535,
    "V6": 1.228,
}
REAL_COMPONENT_SHARE = (0.982, 0.997)
REAL_R_PEAK_MS = {"I": 36.0, "V6": 38.0}


@pytest.fixture(scope="module")
def normals():
    """Return 150 normal people with their signals and truth."""
    rng = np.random.default_rng(5)
    table = example_parameters(
        "normal",
        150,
        seed=400,
        hr_bpm=np.clip(rng.normal(69, 11, 150), 50, 100),
        pr_ms=np.clip(rng.normal(162, 20, 150), 125, 215),
        qrs_ms=np.clip(rng.normal(80, 8, 150), 64, 100),
        qtc_ms=np.clip(rng.normal(416, 18, 150), 375, 460),
    )
    return synthesise(table, SAMPLING_HZ), truth(table)


@pytest.fixture(scope="module")
def mean_qrs(normals):
    """Return each normal's mean QRS (n, 12, 60 samples from its onset)."""
    ecgs, known = normals
    out = []
    for ecg, onset_s in zip(ecgs, known.onset_s, strict=True):
        at = np.rint(onset_s[(onset_s > 0.1) & (onset_s < 9.8)] * SAMPLING_HZ).astype(int)
        beat = np.mean([ecg[:, i - 5 : i + 55] for i in at], axis=0)
        out.append(beat - beat[:, :4].mean(axis=1, keepdims=True))
    return np.array(out)


@pytest.mark.parametrize(("lead", "real_mv"), REAL_PEAK_TO_PEAK_MV.items())
def test_median_amplitude_is_within_a_quarter_of_the_real_one(mean_qrs, lead, real_mv):
    simulated_mv = np.median(np.ptp(mean_qrs[:, LEAD[lead]], axis=1))
    assert simulated_mv == pytest.approx(real_mv, rel=0.25)


@pytest.mark.parametrize(("lead", "real_ms"), REAL_R_PEAK_MS.items())
def test_r_peaks_as_early_as_in_real_ecgs(mean_qrs, lead, real_ms):
    peak_ms = (mean_qrs[:, LEAD[lead]].argmax(axis=1) - 5) * 1000.0 / SAMPLING_HZ
    assert np.median(peak_ms) == pytest.approx(real_ms, abs=6.0)


def test_no_normal_is_implausibly_large(mean_qrs):
    assert np.ptp(mean_qrs, axis=2).max() < 6.0


def test_the_field_is_about_as_dipolar_as_the_real_one(normals):
    shares = []
    for ecg in normals[0]:
        leads = ecg[[0, 1, 6, 7, 8, 9, 10, 11]].astype(np.float64)
        # wander is common to all leads of an electrode: look at the heart only
        leads = leads - np.apply_along_axis(_slow, 1, leads)
        power = np.linalg.svd(leads - leads.mean(axis=1, keepdims=True), compute_uv=False) ** 2
        shares.append(power[:3].sum() / power.sum())
    assert REAL_COMPONENT_SHARE[0] < np.median(shares) < REAL_COMPONENT_SHARE[1]


def _slow(lead):
    """Return what lies below .5 Hz."""
    spectrum = np.fft.rfft(lead)
    spectrum[5:] = 0.0
    return np.fft.irfft(spectrum, lead.size)


@pytest.fixture(scope="module")
def delineated(normals):
    """Return HR, PR, QRS and QT (n, 4) by neurokit2's `prominence` on V5 of 60 ECGs."""
    rows = []
    for ecg in normals[0][:60]:
        rows.append(_delineate(ecg[LEAD["V5"]].astype(np.float64)))
    return np.array(rows)


def _delineate(lead):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # neurokit2 on top of newer pandas
        import neurokit2 as nk

        clean = nk.ecg_clean(lead, sampling_rate=SAMPLING_HZ)
        peaks = nk.ecg_peaks(clean, sampling_rate=SAMPLING_HZ)[1]["ECG_R_Peaks"]
        waves = nk.ecg_delineate(clean, peaks, sampling_rate=SAMPLING_HZ, method="prominence")[1]
    to_ms = 1000.0 / SAMPLING_HZ

    def span(first, last):
        return np.nanmedian(np.subtract(waves[last], waves[first], dtype=float)) * to_ms

    return (
        60.0 * SAMPLING_HZ / np.mean(np.diff(peaks)),
        span("ECG_P_Onsets", "ECG_R_Onsets"),
        span("ECG_R_Onsets", "ECG_R_Offsets"),
        span("ECG_R_Onsets", "ECG_T_Offsets"),
    )


# Column, truth, accepted median difference and its slack, distance from that difference that
# nine ECGs in ten keep, least correlation among those. One lead sees less than all of QRS
# (-10 ms); the simulated T ends where a cart reads it, some ms after its steepest tangent.
@pytest.mark.parametrize(
    ("column", "field", "bias", "slack", "reach", "correlation"),
    [
        (0, "heart_rate_bpm", 0.0, 0.3, 1.0, 0.99),
        (1, "pr_ms", -2.0, 6.0, 20.0, 0.85),
        (2, "qrs_ms", -9.0, 7.0, 14.0, 0.60),
        (3, "qt_ms", -9.0, 8.0, 30.0, 0.80),
    ],
)
def test_independent_delineation_finds_the_truth(
    normals, delineated, column, field, bias, slack, reach, correlation
):
    known = getattr(normals[1], field)[:60]
    found = delineated[:, column]
    difference = found - known
    assert np.nanmedian(difference) == pytest.approx(bias, abs=slack)
    agree = np.abs(difference - bias) < reach  # a wave not found counts against it
    assert agree.mean() >= 0.9
    assert np.corrcoef(found[agree], known[agree])[0, 1] > correlation


def _global_qrs_ms(beat):
    """Return the QRS width from the slopes of all leads; shares nothing with the simulator."""
    steep = np.abs(np.diff(beat, axis=1)).sum(axis=0)
    steep = np.convolve(steep, np.ones(3) / 3, mode="same")
    over = np.flatnonzero(steep > 0.05 * steep.max())
    return (over[-1] - over[0] + 1) * 1000.0 / SAMPLING_HZ


@pytest.mark.parametrize("name", ["normal", "rbbb", "lafb", "lbbb", "paced"])
def test_global_slope_measure_agrees_on_qrs(name):
    quiet = {"emg_uv": 0.0, "mains_uv": 0.0, "baseline_uv": 0.0, "t_gain": 0.3}
    table = example_parameters(name, 40, seed=7, **quiet)
    ecgs, known = synthesise(table, SAMPLING_HZ), truth(table)
    widths = []
    for ecg, onset_s, width_ms in zip(ecgs, known.onset_s, known.qrs_ms, strict=True):
        at = np.rint(onset_s[(onset_s > 0.1) & (onset_s < 9.5)] * SAMPLING_HZ).astype(int)
        last = int((width_ms + 50) / 1000.0 * SAMPLING_HZ)
        beat = np.mean([ecg[:, i - 20 : i + last] for i in at], axis=0)
        start = 20 if name == "paced" else 0  # leave the spike out
        widths.append(_global_qrs_ms(beat[:, start:]))
    # a cart's edges lie at 2 to 4 % of the steepest slope, a little outside these at 5 %
    assert np.median(widths - known.qrs_ms) == pytest.approx(-3.0, abs=12.0)


def test_strain_inverts_t_laterally_and_leaves_it_upright_in_v2():
    table = example_parameters("lvh_strain", 40, seed=11, emg_uv=0.2, baseline_uv=1.0)
    ecgs, known = synthesise(table, SAMPLING_HZ), truth(table)
    heights = []
    for ecg, onset_s, qt_ms in zip(ecgs, known.onset_s, known.qt_ms, strict=True):
        at = np.rint(onset_s[(onset_s > 0.1) & (onset_s < 9.3)] * SAMPLING_HZ).astype(int)
        peak = int(0.75 * qt_ms / 1000.0 * SAMPLING_HZ)
        heights.append(np.mean([ecg[:, i + peak] - ecg[:, i - 4] for i in at], axis=0))
    height = np.median(heights, axis=0)
    assert height[LEAD["V6"]] < -0.1
    assert height[LEAD["I"]] < -0.1
    assert height[LEAD["V2"]] > 0.1


def test_incomplete_rbbb_has_a_second_r_in_v1_and_lpfb_a_right_axis():
    beats = {}
    for name in ("irbbb", "lpfb"):
        table = example_parameters(name, 40, seed=21, emg_uv=0.2, baseline_uv=1.0)
        ecgs, known = synthesise(table, SAMPLING_HZ), truth(table)
        first = [o[np.isfinite(o) & (o > 0.2)][0] for o in known.onset_s]
        at = np.rint(np.array(first) * SAMPLING_HZ).astype(int)
        beats[name] = np.array([e[:, i : i + 56] for e, i in zip(ecgs, at, strict=True)])
    late = beats["irbbb"][:, LEAD["V1"], 36:48].max(axis=1)
    assert np.median(late) > 0.1
    net = beats["lpfb"].sum(axis=2)
    assert (net[:, LEAD["I"]] < net[:, LEAD["aVF"]]).mean() > 0.9
