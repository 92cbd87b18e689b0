"""What the card states of each variant, measured on patients that trained nothing.

Each variant is measured on the pairs it is made for: the uncalibrated one on
baseline pairs, the other two on follow-up pairs (paper 000 evaluates them so).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from ecgdash.domain.model import MASKED, UNCALIBRATED, VariantCard
from ecgdash.domain.pairs import History, masked_history, recalibrated_history
from ecgdash.inference.history import (
    HistoryTerm,
    history_terms_from_tensors,
    mean_score,
    score_with_history,
)
from ecgdash.inference.thresholds import variant_card
from ecgdash.nets.family import FamilyNet
from ecgdash.stats import auroc
from ecgdash.training.distributed import device_of
from ecgdash.training.loop import Progress
from ecgdash.training.phases import LVSD
from ecgdash.training.probability import LabelledScores, probability_map
from ecgdash.training.recalibrate import ECGS_AT_ONCE, CoursePairs
from ecgdash.training.repeats import noise_floor, repeat_pairs, repeatability
from ecgdash.training.shards import Shard
from ecgdash.training.splits import Split, rows_of_split

__all__ = ["Measured", "ValidationData", "base_logits_of_rows", "validate_variants"]

SIDES: Final[tuple[Split, ...]] = ("validation", "test")


@dataclass(frozen=True, eq=False)
class ValidationData:
    """Prepared data; only validation and test patients are used.

    Attributes
    ----------
    words : mapping of str to str
        What the card says about the patients of "validation" and of "test".
    """

    baseline: Shard
    follow_up: Shard
    patients: Sequence[CoursePairs]
    words: Mapping[str, str]

    def of_side(self, side: Split) -> list[CoursePairs]:
        """Return the patients with courses on one side of the split."""
        return [patient for patient in self.patients if patient.side == side]


@dataclass(frozen=True)
class Measured:
    """Cards of the variants, and the figures for the log."""

    cards: dict[str, VariantCard]
    figures: dict[str, Any]


def validate_variants(
    net: FamilyNet, family: str, data: ValidationData, on_progress: Progress | None = None
) -> Measured:
    """Score the validation patients with every variant and describe the outcome.

    Thresholds, noise floors and probability maps come from the validation patients; the test
    patients serve the measurement of the maps alone.
    """
    tensors = {n: t.cpu().numpy() for n, t in net.state_dict().items()}
    terms = history_terms_from_tensors(tensors)
    scored = {side: _scored(net, data, side, on_progress) for side in SIDES}
    cards, figures = {}, {}
    for i, name in enumerate(net.variants):
        kind = "baseline" if name == UNCALIBRATED else "follow-up"
        found = {side: part.of_variant(name, i, terms.get(name)) for side, part in scored.items()}
        validation = found["validation"]
        lvsd, score = validation.own
        words = {side: f"{kind} pairs of {text}" for side, text in data.words.items()}
        repeats = repeat_pairs(
            scored["validation"].patients, validation.logits, validation.histories, terms.get(name)
        )
        noise = noise_floor(repeats)
        card = variant_card(f"{family}/{name}", lvsd, score, words["validation"], noise)
        cards[name] = replace(
            card,
            probability=probability_map(
                LabelledScores(words["validation"], lvsd, score),
                LabelledScores(words["test"], *found["test"].own),
            ),
            repeatability=repeatability(repeats, card.youden.value, data.words["validation"]),
        )
        area = auroc(lvsd, score)
        on_follow_up = auroc(*validation.follow_up)
        figures[name] = {
            "pairs": kind,
            "n": int(lvsd.size),
            "n_positive": int(lvsd.sum()),
            "auroc": [area.value, area.low, area.high],
            "auroc_follow_up": [on_follow_up.value, on_follow_up.low, on_follow_up.high],
            "repeat_pairs": len(repeats),
            "noise_floor_logit": noise,
        }
    return Measured(cards, figures)


@dataclass(frozen=True, eq=False)
class _Scored:
    """The patients of one side, scored without history.

    Attributes
    ----------
    logits : ndarray, shape (n_ecgs, n_variants, 3)
        By row of the follow-up shard; NaN in other rows.
    uncalibrated : ndarray, shape (n_ecgs,)
        Scores, by row of the follow-up shard.
    baseline : (ndarray of bool, ndarray)
        LVSD and uncalibrated score of the baseline pairs.
    """

    patients: list[CoursePairs]
    logits: NDArray[np.float64]
    uncalibrated: NDArray[np.float64]
    baseline: tuple[NDArray[np.bool_], NDArray[np.float64]]

    def of_variant(self, name: str, i: int, term: HistoryTerm | None) -> "_VariantScored":
        """Add one variant's histories; `i` is its place in the logits."""
        histories = {} if term is None else _histories(name, self.patients, self.uncalibrated)
        scores = _scores(self.logits[:, i], histories, term)
        follow_up = _follow_up(self.patients, scores)
        own = self.baseline if name == UNCALIBRATED else follow_up
        return _VariantScored(self.logits[:, i], histories, follow_up, own)


@dataclass(frozen=True, eq=False)
class _VariantScored:
    """One variant's logits and histories, and LVSD and score of pairs.

    Attributes
    ----------
    own : (ndarray of bool, ndarray)
        Of the pairs that the variant is made for.
    """

    logits: NDArray[np.float64]
    histories: dict[str, History]
    follow_up: tuple[NDArray[np.bool_], NDArray[np.float64]]
    own: tuple[NDArray[np.bool_], NDArray[np.float64]]


def _scored(
    net: FamilyNet, data: ValidationData, side: Split, on_progress: Progress | None
) -> _Scored:
    patients = data.of_side(side)
    rows = np.array([int(r.key) for p in patients for r in p.course.refs if r.analysable], np.int64)
    logits = base_logits_of_rows(net, data.follow_up, rows, on_progress)
    uncalibrated = mean_score(logits[:, net.variants.index(UNCALIBRATED)])
    baseline = _baseline(net, data, side, uncalibrated)
    return _Scored(patients, logits, uncalibrated, baseline)


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
            x = torch.from_numpy(crops.reshape(-1, *crops.shape[2:])).to(device_of(net))
            logits = net(x).cpu()
            by_ecg = logits.double().numpy().reshape(len(part), 3, -1)
            out[part] = by_ecg.transpose(0, 2, 1)  # (b, 3, variants) -> (b, variants, 3)
            if on_progress is not None:
                on_progress("score validation and test patients", start + len(part), len(rows))
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
    net: FamilyNet, data: ValidationData, side: Split, follow_up_scores: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return LVSD and score of the baseline pairs of one side.

    The follow-up shard adds its validation patients where it has others than the baseline
    shard: it holds them all. Of the test patients it holds those with follow-up pairs only,
    who are not like the others.
    """
    known = set(data.baseline.patient_ids)
    others = [
        patient
        for patient in (data.of_side(side) if side == "validation" else [])
        if patient.course.patient_id not in known
    ]
    first = [patient.pairs[0] for patient in others if patient.pairs]
    lvsd = [pair.echo.lvsd for pair in first]
    scores = [follow_up_scores[int(pair.ecg.key)] for pair in first]
    rows = rows_of_split(data.baseline.patient_ids, side)
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
