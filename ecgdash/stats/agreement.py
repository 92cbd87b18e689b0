"""How well two measurements of the same thing agree: limits of agreement, CCC, kappa.

Pairs of one patient are not independent. Given whose each pair is, the intervals of CCC and
kappa come from a bootstrap over patients instead of the asymptotic formula.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgdash.domain import Estimate
from ecgdash.errors import InvalidValue
from ecgdash.stats._validation import Floats

__all__ = ["LimitsOfAgreement", "cohens_kappa", "concordance", "limits_of_agreement"]

Z_95 = 1.959963984540054
"""97.5 % quantile of the normal distribution."""

LIMITS_SD = 1.96
"""Standard deviations from the mean to a limit (Bland and Altman)."""

_NAN = float("nan")
_Statistic = Callable[[Floats], Floats]


class LimitsOfAgreement(NamedTuple):
    """Differences of paired measurements (Bland and Altman, Lancet 1986;327:307).

    Attributes
    ----------
    mean, sd : float
        Of second minus first; standard deviation with n - 1.
    lower, upper : Estimate
        mean -/+ 1.96 sd, with the 95 % interval of each limit.
    """

    mean: float
    sd: float
    lower: Estimate
    upper: Estimate


def limits_of_agreement(first: ArrayLike, second: ArrayLike) -> LimitsOfAgreement:
    """Return the 95 % limits of agreement of second minus first.

    The interval of a limit is limit -/+ t s sqrt(1/n + 1.96^2 / (2 (n - 1))) (Bland and
    Altman, Stat Methods Med Res 1999;8:135); it takes the pairs as independent.

    Parameters
    ----------
    first, second : array-like of float, shape (n,)

    Returns
    -------
    LimitsOfAgreement
        All NaN below two pairs.

    Raises
    ------
    InvalidValue
        If the shapes differ or a value is not finite.
    """
    x, y = _paired(first, second)
    n = x.size
    if n < 2:
        nothing = Estimate(_NAN, _NAN, _NAN)
        return LimitsOfAgreement(_NAN, _NAN, nothing, nothing)
    from scipy.special import stdtrit

    difference = y - x
    mean, sd = float(difference.mean()), float(difference.std(ddof=1))
    error = sd * np.sqrt(1.0 / n + LIMITS_SD**2 / (2.0 * (n - 1)))
    reach = float(stdtrit(n - 1, 0.975) * error)
    limits = (mean - LIMITS_SD * sd, mean + LIMITS_SD * sd)
    lower, upper = (Estimate(limit, limit - reach, limit + reach) for limit in limits)
    return LimitsOfAgreement(mean, sd, lower, upper)


def concordance(
    first: ArrayLike,
    second: ArrayLike,
    patient: ArrayLike | None = None,
    *,
    n_replicates: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Return Lin's concordance correlation coefficient with its 95 % interval.

    Moments are divided by n (Lin, Biometrics 1989;45:255). Without `patient` the interval is
    the asymptotic one by the z-transform, with the variance as corrected in Biometrics
    2000;56:324; with it, the percentile interval over resampled patients.

    Parameters
    ----------
    first, second : array-like of float, shape (n,)
    patient : array-like, shape (n,), optional
        Whose each pair is.

    Returns
    -------
    Estimate
        In [-1, 1]. NaN where nothing varies; NaN limits without patients below 3 pairs or for
        a perfect or absent correlation, where the formula has no value.

    Raises
    ------
    InvalidValue
        If the shapes differ or a value is not finite.
    """
    x, y = _paired(first, second)
    if x.size == 0:
        return Estimate(_NAN, _NAN, _NAN)
    # The coefficient does not move with the origin, but sums of squares lose digits far from it.
    centre = (x.mean() + y.mean()) / 2.0
    x, y = x - centre, y - centre
    columns = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    if patient is not None:
        return _over_patients(columns, _concordance_of_sums, patient, n_replicates, seed)
    ccc = float(_concordance_of_sums(columns.sum(axis=0)))
    error = _z_error(x, y, ccc)
    if not np.isfinite(error):
        return Estimate(ccc, _NAN, _NAN)
    z = np.arctanh(ccc)
    return Estimate(ccc, float(np.tanh(z - Z_95 * error)), float(np.tanh(z + Z_95 * error)))


