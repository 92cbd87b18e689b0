"""The nouns of ECGDash: value objects that check themselves, and rules over them."""

from ecgdash.domain.attribution import BIN_S, WAVE_COLUMNS, Attribution, Reference, WaveTable
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
    OtherScore,
    PatientAction,
    RiskTimeline,
    TimelineEcho,
    TimelinePoint,
    WorklistOther,
    WorklistPage,
    WorklistRow,
)
from ecgdash.domain.trust import (
    TRUST_MARKS,
    CohortMap,
    FamilyTrust,
    TrustCheck,
    TrustMark,
    Verdict,
    verdict,
)

__all__ = [
    "BIN_S",
    "CANONICAL_LEADS",
    "LEADS_OF_SET",
    "LIMB_LEADS",
    "MASKED",
    "RECALIBRATED",
    "TRUST_MARKS",
    "UNCALIBRATED",
    "VARIANTS",
    "WAVE_COLUMNS",
    "ActionKind",
    "Attribution",
    "Change",
    "CohortMap",
    "Diagnosis",
    "EcgEvidence",
    "EcgRecord",
    "EcgRef",
    "EchoStudy",
    "Estimate",
    "FamilyCard",
    "FamilyTrust",
    "Flag",
    "GateFinding",
    "GateResult",
    "HeadScores",
    "History",
    "HistorySlot",
    "NotApplicable",
    "OperatingPoint",
    "OtherScore",
    "Patient",
    "PatientAction",
    "Prediction",
    "ProbabilityMap",
    "Provenance",
    "Reference",
    "ReliabilityPoint",
    "Repeatability",
    "RiskTimeline",
    "RuleEvidence",
    "SelfCheck",
    "TimelineEcho",
    "TimelinePoint",
    "TrainingPart",
    "TrustCheck",
    "TrustMark",
    "TteEcgPair",
    "VariantCard",
    "VariantScore",
    "Verdict",
    "WaveTable",
    "WorklistOther",
    "WorklistPage",
    "WorklistRow",
    "form_pairs",
    "masked_history",
    "normalise_patient_id",
    "recalibrated_history",
    "verdict",
]
