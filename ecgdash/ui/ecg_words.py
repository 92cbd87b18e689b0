"""An ECG in words: what the page shows as a picture and in tables, for those who cannot see it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from ecgdash.domain import NotApplicable, RiskTimeline, TimelinePoint, VariantScore
from ecgdash.plots import variant_style
from ecgdash.services.ecg_comparison import bazett_ms, compare_scores, why_not_comparable
from ecgdash.services.monitoring import StoredEcg, change_words
from ecgdash.ui import words

__all__ = [
    "clock",
    "paragraph",
    "person_words",
    "point_of",
    "recording_words",
    "sheet_title",
    "status_sentence",
    "when_words",
]

_RHYTHMS: Final = ("paced", "AFIB", "sinus")
_INTERVALS: Final = (
    ("heart_rate_bpm", "rate", " /min"),
    ("pr_ms", "PR", " ms"),
    ("qrs_ms", "QRS", " ms"),
    ("qt_ms", "QT", " ms"),
)
_AXES: Final = (("p_axis_deg", "P"), ("qrs_axis_deg", "QRS"), ("t_axis_deg", "T"))


def when_words(recorded_at: datetime | None, zone: ZoneInfo) -> str:
    """Return "12 Nov 2026, 09:14" or "undated"."""
    return words.day_time(recorded_at, zone) if recorded_at else "undated"


def person_words(facts: StoredEcg, course: RiskTimeline) -> str:
    """Return "woman, 71 y"; what is unknown is said."""
    person = {"female": "woman", "male": "man"}.get(facts.sex or course.patient.sex or "", "")
    age = f"{facts.age_years:.0f} y" if facts.age_years is not None else "age unknown"
    return ", ".join((person or "sex unknown", age))


def sheet_title(facts: StoredEcg, course: RiskTimeline, zone: ZoneInfo) -> str:
    """Return the line over a sheet; without the patient's code."""
    when = when_words(facts.recorded_at, zone)
    return f"ECG, {when} ({zone.key}), {person_words(facts, course)}"


def clock(seconds: float) -> str:
    """Return seconds of a recording as "61 s", or "2:03:10" from an hour on."""
    if seconds < 3600.0:
        return f"{seconds:.0f} s"
    whole = round(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def recording_words(facts: StoredEcg) -> str:
    """Return leads, length, rate and format of a recording."""
    seconds = facts.n_samples / facts.sampling_hz
    length = f"{seconds:.1f} s" if seconds < 60.0 else clock(seconds)
    n = len(facts.leads)
    leads = "12 leads" if n == 12 else f"{words.plural(n, 'lead')} ({', '.join(facts.leads)})"
    return f"{leads}, {length} at {facts.sampling_hz:g} Hz, {facts.file_format}"


def point_of(ecg: str, course: RiskTimeline) -> TimelinePoint | None:
    """Return an ECG's point on the timeline, undated ones included."""
    points = (*course.points, *course.undated)
    return next((point for point in points if point.ecg == ecg), None)


def status_sentence(facts: StoredEcg) -> str:
    """Return why an ECG has no score; "" for an analysable one."""
    reasons = "; ".join(facts.gate.reasons)
    return {
        "poor_quality": f"Score withheld: {reasons}.",
        "excluded": f"No score: {reasons}. The model is not made for this.",
    }.get(facts.gate.status, "")


def paragraph(
    facts: StoredEcg, course: RiskTimeline, compared: TimelinePoint | None, zone: ZoneInfo
) -> str:
    """Return everything that the page says of an ECG, in one paragraph.

    Parameters
    ----------
    facts : StoredEcg
    course : RiskTimeline
        Of the patient.
    compared : TimelinePoint or None
        The ECG that it is compared with.
    zone : ZoneInfo
        In which times are told.
    """
    of = "An undated ECG" if facts.recorded_at is None else "ECG of "
    when = "" if facts.recorded_at is None else when_words(facts.recorded_at, zone)
    opening = f"{of}{when} ({zone.key}): {person_words(facts, course)}; {recording_words(facts)}."
    statements = "; ".join(facts.statements)
    sentences = [
        opening,
        _rhythm(facts),
        _measured("By the cart", facts.measurements, "QTc, formula of the cart,"),
        _measured("By our measurement", facts.measured, "QTc (Bazett)"),
        f"Statements of the cart, unconfirmed: {statements}."
        if statements
        else "The file holds no statements.",
        status_sentence(facts) or "Quality: analysable.",
    ]
    point = point_of(facts.key, course)
    if point is not None and point.status == "analysable":
        sentences.append(_scores(point.scores))
    if point is not None and compared is not None:
        sentences.append(_since(point, compared, course, zone))
    return " ".join(sentence for sentence in sentences if sentence)


def _rhythm(facts: StoredEcg) -> str:
    stated = {flag.name for flag in facts.flags if flag.source == "statement"}
    named = [words.flag_words(name) for name in _RHYTHMS if name in stated]
    return f"Rhythm by the statements: {', '.join(named).lower()}." if named else ""


def _measured(whose: str, values: Mapping[str, float], qtc: str) -> str:
    told = [f"{name} {values[key]:.0f}{unit}" for key, name, unit in _INTERVALS if key in values]
    if "qtc_ms" in values:
        told.append(f"{qtc} {values['qtc_ms']:.0f} ms")
    if "qtc_fridericia_ms" in values:
        told.append(f"QTc (Fridericia) {values['qtc_fridericia_ms']:.0f} ms")
    if whose == "By the cart" and "qtc_ms" not in values and (own := bazett_ms(values)):
        told.append(f"QTc (Bazett, from the cart's QT and rate) {own:.0f} ms")
    axes = [f"{name} {_degrees(values[key])}" for key, name in _AXES if key in values]
    if axes:
        told.append(f"axes {', '.join(axes)}")
    return f"{whose}: {', '.join(told)}." if told else ""


def _degrees(value: float) -> str:
    return f"{value:.0f}°".replace("-", "−")


def _scores(scores: Mapping[str, VariantScore | NotApplicable]) -> str:
    told = []
    for variant, score in reversed(list(scores.items())):
        name = variant_style(variant).label
        if isinstance(score, VariantScore):
            side = "above" if score.positive else "below"
            told.append(
                f"{name} score {score.value:.2f}, {side} its threshold of "
                f"{score.threshold.value:.2f}"
            )
        else:
            told.append(f"{name} score: none ({score.reason.rstrip('.')})")
    sentence = "; ".join(told)
    return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""


def _since(
    point: TimelinePoint, compared: TimelinePoint, course: RiskTimeline, zone: ZoneInfo
) -> str:
    when = when_words(compared.recorded_at, zone)
    why = why_not_comparable(point, compared)
    if why is not None:
        return f"Compared with the ECG of {when}: scores are not compared, because {why}."
    card = course.cards.get(point.lead_set) if point.lead_set else None
    told = [
        f"{variant_style(row.variant).label} score {change_words(row.change).replace(', is', ',')}"
        for row in compare_scores(point, compared, card)
        if row.change is not None
    ]
    return f"Compared with the ECG of {when}: {'; '.join(told) or 'no score of both'}."
