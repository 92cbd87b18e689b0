"""The grid's figures as one document: tables, findings, controls, and a site's own threshold."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from ecgdash.domain import UNCALIBRATED
from ecgdash.domain.leads import LeadSet
from ecgdash.labels.published import BASELINE, FOLLOW_UP
from ecgdash.services.evaluation_pairs import Bools, PairTable
from ecgdash.services.evaluation_tables import (
    INTERVAL_METHOD,
    accuracy_figures,
    evaluation_tables,
)
from ecgdash.services.grid_contrasts import GridContrasts, GridTables, joined, plain_rows
from ecgdash.services.grid_findings import findings
from ecgdash.services.grid_scores import GridFamily, GridTable
from ecgdash.stats import auroc_value, youden_threshold

__all__ = ["site_document"]

LOCAL_GROUPS: Final = ("all", "AFIB", "LBBB")
"""Subgroups in which a site's own threshold is tried."""


def site_document(seeds: Sequence[GridTables], families: Sequence[GridFamily]) -> dict[str, Any]:
    """Return the figures of one site's patients, estimates as `Estimate` objects.

    Parameters
    ----------
    seeds : sequence of mapping of str to GridTable
        One mapping per seed, of the same lead sets.
    families : sequence of GridFamily
    """
    whole: dict[LeadSet, GridTable] = {}
    tables: dict[LeadSet, dict[str, Any]] = {}
    for family in families:
        name = family.lead_set
        whole[name] = joined([tables_of[name] for tables_of in seeds])
        tables[name] = _lead_set(whole[name], family, [tables_of[name] for tables_of in seeds])
    pairs = next(iter(whole.values())).pairs
    return {
        "seeds": list(pairs.seeds),
        "n_patients": pairs.n_patients,
        "counts": dict(pairs.counts),
        "interval_method": INTERVAL_METHOD,
        "lead_sets": tables,
        "findings": findings(GridContrasts(whole, seeds), tables),
    }


def _lead_set(whole: GridTable, family: GridFamily, seeds: Sequence[GridTable]) -> dict[str, Any]:
    card, pairs = family.card, whole.pairs
    tables = evaluation_tables(pairs)
    rows = plain_rows(pairs, BASELINE)
    cells = {
        name: accuracy_figures(
            pairs.positive[rows],
            score[rows],
            np.full(int(rows.sum()), whole.thresholds[name]),
        )
        for name, score in whole.cells.items()
    }
    tables[BASELINE]["cells"] = cells
    return {
        "family": card.family,
        "weights_sha256": card.weights_sha256,
        "thresholds": {one.variant: one.youden.value for one in card.variants},
        "control_thresholds": dict(whole.thresholds),
        **tables,
        "site_threshold": _site_thresholds(pairs),
        "per_seed": [_brief(table) for table in seeds],
    }


def _brief(table: GridTable) -> dict[str, Any]:
    """Return one seed's AUROCs, to see how far seeds differ."""
    pairs = table.pairs
    first, later = (plain_rows(pairs, setting) for setting in (BASELINE, FOLLOW_UP))
    own = {UNCALIBRATED: pairs.scores[UNCALIBRATED], **table.cells}
    y = pairs.positive
    return {
        "seed": pairs.seeds[0],
        "n_baseline": int(first.sum()),
        "n_follow_up": int(later.sum()),
        BASELINE: {name: auroc_value(y[first], score[first]) for name, score in own.items()},
        FOLLOW_UP: {
            name: auroc_value(y[later], pairs.scores[name][later]) for name in pairs.variants
        },
    }


def _site_thresholds(pairs: PairTable) -> dict[str, Any]:
    """Compare the card's threshold with one chosen on half of these patients, on the other half.

    The halves follow from a hash of the patient. Each variant is taken on the pairs it is made
    for: the uncalibrated one on baseline pairs, the others on follow-up pairs.
    """
    chooses = _half(pairs)
    found = {}
    for name in pairs.variants:
        if np.isnan(pairs.thresholds[name]).any():
            continue
        setting = BASELINE if name == UNCALIBRATED else FOLLOW_UP
        rows = plain_rows(pairs, setting)
        there = rows & chooses
        y, score = pairs.positive, pairs.scores[name]
        local = youden_threshold(y[there], score[there])
        members = {"all": np.ones_like(rows), **pairs.subgroups}
        groups = {}
        for key in LOCAL_GROUPS:
            inside = rows & ~chooses & members[key]
            groups[key] = {
                "n": int(inside.sum()),
                "n_positive": int(y[inside].sum()),
                "card": _at(pairs, name, inside, pairs.thresholds[name][inside]),
                "local": _at(pairs, name, inside, np.full(int(inside.sum()), local)),
            }
        found[name] = {"setting": setting, "threshold": local, "groups": groups}
    return found


def _at(pairs: PairTable, name: str, rows: Bools, threshold: np.ndarray) -> dict[str, Any]:
    figures = accuracy_figures(pairs.positive[rows], pairs.scores[name][rows], threshold)
    return {key: figures[key] for key in ("sensitivity", "specificity")}


def _half(pairs: PairTable) -> Bools:
    names, place = np.unique(pairs.patient.astype(str), return_inverse=True)
    digests = [hashlib.sha256(f"ecgdash-half:{one}".encode()).digest()[0] for one in names]
    half: Bools = (np.array(digests) % 2 == 0)[place]
    return half
