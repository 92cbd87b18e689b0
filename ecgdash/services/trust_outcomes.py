"""From one figure an ECG to the outcome of each check."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import Estimate
from ecgdash.domain.trust import TRUST_MARKS, TrustCheck, TrustMark

__all__ = ["outcomes"]

Floats = NDArray[np.float64]
Figures = Mapping[str, Sequence[float]]
Answer = tuple[Estimate, float | None, int]


def outcomes(figures: Figures) -> tuple[TrustCheck, ...]:
    """Return each check's outcome for one variant, in the order of `TRUST_MARKS`.

    Parameters
    ----------
    figures : mapping of str to sequence of float
        One figure an ECG; NaN where it is not defined. Of keys: "gap" and "gap_earlier" (relative
        gaps against either reference), "shuffled" and "shuffled sizes", "top", "random" and
        "amplitude" (falls of the logit), "block 4" and "block 3", "crops", "pointing" and
        "pointing amplitude".
    """
    return tuple(_outcome(mark, figures) for mark in TRUST_MARKS)


def _outcome(mark: TrustMark, figures: Mapping[str, Sequence[float]]) -> TrustCheck:
    """Return one check's outcome: median and quartiles over ECGs, or as its mark says."""
    result, aside, n = _ANSWERS[mark.key](figures)
    return TrustCheck(mark.key, result, aside, mark.is_passed(result.value, aside), n)


def _quartiles(values: Floats) -> Estimate:
    low, middle, high = np.nanpercentile(values, (25, 50, 75)).tolist()
    return Estimate(middle, low, high)


def _median_of(key: str, aside: str | None = None) -> Callable[[Figures], Answer]:
    def answer(figures: Figures) -> Answer:
        values = np.array(figures[key])
        second = None if aside is None else float(np.nanmedian(figures[aside]))
        return _quartiles(values), second, int(np.isfinite(values).sum())

    return answer


def _completeness(figures: Figures) -> Answer:
    largest = max([*figures["gap"], *figures.get("gap_earlier", ())])
    return Estimate(largest, largest, largest), None, len(figures["gap"])


def _randomisation(figures: Figures) -> Answer:
    values = np.array(figures["shuffled"])
    if np.nanmedian(values) < 0:
        values = -values  # an inverted map depends on the weights as little
    aside = float(np.nanmedian(figures["shuffled sizes"]))
    return _quartiles(values), aside, int(np.isfinite(values).sum())


def _deletion(figures: Figures) -> Answer:
    top, random, size = (np.array(figures[key]) for key in ("top", "random", "amplitude"))
    ratio = _quartiles(top / random)
    value = float(np.median(top) / np.median(random))
    aside = float(np.median(top) / np.median(size))
    return Estimate(value, ratio.low, ratio.high), aside, len(top)


_ANSWERS: Final[Mapping[str, Callable[[Figures], Answer]]] = {
    "completeness": _completeness,
    "randomisation": _randomisation,
    "deletion": _deletion,
    "agreement": _median_of("block 4", "block 3"),
    "crops": _median_of("crops"),
    "pointing": _median_of("pointing", "pointing amplitude"),
}
