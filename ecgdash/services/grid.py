"""Evaluate the whole grid on unseen simulated patients, and keep its figures in one file."""

import json
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgdash import __version__
from ecgdash.domain.leads import LeadSet
from ecgdash.labels.published import BASELINE, FOLLOW_UP
from ecgdash.services.evaluation import jsonable
from ecgdash.services.evaluation_pairs import MASKED_PAIRS, PairTable
from ecgdash.services.evaluation_simulated import SimulatedSource
from ecgdash.services.family_figures import EVALUATION_NAME, evaluation_document
from ecgdash.services.grid_cell import CHEAPEST, TOLERANCE, WHY_TOLERANCE
from ecgdash.services.grid_findings import UNTESTABLE
from ecgdash.services.grid_report import results_markdown
from ecgdash.services.grid_results import site_document
from ecgdash.services.grid_scores import GridFamily, grid_families, grid_tables
from ecgdash.training.grid_nets import CELLS, cell_log
from ecgdash.training.shards import write_json

__all__ = [
    "FORMAT",
    "RESULTS_NAME",
    "GridPlan",
    "evaluate_grid",
    "is_simulated",
    "read_results",
    "sources_of",
    "write_results",
]

FORMAT: Final = "ecgdash-grid@1"
RESULTS_NAME: Final = "results.json"

_LBBB_SHARE: Final = 250 / 8_500
"""Patients with LBBB that are added, who count in that subgroup only: it is about 1 % of all."""

_DIGITS: Final = 6
"""Significant digits that are kept: far below every interval, and the file stays readable."""


@dataclass(frozen=True)
class GridPlan:
    """What is evaluated, and on whom.

    Attributes
    ----------
    work, data : Path
        Checkpoints and prepared shards, as `train grid` left them.
    models_dir : Path
        Where the grid's families are installed.
    families : mapping of str to str
        Lead set to family.
    sources : tuple of SimulatedSource
        Patients by site and seed; none of them trained or tuned anything.
    """

    work: Path
    data: Path
    models_dir: Path
    families: Mapping[LeadSet, str]
    sources: tuple[SimulatedSource, ...] = field(default_factory=tuple)


def sources_of(
    n_patients: int,
    seeds: Sequence[int],
    shifted_seeds: Sequence[int],
    cache_dir: Path,
    workers: int,
) -> list[SimulatedSource]:
    """Return the patients of a whole evaluation: site A with LBBB enriched, then site B.

    Parameters
    ----------
    n_patients : int
        A seed.
    seeds, shifted_seeds : sequence of int
        Of site A, where the families were trained, and of the shifted site B.
    cache_dir : Path
        Keeps the scores of finished seeds.
    workers : int
    """
    more = {"LBBB": max(1, round(_LBBB_SHARE * n_patients))}
    return [
        *(SimulatedSource(n_patients, seed, more, cache_dir, workers) for seed in seeds),
        *(SimulatedSource(n_patients, s, {}, cache_dir, workers, "B") for s in shifted_seeds),
    ]


def is_simulated(data: Path) -> bool:
    """Whether prepared ECGs are of simulated patients, on whom the grid can be evaluated."""
    origin = json.loads((data / "origin.json").read_text(encoding="utf-8"))
    return bool(origin["simulated"])


