"""A patient's course as the pages and the command line show it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from ecgdash.domain.gate import GateStatus
from ecgdash.domain.leads import LeadSet
from ecgdash.domain.model import FamilyCard
from ecgdash.domain.patient import EchoStudy, Patient
from ecgdash.domain.prediction import NotApplicable, Provenance, VariantScore

__all__ = [
    "ActionKind",
    "Change",
    "Flag",
    "OtherScore",
    "PatientAction",
    "RiskTimeline",
    "TimelineEcho",
    "TimelinePoint",
    "WorklistGroup",
    "WorklistOther",
    "WorklistPage",
    "WorklistRow",
]

FlagSource = Literal["statement", "measurement", "model", "diagnosis"]
WorklistGroup = Literal["act", "repeat", "stable"]
ActionKind = Literal["echo_ordered", "acknowledged"]


@dataclass(frozen=True)
class PatientAction:
    """A mark that somebody acted on a patient, made for the ECG with key `ecg`."""

    kind: ActionKind
    ecg: str
    made_at: datetime


@dataclass(frozen=True)
class Flag:
    """A subgroup in which a score may mean less, with its source and evidence.

    `name` is a subgroup key ("AFIB", "LBBB", "QRS>140", ...) or a remark of the
    gate ("paced"). Absence of a flag means "unknown", never "absent".
    """

    name: str
    source: FlagSource
    evidence: str


@dataclass(frozen=True)
class Change:
    """Difference between two ECGs by one variant, family and lead set.

    Attributes
    ----------
    variant : str
        The best variant that both ECGs have.
    earlier_ecg : str
        Key of the ECG compared with.
    earlier_at : datetime
    earlier_value, value : float
        Scores.
    difference_logit : float
        Now minus earlier, in logits; above 0 is worse.
    noise_floor_logit : float or None
        None: not measured, and nothing is said about noise.
    crossed : {"up", "down"} or None
        Whether the threshold lies between the two scores.
    n_withheld_between : int
        ECGs between the two whose score was withheld.
    """

    variant: str
    earlier_ecg: str
    earlier_at: datetime
    earlier_value: float
    value: float
    difference_logit: float
    noise_floor_logit: float | None
    crossed: Literal["up", "down"] | None
    n_withheld_between: int = 0

    @property
    def beyond_noise(self) -> bool | None:
        """Whether the change is larger than the noise floor; None if that is unknown."""
        if self.noise_floor_logit is None:
            return None
        return abs(self.difference_logit) > self.noise_floor_logit


@dataclass(frozen=True)
class TimelinePoint:
    """One ECG on the timeline.

    Attributes
    ----------
    scores : mapping
        By variant, of the family of `lead_set`, in the card's order.
    measurements, measured : mapping of str to float
        The cart's intervals, and our own.
    contributions : mapping of str to tuple of float
        Exact contribution of each history slot to the logit, by variant (see
        `ecgdash.explain.history`); empty where there is no history.
    base_logit : mapping of str to float
        Logit of the mean base probability over the crops, by variant.
    provenance : Provenance or None
        Of `scores`; None where there are none.
    """

    ecg: str
    recorded_at: datetime | None
    local_day: date | None
    status: GateStatus
    reasons: tuple[str, ...]
    lead_set: LeadSet | None
    family: str | None
    flags: tuple[Flag, ...]
    scores: Mapping[str, VariantScore | NotApplicable]
    measurements: Mapping[str, float] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    change: Change | None = None
    contributions: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    base_logit: Mapping[str, float] = field(default_factory=dict)
    provenance: Provenance | None = None

    @property
    def best_variant(self) -> str | None:
        """The variant with most history that has a score; None if none has."""
        scored = [name for name, score in self.scores.items() if isinstance(score, VariantScore)]
        return scored[-1] if scored else None


@dataclass(frozen=True)
class TimelineEcho:
    """An echo on the timeline, with the ECG it is paired with, if any."""

    study: EchoStudy
    paired_ecg: str | None


@dataclass(frozen=True)
class OtherScore:
    """The score of an ECG by a family that the timeline is not of.

    It stands alone: it is never compared with scores of another family or label.

    Attributes
    ----------
    label : str
        Its own label definition, such as "LVEF < 50 %".
    variant : str
        The variant with most history that has a score.
    """

    family: str
    title: str
    label: str
    variant: str
    ecg: str
    recorded_at: datetime
    score: VariantScore
    lead_set: LeadSet
    weights_sha256: str
    provenance: Provenance | None = None


@dataclass(frozen=True)
class RiskTimeline:
    """Everything the patient page shows.

    Attributes
    ----------
    points : tuple of TimelinePoint
        Dated ECGs, oldest first.
    undated : tuple of TimelinePoint
        ECGs without a usable time: in no trend and no history.
    cards : mapping of str to FamilyCard
        Families shown, by lead set.
    others : tuple of OtherScore
        Scores of families of another label, or of another house, that are not shown.
    """

    key: str
    patient: Patient
    points: tuple[TimelinePoint, ...]
    undated: tuple[TimelinePoint, ...]
    echoes: tuple[TimelineEcho, ...]
    cards: Mapping[str, FamilyCard] = field(default_factory=dict)
    simulated: bool = False
    age_years: float | None = None
    diagnoses: tuple[str, ...] = ()
    actions: tuple[PatientAction, ...] = ()
    others: tuple[OtherScore, ...] = ()


@dataclass(frozen=True)
class WorklistOther:
    """The latest score of a patient by a family that the worklist's row is not of.

    It stands beside the row and has no part in its order, change or trend.

    Attributes
    ----------
    label : str
        Its own label definition, such as "LVEF < 50 %".
    variant : str
        The variant with most history that has a score.
    value, threshold : float
        Score in [0, 1], higher is worse, and the family's own threshold.
    recorded_at : datetime
        Of the patient's latest ECG that has a score of this family; not always the latest ECG.
    weights_sha256 : str
        Of the family when the row was written: of other weights, the score holds no more.
    """

    family: str
    title: str
    label: str
    lead_set: LeadSet
    variant: str
    value: float
    threshold: float
    recorded_at: datetime
    weights_sha256: str

    @property
    def positive(self) -> bool:
        """Whether the score is at or above the family's own threshold."""
        return self.value >= self.threshold


