"""Differences of AUROCs between cells of the grid, on the same ECGs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ecgdash.domain.leads import LeadSet
from ecgdash.domain.model import UNCALIBRATED
from ecgdash.labels.published import BASELINE
from ecgdash.services.evaluation_pairs import Bools, Floats, PairTable, pooled
from ecgdash.services.grid_scores import GridTable
from ecgdash.stats import ResampledAurocs, auroc_value, delong_test, resampled_aurocs

__all__ = ["GridContrasts", "GridTables", "Term", "joined", "plain_rows"]

GridTables = Mapping[LeadSet, GridTable]
"""The tables of one seed, or of all, by lead set."""


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


class GridContrasts:
    """Contrasts of AUROCs on the pairs that every cell of every lead set has scored.

    Patients are drawn once for all contrasts of a setting.

    Parameters
    ----------
    whole : mapping of str to GridTable
        All seeds together.
    seeds : sequence of mapping of str to GridTable
        One by one.
    """

    def __init__(self, whole: GridTables, seeds: Sequence[GridTables]) -> None:
        self.lead_sets = tuple(whole)
        self._whole, self._seeds = whole, seeds
        self._drawn: dict[str, ResampledAurocs] = {}

    def of(self, setting: str, terms: Sequence[Term]) -> dict[str, Any]:
        """Return a weighted sum of AUROCs.

        Parameters
        ----------
        setting : {"baseline", "follow_up"}
        terms : sequence of Term

        Returns
        -------
        dict
            `difference` with its 95 % bootstrap interval over patients, `per_seed` (list of
            float), `n`, and for two terms `delong`.
        """
        y, scores, patient = _columns(self._whole, setting)
        if setting not in self._drawn:
            self._drawn[setting] = resampled_aurocs(y, list(scores.values()), patient)
        factors = dict.fromkeys(scores, 0.0)
        for term in terms:
            factors[term.lead_set, term.model] += term.factor
        found: dict[str, Any] = {
            "difference": self._drawn[setting].contrast(list(factors.values())),
            "per_seed": [_value(tables, setting, terms) for tables in self._seeds],
            "n": int(y.size),
        }
        if [term.factor for term in terms] == [1.0, -1.0]:
            pair = [scores[term.lead_set, term.model] for term in terms]
            found["delong"] = delong_test(y, *pair)._asdict()
        return found


def _value(tables: GridTables, setting: str, terms: Sequence[Term]) -> float:
    y, scores, _ = _columns(tables, setting)
    parts = [t.factor * auroc_value(y, scores[t.lead_set, t.model]) for t in terms]
    return float(sum(parts))


def _columns(
    tables: GridTables, setting: str
) -> tuple[Bools, dict[tuple[LeadSet, str], Floats], np.ndarray]:
    """Return labels, scores by lead set and model, and patients of the pairs in common."""
    first = next(iter(tables.values())).pairs
    rows = np.logical_and.reduce([plain_rows(table.pairs, setting) for table in tables.values()])
    scores = {
        (lead_set, model): values[rows]
        for lead_set, table in tables.items()
        for model, values in _models(table, setting).items()
    }
    return first.positive[rows], scores, first.patient[rows]


def _models(table: GridTable, setting: str) -> Mapping[str, Floats]:
    if setting == BASELINE:
        return {UNCALIBRATED: table.pairs.scores[UNCALIBRATED], **table.cells}
    return {name: table.pairs.scores[name] for name in table.pairs.variants}
