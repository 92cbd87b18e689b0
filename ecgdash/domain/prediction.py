"""What a model family said about one ECG, with all it takes to trace and repeat it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ecgdash.domain.leads import LeadSet
from ecgdash.domain.model import OperatingPoint
from ecgdash.domain.pairs import History

__all__ = ["NotApplicable", "Prediction", "Provenance", "VariantScore"]


@dataclass(frozen=True)
class VariantScore:
    """The score of one variant.

    Attributes
    ----------
    value : float
        Score in [0, 1], higher is worse; not a probability.
    threshold : OperatingPoint
        The family's Youden threshold at the time of scoring.
    history : History or None
        What the variant was told about the past; None for the uncalibrated one.
    """

    value: float
    threshold: OperatingPoint
    history: History | None = None

    @property
    def positive(self) -> bool:
        """At or above the threshold."""
        return self.value >= self.threshold.value


@dataclass(frozen=True)
class NotApplicable:
    """No score, and why, in one sentence."""

    reason: str


@dataclass(frozen=True)
class Provenance:
    """Where a prediction comes from (DESIGN decision 12).

    Attributes
    ----------
    software_version : str
        Of ECGDash, when the scores were made.
    backend : str
        What carried out the network that gave the base logits: its name, version, precision and
        kind of device, for instance "openvino 2026.4.1 float32 cpu". "": no network ran, or a
        version before it was kept. A change of backend alone never scores anew: in float32
        backends agree to 1e-5 in logits (docs/decisions/0017).
    """

    family: str
    weights_sha256: str
    preprocessing_version: int
    waveform_sha256: str
    software_version: str
    made_at: datetime
    backend: str = ""


@dataclass(frozen=True)
class Prediction:
    """Scores of one family for one ECG.

    Attributes
    ----------
    ecg : str
        Store key, or the content hash for a record that is not stored.
    scores : mapping of str to VariantScore or NotApplicable
        By variant, in the order of the family's card.
    base_logits : mapping of str to tuple of float
        By variant, per crop: the logit without history. A changed history
        needs these and no network.
    """

    ecg: str
    lead_set: LeadSet
    scores: Mapping[str, VariantScore | NotApplicable]
    base_logits: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    provenance: Provenance | None = None
