"""Differences of AUROCs between cells of the grid, on the same ECGs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ecgdash.domain.leads import LeadSet
from ecgdash.labels.published import BASELINE
from ecgdash.services.evaluation_pairs import Bools, Floats, PairTable, pooled
from ecgdash.services.grid_scores import GridTable
from ecgdash.stats import auroc_value, bootstrap_auroc_contrast, delong_test

__all__ = ["GridTables", "Term", "contrast", "joined", "plain_rows"]

GridTables = Mapping[LeadSet, GridTable]
"""The tables of one seed, or of all, by lead set."""

Setting = Literal["baseline", "follow_up"]


@dataclass(frozen=True)
class Term:
    """One AUROC of a contrast: that of a model (variant or control) of a lead set."""

    factor: float
    lead_set: LeadSet
    model: str


def joined(tables: Sequence[GridTable]) -> GridTable:
    """Return the pairs of several seeds as one table; patients stay distinct."""
    cells = {
        name: np.concatenate([table.cells[name] for table in tables]) for name in tables[0].cells
    }
    whole = pooled([table.pairs for table in tables])
    return replace(tables[0], pairs=whole, cells=cells)


def plain_rows(pairs: PairTable, setting: str) -> Bools:
    """Return the pairs of a setting, without patients that were added to enrich a subgroup."""
    rows = pairs.baseline_rows if setting == BASELINE else pairs.follow_up_rows
    kept: Bools = rows & (pairs.added_for == "")
    return kept


def contrast(
    whole: GridTables, seeds: Sequence[GridTables], setting: str, terms: Sequence[Term]
) -> dict[str, Any]:
    """Return a weighted sum of AUROCs on the pairs that all its terms have scored.

    Parameters
    ----------
    whole : mapping of str to GridTable
        All seeds together.
    seeds : sequence of mapping of str to GridTable
        One by one.
    setting : {"baseline", "follow_up"}
    terms : sequence of Term

    Returns
    -------
    dict
        `difference` with its 95 % bootstrap interval over patients, `per_seed` (list of float),
        `n`, and for two terms `delong`.
    """
    y, scores, patient = _columns(whole, setting, terms)
    factors = [term.factor for term in terms]
    found: dict[str, Any] = {
        "difference": bootstrap_auroc_contrast(y, scores, factors, patient),
        "per_seed": [_value(tables, setting, terms) for tables in seeds],
        "n": int(y.size),
    }
    if factors == [1.0, -1.0]:
        found["delong"] = delong_test(y, *scores)._asdict()
    return found


def _value(tables: GridTables, setting: str, terms: Sequence[Term]) -> float:
    y, scores, _ = _columns(tables, setting, terms)
    parts = [t.factor * auroc_value(y, score) for t, score in zip(terms, scores, strict=True)]
    return float(sum(parts))


def _columns(
    tables: GridTables, setting: str, terms: Sequence[Term]
) -> tuple[Bools, list[Floats], np.ndarray]:
    first = tables[terms[0].lead_set].pairs
    rows = np.logical_and.reduce([plain_rows(tables[t.lead_set].pairs, setting) for t in terms])
    scores = [_scores(tables[t.lead_set], t.model)[rows] for t in terms]
    return first.positive[rows], scores, first.patient[rows]


def _scores(table: GridTable, model: str) -> Floats:
    return table.cells[model] if model in table.cells else table.pairs.scores[model]
