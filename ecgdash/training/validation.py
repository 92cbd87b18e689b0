"""What the card states: thresholds and noise floors, on patients that trained nothing.

Each variant is measured on the pairs it is made for: the uncalibrated one on
baseline pairs, the other two on follow-up pairs (paper 000 evaluates them so).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from ecgdash.domain.ecg import EcgRef
from ecgdash.domain.model import MASKED, UNCALIBRATED, VariantCard
from ecgdash.domain.pairs import (
    PAIRING_WINDOW_DAYS,
    History,
    masked_history,
    recalibrated_history,
)
from ecgdash.inference.history import (
    HistoryTerm,
    history_terms_from_tensors,
    logit,
    mean_score,
    score_with_history,
)
from ecgdash.inference.thresholds import variant_card
from ecgdash.nets.family import FamilyNet
from ecgdash.stats import auroc
from ecgdash.training.loop import Progress
from ecgdash.training.phases import LVSD
from ecgdash.training.recalibrate import ECGS_AT_ONCE, CoursePairs
from ecgdash.training.shards import Shard
from ecgdash.training.splits import rows_of_split

__all__ = ["Measured", "ValidationData", "base_logits_of_rows", "validate_variants"]

MIN_REPEATS: Final = 30
"""Repeat pairs below which no noise floor is stated."""

LIMITS_OF_AGREEMENT: Final = 1.96


@dataclass(frozen=True, eq=False)
class ValidationData:
    """Prepared data; only validation patients are used.

    Attributes
    ----------
    words : str
        What the card says about these patients.
    """

    baseline: Shard
    follow_up: Shard
    patients: Sequence[CoursePairs]
    words: str


@dataclass(frozen=True)
class Measured:
    """Cards of the variants, and the figures for the log."""

    cards: dict[str, VariantCard]
    figures: dict[str, Any]


def validate_variants(
    net: FamilyNet, family: str, data: ValidationData, on_progress: Progress | None = None
) -> Measured:
    """Score the validation patients with every variant and describe the outcome."""
    patients = [patient for patient in data.patients if patient.side == "validation"]
    rows = np.array([int(r.key) for p in patients for r in p.course.refs if r.analysable], np.int64)
    logits = base_logits_of_rows(net, data.follow_up, rows, on_progress)
    terms = history_terms_from_tensors({n: t.numpy() for n, t in net.state_dict().items()})
    uncalibrated = mean_score(logits[:, net.variants.index(UNCALIBRATED)])
    baseline_lvsd, baseline_scores = _baseline(net, data, patients, uncalibrated)
    cards, figures = {}, {}
    for i, name in enumerate(net.variants):
        term = terms.get(name)
        histories = {} if term is None else _histories(name, patients, uncalibrated)
        scores = _scores(logits[:, i], histories, term)
        if name == UNCALIBRATED:
            lvsd, score, kind = baseline_lvsd, baseline_scores, "baseline"
        else:
            lvsd, score = _follow_up(patients, scores)
            kind = "follow-up"
        differences = _repeat_differences(patients, logits[:, i], histories, term)
        noise = (
            float(LIMITS_OF_AGREEMENT * differences.std(ddof=1))
            if differences.size >= MIN_REPEATS
            else None
        )
        words = f"{kind} pairs of {data.words}"
        cards[name] = variant_card(f"{family}/{name}", lvsd, score, words, noise)
        area = auroc(lvsd, score)
        on_follow_up = auroc(*_follow_up(patients, scores))
        figures[name] = {
            "pairs": kind,
            "n": int(lvsd.size),
            "n_positive": int(lvsd.sum()),
            "auroc": [area.value, area.low, area.high],
            "auroc_follow_up": [on_follow_up.value, on_follow_up.low, on_follow_up.high],
            "repeat_pairs": int(differences.size),
            "noise_floor_logit": noise,
        }
    return Measured(cards, figures)


def base_logits_of_rows(
    net: FamilyNet, shard: Shard, rows: NDArray[np.int64], on_progress: Progress | None = None
) -> NDArray[np.float64]:
    """Return the logits without history, (len(shard), n_variants, 3); NaN in other rows."""
    net.eval()
    out = np.full((len(shard), len(net.variants), 3), np.nan)
    with torch.inference_mode():
        for start in range(0, len(rows), ECGS_AT_ONCE):
            part = rows[start : start + ECGS_AT_ONCE]
            crops = shard.fixed_crops(part)  # (b, 3, leads, 2250)
            logits = net(torch.from_numpy(crops.reshape(-1, *crops.shape[2:])))
            by_ecg = logits.double().numpy().reshape(len(part), 3, -1)
            out[part] = by_ecg.transpose(0, 2, 1)  # (b, 3, variants) -> (b, variants, 3)
            if on_progress is not None:
                on_progress("score validation patients", start + len(part), len(rows))
    return out


def _histories(
    variant: str, patients: Sequence[CoursePairs], uncalibrated: NDArray[np.float64]
) -> dict[str, History]:
    """Return the history of every ECG that has one, by key."""
    found = {}
    for patient in patients:
        refs = [ref for ref in patient.course.refs if ref.analysable]
        known = {ref.key: float(uncalibrated[int(ref.key)]) for ref in refs}
        for ref in refs:
            history = (
                masked_history(ref, refs, known)
                if variant == MASKED
                else recalibrated_history(ref, patient.pairs, known)
            )
            if history is not None:
                found[ref.key] = history
    return found


def _scores(
    logits: NDArray[np.float64], histories: Mapping[str, History], term: HistoryTerm | None
) -> NDArray[np.float64]:
    """Return a variant's score by ECG of the follow-up shard, NaN where there is none."""
    if term is None:
        return mean_score(logits)
    out = np.full(len(logits), np.nan)
    for key, history in histories.items():
        out[int(key)] = score_with_history(term, logits[int(key)], history)
    return out


