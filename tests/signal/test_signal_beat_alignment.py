"""Laying beats on beats: itself, a shifted copy, other rates, and refusals."""

import numpy as np
import pytest

from ecgdash.errors import InvalidValue
from ecgdash.signal.beat_alignment import lay_beats


def made(r_s, seconds=10.0, hz=500.0, jitter=None):
    """Return two leads with a QRS and a T at each R, T by Bazett, and the R peaks in them."""
    time = np.arange(round(seconds * hz)) / hz
    r = np.asarray(r_s, dtype=float)
    rr = np.diff(r, append=2 * r[-1] - r[-2])
    heights = np.ones(len(r)) if jitter is None else np.asarray(jitter)
    lead = np.zeros_like(time)
    for at, interval, height in zip(r, rr, heights, strict=True):
        lead += height * np.exp(-(((time - at) / 0.015) ** 2))
        repolarising = 0.45 * np.sqrt(interval) - 0.1
        peak, width = 0.1 + repolarising / 2, 0.15 * repolarising
        lead += 0.3 * np.exp(-(((time - at - peak) / width) ** 2))
        lead += 0.1 * np.exp(-(((time - at + 0.12) / 0.02) ** 2))
    inside = (r >= 0.3) & (r < seconds - 0.3)
    return np.stack([lead, -0.5 * lead]), r[inside]


def lay(earlier, this, hz=500.0, earlier_hz=500.0):
    return lay_beats(earlier[0], earlier_hz, earlier[1], this[1], this[0].shape[-1], hz)


IRREGULAR = np.cumsum([0.35, 0.8, 0.62, 1.1, 0.7, 0.95, 0.5, 0.9, 1.2, 0.8, 0.75, 0.9])


@pytest.mark.parametrize("r_s", [np.arange(0.1, 10, 0.8), np.arange(0.75, 10, 1.3), IRREGULAR])
def test_an_ecg_laid_on_itself_is_itself(rng, r_s):
    signal, peaks = made(r_s)
    signal = signal + rng.normal(0, 0.05, signal.shape)
    np.testing.assert_allclose(lay((signal, peaks), (signal, peaks)), signal, atol=1e-9)


@pytest.mark.parametrize("shift_s", [0.2, 0.5, 0.7])
def test_a_copy_cut_later_gives_the_ecg_itself(shift_s):
    beats = np.arange(0.1, 13, 0.8)
    signal, _ = made(beats, seconds=13.0)
    first = round(shift_s * 500)
    moved = beats - shift_s
    this = signal[:, :5000], beats[(beats >= 0.3) & (beats < 9.7)]
    later = signal[:, first : first + 5000], moved[(moved >= 0.3) & (moved < 9.7)]
    np.testing.assert_allclose(lay(later, this), this[0], atol=1e-3)
    np.testing.assert_allclose(lay(this, later), later[0], atol=1e-3)


@pytest.mark.parametrize(("rr", "earlier_rr"), [(0.6, 1.0), (1.0, 0.6), (1.4, 0.45), (0.45, 1.4)])
def test_beats_fall_on_beats_whatever_the_rates(rr, earlier_rr):
    """The made T follows Bazett, so the laid one must lie on that of this ECG too."""
    this, earlier = made(np.arange(0.15, 10, rr)), made(np.arange(0.4, 10, earlier_rr))
    laid = lay(earlier, this)
    assert laid.shape == this[0].shape
    for r in this[1]:
        near = slice(round((r - 0.05) * 500), round((r + 0.05) * 500) + 1)
        np.testing.assert_allclose(laid[:, near], this[0][:, near], atol=0.02)
    if min(rr, earlier_rr) >= 0.6:
        np.testing.assert_allclose(laid[0, 250:4750], this[0][0, 250:4750], atol=0.05)


def test_fewer_earlier_beats_are_used_again_in_order():
    this = made(np.arange(0.4, 10, 0.8))
    heights = [1.0, 1.2, 1.4, 1.6]
    earlier = made(np.arange(0.5, 3.2, 0.8), seconds=3.4, jitter=heights)
    laid = lay(earlier, this)
    found = [float(laid[0, round(r * 500) - 5 : round(r * 500) + 6].max()) for r in this[1]]
    # the fourth has no whole interval after it, so the first follows the third
    expected = [heights[i % 3] for i in range(len(found))]
    np.testing.assert_allclose(found[:-1], expected[:-1], atol=0.02)


def test_the_level_goes_on_where_beats_are_used_again():
    this = made(np.arange(0.4, 10, 0.8))
    signal, peaks = made(np.arange(0.5, 4.2, 0.8), seconds=4.4)
    drift = signal + np.linspace(0.0, 2.0, signal.shape[-1])
    laid = lay((drift, peaks), this)
    flat = lay((signal, peaks), this)
    assert np.abs(np.diff(laid - flat, axis=-1)).max() < 0.02  # a jump back would be 1 mV


@pytest.mark.parametrize("earlier_hz", [250.0, 1000.0])
def test_rates_of_sampling_may_differ(earlier_hz):
    this = made(np.arange(0.4, 10, 0.8))
    earlier = made(np.arange(0.4, 10, 0.8), hz=earlier_hz)
    laid = lay(earlier, this, earlier_hz=earlier_hz)
    np.testing.assert_allclose(laid[:, 50:-50], this[0][:, 50:-50], atol=0.01)


@pytest.mark.parametrize("which", ["this ECG", "the earlier ECG"])
def test_too_few_beats_are_refused(which):
    many, few = made(np.arange(0.4, 10, 0.8)), made([1.0, 6.0])
    pair = (many, few) if which == "this ECG" else (few, many)
    with pytest.raises(InvalidValue, match=f"too few beats to align: 2 in {which}"):
        lay(*pair)
