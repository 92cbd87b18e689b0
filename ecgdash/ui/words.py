"""Numbers, dates and names as the pages write them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ecgdash.domain import FamilyCard, Flag, RiskTimeline

__all__ = [
    "FLAG_WORDS",
    "PLAIN_FLAG",
    "SOURCE_WORDS",
    "age_and_sex",
    "cautions",
    "day",
    "day_time",
    "flag_words",
    "flags_of",
    "in_order",
    "lead_set_words",
    "model_words",
    "months_ago",
    "patient_facts",
    "percent",
    "plural",
    "short_day",
    "signed",
    "years_before",
    "zone_words",
]

_DAYS_PER_MONTH: Final = 30.4375
_DAYS_PER_YEAR: Final = 365.25

PLAIN_FLAG: Final = "sinus"
"""A subgroup of the evaluation, but no caution about a score."""

FLAG_WORDS: Final = {
    "wide_tachycardia": "Wide-complex tachycardia",
    "paced": "Paced",
    "WPW": "WPW",
    "AFIB": "AFIB or flutter",
    "LBBB": "LBBB",
    "QRS>140": "QRS > 140 ms",
    "RBBB": "RBBB",
    "long_QTc": "Long QTc",
    "PR>200": "PR > 200 ms",
    "PVC": "PVCs",
    "prior_MI": "Prior MI",
    "LVH": "LVH",
    "IHD": "IHD",
    "CKD": "CKD",
    "DM": "Diabetes",
    "HTN": "Hypertension",
    "sinus": "Sinus rhythm",
}
"""Flags as people write them, in the order in which they are shown.

First what forbids or weakens a score, then rhythm and conduction, then diagnoses; what is no
caution comes last (not stated in the paper: our choice).
"""

SOURCE_WORDS: Final = {
    "statement": "cart statement",
    "measurement": "measured",
    "model": "model",
    "diagnosis": "diagnosis",
}

_RANKS: Final = {name: rank for rank, name in enumerate(FLAG_WORDS)}


def flag_words(name: str) -> str:
    """Return a subgroup key as people write it."""
    return FLAG_WORDS.get(name, name)


def in_order(names: Iterable[str]) -> list[str]:
    """Return flag names each once, in the order of `FLAG_WORDS`; unknown ones before "sinus"."""
    unknown = _RANKS[PLAIN_FLAG] - 0.5
    return sorted(dict.fromkeys(names), key=lambda name: _RANKS.get(name, unknown))


def cautions(flags: Iterable[Flag]) -> list[Flag]:
    """Return the flags in which a score may mean less: all but sinus rhythm."""
    return [flag for flag in flags if flag.name != PLAIN_FLAG]


def flags_of(flags: Iterable[Flag]) -> list[str]:
    """Return the flags to show, each once, in order, as people write them."""
    return [flag_words(name) for name in in_order(flag.name for flag in cautions(flags))]


def day(at: datetime, zone: ZoneInfo) -> str:
    """Return "12 Nov 2026"."""
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y}"


def short_day(at: datetime, zone: ZoneInfo) -> str:
    """Return "12 Nov 26", for the head of a narrow column."""
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %y}"


def day_time(at: datetime, zone: ZoneInfo) -> str:
    """Return "12 Nov 2026, 09:14"."""
    return f"{day(at, zone)}, {at.astimezone(zone):%H:%M}"


def months_ago(at: datetime, now: datetime) -> str:
    """Return "19 mo ago", or days within the first two months."""
    days = max((now - at) // timedelta(days=1), 0)
    return f"{days} d ago" if days < 61 else f"{int(days / _DAYS_PER_MONTH)} mo ago"


def years_before(interval_days: float) -> str:
    """Return "3.8 y before", or days within the first year."""
    if interval_days < _DAYS_PER_YEAR:
        return f"{interval_days:.0f} d before"
    return f"{interval_days / _DAYS_PER_YEAR:.1f} y before"


def signed(value: float, decimals: int = 1) -> str:
    """Return a number with its sign, a true minus included."""
    text = f"{abs(value):.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return f"+{text}" if value > 0 else f"−{text}"


def plural(count: int, noun: str, many: str | None = None) -> str:
    """Return "1 echo", "6 echoes"."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def age_and_sex(age_years: float | None, sex: str | None) -> str:
    """Return "71 F"; what is unknown is left out."""
    parts = [f"{age_years:.0f}" if age_years is not None else "", (sex or "")[:1].upper()]
    return " ".join(part for part in parts if part)


def percent(share: float, decimals: int = 1) -> str:
    """Return a share in [0, 1] as "13.9 %"; never used for a score."""
    return f"{100.0 * share:.{decimals}f}\N{NO-BREAK SPACE}%"


def lead_set_words(lead_set: str | None) -> str:
    """Return "12 leads", "lead I only" or ""."""
    if lead_set is None:
        return ""
    return "lead I only" if lead_set == "1" else f"{lead_set} leads"


def zone_words(zone: ZoneInfo, now: datetime) -> str:
    """Return "Asia/Kolkata (UTC+05:30)"."""
    offset = now.astimezone(zone).strftime("%z")
    return f"{zone.key} (UTC{offset[:3]}:{offset[3:]})" if zone.key != "UTC" else "UTC"


def patient_facts(timeline: RiskTimeline, zone: ZoneInfo) -> str:
    """Return the line of facts beside the patient's code."""
    person = {"female": "woman", "male": "man"}.get(timeline.patient.sex or "", "")
    age = f"{timeline.age_years:.0f} y" if timeline.age_years is not None else "age unknown"
    dated = [p.recorded_at for p in timeline.points if p.recorded_at]
    since = f" since {min(dated).astimezone(zone):%b %Y}" if dated else ""
    n_ecgs = len(timeline.points) + len(timeline.undated)
    leads = sorted({p.lead_set for p in timeline.points if p.lead_set}, key=int, reverse=True)
    parts = [
        ", ".join(word for word in (person, age) if word),
        plural(n_ecgs, "ECG") + since,
        plural(len(timeline.echoes), "echo", "echoes"),
        " and ".join(lead_set_words(name) for name in leads),
    ]
    return " · ".join(part for part in parts if part)


def model_words(card: FamilyCard) -> str:
    """Return the family, its weights and what it was trained on, for the foot of a page."""
    data = "simulated patients" if card.trained_on_simulated else card.trained_on
    sha = card.weights_sha256
    return f"{card.family}, weights sha256 {sha[:4]}…{sha[-4:]}, trained on {data}"
