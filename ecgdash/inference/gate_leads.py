"""The gate's judgement of each lead: gaps, flat lines, rails, scale, copies, baseline, noise."""

from collections.abc import Collection, Iterator
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import GateFinding
from ecgdash.domain.gate import GateCode
from ecgdash.signal.leads import LIMB_FROM_I_II
from ecgdash.signal.noise import LeadNoise, lead_noise
from ecgdash.signal.quality import LeadQuality, lead_quality

__all__ = ["lead_findings"]

MAX_FLAT_S: Final = 1.0
MIN_RANGE_MV: Final = 0.03
MAX_PEAK_MV: Final = 20.0
MAX_SWING_MV: Final = 12.0
"""A beat's size in the median lead; above, the unit or the gain is wrong."""
MIN_SWING_MV: Final = 0.08
"""Same, in the largest lead."""
MAX_NOISE_MV: Final = 0.15
"""Root mean square: from top to bottom such noise fills a band of nearly 1 mV, as high as a beat.
The worst of 353 PTB-XL records has 0.05, a hand-held recording that is still readable 0.08."""
MAX_NOISE_SHARE: Final = 0.10
"""Of the lead's swing; withheld where both are passed, so that a large beat is not lost."""
NOTED_NOISE_MV: Final = 0.025
"""The noisiest lead of one PTB-XL record in twenty."""
MAX_STEP_MV: Final = 5.0
"""Between the baselines of two half seconds; the largest in 353 PTB-XL records is 4.0."""
NOTED_WANDER_MV: Final = 1.5
"""The band-pass removes wander; one PTB-XL record in twelve has more than this."""
SAME_RESIDUAL: Final = 0.01
"""Of the larger lead. The closest chest leads of 353 PTB-XL records correlate with 0.9989,
which is a residual of 0.05."""


def lead_findings(
    used_mv: NDArray[np.floating], leads: tuple[str, ...], sampling_hz: float
) -> Iterator[GateFinding]:
    """Judge the leads of a window.

    Parameters
    ----------
    used_mv : ndarray, shape (n_leads, n_samples)
        Millivolts; NaN where there is no value.
    leads : tuple of str
    sampling_hz : float
    """
    qualities = {
        name: lead_quality(row, sampling_hz) for name, row in zip(leads, used_mv, strict=True)
    }
    wrong_scale = tuple(_scale(qualities))
    faults = wrong_scale or tuple(_faults(qualities))
    yield from faults
    if wrong_scale:
        return
    bad = {name for finding in faults for name in finding.leads}
    good = [i for i, name in enumerate(leads) if name not in bad]
    if not good or used_mv.shape[-1] < 2 * sampling_hz:
        return
    names, rows = tuple(leads[i] for i in good), used_mv[good]
    yield from _copies(rows, names)
    noise = lead_noise(rows, sampling_hz)
    swings = np.array([qualities[name].swing_mv for name in names])
    yield from _noise(noise, swings, names)
    yield from _baseline(noise, names)


def _scale(qualities: dict[str, LeadQuality]) -> Iterator[GateFinding]:
    """Judge the size of the beats over all leads: a wrong unit or gain."""
    swings = [quality.swing_mv for quality in qualities.values() if quality.missing_s == 0]
    if not swings:
        return
    if float(np.median(swings)) > MAX_SWING_MV:
        size = f"beats are {np.median(swings):.0f} mV high"
    elif 0.0 < max(swings) < MIN_SWING_MV:
        size = f"beats are at most {max(swings):.3f} mV high"
    else:
        return
    yield GateFinding("scale", "withholds", f"{size}, the unit or gain is not plausible")


def _faults(qualities: dict[str, LeadQuality]) -> Iterator[GateFinding]:
    """Find leads without a usable trace; leads with the same fault share a finding."""
    found: dict[tuple[GateCode, str], dict[str, str]] = {}
    for name, quality in qualities.items():
        fault = _fault(quality)
        if fault is not None:
            code, verb, figure = fault
            found.setdefault((code, verb), {})[name] = figure
    for (code, verb), figures in found.items():
        leads = tuple(figures)
        one = len(leads) == 1
        same = len(set(figures.values())) == 1
        told = next(iter(figures.values())) if same else " to ".join(_ends(figures.values()))
        subject = f"lead {leads[0]}" if one else f"leads {', '.join(leads[:-1])} and {leads[-1]}"
        singular, _, plural = verb.partition("|")
        words = f"{subject} {singular if one else plural}".replace("#", told)
        yield GateFinding(code, "withholds", words, leads)


