"""The gate: whether an ECG may be scored, and if not, why (DESIGN decision 8).

Only the first 10 s are scored, so only they are judged. The limits are our
choice unless a source stands beside them; they are set to withhold what no
reader would measure, not what is merely noisy.
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from ecgdash.domain import LEADS_OF_SET, EcgRecord, GateResult
from ecgdash.domain.leads import LeadSet
from ecgdash.labels.evidence import pacing_words
from ecgdash.labels.flags import own_measurements
from ecgdash.labels.statements import affirmed_findings, uncertain_findings
from ecgdash.signal.leads import einthoven_violation
from ecgdash.signal.measure import Measurements
from ecgdash.signal.quality import LeadQuality, lead_quality

__all__ = ["gate"]

MIN_DURATION_S: Final = 9.0
SCORED_S: Final = 10.0
ADULT_AGE_YEARS: Final = 18.0
"""The study included adults (paper 000, 'Study population')."""
CODED_OLD_AGE_YEARS: Final = 120.0
"""Above: not an age; PTB-XL writes 300 for "over 89"."""
MAX_FLAT_S: Final = 1.0
MIN_RANGE_MV: Final = 0.03
MAX_PEAK_MV: Final = 20.0
MAX_SWING_MV: Final = 12.0
"""A beat's size in the median lead; above, the unit or the gain is wrong."""
MIN_SWING_MV: Final = 0.08
"""Same, in the largest lead."""
MAX_EINTHOVEN: Final = 0.5


def gate(
    record: EcgRecord, *, lead_set: LeadSet | None = None, own: Measurements | None = None
) -> GateResult:
    """Judge an ECG before any score.

    Parameters
    ----------
    record : EcgRecord
    lead_set : {"12", "6", "1"}, optional
        Judge for this lead set; None takes the largest that the record holds.
    own : Measurements of one record, optional
        What `ecgdash.labels.flags.own_measurements` gives; measured here if left out.

    Returns
    -------
    GateResult
        `excluded` where the models are not made for the person or rhythm,
        `poor_quality` where another recording could be scored.
    """
    notes: list[str] = []
    excluded = [*_age(record, notes), *_paced(record, own, notes)]
    poor = [*_recording(record, lead_set, notes)]
    if excluded:
        return GateResult("excluded", tuple(excluded + poor), tuple(notes))
    if poor:
        return GateResult("poor_quality", tuple(poor), tuple(notes))
    return GateResult("analysable", (), tuple(notes))


def _age(record: EcgRecord, notes: list[str]) -> Iterator[str]:
    age = record.age_years
    if age is None or not math.isfinite(age):
        notes.append("age unknown")
    elif age < 0:
        notes.append(f"age stated as {age:g}, which is no age")
    elif age > CODED_OLD_AGE_YEARS:
        notes.append(f"age stated as {age:g}, read as over 89")
    elif age < ADULT_AGE_YEARS:
        yield f"age {age:g}, the model is made for adults"


def _paced(record: EcgRecord, own: Measurements | None, notes: list[str]) -> Iterator[str]:
    evidence = affirmed_findings(record.statements).get("PACED")
    doubt = uncertain_findings(record.statements).get("PACED")
    if evidence:
        notes.append(f"paced by the statement: {evidence}")
        yield "paced rhythm"
        return
    if doubt:
        notes.append(f"pacing is considered by the statement: {doubt}")
    own = own_measurements(record) if own is None else own
    spikes = None if own is None else pacing_words(own)
    if spikes is not None:
        notes.append(f"paced by measurement: {spikes}")
        yield "paced rhythm"


def _recording(record: EcgRecord, lead_set: LeadSet | None, notes: list[str]) -> Iterator[str]:
    if record.duration_s < MIN_DURATION_S - 1e-9:
        # rounded down: 8.998 s must not read as 9.0 s
        shown = math.floor(record.duration_s * 10) / 10
        yield f"the record is {shown:.1f} s long, 9 s are needed"
    elif record.duration_s > SCORED_S + 0.5:
        notes.append(f"the record is {record.duration_s:.1f} s long, its first 10 s are scored")
    wanted = _wanted_leads(record, lead_set)
    missing = [name for name in wanted if name not in record.leads]
    if missing:
        yield _list_leads(missing) + " not recorded"
        return
    rows = [record.leads.index(name) for name in wanted]
    used = record.signal_mv[rows, : math.ceil(SCORED_S * record.sampling_hz)]
    qualities = {
        name: lead_quality(row, record.sampling_hz) for name, row in zip(wanted, used, strict=True)
    }
    wrong_scale = [*_scale_faults(qualities)]
    yield from wrong_scale or _lead_faults(qualities)
    if np.isfinite(used).all():
        yield from _einthoven_faults(used, wanted)


def _wanted_leads(record: EcgRecord, lead_set: LeadSet | None) -> tuple[str, ...]:
    held = record.lead_sets
    chosen = lead_set or (held[0] if held else "1")
    return LEADS_OF_SET[chosen]


def _list_leads(names: list[str]) -> str:
    if len(names) == 1:
        return f"lead {names[0]} is"
    return f"leads {', '.join(names[:-1])} and {names[-1]} are"


def _lead_faults(qualities: dict[str, LeadQuality]) -> Iterator[str]:
    for name, quality in qualities.items():
        if quality.missing_s > 0:
            yield f"lead {name} lacks {max(quality.missing_s, 0.1):.1f} s"
        elif quality.flat_s >= MAX_FLAT_S:
            yield f"lead {name} is flat for {quality.flat_s:.1f} s"
        elif quality.range_mv < MIN_RANGE_MV:
            yield f"lead {name} shows only {quality.range_mv:.3f} mV"
        elif quality.peak_mv > MAX_PEAK_MV:
            yield f"lead {name} reaches {quality.peak_mv:.0f} mV, which no heart does"
        elif quality.rail_mv is not None:
            yield f"lead {name} is cut off at {quality.rail_mv:.1f} mV"


def _scale_faults(qualities: dict[str, LeadQuality]) -> Iterator[str]:
    """Judge the size of the beats over all leads: a wrong unit or gain."""
    swings = [quality.swing_mv for quality in qualities.values() if quality.missing_s == 0]
    if not swings:
        return
    if float(np.median(swings)) > MAX_SWING_MV:
        yield f"beats are {np.median(swings):.0f} mV high, the unit or gain is not plausible"
    elif 0.0 < max(swings) < MIN_SWING_MV:
        yield f"beats are at most {max(swings):.3f} mV high, the unit or gain is not plausible"


def _einthoven_faults(used: np.ndarray, leads: tuple[str, ...]) -> Iterator[str]:
    found = einthoven_violation(used, leads)
    if found and found[1] > MAX_EINTHOVEN:
        yield f"lead {found[0]} does not fit leads I and II ({found[1]:.0%} of their size apart)"
