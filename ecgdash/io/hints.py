"""What a user states about a file whose format leaves it open: rate, units, leads."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecgdash.errors import CorruptFile

__all__ = ["ReadHints", "gather_hints", "sidecar_of"]


@dataclass(frozen=True)
class ReadHints:
    """Facts about a CSV or NPY file, stated by the user; nothing is ever guessed.

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
    """

    sampling_hz: float | None = None
    units: str | None = None
    leads: tuple[str, ...] | None = None
    member: str | None = None


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
    return ReadHints(
        sampling_hz=_agree(given.sampling_hz, stated.sampling_hz, "sampling_hz", sidecar),
        units=_agree(given.units, stated.units, "units", sidecar),
        leads=_agree(given.leads, stated.leads, "leads", sidecar),
        member=given.member,
    )


def _read_sidecar(sidecar: Path) -> ReadHints:
    try:
        content = json.loads(sidecar.read_text(encoding="utf-8-sig"))
        rate, leads = content.get("sampling_hz"), content.get("leads")
        if isinstance(rate, bool) or not isinstance(leads, list | None):
            raise TypeError("sampling_hz is a number, leads a list")
        if not isinstance(content.get("units"), str | None):
            raise TypeError("units is a text")
        return ReadHints(
            sampling_hz=None if rate is None else float(rate),
            units=content.get("units"),
            leads=None if leads is None else tuple(str(name) for name in leads),
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise CorruptFile(
            f"the sidecar {sidecar.name} cannot be read ({error})",
            where=sidecar.name,
            accepted='Accepted: {"sampling_hz": 500, "units": "mV", "leads": ["I", "II"]}',
        ) from error


def _agree(given: Any, stated: Any, key: str, sidecar: Path) -> Any:
    if given is not None and stated is not None and given != stated:
        raise CorruptFile(
            f"{key} is {stated} in the sidecar and {given} in the call",
            where=sidecar.name,
            todo="Correct one of them",
        )
    return stated if given is None else given
