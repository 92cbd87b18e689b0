"""Evaluate a family: on the store, on a table of scores, or on simulated patients."""

from collections.abc import Mapping, Sequence
from typing import Any

from ecgdash.services.evaluation_pairs import PairTable, pooled
from ecgdash.services.evaluation_tables import INTERVAL_METHOD, evaluation_tables

__all__ = ["evaluate_table", "evaluate_tables"]


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
        "threshold_origins": dict(table.origins),
        **evaluation_tables(table, bootstrap_seed=bootstrap_seed),
    }


def evaluate_tables(tables: Sequence[PairTable]) -> dict[str, Any]:
    """Return the pooled evaluation of several tables, with each one's own under `per_seed`."""
    whole = evaluate_table(pooled(tables))
    if len(tables) > 1:
        whole["per_seed"] = [_brief(evaluate_table(table)) for table in tables]
    return whole


def _brief(result: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what would repeat the pooled table's text."""
    return {key: result[key] for key in ("seed", "n_patients", "baseline", "follow_up", "controls")}