def _baseline(
    net: FamilyNet,
    data: ValidationData,
    patients: Sequence[CoursePairs],
    follow_up_scores: NDArray[np.float64],
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Baseline pairs of both sets of validation patients."""
    first = [patient.pairs[0] for patient in patients if patient.pairs]
    lvsd = [pair.echo.lvsd for pair in first]
    scores = [follow_up_scores[int(pair.ecg.key)] for pair in first]
    rows = rows_of_split(data.baseline.patient_ids, "validation")
    rows = rows[data.baseline.marks["analysable"][rows]]
    logits = base_logits_of_rows(net, data.baseline, rows)[rows]
    own = mean_score(logits[:, net.variants.index(UNCALIBRATED)])
    return (
        np.concatenate([data.baseline.marks[LVSD][rows], np.array(lvsd, bool)]),
        np.concatenate([own, np.array(scores, np.float64)]),
    )


def _follow_up(
    patients: Sequence[CoursePairs], scores: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Follow-up pairs that have a score."""
    found = [
        (pair.echo.lvsd, scores[int(pair.ecg.key)])
        for patient in patients
        for pair in patient.pairs[1:]
        if np.isfinite(scores[int(pair.ecg.key)])
    ]
    return np.array([y for y, _ in found], bool), np.array([s for _, s in found], np.float64)


def _repeat_differences(
    patients: Sequence[CoursePairs],
    logits: NDArray[np.float64],
    histories: Mapping[str, History],
    term: HistoryTerm | None,
) -> NDArray[np.float64]:
    """Logit differences of successive ECGs of two days, at most 14 days apart.

    Within the window in which an echo counts as simultaneous the heart is taken
    as stable; what differs is the recording and the day. Both are scored with
    the history of the earlier one: what a new slot adds is knowledge, not noise.

    Parameters
    ----------
    logits : ndarray, shape (n_ecgs, 3)
        Of the variant, without history.
    histories : mapping of str to History
        Of the variant, by ECG key.
    """
    differences = []
    for patient in patients:
        refs = [ref for ref in patient.course.refs if ref.analysable]
        for earlier, later in zip(refs, refs[1:], strict=False):
            if not _is_repeat(earlier, later):
                continue
            shift = 0.0
            if term is not None:
                if earlier.key not in histories:
                    continue
                shift = term(histories[earlier.key])
            pair = logit(mean_score(logits[[int(earlier.key), int(later.key)]] + shift))
            differences.append(float(pair[1] - pair[0]))
    return np.array(differences)


def _is_repeat(earlier: EcgRef, later: EcgRef) -> bool:
    days = (later.local_day - earlier.local_day).days
    return 1 <= days <= PAIRING_WINDOW_DAYS
