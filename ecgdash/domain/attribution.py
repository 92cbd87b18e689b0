"""What moved a score: contributions of an ECG's samples to one variant's logit."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecgdash.errors import InvalidValue

__all__ = ["BIN_S", "WAVE_COLUMNS", "Attribution", "Reference", "WaveTable"]

Reference = Literal["zero", "earlier"]
"""What an ECG is compared with: a flat line, or the patient's own earlier ECG."""

WAVE_COLUMNS: Final = ("P", "QRS", "ST", "T", "rest")
"""Columns of a lead-by-wave table; "rest" is what lies between the waves."""

BIN_S: Final = 0.04
"""One small square at 25 mm/s: the finest step that a map is shown in (our choice)."""


@dataclass(frozen=True, eq=False)
class WaveTable:
    """Contributions summed by lead and wave.

    Attributes
    ----------
    leads : tuple of str
    values : ndarray of float64, shape (n_leads, 5)
        Logits; columns as `WAVE_COLUMNS`.
    """

    leads: tuple[str, ...]
    values: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check the shape."""
        if self.values.shape != (len(self.leads), len(WAVE_COLUMNS)):
            raise InvalidValue(
                f"a lead-by-wave table of shape {self.values.shape}",
                accepted=f"Accepted: {len(self.leads)} leads by {len(WAVE_COLUMNS)} waves",
            )


@dataclass(frozen=True, eq=False)
class Attribution:
    """What moved one variant's logit without history, against a reference.

    The mean over the three crops, laid on the time axis of the scored window.

    Attributes
    ----------
    family, variant : str
    weights_sha256, waveform_sha256 : str
        Of the network, and of the ECG.
    preprocessing_version : int
    reference : {"zero", "earlier"}
    reference_sha256 : str or None
        Waveform of the earlier ECG; None for the flat line.
    start_s : float
        Where the first bin starts in the recording.
    leads : tuple of str
    bins : ndarray of float32, shape (n_leads, n_bins)
        Logits per `BIN_S`, above 0 where the ECG raised the score against the reference.
    waves : WaveTable
        The same logits by lead and wave.
    logit, reference_logit : float
        Means over the crops, of the ECG and of the reference as the network saw it.
    gap : float
        Largest distance over the crops between the sum of a crop's contributions and its logit
        minus the reference's; 0 if the map is complete.
    earlier_logit : float or None
        Mean logit of the earlier ECG as it was scored. What it differs from `reference_logit` is
        what aligning the beats cannot keep (rate and rhythm). None for the flat line.
    """

    family: str
    variant: str
    weights_sha256: str
    preprocessing_version: int
    waveform_sha256: str
    reference: Reference
    reference_sha256: str | None
    start_s: float
    leads: tuple[str, ...]
    bins: NDArray[np.float32]
    waves: WaveTable
    logit: float
    reference_logit: float
    gap: float
    earlier_logit: float | None = None
