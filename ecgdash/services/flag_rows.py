"""What stands beside a flag: its sources, and how each score does in such patients.

Published figures come from the study's table of the same setting, the family's own
from its installed evaluation. What could not be judged is listed with its reason.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ecgdash.domain.timeline import Flag, RiskTimeline, TimelinePoint
from ecgdash.labels.published import BASELINE, FOLLOW_UP, Subgroup, subgroup_for
from ecgdash.services.family_figures import FamilyFigures

__all__ = ["FEWEST", "FlagRow", "Unjudged", "flag_rows", "setting_of", "unjudged_flags"]

FEWEST: Final = 5
"""Pairs with or without LVSD below which no figure is shown (not stated in the paper: our choice).

Below it an interval covers most of the range.
"""

_DIAGNOSES: Final = ("IHD", "CKD", "DM", "HTN")
_LEADS_WITH_V1: Final = "12"


@dataclass(frozen=True)
class FlagRow:
    """One flag of an ECG.

    Attributes
    ----------
    sources : tuple of Flag
        Every source that raised it, with its evidence.
    published : Subgroup or None
        Of the study's table for the ECG's setting; None: no such subgroup there.
    own : Subgroup or None
        Of the family's evaluation in the same setting; None: not evaluated, or too few pairs.
    """

    name: str
    sources: tuple[Flag, ...]
    published: Subgroup | None
    own: Subgroup | None


@dataclass(frozen=True)
class Unjudged:
    """Flags that no source could judge, and why."""

    names: tuple[str, ...]
    reason: str


def setting_of(point: TimelinePoint, course: RiskTimeline) -> str:
    """Return whether an ECG stands where the study's baseline or follow-up pairs stand.

    Follow-up: an echo is paired with an earlier ECG of the patient, as every
    later pair of the study has it. An undated ECG counts as baseline.

    Returns
    -------
    str
        "baseline" or "follow_up".
    """
    at = point.recorded_at
    if at is None:
        return BASELINE
    earlier = {p.ecg for p in course.points if p.recorded_at is not None and p.recorded_at < at}
    return FOLLOW_UP if any(echo.paired_ecg in earlier for echo in course.echoes) else BASELINE


def flag_rows(
    point: TimelinePoint, setting: str, figures: FamilyFigures | None
) -> tuple[FlagRow, ...]:
    """Return one row per flag of an ECG, in the order of its flags.

    Parameters
    ----------
    point : TimelinePoint
    setting : str
        See `setting_of`.
    figures : FamilyFigures or None
        Of the family that scored the ECG.
    """
    by_name: dict[str, list[Flag]] = {}
    for flag in dict.fromkeys(point.flags):
        by_name.setdefault(flag.name, []).append(flag)
    return tuple(
        FlagRow(name, tuple(found), subgroup_for(name, setting), _own(name, setting, figures))
        for name, found in by_name.items()
    )


def _own(key: str, setting: str, figures: FamilyFigures | None) -> Subgroup | None:
    found = None if figures is None else figures.subgroup(key, setting)
    if found is None or min(found.n_positive, found.n - found.n_positive) < FEWEST:
        return None
    return found


def unjudged_flags(point: TimelinePoint, course: RiskTimeline) -> tuple[Unjudged, ...]:
    """Return the flags that could not be judged for want of data, each with the reason.

    Only where the data show it; any other flag that is not set is simply unknown.
    A flag that another source raised is not listed.
    """
    raised = {flag.name for flag in point.flags}
    values = {**point.measured, **point.measurements}
    reasons = [*_by_intervals(values, course.patient.sex, raised), *_by_leads(point)]
    if not course.diagnoses:
        reasons.append((_DIAGNOSES, "no diagnosis on file"))
    open_ones = [
        Unjudged(tuple(name for name in names if name not in raised), reason)
        for names, reason in reasons
    ]
    return tuple(one for one in open_ones if one.names)


def _by_intervals(
    values: Mapping[str, float], sex: str | None, raised: set[str]
) -> Iterator[tuple[tuple[str, ...], str]]:
    if "pr_ms" not in values:
        yield ("PR>200",), "no PR interval in AFIB" if "AFIB" in raised else "no PR interval found"
    if "qrs_ms" not in values:
        yield ("QRS>140",), "no QRS duration found"
    if "qtc_ms" not in values and not {"qt_ms", "heart_rate_bpm"} <= values.keys():
        yield ("long_QTc",), "no QT interval found"
    elif sex is None:
        yield ("long_QTc",), "sex unknown, and its limit differs by sex"


def _by_leads(point: TimelinePoint) -> Iterator[tuple[tuple[str, ...], str]]:
    if point.lead_set is not None and point.lead_set != _LEADS_WITH_V1:
        yield ("LBBB", "RBBB"), "no lead V1"
