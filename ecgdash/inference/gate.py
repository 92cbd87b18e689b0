"""The gate: whether an ECG may be scored, and if not, why (DESIGN decision 8).

Only the scored window is judged (`ecgdash.signal.window`). The limits are our choice unless a
source stands beside them; they are set to withhold what no reader would measure, not what is
merely noisy. docs/evaluation/gate.md counts what they do on real and simulated ECGs.
"""

import math
from collections.abc import Iterator
from typing import Final

from ecgdash.domain import LEADS_OF_SET, EcgRecord, GateFinding, GateResult
from ecgdash.domain.leads import LeadSet
from ecgdash.inference.gate_leads import lead_findings
from ecgdash.inference.gate_limb import limb_findings
from ecgdash.labels.evidence import pacing_words
from ecgdash.labels.flags import own_measurements
from ecgdash.labels.statements import affirmed_findings, uncertain_findings
from ecgdash.signal.measure import Measurements
from ecgdash.signal.window import WINDOW_S, ScoredWindow, scored_window

__all__ = ["gate"]

MIN_DURATION_S: Final = 9.0
ADULT_AGE_YEARS: Final = 18.0
"""The study included adults (paper 000, 'Study population')."""
CODED_OLD_AGE_YEARS: Final = 120.0
"""Above: not an age; PTB-XL writes 300 for "over 89"."""
SPIKES_SEEN_AT_HZ: Final = 200.0
"""Below, samples lie too far apart to show a spike of 1 to 2 ms."""
UNMENTIONED_S: Final = 0.5
"""By so little a recording may exceed 10 s without a remark."""


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
    own = own_measurements(record) if own is None else own
    window = scored_window(record.signal_mv, record.sampling_hz)
    findings = (
        *_age(record),
        *_paced(record, own),
        *_units(record),
        *_recording(record, window, lead_set, own),
        *_window(record, window),
    )
    start_s, stop_s = window.seconds
    return GateResult(findings, (round(start_s, 4), round(stop_s, 4)))


def _age(record: EcgRecord) -> Iterator[GateFinding]:
    age = record.age_years
    if age is None or not math.isfinite(age):
        yield GateFinding("age_unknown", "notes", "age unknown")
    elif age < 0:
        yield GateFinding("age_unknown", "notes", f"age stated as {age:g}, which is no age")
    elif age > CODED_OLD_AGE_YEARS:
        yield GateFinding("age_unknown", "notes", f"age stated as {age:g}, read as over 89")
    elif age < ADULT_AGE_YEARS:
        yield GateFinding("age", "excludes", f"age {age:g}, the model is made for adults")


def _paced(record: EcgRecord, own: Measurements | None) -> Iterator[GateFinding]:
    evidence = affirmed_findings(record.statements).get("PACED")
    doubt = uncertain_findings(record.statements).get("PACED")
    if evidence:
        yield GateFinding("pacing", "excludes", "paced rhythm")
        yield GateFinding("pacing", "notes", f"paced by the statement: {evidence}")
        return
    if doubt:
        words = f"pacing is considered by the statement: {doubt}"
        yield GateFinding("pacing", "notes", words)
    spikes = None if own is None else pacing_words(own)
    if spikes is not None:
        yield GateFinding("pacing", "excludes", "paced rhythm")
        yield GateFinding("pacing", "notes", f"paced by measurement: {spikes}")
    elif record.sampling_hz < SPIKES_SEEN_AT_HZ:
        words = f"at {record.sampling_hz:g} Hz pacing spikes cannot be seen"
        yield GateFinding("pacing", "notes", words)


def _units(record: EcgRecord) -> Iterator[GateFinding]:
    if not record.in_millivolts:
        words = "amplitudes are in arbitrary units, the model is made for millivolts"
        yield GateFinding("arbitrary_units", "excludes", words)


def _recording(
    record: EcgRecord, window: ScoredWindow, lead_set: LeadSet | None, own: Measurements | None
) -> Iterator[GateFinding]:
    start_s, stop_s = window.seconds
    if stop_s - start_s < MIN_DURATION_S - 1e-6:
        # rounded down: 8.998 s must not read as 9.0 s
        shown = math.floor((stop_s - start_s) * 10 + 1e-6) / 10
        words = f"the record is {shown:.1f} s long, 9 s are needed"
        yield GateFinding("length", "withholds", words)
    held = record.lead_sets
    wanted = LEADS_OF_SET[lead_set or (held[0] if held else "1")]
    missing = tuple(name for name in wanted if name not in record.leads)
    if missing:
        words = _list_leads(missing) + " not recorded"
        yield GateFinding("missing_leads", "withholds", words, missing)
        return
    if not record.in_millivolts:
        return  # every limit below is in millivolts
    rows = [record.leads.index(name) for name in wanted]
    used = record.signal_mv[rows, window.slice]
    found = tuple(lead_findings(used, wanted, record.sampling_hz))
    yield from found
    unusable = {name for finding in found if finding.effect != "notes" for name in finding.leads}
    yield from limb_findings(used, wanted, own, unusable)


def _window(record: EcgRecord, window: ScoredWindow) -> Iterator[GateFinding]:
    hz = record.sampling_hz
    for samples, end in ((window.trimmed_start, "start"), (window.trimmed_stop, "end")):
        if samples:
            words = f"{samples / hz:.2f} s trimmed at the {end}, where no lead moves"
            yield GateFinding("trimmed", "notes", words)
    if window.chosen:
        start_s, stop_s = window.seconds
        words = (
            f"the record is {record.duration_s:.1f} s long, its best 10 s are scored: "
            f"{start_s:.1f} to {stop_s:.1f} s"
        )
        yield GateFinding("window", "notes", words)
    elif record.duration_s > WINDOW_S + UNMENTIONED_S and not window.trimmed_stop:
        words = f"the record is {record.duration_s:.1f} s long, its first 10 s are scored"
        yield GateFinding("window", "notes", words)


def _list_leads(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return f"lead {names[0]} is"
    return f"leads {', '.join(names[:-1])} and {names[-1]} are"
