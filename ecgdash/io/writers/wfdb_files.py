"""WFDB records: format 16 (or 32), with facts in comment lines that our reader knows."""

import re
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import EcgRecord
from ecgdash.errors import InvalidValue

__all__ = ["write_wfdb"]

_NAME: Final = re.compile(r"^[A-Za-z0-9_-]+$")
DEFAULT_STEP_UV: Final = 1.0
_INT16_MAX: Final = 32767
_INT32_MAX: Final = 2**31 - 1


def write_wfdb(record: EcgRecord, folder: Path | str, name: str) -> Path:
    """Write `name.hea` and `name.dat`.

    Parameters
    ----------
    record : EcgRecord
        Steps of `lsb_uv` are kept exactly; without them samples are rounded
        to whole microvolts. NaN becomes WFDB's invalid-sample value.
    folder : Path or str
        Must exist.
    name : str
        Letters, digits, "_" and "-" (WFDB's rule for record names).

    Returns
    -------
    Path
        The header.

    Raises
    ------
    InvalidValue
        If the name is not a WFDB record name, an amplitude does not fit 32 bits, or the
        record is in arbitrary units.
    """
    import wfdb

    record.require_millivolts("a WFDB file")

    if not _NAME.match(name):
        raise InvalidValue(
            f"{name!r} is no WFDB record name", accepted="Accepted: letters, digits, _ and -"
        )
    steps = record.lsb_uv or (DEFAULT_STEP_UV,) * len(record.leads)
    counts = _counts(record.signal_mv, steps)
    bits = 16 if np.nanmax(np.abs(counts), initial=0.0) <= _INT16_MAX else 32
    if bits == 32 and np.nanmax(np.abs(counts)) > _INT32_MAX:
        raise InvalidValue("an amplitude does not fit 32 bits", todo="Check the units")
    # WFDB marks an absent sample by the smallest value of the format
    invalid = -(2 ** (bits - 1))
    digital = np.where(np.isnan(counts), invalid, counts).astype(np.int64)
    wfdb.wrsamp(
        name,
        fs=record.sampling_hz,
        units=["mV"] * len(record.leads),
        sig_name=list(record.leads),
        d_signal=digital.T,
        fmt=[str(bits)] * len(record.leads),
        adc_gain=[1000.0 / step for step in steps],
        baseline=[0] * len(record.leads),
        comments=_comments(record),
        base_date=record.recorded_at.date() if record.recorded_at else None,
        base_time=record.recorded_at.time() if record.recorded_at else None,
        write_dir=str(folder),
    )
    return Path(folder) / f"{name}.hea"


def _counts(signal_mv: NDArray[np.float32], steps: tuple[float, ...]) -> NDArray[np.float64]:
    scale = 1000.0 / np.asarray(steps, dtype=np.float64)[:, None]
    counts: NDArray[np.float64] = np.rint(signal_mv.astype(np.float64) * scale)
    return counts


def _comments(record: EcgRecord) -> list[str]:
    facts: list[tuple[str, Any]] = [
        ("Patient ID", record.patient_id),
        ("Age", None if record.age_years is None else f"{record.age_years:g}"),
        ("Sex", record.sex),
        ("Time zone", "+00:00" if record.recorded_at else None),
        ("Local day", record.local_day.isoformat() if record.local_day else None),
        ("Device", record.device),
        ("Filters", record.filters),
    ]
    facts += [(key, f"{value:g}") for key, value in record.measurements.items()]
    facts += [("Statement", text) for text in record.statements]
    return [f"{key}: {_one_line(value)}" for key, value in facts if value is not None]


def _one_line(value: object) -> str:
    return " ".join(str(value).split())