def _fault(quality: LeadQuality) -> tuple[GateCode, str, str] | None:
    """Return a lead's worst fault: its code, words for one lead and for several, and the figure."""
    if quality.missing_s > 0:
        return "missing_samples", "lacks # s|lack # s", f"{max(quality.missing_s, 0.1):.1f}"
    if quality.flat_s >= MAX_FLAT_S:
        return "flat", "is flat for # s|are flat for # s", f"{quality.flat_s:.1f}"
    if quality.range_mv < MIN_RANGE_MV:
        return "amplitude", "shows only # mV|show only # mV", f"{quality.range_mv:.3f}"
    if quality.peak_mv > MAX_PEAK_MV:
        which = "reaches # mV, which no heart does|reach # mV, which no heart does"
        return "amplitude", which, f"{quality.peak_mv:.0f}"
    if quality.rail_mv is not None:
        return "clipped", "is cut off at # mV|are cut off at # mV", f"{quality.rail_mv:.1f}"
    return None


def _ends(figures: Collection[str]) -> tuple[str, str]:
    """Return the smallest and the largest of some figures."""
    return min(figures, key=float), max(figures, key=float)


def _copies(rows: NDArray[np.floating], names: tuple[str, ...]) -> Iterator[GateFinding]:
    """Find leads that are one lead twice; limb leads follow from I and II and are left out."""
    centred = rows.astype(np.float64)
    centred -= centred.mean(axis=-1, keepdims=True)
    gram = centred @ centred.T
    power = gram.diagonal()
    for i, j in combinations(range(len(names)), 2):
        pair = (names[i], names[j])
        if set(pair) <= set(LIMB_FROM_I_II) and pair != ("I", "II"):
            continue
        difference = power[i] + power[j] - 2 * gram[i, j]
        if difference < SAME_RESIDUAL**2 * max(power[i], power[j]):
            words = f"leads {pair[0]} and {pair[1]} hold the same trace"
            yield GateFinding("duplicated_leads", "withholds", words, pair)


def _noise(
    noise: LeadNoise, swings: NDArray[np.float64], names: tuple[str, ...]
) -> Iterator[GateFinding]:
    lost = (noise.noise_mv > MAX_NOISE_MV) & (noise.noise_mv > MAX_NOISE_SHARE * swings)
    noted = (noise.noise_mv > NOTED_NOISE_MV) & ~lost
    if lost.any():
        words = f"noise hides the trace: {_figures(noise.noise_mv, lost, names)} mV"
        yield GateFinding("noise", "withholds", words, _named(lost, names))
    if noted.any():
        words = f"noisy: {_figures(noise.noise_mv, noted, names)} mV root mean square"
        yield GateFinding("noise", "notes", words, _named(noted, names))


def _baseline(noise: LeadNoise, names: tuple[str, ...]) -> Iterator[GateFinding]:
    jumps = noise.step_mv > MAX_STEP_MV
    wanders = (noise.wander_mv > NOTED_WANDER_MV) & ~jumps
    if jumps.any():
        words = f"the baseline jumps: {_figures(noise.step_mv, jumps, names)} mV"
        yield GateFinding("baseline", "withholds", words, _named(jumps, names))
    if wanders.any():
        words = f"the baseline wanders: {_figures(noise.wander_mv, wanders, names)} mV"
        yield GateFinding("baseline", "notes", words, _named(wanders, names))


def _named(which: NDArray[np.bool_], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name, yes in zip(names, which, strict=True) if yes)


def _figures(values: NDArray[np.float64], which: NDArray[np.bool_], names: tuple[str, ...]) -> str:
    rows = zip(names, values.tolist(), which, strict=True)
    return ", ".join(f"{name} {value:.2f}" for name, value, yes in rows if yes)
