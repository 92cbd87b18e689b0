"""At which moments of an ECG the network's last block carries a score: Grad-CAM for the eye."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.attribution import BIN_S
from ecgdash.errors import InvalidValue
from ecgdash.store import Store

if TYPE_CHECKING:
    from ecgdash.inference import Engine

__all__ = ["Moments", "moments"]


@dataclass(frozen=True, eq=False)
class Moments:
    """Grad-CAM of the last block, the mean over the crops.

    Attributes
    ----------
    start_s : float
        Where the first bin starts in the recording.
    bins : ndarray of float32, shape (n_bins,)
        Mean per `BIN_S`, above 0 where the score is raised; no unit, and no sum of meaning.
        0 where no crop lies.
    step_s : float
        What the network's block tells apart; finer steps are drawn between.
    """

    start_s: float
    bins: NDArray[np.float32]
    step_s: float


def moments(store: Store, engine: "Engine", ecg_key: str, variant: str) -> Moments:
    """Return at which moments a variant's last block carries the score of a stored ECG.

    Raises
    ------
    NotFound
        If the store holds no such ECG.
    InputDoesNotFitModel
        If the ECG lacks leads or length that the family needs.
    InvalidValue
        If the family has no such variant.
    """
    from ecgdash.explain.gradcam import grad_cam, samples_per_step, to_samples
    from ecgdash.explain.rollup import crop_times_s
    from ecgdash.signal.preprocess import MODEL_SAMPLING_HZ
    from ecgdash.signal.window import scored_window

    if variant not in engine.variants:
        raise InvalidValue(
            f"{engine.card.family} has no variant {variant!r}",
            accepted=f"Accepted: {', '.join(engine.variants)}",
        )
    record = store.record(ecg_key)
    crops = engine.crops(record)
    stride = samples_per_step(engine.net)
    courses = to_samples(grad_cam(engine.net, crops, variant), crops.shape[-1], stride)
    window = scored_window(record.signal_mv, record.sampling_hz)
    start_s, stop_s = window.seconds
    n_bins = int(np.ceil((stop_s - start_s) / BIN_S - 1e-6))
    at = crop_times_s(window, crops.shape[-1])
    bin_of = np.clip(((at - start_s) / BIN_S + 1e-6).astype(np.intp), 0, n_bins - 1).ravel()
    sums = np.bincount(bin_of, courses.ravel().astype(np.float64), minlength=n_bins)
    counts = np.bincount(bin_of, minlength=n_bins)
    means = sums / np.maximum(counts, 1)
    return Moments(start_s, means.astype(np.float32), stride / MODEL_SAMPLING_HZ)