def cohens_kappa(
    first: ArrayLike,
    second: ArrayLike,
    patient: ArrayLike | None = None,
    *,
    n_replicates: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Return Cohen's kappa of two yes/no judgements with its 95 % interval.

    Without `patient` the interval is kappa -/+ 1.96 standard errors (Fleiss, Cohen and
    Everitt, Psychol Bull 1969;72:323); with it, the percentile interval over resampled
    patients.

    Parameters
    ----------
    first, second : array-like of bool or 0/1, shape (n,)
    patient : array-like, shape (n,), optional
        Whose each pair is.

    Returns
    -------
    Estimate
        In [-1, 1]. NaN where all judgements are the same, so that chance agrees as well.

    Raises
    ------
    InvalidValue
        If the shapes differ or a judgement is neither 0 nor 1.
    """
    x, y = _paired(first, second)
    if not (np.isin(x, (0.0, 1.0)).all() and np.isin(y, (0.0, 1.0)).all()):
        raise InvalidValue("a judgement is neither 0 nor 1", accepted="Accepted: 0, 1, False, True")
    columns = np.stack([np.ones_like(x), x, y, x * y], axis=1)
    if patient is not None:
        return _over_patients(columns, _kappa_of_sums, patient, n_replicates, seed)
    kappa = float(_kappa_of_sums(columns.sum(axis=0)))
    reach = Z_95 * _kappa_error(x, y, kappa)
    return Estimate(kappa, max(-1.0, kappa - reach), min(1.0, kappa + reach))


def _paired(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise InvalidValue(
            f"measurements of shapes {x.shape} and {y.shape} are not pairs",
            accepted="Expected two vectors of the same length",
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InvalidValue("a measurement is not finite", todo="Leave out pairs that lack one")
    return x, y


def _concordance_of_sums(sums: Floats) -> Floats:
    """(..., [n, x, y, xx, yy, xy]) -> (...)."""
    n, *rest = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_x, mean_y, xx, yy, xy = (total / n for total in rest)
        spread = (xx - mean_x**2) + (yy - mean_y**2) + (mean_x - mean_y) ** 2
        value: Floats = 2.0 * (xy - mean_x * mean_y) / np.where(spread > 0, spread, np.nan)
    return value


def _z_error(x: Floats, y: Floats, ccc: float) -> float:
    """Return the standard error of atanh(ccc); NaN where the formula has no value."""
    n = x.size
    sd_x, sd_y = x.std(), y.std()
    if n < 3 or sd_x == 0.0 or sd_y == 0.0:
        return _NAN
    r = float(((x - x.mean()) * (y - y.mean())).mean() / (sd_x * sd_y))
    if not 0.0 < abs(r) < 1.0 or abs(ccc) >= 1.0:
        return _NAN
    u2 = float((x.mean() - y.mean()) ** 2 / (sd_x * sd_y))
    c2 = ccc**2
    variance = (
        (1 - r**2) * c2 / ((1 - c2) * r**2)
        + 2 * ccc**3 * (1 - ccc) * u2 / (r * (1 - c2) ** 2)
        - ccc**4 * u2**2 / (2 * r**2 * (1 - c2) ** 2)
    ) / (n - 2)
    return float(np.sqrt(variance)) if variance > 0 else _NAN


def _kappa_of_sums(sums: Floats) -> Floats:
    """(..., [n, first, second, both]) -> (...)."""
    n, *rest = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        p, q, both = (total / n for total in rest)
        by_chance = p * q + (1 - p) * (1 - q)
        observed = 1.0 - p - q + 2.0 * both
        value: Floats = (observed - by_chance) / np.where(by_chance < 1, 1 - by_chance, np.nan)
    return value


def _kappa_error(x: Floats, y: Floats, kappa: float) -> float:
    """Return the standard error of kappa where it is not zero (Fleiss and others 1969, eq. 13)."""
    n = x.size
    if not np.isfinite(kappa):
        return _NAN
    share = np.array([[(1 - x) @ (1 - y), (1 - x) @ y], [x @ (1 - y), x @ y]]) / n
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    by_chance = float(rows @ columns)
    agreed = sum(share[i, i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in range(2))
    differed = (1 - kappa) ** 2 * sum(
        share[i, 1 - i] * (columns[i] + rows[1 - i]) ** 2 for i in range(2)
    )
    variance = agreed + differed - (kappa - by_chance * (1 - kappa)) ** 2
    return float(np.sqrt(max(variance, 0.0) / n) / (1 - by_chance))


def _over_patients(
    columns: Floats, statistic: _Statistic, patient: ArrayLike, n_replicates: int, seed: int
) -> Estimate:
    """Return a function of column sums with its percentile interval over resampled patients."""
    sums = _sums_by_patient(columns, patient)
    value = float(statistic(sums.sum(axis=0)))
    if not len(sums):
        return Estimate(value, _NAN, _NAN)
    n = len(sums)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(n, np.full(n, 1.0 / n), size=n_replicates).astype(np.float64)
    replicates = statistic(draws @ sums)
    defined = replicates[~np.isnan(replicates)]
    # As for the AUROC: no interval where more than 5 % of the replicates have no value.
    if defined.size < 0.95 * n_replicates:
        return Estimate(value, _NAN, _NAN)
    low, high = np.quantile(defined, (0.025, 0.975))
    return Estimate(value, float(low), float(high))


def _sums_by_patient(columns: Floats, patient: ArrayLike) -> Floats:
    ids = np.asarray(patient)
    if ids.shape != columns.shape[:1]:
        raise InvalidValue(f"{ids.shape} patient ids for {len(columns)} pairs")
    known, place = np.unique(ids, return_inverse=True)
    sums: NDArray[np.float64] = np.zeros((len(known), columns.shape[1]))
    np.add.at(sums, place, columns)
    return sums
