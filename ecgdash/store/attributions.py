"""Attributions, kept by the content they were made of; anything doubtful counts as absent."""

import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, or_, select
from sqlalchemy.exc import IntegrityError

from ecgdash.domain.attribution import WAVE_COLUMNS, Attribution, WaveTable
from ecgdash.store.base import StoreBase
from ecgdash.store.schema import attributions, ecgs

__all__ = ["AttributionKey", "AttributionsPart", "forget_attributions"]

_SUM_LOGIT: Final = 1e-3
"""How far the kept parts may lie from each other's sum: beyond rounding, a row is not trusted."""
_MOST_BINS: Final = 100_000
"""Far above any recording's; a damaged row must not ask for memory."""


@dataclass(frozen=True)
class AttributionKey:
    """All that an attribution depends on.

    Attributes
    ----------
    waveform_sha256, weights_sha256 : str
    reference_sha256 : str or None
        Waveform of the earlier ECG; None for the flat line.
    preprocessing_version, method_version : int
    variant : str
    """

    waveform_sha256: str
    reference_sha256: str | None
    weights_sha256: str
    preprocessing_version: int
    method_version: int
    variant: str


class AttributionsPart(StoreBase):
    """The store's methods about attributions."""

    def attribution(self, key: AttributionKey) -> Attribution | None:
        """Return a kept attribution; None if there is none, or it is damaged."""
        with self._reading() as connection:
            row = connection.execute(select(attributions).where(_is(key))).first()
        if row is None:
            return None
        try:
            return _attribution(row)
        except (ValueError, KeyError, TypeError, zlib.error):
            return None

    def save_attribution(self, made: Attribution, method_version: int) -> None:
        """Keep an attribution in place of one of the same content.

        Nothing is kept of a waveform that no stored ECG holds (any more).
        """
        key = AttributionKey(
            made.waveform_sha256,
            made.reference_sha256,
            made.weights_sha256,
            made.preprocessing_version,
            method_version,
            made.variant,
        )
        needed = {made.waveform_sha256, made.reference_sha256 or made.waveform_sha256}
        try:
            with self._writing() as connection:
                held = connection.execute(select(ecgs.c.sha256).where(ecgs.c.sha256.in_(needed)))
                if needed <= set(held.scalars()):
                    connection.execute(delete(attributions).where(_is(key)))
                    connection.execute(insert(attributions).values(_values(made, key)))
        except IntegrityError:
            return  # another process kept the same meanwhile


def forget_attributions(connection: Connection) -> None:
    """Remove what was made of waveforms that no stored ECG holds any more."""
    held = select(ecgs.c.sha256)
    own, other = attributions.c.waveform_sha256, attributions.c.reference_sha256
    connection.execute(
        delete(attributions).where(or_(own.not_in(held), and_(other != "", other.not_in(held))))
    )


def _is(key: AttributionKey) -> ColumnElement[bool]:
    columns = attributions.c
    return and_(*(columns[name] == value for name, value in _key_values(key).items()))


def _key_values(key: AttributionKey) -> dict[str, Any]:
    return {**vars(key), "reference_sha256": key.reference_sha256 or ""}


def _values(made: Attribution, key: AttributionKey) -> dict[str, Any]:
    return {
        **_key_values(key),
        "family": made.family,
        "bins": zlib.compress(made.bins.astype("<f4").tobytes()),
        "details": {
            "leads": list(made.leads),
            "start_s": made.start_s,
            "waves": made.waves.values.tolist(),
            "logit": made.logit,
            "reference_logit": made.reference_logit,
            "gap": made.gap,
            "earlier_logit": made.earlier_logit,
        },
    }


def _attribution(row: Row[Any]) -> Attribution:
    """Raise ValueError, KeyError, TypeError or zlib.error on a row that cannot be right."""
    told = row.details
    leads = tuple(str(name) for name in told["leads"])
    unpacked = zlib.decompressobj().decompress(row.bins, len(leads) * _MOST_BINS * 4)
    bins = np.frombuffer(unpacked, dtype="<f4").reshape(len(leads), -1).astype(np.float32)
    waves = np.array(told["waves"], dtype=np.float64).reshape(len(leads), len(WAVE_COLUMNS))
    logit, against, gap = (float(told[name]) for name in ("logit", "reference_logit", "gap"))
    earlier = told["earlier_logit"]
    sums = np.array([bins.sum(dtype=np.float64), waves.sum()])
    # "not below" rather than "above", so that NaN is refused as well
    if not (np.abs(sums - (logit - against)) <= abs(gap) + _SUM_LOGIT).all():
        raise ValueError("the parts do not add up")
    if (earlier is None) != (row.reference_sha256 == ""):
        raise ValueError("the reference is another")
    return Attribution(
        family=row.family,
        variant=row.variant,
        weights_sha256=row.weights_sha256,
        preprocessing_version=row.preprocessing_version,
        waveform_sha256=row.waveform_sha256,
        reference="earlier" if row.reference_sha256 else "zero",
        reference_sha256=row.reference_sha256 or None,
        start_s=float(told["start_s"]),
        leads=leads,
        bins=bins,
        waves=WaveTable(leads, waves),
        logit=logit,
        reference_logit=against,
        gap=gap,
        earlier_logit=None if earlier is None else float(earlier),
    )
