"""Files of figures beside a family's weights: they count for those very weights only."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

from ecgdash.domain import Estimate
from ecgdash.errors import EcgDashError, WeightsHashMismatch
from ecgdash.inference.manifest import (
    InstalledFamily,
    beside_path,
    find_family,
    read_manifest,
    verify_beside,
    with_beside,
    write_manifest,
)

__all__ = ["estimate_from", "installed_figures_of", "row_of_the_weights", "write_beside"]


class _OfWeights(Protocol):
    @property
    def family(self) -> str: ...

    @property
    def weights_sha256(self) -> str: ...


_Figures = TypeVar("_Figures", bound=_OfWeights)


def installed_figures_of(
    models_dir: Path | None, kind: str, read: Callable[[Path], _Figures]
) -> dict[str, _Figures]:
    """Return the figures of one kind of every family that has them, by family.

    A file that is missing, changed, broken or of other weights counts as not measured;
    `models verify` says which one is missing or changed.

    Parameters
    ----------
    models_dir : Path or None
    kind : str
        Of `inference.manifest.BESIDE`.
    read : callable
    """
    found = {}
    for name, row in read_manifest(models_dir).items():
        path = beside_path(row, kind)
        if path is None:
            continue
        try:
            verify_beside(row, kind)
            figures = read(path)
        except EcgDashError:
            continue
        if (figures.family, figures.weights_sha256) == (name, row.weights_sha256):
            found[name] = figures
    return found


def row_of_the_weights(
    figures: _OfWeights, models_dir: Path, todo: str, where: str = ""
) -> InstalledFamily:
    """Return the manifest's row of the family that figures were measured on.

    Parameters
    ----------
    figures : object with `family` and `weights_sha256`
    models_dir : Path
    todo, where : str
        For the error's sentence.

    Raises
    ------
    WeightsMissing
        If the family is not installed.
    WeightsHashMismatch
        If the figures are of other weights than the installed ones.
    """
    row = find_family(figures.family, models_dir)
    if figures.weights_sha256 != row.weights_sha256:
        raise WeightsHashMismatch(
            f"the figures are of weights {figures.weights_sha256[:12]} of {figures.family}",
            where=where,
            accepted=f"Installed are {row.weights_sha256[:12]}",
            todo=todo,
        )
    return row


def write_beside(
    row: InstalledFamily, kind: str, name: str, document: Mapping[str, object], models_dir: Path
) -> InstalledFamily:
    """Write a document beside a family's weights, whole or not at all; return the new row.

    Parameters
    ----------
    row : InstalledFamily
    kind : str
        Of `inference.manifest.BESIDE`.
    name : str
        Of the file.
    document : mapping
        Ready for JSON.
    models_dir : Path
    """
    kept = row.folder / name
    part = kept.with_suffix(".json.part")
    part.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    part.replace(kept)
    new = with_beside(row, kind, kept)
    write_manifest({**read_manifest(models_dir), row.name: new}.values(), models_dir)
    return new


def estimate_from(row: Mapping[str, float | None]) -> Estimate:
    """Return an estimate; null, where a figure is not defined, becomes NaN."""
    parts = (row[name] for name in ("value", "low", "high"))
    return Estimate(*(float("nan") if part is None else float(part) for part in parts))
