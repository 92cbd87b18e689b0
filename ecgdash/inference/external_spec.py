"""What an external scorer expects and means (docs/external-models.md); read by `external_keys`."""

import hashlib
from dataclasses import dataclass
from typing import Final

from ecgdash.domain.leads import LEADS_OF_SET, LeadSet

__all__ = ["EXTRA_INPUTS", "NOT_STATED", "ExternalSpec", "StatedThreshold"]

NOT_STATED: Final = "not stated"
EXTRA_INPUTS: Final = {"none": 0, "pulse-hf-15": 15}
"""Numbers handed over beside the ECG, and how many."""

_RULES_VERSION: Final = 1
"""Goes up with any change of `signal.model_input` or `external_engine` that moves a score."""
_MOVE_A_SCORE: Final = (
    "leads",
    "sampling_hz",
    "n_samples",
    "layout",
    "divide_by",
    "resampling",
    "band_hz",
    "crops",
    "if_short",
    "normalisation",
    "normalise_to",
    "activation",
    "n_outputs",
    "output_index",
    "extra_inputs",
    "number_type",
    "architecture",
)


@dataclass(frozen=True)
class StatedThreshold:
    """A threshold as its source states it; None and NaN stand for what is not stated.

    Attributes
    ----------
    value : float or None
        In (0, 1); None: the source states no threshold.
    rule, data : str
        How and on which data it was chosen, in words.
    n, n_positive : int or None
    sensitivity, specificity : float or None
        On those data, in [0, 1].
    """

    value: float | None
    rule: str
    data: str
    n: int | None
    n_positive: int | None
    sensitivity: float | None
    specificity: float | None


@dataclass(frozen=True)
class ExternalSpec:
    """One external scorer; the keys are told in docs/external-models.md.

    Attributes
    ----------
    leads : tuple of str
        In the order that the network reads.
    sampling_hz : float
    n_samples : int
        Of one crop.
    divide_by : float
        Millivolts are divided by it; 1 leaves millivolts.
    band_hz : (float, float) or None
    normalise_to : float or None
        Mean magnitude of lead I's spectrum after the scaling of each ECG.
    label : str
        Short definition, the horizon excluded.
    """

    name: str
    title: str
    format: str
    leads: tuple[str, ...]
    sampling_hz: float
    n_samples: int
    layout: str
    divide_by: float
    resampling: str
    band_hz: tuple[float, float] | None
    crops: str
    if_short: str
    normalisation: str
    activation: str
    n_outputs: int
    output_index: int
    label: str
    label_definition: str
    horizon: str
    licence: str
    source: str
    threshold: StatedThreshold
    trained_on: str = NOT_STATED
    trained_on_simulated: bool = False
    architecture: str | None = None
    normalise_to: float | None = None
    extra_inputs: str = "none"
    number_type: str = "float32"
    sha256: str | None = None
    must_not: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def lead_set(self) -> LeadSet:
        """The smallest lead set that holds the leads: what an ECG needs to be scored."""
        fitting = [name for name, held in LEADS_OF_SET.items() if set(self.leads) <= set(held)]
        return min(fitting, key=lambda name: len(LEADS_OF_SET[name]))

    @property
    def n_crops(self) -> int:
        """Crops of one ECG; its score is the mean of theirs."""
        return 3 if self.crops == "three" else 1

    @property
    def preprocessing_version(self) -> int:
        """A number made of all keys that move a score: another value scores ECGs anew."""
        keys = [f"{key}={getattr(self, key)!r}" for key in _MOVE_A_SCORE]
        digest = hashlib.sha256("\n".join([f"rules={_RULES_VERSION}", *keys]).encode())
        return int(digest.hexdigest()[:7], 16)

    @property
    def full_label(self) -> str:
        """The label with its horizon: scores of different ones are never compared."""
        return self.label if self.horizon == "now" else f"{self.label}, {self.horizon}"
