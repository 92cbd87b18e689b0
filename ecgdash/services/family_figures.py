"""A family's own figures per subgroup: written by an evaluation, installed, read for the pages.

`evaluate --report` writes them as `evaluation.json`; `models add-evaluation`
installs that file beside the weights. Figures count only for the very weights
they were measured on: the pages call a family without such a file not evaluated.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ecgdash.errors import InvalidValue
from ecgdash.inference.figure_file import FigureFile
from ecgdash.inference.manifest import (
    InstalledFamily,
    read_manifest,
    with_beside,
    write_manifest,
)
from ecgdash.labels.published import BASELINE, FOLLOW_UP, ModelFigures, Subgroup
from ecgdash.services.beside_weights import (
    estimate_from,
    installed_figures_of,
    row_of_the_weights,
)

__all__ = [
    "EVALUATION_NAME",
    "FamilyFigures",
    "add_evaluation",
    "evaluation_document",
    "installed_figures",
    "read_figures",
]

EVALUATION_NAME: Final = "evaluation.json"
_FILE: Final = FigureFile(
    name=EVALUATION_NAME,
    format="ecgdash-evaluation@1",
    what="the evaluation",
    written_by="an evaluation writes it",
    todo="Make it with 'python -m ecgdash evaluate ... --report FOLDER'",
)
_FIGURES: Final = ("auroc", "sensitivity", "specificity")
_COUNTS: Final = ("n", "n_positive", "n_enriched")


@dataclass(frozen=True)
class FamilyFigures:
    """What an evaluation found for one family.

    Attributes
    ----------
    weights_sha256 : str
        Of the weights that were evaluated.
    simulated : bool
        Whether patients or weights were simulated; every view says so.
    data : str
        On which patients, in words.
    seeds : tuple of int
        Of the simulation; empty for real patients.
    n_patients : int
    thresholds : mapping of str to float or None
        By variant, as used for sensitivity and specificity.
    parts : mapping of str to mapping of str to Subgroup
        By setting ("baseline", "follow_up") and subgroup key; PPV and NPV are left
        out, because they hold at the prevalence of those patients only.
    """

    family: str
    weights_sha256: str
    simulated: bool
    data: str
    seeds: tuple[int, ...]
    n_patients: int
    interval_method: str
    thresholds: Mapping[str, float | None]
    parts: Mapping[str, Mapping[str, Subgroup]]

    def subgroup(self, key: str, setting: str) -> Subgroup | None:
        """Return a subgroup of a setting, or None if it was not evaluated."""
        return self.parts[setting].get(key)


def evaluation_document(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `evaluation.json` holds, with estimates as they are (see `jsonable`).

    Parameters
    ----------
    result : mapping
        As `ecgdash.services.evaluation` returns it for a family, with `weights_sha256`.
    """
    seed = result["seed"]
    seeds = [] if seed is None else [seed] if isinstance(seed, int) else list(seed)
    return {
        "format": _FILE.format,
        "family": result["family"],
        "weights_sha256": result["weights_sha256"],
        "simulated": result["simulated"],
        "data": ("SIMULATED: " if result["simulated"] else "") + result["data"],
        "seeds": seeds,
        "n_patients": result["n_patients"],
        "interval_method": result["interval_method"],
        "thresholds": result["thresholds"],
        "threshold_origins": result["threshold_origins"],
        **{setting: _part_document(result[setting]) for setting in (BASELINE, FOLLOW_UP)},
    }


def _part_document(part: Mapping[str, Any]) -> dict[str, Any]:
    variants = list(part["auroc"])
    subgroups = {
        key: {
            **{count: row[count] for count in _COUNTS if count in row},
            **{name: {f: row[name][f] for f in _FIGURES} for name in variants},
        }
        for key, row in part["subgroups"].items()
    }
    return {"n": part["n"], "n_positive": part["n_positive"], "subgroups": subgroups}


def read_figures(path: Path) -> FamilyFigures:
    """Read an `evaluation.json`.

    Raises
    ------
    InputFileError
        If the file is not there or not what `evaluation_document` describes.
    """
    return _FILE.read(path, _figures)


def _figures(content: Mapping[str, Any]) -> FamilyFigures:
    return FamilyFigures(
        family=str(content["family"]),
        weights_sha256=str(content["weights_sha256"]),
        simulated=bool(content["simulated"]),
        data=str(content["data"]),
        seeds=tuple(int(seed) for seed in content["seeds"]),
        n_patients=int(content["n_patients"]),
        interval_method=str(content["interval_method"]),
        thresholds=dict(content["thresholds"]),
        parts={
            setting: {
                key: _subgroup(key, row) for key, row in content[setting]["subgroups"].items()
            }
            for setting in (BASELINE, FOLLOW_UP)
        },
    )


def _subgroup(key: str, row: Mapping[str, Any]) -> Subgroup:
    figures = {
        variant: ModelFigures(*(estimate_from(found[name]) for name in _FIGURES))
        for variant, found in row.items()
        if variant not in _COUNTS
    }
    added = int(row.get("n_enriched", 0))
    return Subgroup(key, int(row["n_positive"]), int(row["n"]), figures, added)


def installed_figures(models_dir: Path | None = None) -> dict[str, FamilyFigures]:
    """Return the figures of every evaluated family, by family.

    A file that is missing, changed, broken or of other weights counts as not
    evaluated; `models verify` says which one is missing or changed.
    """
    return installed_figures_of(models_dir, "evaluation", read_figures)


def add_evaluation(path: Path, models_dir: Path) -> InstalledFamily:
    """Install an `evaluation.json` beside the weights it is of; return the manifest's new row.

    Parameters
    ----------
    path : Path
        As `evaluate --report` wrote it.
    models_dir : Path

    Raises
    ------
    InputFileError
        If the file cannot be read.
    WeightsMissing
        If the family is not installed.
    WeightsHashMismatch
        If the figures are of other weights than the installed ones.
    InvalidValue
        If the evaluation has no subgroup in it.
    """
    figures = read_figures(path)
    todo = "Evaluate the installed weights with 'python -m ecgdash evaluate'"
    row = row_of_the_weights(figures, models_dir, todo, path.name)
    if not all(figures.parts.values()):
        raise InvalidValue("the evaluation holds no subgroup", where=path.name, todo=_FILE.todo)
    kept = row.folder / EVALUATION_NAME
    if kept.resolve() != path.resolve():
        shutil.copyfile(path, kept)
    new = with_beside(row, "evaluation", kept)
    write_manifest({**read_manifest(models_dir), row.name: new}.values(), models_dir)
    return new
