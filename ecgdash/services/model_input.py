"""Which signal a family's network reads, in the few words that the foot of a sheet has room for."""

from pathlib import Path
from typing import TYPE_CHECKING

from ecgdash.domain.model import FamilyCard
from ecgdash.signal.preprocess import BAND_HZ

if TYPE_CHECKING:
    from ecgdash.inference.external_spec import ExternalSpec

__all__ = ["model_input_words"]


def model_input_words(card: FamilyCard | None, models_dir: Path | None = None) -> str:
    """Return what a network reads: our band, or what an external family's spec tells.

    Parameters
    ----------
    card : FamilyCard or None
        None: no family is shown, and there is nothing to say.
    models_dir : Path, optional
        Where the families are installed.

    Returns
    -------
    str
        "0.67–40 Hz"; "10 s at 250 Hz, no band-pass, mV"; "" where nothing is known.

    Raises
    ------
    WeightsMissing, WeightsHashMismatch, InvalidValue
        If the spec of an external family is gone or is not what was installed.
    """
    if card is None or card.input_kind != "signal":
        return ""
    if not card.external:
        return _band(BAND_HZ)
    from ecgdash.inference.external_keys import read_spec
    from ecgdash.inference.manifest import beside_path, read_manifest, verify_beside

    row = read_manifest(models_dir).get(card.family)
    path = None if row is None else beside_path(row, "spec")
    if row is None or path is None:
        return ""
    verify_beside(row, "spec")
    spec = read_spec(path)
    length = f"{spec.n_samples / spec.sampling_hz:.3g} s at {spec.sampling_hz:g} Hz"
    band = "no band-pass" if spec.band_hz is None else _band(spec.band_hz)
    return f"{length}, {band}, {_scale(spec)}"


def _scale(spec: "ExternalSpec") -> str:
    if spec.normalise_to is not None:  # a divisor after it is one of what is no longer in mV
        return "amplitude scaled by lead I"
    return "mV" if spec.divide_by == 1 else f"mV divided by {spec.divide_by:g}"


def _band(band_hz: tuple[float, float]) -> str:
    return f"{band_hz[0]:g}–{band_hz[1]:g} Hz"
