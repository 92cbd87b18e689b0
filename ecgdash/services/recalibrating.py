"""History for any scorer: fit a history perceptron beside a family, and evaluate it.

The scorer's own logits stay as they are; a term of the patient's earlier scores and LVEFs is
added to them (docs/decisions/0018-history-for-any-scorer.md). All figures are out of fold.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from ecgdash.domain import RECALIBRATED, UNCALIBRATED
from ecgdash.domain.model import VariantCard
from ecgdash.errors import InvalidValue
from ecgdash.inference.history import HistoryTerm
from ecgdash.inference.manifest import find_family, load_card, verify_family
from ecgdash.inference.thresholds import variant_card
from ecgdash.services.evaluation import evaluate_table
from ecgdash.services.evaluation_histories import with_histories
from ecgdash.services.evaluation_pairs import Floats, PairTable
from ecgdash.services.evaluation_simulated import table_of_rows
from ecgdash.services.history_data import ScorerPairs, repeats_of, store_pairs_of
from ecgdash.settings import Settings
from ecgdash.training.history_only import (
    HistoryFit,
    HistorySettings,
    fit_history,
    fold_of,
)
from ecgdash.training.repeats import noise_floor, repeatability

__all__ = [
    "MIN_CASES",
    "FittedHistory",
    "evaluate_history",
    "fit_scorer_history",
    "recalibrate_from_store",
    "table_of_fit",
]

MIN_CASES: Final = 20
"""Cases, and controls, below which nothing is fitted. Our choice: 4 of each a fold of 5."""


@dataclass(frozen=True, eq=False)
class FittedHistory:
    """A term fitted to a scorer, with its card and its figures.

    Attributes
    ----------
    data : ScorerPairs
    fit : HistoryFit
    variant : VariantCard
        Thresholds and noise floor, out of fold.
    result : dict
        As `evaluation.evaluate_table` returns it, out of fold, and the fit's log under "fit".
    """

    data: ScorerPairs
    fit: HistoryFit
    variant: VariantCard
    result: dict[str, Any]

    @property
    def helps(self) -> bool:
        """Whether any history was better than none in most folds."""
        return self.fit.epochs > 0


def recalibrate_from_store(
    settings: Settings, family: str, history: HistorySettings
) -> FittedHistory:
    """Fit and evaluate a history term on the pairs of the store; nothing is installed.

    Raises
    ------
    WeightsMissing
        If the family is not installed.
    NotFound
        If the store holds no ECG scored by it.
    InvalidValue
        If there are too few cases or controls, or the label is not one of a measured LVEF.
    """
    from ecgdash.store import open_store

    row = find_family(family, settings.models_dir)
    verify_family(row)
    card, _ = load_card(row)
    store = open_store(settings.database_url)
    try:
        return fit_scorer_history(store_pairs_of(store, card), history)
    finally:
        store.close()


def fit_scorer_history(data: ScorerPairs, settings: HistorySettings) -> FittedHistory:
    """Fit by patient-wise cross-validation and evaluate every pair out of fold.

    Parameters
    ----------
    data : ScorerPairs
    settings : HistorySettings

    Raises
    ------
    InvalidValue
        If there are too few cases or controls with a history.
    """
    examples = data.examples()
    n_cases = int(examples.cases.sum())
    n_controls = len(examples) - n_cases
    if min(n_cases, n_controls) < MIN_CASES:
        raise InvalidValue(
            f"the {data.words} have {n_cases} cases ({data.card.label}) and {n_controls} controls "
            "among their follow-up pairs with a history",
            accepted=f"Accepted: {MIN_CASES} of each or more",
            todo="Import more echoes, or score all ECGs by 'python -m ecgdash score --all'",
        )
    fit = fit_history(examples, settings)
    variant = _variant(data, fit)
    return FittedHistory(data, fit, variant, _evaluated(data, fit, variant))


def _variant(data: ScorerPairs, fit: HistoryFit) -> VariantCard:
    """Choose thresholds and measure the noise floor, on scores out of fold."""
    scores = _out_of_fold(data, [fold.term for fold in fit.folds])
    there = data.with_history
    words = (
        f"out-of-fold scores of follow-up pairs of {data.words} ({len(fit.folds)} folds by "
        "patient); the term in use is fitted on all of them"
    )
    repeats = repeats_of(data, fit)
    name = f"{data.card.family}/{RECALIBRATED}"
    noise = noise_floor(repeats)
    card = variant_card(name, data.cases[there], scores[there], words, noise)
    return replace(card, repeatability=repeatability(repeats, card.youden.value, data.words))


def _out_of_fold(data: ScorerPairs, terms: list[HistoryTerm]) -> Floats:
    histories = [row.histories[RECALIBRATED] for row in data.rows]
    columns = [with_histories(data.logits, histories, term) for term in terms]
    return _of_own_fold(data, columns)


def _of_own_fold(data: ScorerPairs, columns: list[Floats]) -> Floats:
    """Take each row from the column of its patient's fold."""
    fold = [fold_of(name, len(columns)) for name in data.names]
    return np.stack(columns)[fold, np.arange(len(fold))]


def _evaluated(data: ScorerPairs, fit: HistoryFit, variant: VariantCard) -> dict[str, Any]:
    tables = [table_of_fit(data, fold.term, variant) for fold in fit.folds]
    first = tables[0]
    whole = replace(
        first,
        data=f"{first.data}, out of fold ({len(fit.folds)} folds by patient)",
        scores={
            name: _of_own_fold(data, [table.scores[name] for table in tables])
            for name in first.scores
        },
        controls={
            name: _of_own_fold(data, [table.controls[name] for table in tables])
            for name in first.controls
        },
    )
    return {**evaluate_history(whole), "fit": fit.log()}


def table_of_fit(
    data: ScorerPairs, term: HistoryTerm, variant: VariantCard, seed: int = 0
) -> PairTable:
    """Return the pairs scored without and with one term, and the controls.

    Parameters
    ----------
    data : ScorerPairs
    term : HistoryTerm
    variant : VariantCard
        Of the recalibrated variant, for its threshold.
    seed : int
        Of the shuffled control.
    """
    card = replace(data.card, variants=(data.card.variant(UNCALIBRATED), variant))
    base = np.repeat(data.logits[:, np.newaxis], 2, axis=1)  # (n, 2 variants, n_crops)
    table = table_of_rows(list(data.rows), base, data.members, (card, {RECALIBRATED: term}), seed)
    return replace(
        table,
        data=data.words,
        n_patients=data.n_patients,
        counts=data.counts,
        simulated=data.simulated,
        seeds=data.seeds,
        family=f"{data.card.family} with a history perceptron beside it",
    )


def evaluate_history(table: PairTable) -> dict[str, Any]:
    """Return the tables of an evaluation, and the label they hold for."""
    return {**evaluate_table(table), "label": table.label}
