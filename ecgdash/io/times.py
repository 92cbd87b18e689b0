"""Times and ages as files state them, turned into aware UTC times and notes."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from sys import intern

__all__ = ["Moment", "moment_of", "parse_iso", "resolve_age"]

_DAY_ONLY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
OLDEST_PLAUSIBLE_AGE = 120.0


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time and the calendar day where it was recorded.

    `has_time` is False where only the day is stated; the time is noon then.
    """

    at: datetime
    local_day: date
    notes: tuple[str, ...] = ()
    has_time: bool = True


def moment_of(stated: datetime, zone: tzinfo, *, has_time: bool = True) -> Moment:
    """Place a stated time in the world; a time without zone gets the site's zone and a note."""
    notes: list[str] = []
    if not has_time:
        stated = datetime.combine(stated.date(), time(12), stated.tzinfo)
        notes.append("the file states a day but no time; noon was taken")
    if stated.tzinfo is None:
        stated = stated.replace(tzinfo=zone)
        notes.append(intern(f"the file states no time zone; the site's zone {zone} was taken"))
    return Moment(stated.astimezone(UTC), stated.date(), tuple(notes), has_time)


def parse_iso(text: str, zone: tzinfo) -> Moment | None:
    """Read an ISO 8601 day or time; None if it is neither."""
    cleaned = text.strip()
    try:
        stated = datetime.fromisoformat(cleaned)
        return moment_of(stated, zone, has_time=not _DAY_ONLY.match(cleaned))
    except (ValueError, OverflowError):
        return None


def resolve_age(
    stated_years: float | None, birth: date | None, recorded: date | None
) -> tuple[float | None, tuple[str, ...]]:
    """Settle the age at recording from what the file states.

    Returns
    -------
    (float or None, tuple of str)
        None with a note where stated age and dates contradict each other by
        more than a year, or the age is no human age.
    """
    computed = None
    if birth is not None and recorded is not None and recorded >= birth:
        computed = (recorded - birth) / timedelta(days=365.2425)
    if stated_years is not None and computed is not None and _apart(stated_years, computed) > 1.0:
        note = (
            f"the stated age ({stated_years:g}) and the age by birth date ({int(computed)}) "
            "contradict each other; the age is left unknown"
        )
        return None, (note,)
    age = stated_years if stated_years is not None else computed and float(int(computed))
    if age is not None and not 0 <= age <= OLDEST_PLAUSIBLE_AGE:
        return None, (f"the stated age {age:g} is no human age; the age is left unknown",)
    return None if age is None else float(age), ()


def _apart(stated_years: float, computed_years: float) -> float:
    """Distance of a stated age, in completed years, from an exact one."""
    return max(stated_years - computed_years, computed_years - stated_years - 1.0, 0.0)
