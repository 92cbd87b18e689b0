"""Whether a map can be trusted: the checks of one ECG, as `ecgdash.domain.trust` words them.

Sources: shuffled weights, Adebayo et al. 2018; deletion, Samek et al. 2017. Sizes (40 ms cells,
10 %, ten draws) are stated in neither for ECGs: our choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.attribution import BIN_S, WaveTable
from ecgdash.errors import InvalidValue
from ecgdash.signal.preprocess import MODEL_SAMPLING_HZ
from ecgdash.stats.ranks import rank_correlation

if TYPE_CHECKING:
    from ecgdash.inference import Engine

__all__ = [
    "N_DRAWS",
    "Deletion",
    "agreement",
    "binned",
    "crop_stability",
    "deletion",
    "in_steps",
    "pointing",
    "relative_gap",
]

Floats = NDArray[np.float64]

CELL: Final = round(BIN_S * MODEL_SAMPLING_HZ)
"""Samples of a 40 ms cell at the networks' rate."""
DELETED_SHARE: Final = 0.10
N_DRAWS: Final = 10
NO_DIFFERENCE: Final = 0.01
"""Logits; a smaller difference counts as this one."""
N_WAVES: Final = 4
"""P, QRS, ST and T: the rest between the waves is no cell that could be pointed at."""


@dataclass(frozen=True)
class Deletion:
    """What a variant's logit lost when cells were set to zero, the mean over the crops.

    Attributes
    ----------
    top : float
        Fall for the 10 % of cells that raise it most.
    amplitude : float
        Fall for the 10 % of cells with the largest mean amplitude.
    random : float
        Mean size of the change for ten random draws of 10 %.
    """

    top: float
    amplitude: float
    random: float


def binned(values: NDArray[np.floating]) -> Floats:
    """Sum over 40 ms cells: (..., n_samples) -> (..., n_samples // 10)."""
    n = values.shape[-1] // CELL
    cells = values[..., : n * CELL].astype(np.float64)
    return np.asarray(cells.reshape(*values.shape[:-1], n, CELL).sum(axis=-1))


def relative_gap(gap: Floats, logits: Floats, reference_logits: Floats) -> float:
    """Return the largest gap of the crops over the difference that the parts must add up to."""
    difference = np.maximum(np.abs(logits - reference_logits), NO_DIFFERENCE)
    return float((np.abs(gap) / difference).max())


def crop_stability(values: NDArray[np.floating], starts_s: Floats) -> float:
    """Return the mean rank correlation of the three pairs of crops where all overlap.

    Parameters
    ----------
    values : ndarray, shape (3, n_leads, n_samples)
        Contributions.
    starts_s : ndarray, shape (3,)
        Where each crop starts.
    """
    shift = np.rint((starts_s.max() - starts_s) * MODEL_SAMPLING_HZ).astype(int)
    n = values.shape[-1] - int(shift.max())
    maps = [binned(crop[:, first : first + n]) for crop, first in zip(values, shift, strict=True)]
    return float(np.mean([rank_correlation(a, b) for a, b in combinations(maps, 2)]))


def agreement(
    values: NDArray[np.floating], courses: NDArray[np.floating], samples_per_step: int
) -> float:
    """Return the mean over crops of the rank correlation with Grad-CAM, in its steps.

    Parameters
    ----------
    values : ndarray, shape (n_crops, n_leads, n_samples)
        Contributions; summed over the leads.
    courses : ndarray, shape (n_crops, n_steps)
        Signed Grad-CAM.
    samples_per_step : int
    """
    steps = in_steps(values, courses.shape[1], samples_per_step)
    return float(np.mean([rank_correlation(a, b) for a, b in zip(steps, courses, strict=True)]))


def in_steps(values: NDArray[np.floating], n_steps: int, samples_per_step: int) -> Floats:
    """Sum contributions over leads and around each step's centre: (n_crops, n_steps)."""
    at = np.arange(values.shape[-1])
    step = np.minimum(np.floor(at / samples_per_step + 0.5).astype(int), n_steps - 1)
    course = values.astype(np.float64).sum(axis=1)
    return np.stack([np.bincount(step, crop, minlength=n_steps) for crop in course])


def deletion(
    engine: "Engine",
    crops: NDArray[np.float32],
    maps: Mapping[str, NDArray[np.floating]],
    rng: np.random.Generator,
) -> dict[str, Deletion]:
    """Set a tenth of the cells to zero, crop by crop, and compare the falls of the logits.

    Parameters
    ----------
    engine : Engine
    crops : ndarray of float32, shape (3, n_leads, n_samples)
    maps : mapping of str to ndarray of the shape of `crops`
        Contributions by variant, against the flat line.
    rng : Generator
        Draws the random cells, the same for all variants.
    """
    n_cells = crops.shape[1] * (crops.shape[2] // CELL)
    n_deleted = round(DELETED_SHARE * n_cells)
    amplitude = binned(np.abs(crops)).reshape(len(crops), n_cells)
    noise = [rng.random((len(crops), n_cells)) for _ in range(N_DRAWS)]
    by_size = [_without(crops, one, n_deleted) for one in (amplitude, *noise)]
    raising = [
        _without(crops, binned(values).reshape(len(crops), n_cells), n_deleted, above=0.0)
        for values in maps.values()
    ]
    logits = engine.base_logits_from_crops(np.stack([crops, *by_size, *raising])).mean(axis=2)
    found = {}
    for place, name in enumerate(maps):
        column = logits[:, engine.variants.index(name)]
        falls = column[0] - column[1:]
        found[name] = Deletion(
            top=float(falls[1 + N_DRAWS + place]),
            amplitude=float(falls[0]),
            random=float(np.abs(falls[1 : 1 + N_DRAWS]).mean()),
        )
    return found


def _without(
    crops: NDArray[np.float32], rank_by: Floats, n_deleted: int, above: float = -np.inf
) -> NDArray[np.float32]:
    """Set the cells with the largest values to zero; never one that is not above the limit."""
    taken = np.zeros(rank_by.shape, dtype=bool)
    top = np.argsort(-rank_by, axis=1, kind="stable")[:, :n_deleted]
    np.put_along_axis(taken, top, True, axis=1)
    taken &= rank_by > above
    cells = taken.reshape(len(crops), crops.shape[1], -1)
    left = crops.copy()
    left[..., : cells.shape[2] * CELL][np.repeat(cells, CELL, axis=2)] = 0.0
    return left


def pointing(found: WaveTable, cause: WaveTable) -> float:
    """Return the share of the absolute contributions in the quarter of cells that matter most.

    Parameters
    ----------
    found : WaveTable
        Contributions; or any other figures by lead and wave.
    cause : WaveTable
        Sizes, of the same leads: through which cells the cause shows.

    Returns
    -------
    float
        In [0, 1] over P, QRS, ST and T; 0.25 if all cells are alike. NaN if all are 0.

    Raises
    ------
    InvalidValue
        If the leads differ.
    """
    if found.leads != cause.leads:
        raise InvalidValue("cause and contributions are of other leads")
    sizes = np.abs(found.values[:, :N_WAVES]).ravel()
    order = np.argsort(-cause.values[:, :N_WAVES].ravel(), kind="stable")
    total = sizes.sum()
    return float(sizes[order[: len(order) // 4]].sum() / total) if total > 0 else float("nan")
