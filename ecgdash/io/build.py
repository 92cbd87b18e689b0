"""From what a file holds to an `EcgRecord`: units, lead names, derived leads, notes.

Every reader ends here, so that a lead or a unit means the same whatever file it
came from.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import CANONICAL_LEADS, LIMB_LEADS, EcgRecord
from ecgdash.domain.ecg import MEASUREMENT_KEYS, Identity, Sex
from ecgdash.domain.leads import canonical_lead
from ecgdash.errors import (
    CorruptFile,
    MissingLeads,
    UnknownSamplingRate,
    UnknownUnits,
    printable,
)
from ecgdash.io.times import Moment

__all__ = [
    "Channel",
    "Facts",
    "build_record",
    "lead_name",
    "millivolts_per",
    "require_unit",
    "sex_of",
]

_MILLIVOLTS_PER_UNIT: Final = {"nv": 1e-6, "uv": 1e-3, "mv": 1.0, "v": 1e3}
_UNIT_WORDS: Final = {
    "µv": "uv",
    "μv": "uv",
    "microvolt": "uv",
    "microvolts": "uv",
    "millivolt": "mv",
    "millivolts": "mv",
    "nanovolt": "nv",
    "nanovolts": "nv",
    "volt": "v",
    "volts": "v",
}
SHORTEST_S: Final = 1.0
LOWEST_HZ: Final = 50.0
HIGHEST_HZ: Final = 32_000.0
HIGHEST_MV: Final = 2_000.0
"""No device records more (our choice); the content hash counts microvolts in 32 bits."""
_MASKED_ID: Final = re.compile(r"^[xX*?#-]+$")
_SIGNATURE: Final = re.compile(
    r"^\W*(confirmed|reviewed|referred|overread|over-read|electronically signed|edited|validated"
    r"|technician|physician)( by)?\b.*",
    re.IGNORECASE,
)
_SIGNATURE_ENDS: Final = re.compile(r"\b(by|technician|physician)\b", re.IGNORECASE)
_LEAD_TAIL: Final = re.compile(r"\s*\([^)]*\)\s*$")
# III, aVR, aVL and aVF as weights of I and II (Einthoven 1912, Goldberger 1942)
_FROM_I_AND_II: Final = {
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}


@dataclass(frozen=True)
class Channel:
    """One signal of a file.

    Attributes
    ----------
    name : str
        As the file writes it.
    millivolts : ndarray of float64, shape (n_samples,)
    lsb_uv : float or None
        Step in microvolts if every sample is an exact multiple of it.
    """

    name: str
    millivolts: NDArray[np.float64]
    lsb_uv: float | None = None


@dataclass
class Facts:
    """What a file says beside its samples; addresses never get here.

    `read_ecg` drops the identity unless it is asked to keep names.
    """

    moment: Moment | None = None
    patient_id: str | None = None
    age_years: float | None = None
    sex: Sex | None = None
    statements: Iterable[str] = ()
    measurements: Mapping[str, float | None] = field(default_factory=dict)
    device: str | None = None
    filters: str | None = None
    notes: list[str] = field(default_factory=list)
    identity: Identity | None = None


def millivolts_per(unit: str | None) -> float | None:
    """Return how many millivolts one of `unit` is; None if it is no unit of amplitude."""
    folded = (unit or "").strip().lower()
    return _MILLIVOLTS_PER_UNIT.get(_UNIT_WORDS.get(folded, folded))


@lru_cache(maxsize=512)  # asked for every signal several times, and files share their names
def lead_name(name: str) -> str | None:
    """Return the canonical lead of a vendor's channel name, or None.

    Accepts what `canonical_lead` does, and "EKG I" (Kardia), "Lead I (Einthoven)"
    (DICOM) and "DI" (CODE-15).
    """
    plain = _LEAD_TAIL.sub("", name.strip())
    plain = re.sub(r"^EKG[ _]", "", plain, flags=re.IGNORECASE)
    plain = re.sub(r"^D(?=I{1,3}$)", "", plain)
    return canonical_lead(plain)


def sex_of(text: str | None) -> Sex | None:
    """Return the sex that M, F, male or female (any case) means; None otherwise."""
    known: dict[str, Sex] = {"m": "male", "male": "male", "f": "female", "female": "female"}
    return known.get((text or "").strip().lower())


def build_record(
    channels: Iterable[Channel],
    sampling_hz: float,
    facts: Facts,
    *,
    source_name: str,
    file_format: str,
) -> EcgRecord:
    """Make the record: leads by name, in canonical order, missing limb leads derived.

    Raises
    ------
    MissingLeads
        If no channel is one of the twelve leads, or a lead occurs twice.
    UnknownSamplingRate
        If the rate is outside 50 to 32,000 Hz.
    CorruptFile
        If channels differ in length, hold less than one second, or reach amplitudes
        that no device records.
    """
    notes = list(facts.notes)
    leads = _by_lead(list(channels), source_name, notes)
    _check_rate_and_length(leads, sampling_hz, source_name)
    _check_amplitudes(leads, source_name)
    _derive_limb_leads(leads, notes)
    ordered = tuple(name for name in CANONICAL_LEADS if name in leads)
    steps = tuple(leads[name].lsb_uv for name in ordered)
    known_steps = tuple(step for step in steps if step is not None)
    moment = facts.moment
    notes.extend(moment.notes if moment else ("the file states no usable date; undated",))
    n_samples = len(leads[ordered[0]].millivolts)
    signal_mv = np.empty((len(ordered), n_samples), dtype=np.float32)
    for row, name in enumerate(ordered):
        signal_mv[row] = leads[name].millivolts
    return EcgRecord(
        signal_mv=signal_mv,
        leads=ordered,
        sampling_hz=float(sampling_hz),
        recorded_at=moment.at if moment else None,
        local_day=moment.local_day if moment else None,
        patient_id=_usable_id(facts.patient_id, notes),
        age_years=facts.age_years,
        sex=facts.sex,
        statements=_clean_statements(facts.statements, notes),
        measurements=_clean_measurements(facts.measurements),
        device=_plain(facts.device or "") or None,
        filters=_plain(facts.filters or "") or None,
        source_name=printable(source_name),
        file_format=file_format,
        lsb_uv=known_steps if len(known_steps) == len(steps) else None,
        notes=tuple(dict.fromkeys(map(printable, notes))),
        identity=facts.identity,
    )


def _plain(text: str) -> str:
    """Return a file's text in one line; no text is meant to hold control characters."""
    return "".join(filter(str.isprintable, " ".join(text.split()))).strip()