@dataclass(frozen=True)
class WorklistRow:
    """One patient on the worklist; every value stands in one database row.

    Attributes
    ----------
    trend : tuple of (score or None, variant or None)
        Best-variant scores of the latest lead set, oldest first, at most 12;
        None marks a withheld score.
    family : str or None
        Whose score it is; None: no family, or a row that an earlier version wrote.
    next_step, next_reason : str
        Suggestion from the rule table of `services.monitoring`.
    others : tuple of WorklistOther
        Latest score of each family that the row is not of; empty in a row of an earlier version.
    """

    key: str
    code: str
    site: str
    age_years: float | None
    sex: str | None
    flags: tuple[str, ...]
    group: WorklistGroup
    lead_set: LeadSet | None
    variant: str | None
    value: float | None
    threshold: float | None
    withheld_reason: str | None
    weak_evidence: str | None
    change: Change | None
    trend: tuple[tuple[float | None, str | None], ...]
    last_lvef_percent: float | None
    last_echo_at: datetime | None
    last_ecg_at: datetime | None
    n_ecgs: int
    next_step: str
    next_reason: str
    folded: bool = False
    folded_reason: str = ""
    family: str | None = None
    others: tuple[WorklistOther, ...] = ()


@dataclass(frozen=True)
class WorklistPage:
    """One page of the worklist with the counts of the whole of it."""

    rows: tuple[WorklistRow, ...]
    n_patients: int
    n_matching: int
    n_by_group: Mapping[str, int]
    page: int
    page_size: int
    n_folded: int = 0
