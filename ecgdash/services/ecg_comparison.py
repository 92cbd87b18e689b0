"""Two ECGs of a patient side by side: measurements from one source, and scores of one family."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ecgdash.domain import FamilyCard, NotApplicable, TimelinePoint, VariantScore
from ecgdash.domain.ecg import MEASUREMENT_KEYS
from ecgdash.domain.timeline import Change
from ecgdash.services.changes import ScoredEcg, change_between

__all__ = [
    "COMPARED",
    "MeasurementRow",
    "ScoreRow",
    "axis_change",
    "bazett_ms",
    "compare_measurements",
    "compare_scores",
    "default_comparison",
    "why_not_comparable",
]

Source = Literal["cart", "ours"]

COMPARED: Final = MEASUREMENT_KEYS
"""In the order in which they are shown; `qtc_ms` is by Bazett, whatever the cart's formula."""


@dataclass(frozen=True)
class MeasurementRow:
    """A measurement of both ECGs by one source.

    Attributes
    ----------
    source : {"cart", "ours"} or None
        None: neither source has it for both, and there is no change.
    now, earlier, change : float or None
        Milliseconds, beats per minute or degrees. Without a common source `now` and `earlier`
        are None, because figures of two sources must not be read as a change.
    """

    key: str
    source: Source | None
    now: float | None = None
    earlier: float | None = None
    change: float | None = None


@dataclass(frozen=True)
class ScoreRow:
    """A variant's score of both ECGs.

    Attributes
    ----------
    now, earlier : VariantScore or NotApplicable
    change : Change or None
        None where one of them has no score.
    """

    variant: str
    now: VariantScore | NotApplicable
    earlier: VariantScore | NotApplicable
    change: Change | None


def default_comparison(point: TimelinePoint, points: tuple[TimelinePoint, ...]) -> str | None:
    """Return the key of the analysable ECG before this one, or None.

    Parameters
    ----------
    point : TimelinePoint
    points : tuple of TimelinePoint
        Dated, oldest first.
    """
    keys = [other.ecg for other in points]
    if point.ecg not in keys:
        return None
    before = points[: keys.index(point.ecg)]
    return next((p.ecg for p in reversed(before) if p.status == "analysable"), None)


def axis_change(now_deg: float, earlier_deg: float) -> float:
    """Return the change of an axis the short way round the circle, in [-180, 180)."""
    return (now_deg - earlier_deg + 180.0) % 360.0 - 180.0


def bazett_ms(values: Mapping[str, float]) -> float | None:
    """Return QT over the root of the RR interval in seconds, or None without QT and rate."""
    qt, rate = values.get("qt_ms"), values.get("heart_rate_bpm")
    if qt is None or rate is None or qt <= 0 or rate <= 0:
        return None
    return float(qt * (rate / 60.0) ** 0.5)


def compare_measurements(now: TimelinePoint, earlier: TimelinePoint) -> tuple[MeasurementRow, ...]:
    """Compare intervals and axes: the cart's where both ECGs have it, else ours for both."""
    sources: tuple[tuple[Source, Mapping[str, float], Mapping[str, float]], ...] = (
        ("cart", _with_bazett(now.measurements), _with_bazett(earlier.measurements)),
        ("ours", _with_bazett(now.measured), _with_bazett(earlier.measured)),
    )
    rows = []
    for key in COMPARED:
        row = MeasurementRow(key, None)
        for source, after, before in sources:
            if key in after and key in before:
                is_axis = key.endswith("_deg")
                # Of whole numbers, as they are shown: 119 after 127 must not read as -9.
                shown = float(round(after[key])), float(round(before[key]))
                change = axis_change(*shown) if is_axis else shown[0] - shown[1]
                row = MeasurementRow(key, source, after[key], before[key], change)
                break
        rows.append(row)
    return tuple(rows)


def _with_bazett(values: Mapping[str, float]) -> dict[str, float]:
    """Return measurements with QTc by the one formula that two ECGs can share."""
    found = {key: value for key, value in values.items() if key != "qtc_ms"}
    qtc = bazett_ms(values)
    return found if qtc is None else {**found, "qtc_ms": qtc}


def why_not_comparable(now: TimelinePoint, earlier: TimelinePoint) -> str | None:
    """Return why the scores of two ECGs cannot be compared, or None if they can."""
    for point, which in ((now, "this ECG"), (earlier, "the other ECG")):
        if point.status != "analysable":
            word = "has no score" if point.status == "excluded" else "had its score withheld"
            return f"{which} {word}: {'; '.join(point.reasons)}"
    if now.lead_set != earlier.lead_set:
        return "the two ECGs are scored by different leads"
    if now.family is None or now.family != earlier.family:
        return "the two ECGs are not scored by one model family"
    return None


def compare_scores(
    now: TimelinePoint, earlier: TimelinePoint, card: FamilyCard | None
) -> tuple[ScoreRow, ...]:
    """Compare the scores of each variant, the one with most history first.

    Parameters
    ----------
    now, earlier : TimelinePoint
        Of one family, see `why_not_comparable`; both dated.
    card : FamilyCard or None
        Gives the noise floors.
    """
    return tuple(
        _score_row(variant, now, earlier, card)
        for variant in reversed(list(now.scores))
        if variant in earlier.scores
    )


def _score_row(
    variant: str, now: TimelinePoint, earlier: TimelinePoint, card: FamilyCard | None
) -> ScoreRow:
    after, before = now.scores[variant], earlier.scores[variant]
    change = None
    if earlier.recorded_at is not None:
        alone = ScoredEcg(earlier.ecg, earlier.recorded_at, {variant: before})
        change = change_between(alone, {variant: after}, card)
    return ScoreRow(variant, after, before, change)
