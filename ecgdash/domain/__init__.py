"""The nouns of ECGDash: value objects that check themselves, and rules over them."""

from ecgdash.domain.card import (
    ProbabilityMap,
    ReliabilityPoint,
    Repeatability,
    SelfCheck,
    TrainingPart,
)
from ecgdash.domain.ecg import EcgRecord, EcgRef, normalise_patient_id
from ecgdash.domain.estimate import Estimate
from ecgdash.domain.evidence import EcgEvidence, HeadScores, RuleEvidence
from ecgdash.domain.gate import GateFinding, GateResult
from ecgdash.domain.leads import CANONICAL_LEADS, LEADS_OF_SET, LIMB_LEADS
from ecgdash.domain.model import (
    MASKED,
    RECALIBRATED,
    UNCALIBRATED,
    VARIANTS,
    FamilyCard,
    OperatingPoint,
    VariantCard,
)
from ecgdash.domain.pairs import (
    History,
    HistorySlot,
    TteEcgPair,
    form_pairs,
    masked_history,
    recalibrated_history,
)
from ecgdash.domain.patient import Diagnosis, EchoStudy, Patient
from ecgdash.domain.prediction import NotApplicable, Prediction, Provenance, VariantScore
from ecgdash.domain.timeline import (
    ActionKind,
    Change,
    Flag,
    PatientAction,
    RiskTimeline,
    TimelineEcho,
    TimelinePoint,
    WorklistPage,
    WorklistRow,
)

__all__ = [
    "CANONICAL_LEADS",
    "LEADS_OF_SET",
    "LIMB_LEADS",
    "MASKED",
    "RECALIBRATED",
    "UNCALIBRATED",
    "VARIANTS",
    "ActionKind",
    "Change",
    "Diagnosis",
    "EcgEvidence",
    "EcgRecord",
    "EcgRef",
    "EchoStudy",
    "Estimate",
    "FamilyCard",
    "Flag",
    "GateFinding",
    "GateResult",
    "HeadScores",
    "History",
    "HistorySlot",
    "NotApplicable",
    "OperatingPoint",
    "Patient",
    "PatientAction",
    "Prediction",
    "ProbabilityMap",
    "Provenance",
    "ReliabilityPoint",
    "Repeatability",
    "RiskTimeline",
    "RuleEvidence",
    "SelfCheck",
    "TimelineEcho",
    "TimelinePoint",
    "TrainingPart",
    "TteEcgPair",
    "VariantCard",
    "VariantScore",
    "WorklistPage",
    "WorklistRow",
    "form_pairs",
    "masked_history",
    "normalise_patient_id",
    "recalibrated_history",
]