def evaluate_grid(
    plan: GridPlan, on_progress: Callable[[str], None] | None = None
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Score all patients with every cell and return the results and each family's evaluation.

    Goes on where it was stopped: the scores of a seed are kept in its source's `cache_dir`.

    Returns
    -------
    results : dict
        What the results file holds, as plain JSON.
    evaluations : dict of str to dict
        By family: `evaluation.json` of the unshifted site's patients.

    Raises
    ------
    WeightsMissing
        If a family is not installed or a cell was not trained.
    """
    tell = on_progress or (lambda _: None)
    families = grid_families(plan.families, plan.work, plan.data, plan.models_dir)
    sites: dict[str, Any] = {}
    evaluations: dict[str, dict[str, Any]] = {}
    for site in dict.fromkeys(source.site for source in plan.sources):
        sources = [source for source in plan.sources if source.site == site]
        seeds = [grid_tables(source, families, _told(tell, source)) for source in sources]
        tell(f"site {site}: figures of {len(seeds)} seeds")
        sites[site] = site_document(seeds, families)
        if not evaluations:
            evaluations = {
                one.card.family: _evaluation(one, sites[site], seeds[0][one.lead_set].pairs)
                for one in families
            }
    results = {
        "format": FORMAT,
        "simulated": True,
        "software": __version__,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": version("torch"),
        },
        "machine": platform.machine(),
        "training": _training(plan, families),
        "sites": sites,
        "reproduce": _cell_to_reproduce(sites["A"]),
        "untestable": [{"finding": words, "why": why} for words, why in UNTESTABLE],
    }
    return _rounded(jsonable(results)), evaluations


def _told(tell: Callable[[str], None], source: SimulatedSource) -> Callable[[str], None]:
    return lambda text: tell(f"site {source.site}, seed {source.seed}: {text}")


def _cell_to_reproduce(site: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cheapest cell of the grid, and the command that trains it again."""
    lead_set = min(site["lead_sets"], key=int)
    seed = site["lead_sets"][lead_set]["per_seed"][0]
    return {
        "cell": CHEAPEST,
        "lead_set": lead_set,
        "seed": seed["seed"],
        "auroc": seed["baseline"][CHEAPEST],
        "tolerance": TOLERANCE,
        "command": f"python -m ecgdash train cell {CHEAPEST} --lead-set {lead_set}",
        "why": WHY_TOLERANCE,
    }


def _training(plan: GridPlan, families: Iterable[GridFamily]) -> dict[str, Any]:
    """Return how every cell was trained: settings, best epoch, time."""
    found: dict[str, Any] = {
        "data": json.loads((plan.data / "origin.json").read_text(encoding="utf-8"))
    }
    for family in families:
        name = family.lead_set
        state = json.loads((plan.work / name / "pretrain" / "state.json").read_text("utf-8"))
        found[name] = {
            "settings": state["settings"]["config"],
            "cells": {cell: cell_log(plan.work, name, cell) for cell in CELLS},
        }
    return found


def _evaluation(family: GridFamily, site: Mapping[str, Any], pairs: PairTable) -> dict[str, Any]:
    """Return what `models add-evaluation` installs for one family.

    Parameters
    ----------
    site : mapping
        The site's figures.
    pairs : PairTable
        Of one of its seeds.
    """
    tables = site["lead_sets"][family.lead_set]
    n_seeds = len(site["seeds"])
    seeds = ", ".join(map(str, site["seeds"]))
    added = "" if pairs.enriched_as is None else ", ".join(sorted({*pairs.enriched_as} - {""}))
    result = {
        "family": family.card.family,
        "weights_sha256": family.card.weights_sha256,
        "simulated": True,
        "data": f"{site['n_patients'] // n_seeds} simulated patients of each of the seeds {seeds}"
        + (f" (more added for {added}: they count in that subgroup only)" if added else ""),
        "seed": site["seeds"],
        "n_patients": site["n_patients"],
        "interval_method": site["interval_method"],
        "thresholds": tables["thresholds"],
        "threshold_origins": {k: v for k, v in pairs.origins.items() if k != MASKED_PAIRS},
        **{setting: _served(tables[setting]) for setting in (BASELINE, FOLLOW_UP)},
    }
    document: dict[str, Any] = jsonable(evaluation_document(result))
    return document


def _served(part: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the network that no family ships."""
    return {**part, "auroc": {k: v for k, v in part["auroc"].items() if k != MASKED_PAIRS}}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def write_results(
    results: Mapping[str, Any], evaluations: Mapping[str, Mapping[str, Any]], folder: Path
) -> list[Path]:
    """Write `results.json`, `results.md` and each family's `evaluation.json`; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / RESULTS_NAME, results)
    report = folder / "results.md"
    report.write_text(results_markdown(results), encoding="utf-8")
    written = [folder / RESULTS_NAME, report]
    for family, document in evaluations.items():
        path = folder / family / EVALUATION_NAME
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document, allow_nan=False, indent=1) + "\n", encoding="utf-8")
        written.append(path)
    return written


def read_results(path: Path) -> dict[str, Any]:
    """Read a results file; see `write_results`."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
