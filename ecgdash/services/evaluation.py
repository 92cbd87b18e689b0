"""Evaluate a family: on the store, on a table of scores, or on simulated patients."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import FamilyCard
from ecgdash.inference.history import HistoryTerm
from ecgdash.services.evaluation_pairs import PairTable, pooled
from ecgdash.services.evaluation_report import markdown_report, write_report
from ecgdash.services.evaluation_scores import read_scores_csv
from ecgdash.services.evaluation_simulated import SimulatedSource
from ecgdash.services.evaluation_tables import INTERVAL_METHOD, evaluation_tables, jsonable
from ecgdash.settings import Settings

__all__ = [
    "DEFAULT_FAMILY",
    "SimulatedSource",
    "evaluate_scores",
    "evaluate_simulated",
    "evaluate_store",
    "evaluate_table",
    "evaluate_tables",
    "jsonable",
    "markdown_report",
    "write_report",
]

DEFAULT_FAMILY = "deepecg-lvsd-12"


def evaluate_scores(path: Path) -> dict[str, Any]:
    """Evaluate a scores CSV; see `read_scores_csv` for its columns and errors."""
    return evaluate_table(read_scores_csv(path))


def evaluate_store(settings: Settings, family: str = DEFAULT_FAMILY) -> dict[str, Any]:
    """Evaluate the pairs of the store.

    Raises
    ------
    WeightsMissing
        If the family is not installed.
    NotFound
        If the store holds no ECG scored by it.
    """
    from ecgdash.services.evaluation_store import store_pairs
    from ecgdash.store import open_store

    card, terms = _family(settings, family)
    store = open_store(settings.database_url)
    try:
        result = evaluate_table(store_pairs(store, card, terms))
        return {**result, "weights_sha256": card.weights_sha256}
    finally:
        store.close()


def evaluate_simulated(
    settings: Settings,
    source: SimulatedSource,
    seeds: Sequence[int],
    family: str = DEFAULT_FAMILY,
    on_progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Evaluate on simulated patients; several seeds are pooled and shown one by one.

    Parameters
    ----------
    settings : Settings
    source : SimulatedSource
        Its seed is replaced by each of `seeds` in turn.
    seeds : sequence of int
    family : str
    on_progress : callable, optional
        Told sentences for stderr.
    """
    from ecgdash.services.evaluation_family import FamilyWork
    from ecgdash.services.evaluation_simulated import simulated_pairs

    card, terms = _family(settings, family)
    # Worker processes on a GPU would each hold a context: one process there, CPU otherwise.
    device = settings.device if source.workers == 1 else "cpu"
    work = FamilyWork(card, settings.models_dir, device)
    tell = on_progress or (lambda _: None)
    tables = []
    for seed in seeds:

        def told(text: str, seed: int = seed) -> None:
            tell(f"seed {seed}: {text}")

        tables.append(simulated_pairs(replace(source, seed=seed), work, card, terms, told))
    return {**evaluate_tables(tables), "weights_sha256": card.weights_sha256}


def evaluate_table(table: PairTable, *, bootstrap_seed: int = 0) -> dict[str, Any]:
    """Return the evaluation of one table of pairs.

    Returns
    -------
    dict
        The keys of the contract (`data`, `seed`, `n_patients`, `interval_method`,
        `baseline`, `follow_up`, `controls`) and further ones; estimates are
        `Estimate` objects, undefined figures NaN. `jsonable` turns it into JSON.
    """
    seeds: Sequence[int] = table.seeds
    return {
        "data": table.data,
        "family": table.family,
        "simulated": table.simulated,
        "seed": seeds[0] if len(seeds) == 1 else (list(seeds) or None),
        "n_patients": table.n_patients,
        "interval_method": INTERVAL_METHOD,
        "thresholds": {name: _one(values) for name, values in table.thresholds.items()},
        "threshold_origins": dict(table.origins),
        **evaluation_tables(table, bootstrap_seed=bootstrap_seed),
    }


def evaluate_tables(tables: Sequence[PairTable]) -> dict[str, Any]:
    """Return the pooled evaluation of several tables, with each one's own under `per_seed`."""
    whole = evaluate_table(pooled(tables))
    if len(tables) > 1:
        whole["data"] = "; ".join(table.data for table in tables)
        whole["per_seed"] = [_brief(evaluate_table(table)) for table in tables]
    return whole


def _one(values: NDArray[np.float64]) -> float | None:
    """Return the threshold that all rows share; None where there is none, or several."""
    known = np.unique(values)
    return float(known[0]) if known.size == 1 and np.isfinite(known[0]) else None


def _brief(result: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what would repeat the pooled table's text."""
    return {key: result[key] for key in ("seed", "n_patients", "baseline", "follow_up", "controls")}


def _family(settings: Settings, name: str) -> tuple[FamilyCard, dict[str, HistoryTerm]]:
    """Return the card and the history terms of an installed family."""
    from ecgdash.inference.history import load_history_terms
    from ecgdash.inference.manifest import beside_path, find_family, load_card, verify_family

    row = find_family(name, settings.models_dir)
    verify_family(row)
    card, beside = load_card(row)[0], beside_path(row, "history")
    if card.external:  # its weights hold no history; one may have been fitted beside them
        return card, {} if beside is None else load_history_terms(beside)
    return card, load_history_terms(row.weights_path)
