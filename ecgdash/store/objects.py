"""What the store hands out beside the domain objects: the same nouns with their keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from ecgdash.domain.ecg import EcgRef, Sex
from ecgdash.domain.evidence import EcgEvidence
from ecgdash.domain.gate import GateResult
from ecgdash.domain.leads import LeadSet, lead_sets_of
from ecgdash.domain.patient import Patient
from ecgdash.domain.timeline import Flag, WorklistGroup

__all__ = [
    "Findings",
    "ImportOutcome",
    "ImportRow",
    "Job",
    "StoredEcg",
    "StoredPatient",
    "Undone",
    "WorklistChange",
    "WorklistOrder",
    "WorklistQuery",
]

ImportOutcome = Literal["accepted", "duplicate", "withheld", "rejected"]
WorklistOrder = Literal["action", "change", "score", "last_ecg", "patient"]
WorklistChange = Literal["rise", "fall", "within", "none"]


@dataclass(frozen=True)
class StoredPatient:
    """A patient with the random key that addresses may carry."""

    key: str
    patient: Patient
    simulated: bool = False


@dataclass(frozen=True)
class Findings:
    """What was found out about an ECG at import.

    Attributes
    ----------
    gate : GateResult
    flags : tuple of Flag
        Of its statements and intervals; those of diagnoses come later.
    measured : mapping of str to float
        Our own measurements; keys from `OWN_MEASUREMENT_KEYS`, found ones only.
    evidence : EcgEvidence
        What the flags were made of.
    """

    gate: GateResult
    flags: tuple[Flag, ...] = ()
    measured: Mapping[str, float] = field(default_factory=dict)
    evidence: EcgEvidence = field(default_factory=EcgEvidence)


@dataclass(frozen=True)
class StoredEcg:
    """Everything about a stored ECG but its waveform, so that lists stay light.

    Attributes
    ----------
    key, patient_key : str
        Random keys.
    gate : GateResult
        As found at import.
    measurements, measured : mapping of str to float
        The cart's, and ours.
    """

    key: str
    patient_key: str
    recorded_at: datetime | None
    local_day: date | None
    leads: tuple[str, ...]
    sampling_hz: float
    n_samples: int
    sha256: str
    age_years: float | None
    sex: Sex | None
    statements: tuple[str, ...]
    measurements: Mapping[str, float]
    device: str | None
    filters: str | None
    source_name: str
    file_format: str
    notes: tuple[str, ...]
    gate: GateResult
    flags: tuple[Flag, ...]
    measured: Mapping[str, float]

    @property
    def lead_sets(self) -> tuple[LeadSet, ...]:
        """Lead sets these leads cover, the largest first."""
        return lead_sets_of(self.leads)

    @property
    def ref(self) -> EcgRef | None:
        """What pairing and histories need; None for an undated ECG, which has no part in them."""
        if self.recorded_at is None or self.local_day is None:
            return None
        return EcgRef(self.key, self.recorded_at, self.local_day, self.gate.analysable)


@dataclass(frozen=True)
class ImportRow:
    """What became of one file of an import.

    Attributes
    ----------
    file : str
        Name as shown to the importing user, without the folder.
    outcome : {"accepted", "duplicate", "withheld", "rejected"}
        withheld: stored, but not scored.
    reason, todo : str
        Empty for an accepted file without remarks.
    audit : tuple of str
        Names of what looks wrong with an ECG that was kept, from
        `ecgdash.services.import_audit.AUDIT`.
    """

    file: str
    outcome: ImportOutcome
    file_format: str = ""
    patient_code: str | None = None
    ecg: str | None = None
    reason: str = ""
    todo: str = ""
    audit: tuple[str, ...] = ()


@dataclass(frozen=True)
class Undone:
    """What was removed with an import.

    Attributes
    ----------
    n_ecgs, n_echoes, n_diagnoses : int
    n_patients : int
        Patients that had nothing left.
    n_marks : int
        Marks of people on the removed ECGs and patients.
    patient_keys : tuple of str
        Patients that remain and lost something.
    """

    n_ecgs: int
    n_echoes: int
    n_diagnoses: int
    n_patients: int
    n_marks: int
    patient_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """Progress of a piece of work that only one process does at a time.

    Attributes
    ----------
    alive : bool
        Its holder gave a sign of life recently.
    """

    name: str
    done: int
    total: int
    message: str
    finished: bool
    alive: bool


@dataclass(frozen=True)
class WorklistQuery:
    """What part of the worklist to show, and in which order.

    Attributes
    ----------
    find : str
        Part of a patient's id or site; empty: all.
    order : str
        "action": groups first, then the largest rise.
    flags : tuple of str
        All of these flags.
    change : tuple of str
        Any of "rise", "fall" (both beyond noise, or noise not measured), "within", "none".
    last_echo : str or None
        "none": no echo on file; "old": the last one is older than 12 months; "recent".
    groups : tuple of str
        Groups to show; empty: all.
    page : int
        From 1.
    show_folded : bool
        Whether to show patients that are folded away too.
    """

    find: str = ""
    order: WorklistOrder = "action"
    flags: tuple[str, ...] = ()
    change: tuple[WorklistChange, ...] = ()
    last_echo: Literal["none", "old", "recent"] | None = None
    groups: tuple[WorklistGroup, ...] = ()
    page: int = 1
    page_size: int = 25
    show_folded: bool = False
