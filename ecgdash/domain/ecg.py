"""The ECG record: what every reader returns and every other layer works on."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.leads import CANONICAL_LEADS, LeadSet, lead_sets_of
from ecgdash.errors import InvalidValue

__all__ = [
    "MEASUREMENT_KEYS",
    "OWN_MEASUREMENT_KEYS",
    "EcgRecord",
    "EcgRef",
    "Identity",
    "Sex",
    "content_hash",
    "normalise_patient_id",
]

Sex = Literal["male", "female"]

MEASUREMENT_KEYS: Final = (
    "heart_rate_bpm",
    "pr_ms",
    "qrs_ms",
    "qt_ms",
    "qtc_ms",
    "p_axis_deg",
    "qrs_axis_deg",
    "t_axis_deg",
)
"""Names of the cart's measurements; `qtc_ms` is the cart's own, formula as the cart chose."""

OWN_MEASUREMENT_KEYS: Final = (
    *MEASUREMENT_KEYS,
    "qtc_fridericia_ms",
    "p_ms",
    "rr_cv",
    "p_consistency",
    "n_beats",
    "pvc_count",
    "pac_count",
    "spike_share",
    "noise_uv",
)
"""Names of what ECGDash measures beside them; its `qtc_ms` is by Bazett."""

_FLOAT_ID = re.compile(r"^\d+\.0+$")


def normalise_patient_id(raw: object) -> str | None:
    """Return a patient id as text, or None for an empty one.

    An integer-valued ``13619.0`` (how pandas and PTB-XL write ids) becomes
    ``13619``; anything else keeps its letters, leading zeros included.
    """
    if raw is None:
        return None
    text = str(raw).strip()
    if not text or text.lower() in {"nan", "none", "<na>"}:
        return None
    return text.split(".")[0] if _FLOAT_ID.match(text) else text


def content_hash(
    signal_mv: NDArray[np.floating], leads: tuple[str, ...], sampling_hz: float
) -> str:
    """Hash a waveform by what it shows, not by the file it came in.

    Returns
    -------
    str
        sha256 (hex) over the leads' names, the rate, the shape and the samples
        as little-endian int32 microvolts (rounded), in canonical lead order.
    """
    order = sorted(range(len(leads)), key=lambda i: CANONICAL_LEADS.index(leads[i]))
    # In place: every import and every stored score hashes every sample.
    microvolts = np.array(signal_mv, dtype=np.float64)
    if order != list(range(len(leads))):
        microvolts = microvolts[order]
    microvolts *= 1000.0
    np.rint(microvolts, out=microvolts)
    if not np.isfinite(microvolts.sum()):
        np.nan_to_num(microvolts, copy=False, nan=-(2.0**31), posinf=2.0**31 - 1, neginf=-(2.0**31))
    np.clip(microvolts, -(2.0**31), 2.0**31 - 1, out=microvolts)
    names = ",".join(leads[i] for i in order)
    head = f"{names};{sampling_hz:g};{signal_mv.shape[0]}x{signal_mv.shape[1]};"
    digest = hashlib.sha256(head.encode())
    digest.update(np.ascontiguousarray(microvolts.astype("<i4")).data)
    return digest.hexdigest()


@dataclass(frozen=True)
class EcgRef:
    """The few facts about a stored ECG that pairing and histories need.

    Attributes
    ----------
    key : str
        Store key, or the content hash for a record that is not stored.
    recorded_at : datetime
        Aware, UTC.
    local_day : date
        Calendar day at the place of recording; all rules about days use it.
    analysable : bool
        Outcome of the gate.
    """

    key: str
    recorded_at: datetime
    local_day: date
    analysable: bool = True


@dataclass(frozen=True)
class Identity:
    """Who a person is beside the hospital's id; kept only where a setting asks for it.

    Addresses have no place here: nothing shows them, so they are never kept. No `repr`
    holds either field, because logs and tracebacks are made of them.

    Attributes
    ----------
    name : str or None
        As the file writes it, the given name first where it tells them apart.
    birth_date : date or None
    """

    name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class EcgRecord:
    """One ECG as recorded: millivolts, named leads, and what the file says about it.

    A record that exists is well-formed; whether it can be scored is the
    gate's question. Compare records by `sha256`.

    Attributes
    ----------
    signal_mv : ndarray of float32, shape (n_leads, n_samples)
        Millivolts, read-only. NaN marks samples the file does not hold.
    leads : tuple of str
        Canonical names, in canonical order, none twice.
    sampling_hz : float
        Samples per second.
    recorded_at : datetime or None
        Aware, UTC. None: the file states no usable time.
    local_day : date or None
        Calendar day where it was recorded; None exactly when `recorded_at` is.
    patient_id : str or None
        As the hospital writes it, without site.
    age_years : float or None
        At recording.
    sex : {"male", "female"} or None
    statements : tuple of str
        The cart's (or over-reader's) statements, one per entry.
    measurements : mapping of str to float
        The cart's values; keys from `MEASUREMENT_KEYS`.
    device, filters : str or None
    source_name : str
        File name without its folder, for messages shown to the importing user only.
    file_format : str
        Row of the reader table, for instance "wfdb".
    lsb_uv : tuple of float or None
        Per lead, the source's step in microvolts where it is known exactly.
    notes : tuple of str
        What the reader had to decide, in sentences.
    in_millivolts : bool
        False: the data set standardised its amplitudes, and `signal_mv` is in arbitrary units.
    identity : Identity or None
        None unless `ecgdash.io.read_ecg` was asked to keep names.
    """

    signal_mv: NDArray[np.float32]
    leads: tuple[str, ...]
    sampling_hz: float
    recorded_at: datetime | None = None
    local_day: date | None = None
    patient_id: str | None = None
    age_years: float | None = None
    sex: Sex | None = None
    statements: tuple[str, ...] = ()
    measurements: Mapping[str, float] = field(default_factory=dict)
    device: str | None = None
    filters: str | None = None
    source_name: str = ""
    file_format: str = ""
    lsb_uv: tuple[float, ...] | None = None
    notes: tuple[str, ...] = ()
    in_millivolts: bool = True
    identity: Identity | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Check the invariants and freeze the arrays."""
        self._check_leads()
        self._check_time()
        if not (np.isfinite(self.sampling_hz) and self.sampling_hz > 0):
            raise InvalidValue(f"sampling_hz must be above 0, got {self.sampling_hz}")
        unknown = set(self.measurements) - set(MEASUREMENT_KEYS)
        if unknown:
            raise InvalidValue(
                f"unknown measurements {sorted(unknown)}", accepted=f"Known: {MEASUREMENT_KEYS}"
            )
        signal = np.array(self.signal_mv, dtype=np.float32, order="C", copy=True)
        signal.flags.writeable = False
        object.__setattr__(self, "signal_mv", signal)
        object.__setattr__(self, "measurements", MappingProxyType(dict(self.measurements)))
        object.__setattr__(self, "patient_id", normalise_patient_id(self.patient_id))

    def require_millivolts(self, what: str) -> None:
        """Raise `InvalidValue` for a record in arbitrary units; `what` needs millivolts."""
        if not self.in_millivolts:
            raise InvalidValue(f"{what} needs millivolts, and this ECG is in arbitrary units")

    def _check_leads(self) -> None:
        if self.signal_mv.ndim != 2 or self.signal_mv.shape[0] != len(self.leads):
            raise InvalidValue(
                f"signal of shape {self.signal_mv.shape} does not fit {len(self.leads)} lead names",
                accepted="Expected (n_leads, n_samples)",
            )
        if self.signal_mv.shape[1] == 0:
            raise InvalidValue("the signal holds no samples")
        expected = tuple(name for name in CANONICAL_LEADS if name in self.leads)
        if self.leads != expected:
            raise InvalidValue(
                f"leads {self.leads} are not distinct canonical names in canonical order",
                accepted=f"Canonical: {CANONICAL_LEADS}",
            )
        if self.lsb_uv is not None and len(self.lsb_uv) != len(self.leads):
            raise InvalidValue(f"{len(self.lsb_uv)} steps for {len(self.leads)} leads")

    def _check_time(self) -> None:
        if self.recorded_at is None:
            object.__setattr__(self, "local_day", None)
            return
        if self.recorded_at.tzinfo is None:
            raise InvalidValue(f"recorded_at {self.recorded_at} has no time zone")
        if self.local_day is None:
            object.__setattr__(self, "local_day", self.recorded_at.date())
        object.__setattr__(self, "recorded_at", self.recorded_at.astimezone(UTC))

    def __getstate__(self) -> dict[str, object]:
        """Make the record picklable: a read-only mapping is not."""
        return {**self.__dict__, "measurements": dict(self.measurements)}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Restore what `__getstate__` gave, frozen again."""
        self.__dict__.update(state)
        self.signal_mv.flags.writeable = False
        self.__dict__["measurements"] = MappingProxyType(dict(self.measurements))

    @cached_property
    def sha256(self) -> str:
        """Content hash of the waveform (see `content_hash`)."""
        return content_hash(self.signal_mv, self.leads, self.sampling_hz)

    @property
    def n_samples(self) -> int:
        """Samples per lead."""
        return int(self.signal_mv.shape[1])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sampling_hz

    @property
    def lead_sets(self) -> tuple[LeadSet, ...]:
        """Lead sets these leads cover, the largest first."""
        return lead_sets_of(self.leads)

    def lead(self, name: str) -> NDArray[np.float32]:
        """Return one lead by name, shape (n_samples,), read-only."""
        row: NDArray[np.float32] = self.signal_mv[self.leads.index(name)]
        return row
