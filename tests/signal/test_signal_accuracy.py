"""Our measurements against a cart's own, and against an independent delineation."""

import warnings

import numpy as np
import pytest

from ecgdash.signal.measure import measure

CART_FILES = (
    "muse_xml/MUSE_example.xml",
    "muse_xml/example1.xml",
    "muse_xml/example2.xml",
    "one_ecg_three_formats/Example.xml",
    "philips_sierra/2020-5-18_15-48-11.xml",
    "philips_sierra/3191723_ZZDEMOPTONLY_1-04_orig.xml",
    "image_dicom_pair/anonymous_ecg.dcm",
)


@pytest.mark.real
def test_intervals_agree_with_those_of_the_carts(shared_data):
    """Seven devices' own values: no bias above a few samples, no single absurd value."""
    from ecgdash.io import read_ecg

    limits = {"pr_ms": (8, 20), "qrs_ms": (6, 16), "qt_ms": (20, 35)}  # median, worst
    records = [read_ecg(shared_data / name) for name in CART_FILES]
    ours = [measure(record).as_cart() for record in records]
    for name, (middle, worst) in limits.items():
        apart = [mine[name] - r.measurements[name] for mine, r in zip(ours, records, strict=True)]
        assert abs(np.median(apart)) <= middle, (name, apart)
        assert np.max(np.abs(apart)) <= worst, (name, apart)


@pytest.mark.real
def test_rate_and_pr_agree_with_an_independent_delineation(shared_data):
    """neurokit2's prominence method on lead II of forty real ECGs in sinus rhythm."""
    import neurokit2 as nk
    import wfdb

    from ecgdash.domain import CANONICAL_LEADS, EcgRecord

    folder = shared_data / "ptbxl500" / "records500"
    rate_apart, pr_apart, qrs_apart = [], [], []
    for header in sorted(folder.rglob("*_hr.hea"))[100:140]:
        raw = wfdb.rdrecord(str(header.with_suffix("")))
        ours = measure(EcgRecord(raw.p_signal.T, CANONICAL_LEADS, 500.0))
        lead = nk.ecg_clean(raw.p_signal[:, 1], sampling_rate=500)
        peaks = nk.ecg_peaks(lead, sampling_rate=500)[1]["ECG_R_Peaks"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # neurokit2 lets scipy's remarks on odd peaks through
            waves = nk.ecg_delineate(lead, peaks, sampling_rate=500, method="prominence")[1]
        onset = np.asarray(waves["ECG_R_Onsets"], dtype=float)
        p_onset = np.asarray(waves["ECG_P_Onsets"], dtype=float)
        offset = np.asarray(waves["ECG_R_Offsets"], dtype=float)
        rate_apart.append(ours.heart_rate_bpm[0] - 60 * 500 / np.mean(np.diff(peaks)))
        pr_apart.append(ours.pr_ms[0] - 2 * np.nanmedian(onset - p_onset))
        qrs_apart.append(ours.qrs_ms[0] - 2 * np.nanmedian(offset - onset))
    assert abs(np.nanmedian(rate_apart)) < 0.5
    assert abs(np.nanmedian(pr_apart)) < 15
    # one lead never shows the whole complex: the global duration is the longer one
    assert 0 < np.nanmedian(qrs_apart) < 20
