"""How far a family's maps can be trusted, as a file: written, installed, read for the pages.

`models trust` writes `explanations.json` beside the weights and its hash into the manifest. Like
an evaluation it counts only for the very weights it was measured on.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash.domain.attribution import WAVE_COLUMNS, WaveTable
from ecgdash.domain.trust import TRUST_MARKS, CohortMap, FamilyTrust, TrustCheck
from ecgdash.inference.figure_file import FigureFile
from ecgdash.inference.manifest import InstalledFamily
from ecgdash.services.beside_weights import (
    estimate_from,
    installed_figures_of,
    row_of_the_weights,
    write_beside,
)
from ecgdash.services.evaluation_tables import jsonable

__all__ = [
    "EXPLANATIONS_NAME",
    "cohort_map_document",
    "install_trust",
    "installed_trust",
    "read_trust",
    "trust_document",
]

EXPLANATIONS_NAME: Final = "explanations.json"
_FILE: Final = FigureFile(
    name=EXPLANATIONS_NAME,
    format="ecgdash-explanations@1",
    what="the figures of the maps",
    written_by="'models trust' writes it",
    todo="Make it with 'python -m ecgdash models trust FAMILY'",
)
_MARKS: Final = {mark.key: mark for mark in TRUST_MARKS}
_DECIMALS: Final = 6


def trust_document(found: FamilyTrust) -> dict[str, Any]:
    """Return what `explanations.json` holds; what is not defined is None."""
    return {
        "format": _FILE.format,
        "family": found.family,
        "weights_sha256": found.weights_sha256,
        "data": found.data,
        "seed": found.seed,
        "simulated": found.simulated,
        "checks": {
            variant: [_check_document(check) for check in checks]
            for variant, checks in found.checks.items()
        },
        "maps": {
            variant: {key: cohort_map_document(one) for key, one in groups.items()}
            for variant, groups in found.maps.items()
        },
        "cause_mv_s": None if found.cause is None else _table_document(found.cause),
    }


def _check_document(check: TrustCheck) -> dict[str, Any]:
    mark = _MARKS[check.key]
    told = jsonable({"result": check.result, "aside": check.aside})
    return {
        "key": check.key,
        "title": mark.title,
        **told,
        "pass_if": mark.rule,
        "passed": check.passed,
        "n_ecgs": check.n_ecgs,
    }


def cohort_map_document(found: CohortMap) -> dict[str, Any]:
    """Return a cohort's map, logits by lead and wave."""
    return {
        "n_ecgs": found.n_ecgs,
        "signed_logit": _table_document(found.signed),
        "absolute_logit": _table_document(found.absolute),
    }


def _table_document(table: WaveTable) -> dict[str, dict[str, float]]:
    return {
        lead: dict(zip(WAVE_COLUMNS, np.round(row, _DECIMALS).tolist(), strict=True))
        for lead, row in zip(table.leads, table.values, strict=True)
    }


def read_trust(path: Path) -> FamilyTrust:
    """Read an `explanations.json`.

    Whether a check is passed follows from its result and today's mark, not from the file.

    Raises
    ------
    InputFileError
        If the file is not there or not what `trust_document` describes.
    """
    return _FILE.read(path, _trust)


def _trust(content: Mapping[str, Any]) -> FamilyTrust:
    cause = content["cause_mv_s"]
    return FamilyTrust(
        family=str(content["family"]),
        weights_sha256=str(content["weights_sha256"]),
        data=str(content["data"]),
        seed=int(content["seed"]),
        simulated=bool(content["simulated"]),
        checks={
            variant: tuple(_check(row) for row in rows)
            for variant, rows in content["checks"].items()
        },
        maps={
            variant: {key: _cohort_map(row) for key, row in groups.items()}
            for variant, groups in content["maps"].items()
        },
        cause=None if cause is None else _table(cause),
    )


def _check(row: Mapping[str, Any]) -> TrustCheck:
    result = estimate_from(row["result"])
    aside = None if row["aside"] is None else float(row["aside"])
    passed = _MARKS[row["key"]].is_passed(result.value, aside)
    return TrustCheck(str(row["key"]), result, aside, passed, int(row["n_ecgs"]))


def _cohort_map(row: Mapping[str, Any]) -> CohortMap:
    return CohortMap(int(row["n_ecgs"]), _table(row["signed_logit"]), _table(row["absolute_logit"]))


def _table(rows: Mapping[str, Mapping[str, float]]) -> WaveTable:
    values = [[float(row[name]) for name in WAVE_COLUMNS] for row in rows.values()]
    return WaveTable(tuple(rows), np.array(values))


def installed_trust(models_dir: Path | None = None) -> dict[str, FamilyTrust]:
    """Return what was measured on the maps of every family, by family.

    A file that is missing, changed, broken or of other weights counts as not measured;
    `models verify` says which one is missing or changed.
    """
    return installed_figures_of(models_dir, "explanations", read_trust)


def install_trust(found: FamilyTrust, models_dir: Path) -> InstalledFamily:
    """Write the figures beside the weights they are of; return the manifest's new row.

    Raises
    ------
    WeightsMissing
        If the family is not installed.
    WeightsHashMismatch
        If the figures are of other weights than the installed ones.
    """
    row = row_of_the_weights(found, models_dir, _FILE.todo)
    return write_beside(row, "explanations", EXPLANATIONS_NAME, trust_document(found), models_dir)
