"""Pairs of echo and ECG, and the history an ECG's score may use.

Pure rules over keys and times, so that the store, the training and the
evaluation follow the very same ones (docs/decisions/0003).
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ecgdash.domain.ecg import EcgRef
from ecgdash.domain.patient import ECHO_METHODS, EchoStudy

__all__ = [
    "HISTORY_SLOTS",
    "PAIRING_WINDOW_DAYS",
    "History",
    "HistorySlot",
    "TteEcgPair",
    "form_pairs",
    "masked_history",
    "recalibrated_history",
]

PAIRING_WINDOW_DAYS: Final = 14
"""Either side of the echo (paper 000, 'Study Population and Data Acquisition')."""

HISTORY_SLOTS: Final = 3
"""Previous pairs a history holds (paper 000, 'Third Recalibration Phase')."""


@dataclass(frozen=True)
class TteEcgPair:
    """An echo and the one ECG it labels."""

    ecg: EcgRef
    echo: EchoStudy

    @property
    def days_apart(self) -> float:
        """Distance in days; whole calendar days where the echo has no time."""
        return _distance_days(self.ecg, self.echo)


@dataclass(frozen=True)
class HistorySlot:
    """One earlier ECG (with its echo, in a recalibrated history).

    Attributes
    ----------
    ecg : str
        Key of the earlier ECG.
    score : float
        Its uncalibrated score, in [0, 1], higher is worse.
    interval_days : float
        From the earlier ECG to the present one, above 0.
    lvef_percent : float or None
        Measured by its echo; None in a masked history.
    imputed : bool
        True: this slot repeats a nearer one, because there is no older ECG.
    """

    ecg: str
    score: float
    interval_days: float
    lvef_percent: float | None
    imputed: bool


@dataclass(frozen=True)
class History:
    """Exactly three slots, the most recent first; older ones may be imputed."""

    slots: tuple[HistorySlot, ...]

    @property
    def n_observed(self) -> int:
        """Slots that are not imputed, 1 to 3."""
        return sum(not slot.imputed for slot in self.slots)


def form_pairs(ecgs: Sequence[EcgRef], echoes: Sequence[EchoStudy]) -> list[TteEcgPair]:
    """Pair the echoes of one patient with analysable ECGs, over the whole record.

    Each echo goes to the nearest analysable ECG within 14 days either side
    (calendar days where the echo has no time; tie: the earlier ECG). Several
    echoes on one ECG: the nearest, then by method, then the earlier echo.

    Parameters
    ----------
    ecgs : sequence of EcgRef
        Of one patient, in any order; those not analysable are passed over.
    echoes : sequence of EchoStudy
        Of the same patient, in any order.

    Returns
    -------
    list of TteEcgPair
        In order of the ECGs' times: the first is the baseline pair, the rest
        are follow-up pairs.
    """
    usable = [ecg for ecg in ecgs if ecg.analysable]
    claims: dict[str, list[TteEcgPair]] = {}
    for echo in echoes:
        reach = [ecg for ecg in usable if _distance_days(ecg, echo) <= PAIRING_WINDOW_DAYS]
        if reach:
            nearest = min(reach, key=lambda e: (_distance_days(e, echo), e.recorded_at, e.key))
            claims.setdefault(nearest.key, []).append(TteEcgPair(nearest, echo))
    pairs = [min(rivals, key=_claim_rank) for rivals in claims.values()]
    return sorted(pairs, key=lambda pair: (pair.ecg.recorded_at, pair.ecg.key))


def masked_history(
    ecg: EcgRef, earlier: Sequence[EcgRef], scores: Mapping[str, float]
) -> History | None:
    """Return the LVEF-masked history of an ECG, or None if it has none.

    Parameters
    ----------
    ecg : EcgRef
        The ECG to be scored.
    earlier : sequence of EcgRef
        ECGs of the same patient, in any order; only analysable ones with a
        score, from an earlier calendar day, count.
    scores : mapping of str to float
        Uncalibrated scores by ECG key, one family and lead set only.
    """
    slots = [
        _slot(ecg, other, scores[other.key], None)
        for other in _most_recent_before(ecg, earlier)
        if other.key in scores
    ]
    return _filled(slots[:HISTORY_SLOTS])


def recalibrated_history(
    ecg: EcgRef, pairs: Sequence[TteEcgPair], scores: Mapping[str, float]
) -> History | None:
    """Return the history of earlier pairs, or None if the ECG has none.

    A pair counts if its ECG is from an earlier calendar day *and* its echo was
    performed before the present ECG. The pair of the present ECG itself is its
    label and never its history, even if the echo was done before it.
    """
    by_key = {
        pair.ecg.key: pair
        for pair in pairs
        if pair.ecg.key != ecg.key and _echo_precedes(pair.echo, ecg)
    }
    slots = [
        _slot(ecg, other, scores[other.key], by_key[other.key].echo.lvef_percent)
        for other in _most_recent_before(ecg, [pair.ecg for pair in by_key.values()])
        if other.key in scores
    ]
    return _filled(slots[:HISTORY_SLOTS])


def _echo_precedes(echo: EchoStudy, ecg: EcgRef) -> bool:
    if echo.has_time:
        return echo.performed_at < ecg.recorded_at
    return echo.local_day < ecg.local_day


def _most_recent_before(ecg: EcgRef, others: Sequence[EcgRef]) -> list[EcgRef]:
    """Analysable ECGs of an earlier calendar day, the most recent first."""
    ordered = sorted(
        (other for other in others if other.analysable), key=lambda o: (o.recorded_at, o.key)
    )
    end = bisect_left(ordered, ecg.recorded_at, key=lambda o: o.recorded_at)
    return [other for other in reversed(ordered[:end]) if other.local_day < ecg.local_day]


def _slot(ecg: EcgRef, other: EcgRef, score: float, lvef_percent: float | None) -> HistorySlot:
    interval = (ecg.recorded_at - other.recorded_at) / timedelta(days=1)
    return HistorySlot(other.key, score, interval, lvef_percent, imputed=False)


def _filled(slots: list[HistorySlot]) -> History | None:
    """Back-fill missing older slots from the nearest available one, flag set."""
    if not slots:
        return None
    oldest = slots[-1]
    copy = HistorySlot(
        oldest.ecg, oldest.score, oldest.interval_days, oldest.lvef_percent, imputed=True
    )
    return History(tuple(slots + [copy] * (HISTORY_SLOTS - len(slots))))


def _distance_days(ecg: EcgRef, echo: EchoStudy) -> float:
    if echo.has_time:
        return abs((ecg.recorded_at - echo.performed_at) / timedelta(days=1))
    return float(abs((ecg.local_day - echo.local_day).days))


def _claim_rank(pair: TteEcgPair) -> tuple[float, int, object]:
    return (pair.days_apart, ECHO_METHODS.index(pair.echo.method), pair.echo.performed_at)
