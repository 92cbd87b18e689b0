"""Whether the six limb leads fit together, and which exchange of leads explains a misfit.

Electrodes exchanged on the patient leave Einthoven's and Goldberger's laws intact, since the
cart derives all six leads from the same three electrodes; exchanged or inverted lead rows break
them, and putting the right two rows back mends them. Both are told apart here.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.signal.leads import LIMB_FROM_I_II

__all__ = ["LimbFit", "limb_fit", "repairs", "smallest_bipolar"]

_LIMB: Final = tuple(LIMB_FROM_I_II)
_LAWS: Final = np.array(
    [
        [-a, -b, *(1.0 if name == other else 0.0 for other in _LIMB[2:])]
        for name, (a, b) in list(LIMB_FROM_I_II.items())[2:]
    ]
)
"""Each row applied to the six leads gives 0: III - II + I and so on."""


@dataclass(frozen=True)
class LimbFit:
    """How far the limb leads are from the laws.

    Attributes
    ----------
    lead : str
        The lead that departs most from what I and II imply.
    departure : float
        Root mean square of its departure over that of the largest limb lead; offsets
        do not count.
    """

    lead: str
    departure: float


def limb_fit(six_mv: NDArray[np.floating]) -> LimbFit | None:
    """Judge the six limb leads against each other.

    Parameters
    ----------
    six_mv : ndarray, shape (6, n_samples)
        I, II, III, aVR, aVL, aVF; millivolts, finite.

    Returns
    -------
    LimbFit or None
        None where all six are flat.
    """
    gram = _gram(six_mv)
    largest = np.sqrt(gram.diagonal().max())
    if largest == 0.0:
        return None
    departures = _departures(gram) / largest
    worst = int(departures.argmax())
    return LimbFit(_LIMB[2 + worst], float(departures[worst]))


def repairs(six_mv: NDArray[np.floating], at_most: float) -> tuple[str, ...]:
    """Return the single exchanges or inversions of lead rows that make the laws hold.

    Parameters
    ----------
    six_mv : ndarray, shape (6, n_samples)
    at_most : float
        The departure (see `LimbFit`) up to which the laws count as held.

    Returns
    -------
    tuple of str
        For instance ("leads I and aVL are exchanged",), the best first; empty: none does.
    """
    gram = _gram(six_mv)
    largest = np.sqrt(gram.diagonal().max())
    found = []
    for first, second in combinations(range(6), 2):
        order = list(range(6))
        order[first], order[second] = second, first
        departure = float(_departures(gram[np.ix_(order, order)]).max())
        found.append((departure, f"leads {_LIMB[first]} and {_LIMB[second]} are exchanged"))
    for row in range(6):
        sign = np.ones(6)
        sign[row] = -1.0
        departure = float(_departures(gram * np.outer(sign, sign)).max())
        found.append((departure, f"lead {_LIMB[row]} is inverted"))
    return tuple(words for departure, words in sorted(found) if departure <= at_most * largest)


def smallest_bipolar(six_mv: NDArray[np.floating]) -> tuple[str, float]:
    """Return which of I, II and III is the smallest, and its size over that of the largest lead.

    Parameters
    ----------
    six_mv : ndarray, shape (6, n_samples)
    """
    sizes = np.sqrt(_gram(six_mv).diagonal())
    smallest = int(sizes[:3].argmin())
    return _LIMB[smallest], float(sizes[smallest] / max(sizes.max(), 1e-9))


def _gram(six_mv: NDArray[np.floating]) -> NDArray[np.float64]:
    centred = six_mv.astype(np.float64)
    centred -= centred.mean(axis=-1, keepdims=True)
    gram: NDArray[np.float64] = centred @ centred.T / centred.shape[-1]
    return gram


def _departures(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the root mean square of each law's remainder, from the rows' products alone."""
    squares = np.einsum("li,ij,lj->l", _LAWS, gram, _LAWS)
    departures: NDArray[np.float64] = np.sqrt(np.maximum(squares, 0.0))
    return departures