def _by_lead(channels: list[Channel], where: str, notes: list[str]) -> dict[str, Channel]:
    leads: dict[str, Channel] = {}
    extra = []
    for channel in channels:
        name = lead_name(channel.name)
        if name is None:
            extra.append(channel.name.strip() or "(no name)")
        elif name in leads:
            raise MissingLeads(
                f"lead {name} occurs twice",
                where=where,
                accepted="Accepted: each lead once",
                todo="Export the ECG again with one signal per lead",
            )
        else:
            leads[name] = channel
    if not leads:
        raise MissingLeads(
            f"none of the signals is one of the twelve leads; found {', '.join(extra) or 'none'}",
            where=where,
            accepted=f"Accepted: {', '.join(CANONICAL_LEADS)}",
            todo="Name the leads in the file or in its sidecar",
        )
    if extra:
        notes.append(f"signals that are none of the twelve leads were dropped: {', '.join(extra)}")
    return leads


def _check_rate_and_length(leads: dict[str, Channel], sampling_hz: float, where: str) -> None:
    if not LOWEST_HZ <= sampling_hz <= HIGHEST_HZ:
        raise UnknownSamplingRate(
            f"sampling rate {sampling_hz:g} Hz is not plausible for an ECG",
            where=where,
            accepted=f"Accepted: {LOWEST_HZ:g} to {HIGHEST_HZ:g} Hz",
            todo="Check the rate in the file or its sidecar",
        )
    lengths = {name: len(channel.millivolts) for name, channel in leads.items()}
    if len(set(lengths.values())) > 1:
        raise CorruptFile(
            f"leads differ in length ({lengths})", where=where, todo="Export the ECG again"
        )
    n_samples = next(iter(lengths.values()))
    if n_samples < SHORTEST_S * sampling_hz:
        raise CorruptFile(
            f"the recording holds {n_samples} samples ({n_samples / sampling_hz:.2f} s)",
            where=where,
            accepted=f"Accepted: at least {SHORTEST_S:g} s",
            todo="Export the whole recording",
        )


