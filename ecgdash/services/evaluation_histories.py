"""Pairs, histories and scores of many patients, from base logits and the common rules.

The same rules as scoring (`ecgdash.domain.pairs`), so that an evaluation says
something about what the dashboard shows. No network runs here: a history adds
its term to stored logits (DESIGN section 2).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecgdash.domain import (
    MASKED,
    RECALIBRATED,
    UNCALIBRATED,
    EcgRef,
    EchoStudy,
    FamilyCard,
    History,
    form_pairs,
    masked_history,
    recalibrated_history,
)
from ecgdash.inference.history import HistoryTerm, encode_histories, mean_score
from ecgdash.services.evaluation_pairs import MASKED_PAIRS, Floats

__all__ = [
    "PairRow",
    "Subject",
    "control_scores",
    "pair_rows",
    "variant_scores",
    "with_histories",
]

_TERM_OF = {MASKED: MASKED, MASKED_PAIRS: MASKED, RECALIBRATED: RECALIBRATED}


@dataclass(frozen=True)
class Subject:
    """One patient's ECGs and echoes, as pairing needs them."""

    name: str
    ecgs: Sequence[EcgRef]
    echoes: Sequence[EchoStudy]
    enriched_as: str = ""


@dataclass(frozen=True)
class PairRow:
    """One pair with the histories its ECG may use.

    Attributes
    ----------
    histories : mapping of str to History or None
        Under "masked", "masked_pairs" and "recalibrated".
    """

    subject: Subject
    ecg: str
    follow_up: bool
    lvef_percent: float
    histories: Mapping[str, History | None]


def pair_rows(subjects: Iterable[Subject], scores: Mapping[str, float]) -> list[PairRow]:
    """Form the pairs of every patient and the histories of every pair.

    Parameters
    ----------
    subjects : iterable of Subject
    scores : mapping of str to float
        Uncalibrated scores by ECG key, one family; an ECG without one is in no history.
    """
    rows = []
    for subject in subjects:
        pairs = [p for p in form_pairs(subject.ecgs, subject.echoes) if p.ecg.key in scores]
        paired = [pair.ecg for pair in pairs]
        for i, pair in enumerate(pairs):
            histories = {
                MASKED: masked_history(pair.ecg, subject.ecgs, scores),
                MASKED_PAIRS: masked_history(pair.ecg, paired, scores),
                RECALIBRATED: recalibrated_history(pair.ecg, pairs, scores),
            }
            lvef = pair.echo.lvef_percent
            rows.append(PairRow(subject, pair.ecg.key, i > 0, lvef, histories))
    return rows


def variant_scores(
    rows: Sequence[PairRow],
    base_logits: Floats,
    card: FamilyCard,
    terms: Mapping[str, HistoryTerm],
) -> dict[str, Floats]:
    """Score every pair with every variant.

    Parameters
    ----------
    rows : sequence of PairRow
    base_logits : ndarray, shape (n_rows, n_variants, n_crops)
        Logits without history, variants in the card's order.
    card : FamilyCard
    terms : mapping of str to HistoryTerm

    Returns
    -------
    dict of str to ndarray, shape (n_rows,)
        NaN where a variant has no history.
    """
    names = [variant.variant for variant in card.variants]
    found = {UNCALIBRATED: mean_score(base_logits[:, names.index(UNCALIBRATED)])}
    for key, variant in _TERM_OF.items():
        if variant in names and variant in terms:
            histories = [row.histories[key] for row in rows]
            logits = base_logits[:, names.index(variant)]
            found[key] = with_histories(logits, histories, terms[variant])
    return found


def control_scores(
    rows: Sequence[PairRow],
    base_logits: Floats,
    card: FamilyCard,
    terms: Mapping[str, HistoryTerm],
    *,
    seed: int = 0,
) -> dict[str, Floats]:
    """Score the controls (`ecgdash.services.evaluation_tables.CONTROLS`).

    Only rows with the histories of all the family's variants take part; others are NaN. In
    the shuffled controls every ECG gets the history of another patient's ECG.
    """
    names = [variant.variant for variant in card.variants]
    looking_back = [name for name in (RECALIBRATED, MASKED) if name in names and name in terms]
    usable = [all(row.histories[name] is not None for name in looking_back) for row in rows]
    chosen: list[int] = np.flatnonzero(usable).tolist()
    if RECALIBRATED not in looking_back or not chosen:
        return {}
    donors = _other_patients([rows[i].subject.name for i in chosen], seed)
    found: dict[str, Floats] = {}
    for variant in looking_back:
        suffix = "" if variant == RECALIBRATED else "_masked"
        logits = base_logits[chosen, names.index(variant)]
        histories = [rows[i].histories[variant] for i in chosen]
        if donors is not None:
            shuffled = [histories[i] for i in donors]
            found[f"shuffled_histories{suffix}"] = with_histories(logits, shuffled, terms[variant])
        found[f"no_history{suffix}"] = mean_score(logits)
    last = [rows[i].histories[RECALIBRATED] for i in chosen]
    found["last_lvef_alone"] = np.array(
        [-float(history.slots[0].lvef_percent or 0.0) for history in last if history is not None]
    )
    return {key: _spread(values, chosen, len(rows)) for key, values in found.items()}


def with_histories(
    logits: Floats, histories: Sequence[History | None], term: HistoryTerm
) -> Floats:
    """Return scores with each ECG's history added to its base logits; NaN without one."""
    scores = np.full(len(histories), np.nan)
    there = [i for i, history in enumerate(histories) if history is not None]
    if there:
        known = [history for history in histories if history is not None]
        shifts = term.of_vectors(encode_histories(known, term.variant))
        scores[there] = mean_score(logits[there] + shifts[:, None])
    return scores


def _other_patients(names: Sequence[str], seed: int) -> list[int] | None:
    """For each row, a row of another patient; None where one patient holds too many.

    Patients in random order, their rows together; every row takes the row that
    stands as far behind it as the largest patient has rows.
    """
    rng = np.random.default_rng(seed)
    _, patient = np.unique(np.asarray(names), return_inverse=True)
    place = rng.permutation(patient.max() + 1)[patient]
    order = np.argsort(place, kind="stable")
    largest = int(np.bincount(patient).max())
    if 2 * largest > len(names):
        return None
    donors = np.empty(len(names), dtype=np.intp)
    donors[order] = np.roll(order, largest)
    found: list[int] = donors.tolist()
    return found


def _spread(values: Floats, chosen: list[int], n: int) -> Floats:
    whole = np.full(n, np.nan)
    whole[chosen] = values
    return whole
