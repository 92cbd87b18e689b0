"""What a user states about a file whose format leaves it open: rate, units, leads, whose it is."""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ecgdash.errors import CorruptFile

__all__ = ["ReadHints", "gather_hints", "sidecar_of"]

_MAX_BYTES: Final = 1_000_000
_KEYS: Final[dict[str, type]] = {
    "sampling_hz": float,
    "units": str,
    "leads": list,
    "n_samples": int,
    "patient_id": str,
    "recorded_at": str,
    "age_years": float,
    "sex": str,
}
"""What a sidecar may state, and as what."""
_EXAMPLE: Final = '{"sampling_hz": 500, "units": "mV", "leads": ["I", "II"]}'


@dataclass(frozen=True)
class ReadHints:
    """Facts about a file that its format leaves open, stated by the user; nothing is ever guessed.

    Attributes
    ----------
    sampling_hz : float or None
        Samples per second.
    units : str or None
        "nV", "uV", "mV" or "V".
    leads : tuple of str or None
        Lead names in the file's order of columns (or rows).
    member : str or None
        Which ECG of a file that holds many.
    n_samples : int or None
        Samples of each lead; a file that holds another number is refused.
    patient_id, recorded_at, sex : str or None
        Whose ECG it is and when it was recorded (ISO 8601).
    age_years : float or None
    """

    sampling_hz: float | None = None
    units: str | None = None
    leads: tuple[str, ...] | None = None
    member: str | None = None
    n_samples: int | None = None
    patient_id: str | None = None
    recorded_at: str | None = None
    age_years: float | None = None
    sex: str | None = None


def sidecar_of(path: Path) -> Path | None:
    """Return the JSON file beside `path` that describes it, or None."""
    for candidate in (path.with_name(path.name + ".json"), path.with_suffix(".json")):
        if candidate != path and candidate.is_file():
            return candidate
    return None


def gather_hints(path: Path, hints: ReadHints | None) -> ReadHints:
    """Join the hints of the caller with those of the sidecar.

    Raises
    ------
    CorruptFile
        If the sidecar is no JSON object, or contradicts the caller.
    """
    given = hints or ReadHints()
    sidecar = sidecar_of(path)
    if sidecar is None:
        return given
    stated = _read_sidecar(sidecar)
    joined = {key: _agree(getattr(given, key), stated.get(key), key, sidecar) for key in _KEYS}
    return replace(given, **joined)


def _read_sidecar(sidecar: Path) -> dict[str, Any]:
    """Return the known keys of a sidecar that state something, each of its type."""
    try:
        if sidecar.stat().st_size > _MAX_BYTES:
            raise ValueError("it is larger than 1 MB")
        content = json.loads(sidecar.read_text(encoding="utf-8-sig"))
        if not isinstance(content, dict):
            raise TypeError("it is no JSON object")
        return {
            key: _typed(key, content[key])
            for key in _KEYS
            if content.get(key) is not None and content[key] != ""
        }
    except RecursionError as error:
        raise _unreadable(sidecar, "it is nested too deeply") from error
    except (ValueError, TypeError, OverflowError) as error:
        raise _unreadable(sidecar, str(error)) from error


def _unreadable(sidecar: Path, reason: str) -> CorruptFile:
    return CorruptFile(
        f"the sidecar {sidecar.name} cannot be read ({reason})",
        where=sidecar.name,
        accepted=f"Accepted: {_EXAMPLE}",
    )


def _typed(key: str, value: Any) -> Any:
    kind: Any = _KEYS[key]
    if key == "patient_id" and isinstance(value, int):
        value = str(value)
    accepted = (int, float) if kind is float else kind
    if isinstance(value, bool) or not isinstance(value, accepted):
        words = {float: "a number", int: "a whole number", str: "a text", list: "a list"}
        raise TypeError(f"{key} is {words[kind]}")
    if kind is float:
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"{key} is no finite number")
        return number
    if isinstance(value, list):
        return tuple(str(name) for name in value)
    return value


def _agree(given: Any, stated: Any, key: str, sidecar: Path) -> Any:
    if given is not None and stated is not None and given != stated:
        raise CorruptFile(
            f"{key} is {stated} in the sidecar and {given} in the call",
            where=sidecar.name,
            todo="Correct one of them",
        )
    return stated if given is None else given