def _check_amplitudes(leads: dict[str, Channel], where: str) -> None:
    for name, channel in leads.items():
        values = channel.millivolts
        peak_mv = float(max(values.max(), -values.min()))
        if not np.isfinite(peak_mv):  # some samples are absent
            peak_mv = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
        if peak_mv > HIGHEST_MV:
            raise CorruptFile(
                f"lead {name} reaches {peak_mv:.3g} mV",
                where=where,
                accepted=f"Accepted: at most {HIGHEST_MV:g} mV",
                todo="Check the unit and the gain in the file or its sidecar",
            )


def _derive_limb_leads(leads: dict[str, Channel], notes: list[str]) -> None:
    missing = [name for name in LIMB_LEADS if name not in leads]
    if not missing or "I" in missing or "II" in missing:
        return
    first, second = leads["I"], leads["II"]
    step = first.lsb_uv if first.lsb_uv == second.lsb_uv else None
    for name in missing:
        weight_i, weight_ii = _FROM_I_AND_II[name]
        derived = weight_i * first.millivolts + weight_ii * second.millivolts
        # the augmented leads fall on half steps
        lsb_uv = None if step is None else step if name == "III" else step / 2.0
        leads[name] = Channel(name, derived, lsb_uv)
    notes.append(f"derived from I and II: {', '.join(missing)}")


def _usable_id(raw: str | None, notes: list[str]) -> str | None:
    # Fixed-width fields are padded with NUL.
    text = "".join(filter(str.isprintable, raw or "")).strip()
    if text and _MASKED_ID.match(text):
        notes.append("the patient id is masked in the file; it is left unknown")
        return None
    return text or None


def _clean_statements(raw: Iterable[str], notes: list[str]) -> tuple[str, ...]:
    """Drop signature lines: they name people."""
    texts = [_plain(text) for text in raw]
    kept = []
    for text in texts:
        if _SIGNATURE.match(text) and _SIGNATURE_ENDS.search(text):
            notes.append("a signature line among the statements was dropped")
        elif text:
            kept.append(text)
    return tuple(dict.fromkeys(kept))


def _clean_measurements(raw: Mapping[str, float | None]) -> dict[str, float]:
    """Keep known, finite values; a cart writes 0 or a negative value for 'not measured'."""
    kept = {}
    for key in MEASUREMENT_KEYS:
        value = raw.get(key)
        if value is None or not np.isfinite(value):
            continue
        if key.endswith("_deg") or value > 0:
            kept[key] = float(value)
    return kept


def require_unit(unit: str | None, lead: str, where: str) -> float:
    """Return millivolts per unit, or refuse.

    Raises
    ------
    UnknownUnits
        If the unit is absent or no unit of amplitude.
    """
    factor = millivolts_per(unit)
    if factor is None:
        shown = f"unit {unit!r} is no unit of amplitude" if unit else "no amplitude unit is stated"
        raise UnknownUnits(
            f"lead {lead}: {shown}",
            where=where,
            accepted="Accepted: nV, uV, mV, V",
            todo="State the unit in the file, or in a sidecar for CSV and NPY",
        )
    return factor
