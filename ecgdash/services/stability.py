"""The score of a stored ECG under conditions that ought not to matter; nothing is stored.

Varied are the 9 s that are read, the sampling rate, noise and the number of leads. The history is
held fixed: its term is added to every logit. The conditions are those of the issue; their
levels are stated in no source: our choice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.ecg import EcgRecord
from ecgdash.domain.leads import LEADS_OF_SET, LeadSet
from ecgdash.domain.model import FamilyCard
from ecgdash.domain.prediction import Prediction, VariantScore
from ecgdash.domain.stability import ConditionKind, StabilityPanel, StabilityRow
from ecgdash.domain.timeline import RiskTimeline, TimelinePoint
from ecgdash.errors import InputDoesNotFitModel, NotFound
from ecgdash.services.changes import logit
from ecgdash.services.timelines import NOT_SCORED, no_model
from ecgdash.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ecgdash.inference.history import HistoryTerm

__all__ = ["CROP_STARTS_S", "NOISE_LEVELS_UV", "RATES_HZ", "StressEngine", "stability"]

CROP_STARTS_S: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
RATES_HZ: Final = (250.0, 500.0)
NOISE_LEVELS_UV: Final = (10.0, 25.0, 50.0)
_LEAD_SETS: Final[tuple[LeadSet, ...]] = ("12", "6", "1")
_CROPS_PER_ECG: Final = 3
_SEED_DIGITS: Final = 16


class StressEngine(Protocol):
    """What this module needs of `ecgdash.inference.Engine`."""

    @property
    def card(self) -> FamilyCard:
        """The family's card."""

    @property
    def leads(self) -> tuple[str, ...]:
        """Leads the family reads, in order."""

    @property
    def variants(self) -> tuple[str, ...]:
        """Variants, in the order of the logits."""

    @property
    def history_terms(self) -> "Mapping[str, HistoryTerm]":
        """What a history adds to a variant's logit."""

    def base_logits_from_crops(self, crops: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return logits without history: (n, 3, n_leads, 2250) -> (n, n_variants, 3)."""


@dataclass(frozen=True)
class _Condition:
    """One way to read the ECG: crops, shape (n, n_leads, 2250), or why it cannot be made."""

    kind: ConditionKind
    words: str
    crops: NDArray[np.float32] | None
    reason: str = ""


def stability(
    store: Store, engines: Sequence[StressEngine], course: RiskTimeline, ecg_key: str
) -> StabilityPanel:
    """Return the score of an ECG by its best variant under every condition.

    One pass of the network over all crops. Scores of other numbers of leads are those that are
    stored: each family scores every ECG itself.

    Parameters
    ----------
    store : Store
    engines : sequence of StressEngine
        Of the installed families.
    course : RiskTimeline
        Of the ECG's patient.
    ecg_key : str

    Raises
    ------
    NotFound
        If the ECG is not on the course, or no installed family scored it.
    """
    points = {point.ecg: point for point in (*course.points, *course.undated)}
    point = points.get(ecg_key)
    engine = next((e for e in engines if point and e.card.family == point.family), None)
    variant = None if point is None else point.best_variant
    scored = None if point is None or variant is None else point.scores[variant]
    if point is None or engine is None or variant is None or not isinstance(scored, VariantScore):
        raise NotFound(
            "this ECG has no score to vary",
            accepted="Accepted: an ECG that an installed family scored",
            todo="Open an ECG with a score",
        )
    conditions = list(_conditions(store.record(ecg_key), engine))
    floor = engine.card.variant(variant).noise_floor_logit
    maker = _Rows(engine.card.family, variant, scored, floor)
    scores = _scores(engine, conditions, variant, scored)
    own = [
        maker.missing(condition) if score is None else maker.row(condition, score, scores[0])
        for condition, score in zip(conditions, scores, strict=True)
    ]
    predictions = store.predictions_of(course.key).get(ecg_key, {})
    others = _other_lead_sets(store, course, point, variant, predictions)
    above = bool(own[0].above)
    return StabilityPanel(
        ecg=ecg_key,
        family=engine.card.family,
        variant=variant,
        noise_floor_logit=floor,
        rows=(*own, *(_with_side(row, above) for row in others)),
        simulated=course.simulated,
    )


def _conditions(record: EcgRecord, engine: StressEngine) -> Iterator[_Condition]:
    """Yield the conditions of one family; the first is the ECG as it is scored."""
    from ecgdash.signal.perturb import at_rate, electrode_noise_mv
    from ecgdash.signal.preprocess import CROP_S, preprocess_crops, preprocess_window
    from ecgdash.signal.window import scored_window

    rate = record.sampling_hz
    rows = [record.leads.index(name) for name in engine.leads]
    # The window is chosen once: noise must not move it.
    window = scored_window(record.signal_mv, rate)
    signal = record.signal_mv[rows, window.slice]
    yield _Condition("scored", "As scored, three crops", preprocess_crops(signal, rate))
    for start_s in CROP_STARTS_S:
        words = f"One crop of 9 s from {start_s:g} s"
        try:
            crop = preprocess_window(signal[np.newaxis], rate, np.array([start_s]))
        except InputDoesNotFitModel:
            seconds = signal.shape[-1] / rate
            reason = f"needs {CROP_S + start_s:g} s, the scored window holds {seconds:.2f} s"
            yield _Condition("crop", words, None, reason)
        else:
            yield _Condition("crop", words, crop)
    for target in RATES_HZ:
        words = f"Brought to {target:g} Hz first"
        if rate == target:
            words = f"At {target:g} Hz, as recorded"
        try:
            crops = preprocess_crops(at_rate(signal, rate, target), target)
        except InputDoesNotFitModel as error:
            yield _Condition("rate", words, None, error.what)
        else:
            yield _Condition("rate", words, crops)
    # One seed for all levels: the same noise, louder; of the content, so that it repeats.
    seed = int(record.sha256[:_SEED_DIGITS], 16)
    for level_uv in NOISE_LEVELS_UV:
        noise = electrode_noise_mv(engine.leads, signal.shape[-1], rate, level_uv, seed)
        noisy = preprocess_crops(signal + noise, rate)
        yield _Condition("noise", f"Noise of {level_uv:g} µV added", noisy)


def _scores(
    engine: StressEngine, conditions: Sequence[_Condition], variant: str, scored: VariantScore
) -> list[float | None]:
    """Return the score of each condition with the stored history, in one pass."""
    from ecgdash.inference.history import mean_score

    lengths = [0 if one.crops is None else len(one.crops) for one in conditions]
    crops = np.concatenate([one.crops for one in conditions if one.crops is not None])
    spare = -len(crops) % _CROPS_PER_ECG  # the engine takes crops in threes
    packed = np.concatenate([crops, np.repeat(crops[-1:], spare, axis=0)])
    packed = packed.reshape(-1, _CROPS_PER_ECG, *crops.shape[1:])
    index = engine.variants.index(variant)
    logits = engine.base_logits_from_crops(packed)[:, index].ravel()
    if scored.history is not None:
        logits = logits + engine.history_terms[variant](scored.history)
    found: list[float | None] = []
    first = 0
    for n in lengths:
        found.append(float(mean_score(logits[first : first + n])) if n else None)
        first += n
    return found


@dataclass(frozen=True)
class _Rows:
    """What the rows of one family and variant share."""

    family: str
    variant: str
    scored: VariantScore
    floor: float | None

    def row(self, condition: _Condition, score: float, as_scored: float | None) -> StabilityRow:
        threshold = self.scored.threshold.value
        reference = score if as_scored is None else as_scored
        shift = logit(score) - logit(reference)
        return StabilityRow(
            kind=condition.kind,
            condition=condition.words,
            family=self.family,
            variant=self.variant,
            score=score,
            threshold=threshold,
            distance_logit=logit(score) - logit(threshold),
            shift_logit=shift,
            within_noise=None if self.floor is None else abs(shift) <= self.floor,
            changed_side=(score >= threshold) != (reference >= threshold),
        )

    def missing(self, condition: _Condition) -> StabilityRow:
        kind, words = condition.kind, condition.words
        return StabilityRow(kind, words, self.family, self.variant, reason=condition.reason)


def _other_lead_sets(
    store: Store,
    course: RiskTimeline,
    point: TimelinePoint,
    variant: str,
    predictions: "Mapping[str, Prediction]",
) -> Iterator[StabilityRow]:
    """Yield the other families' own scores of this ECG, by number of leads."""
    held = store.ecg(point.ecg)
    for lead_set in _LEAD_SETS:
        if lead_set == point.lead_set:
            continue
        words = "Lead I only" if lead_set == "1" else f"{lead_set} leads"
        card = course.cards.get(lead_set)
        family = "" if card is None else card.family
        if lead_set not in held.lead_sets:
            absent = [name for name in LEADS_OF_SET[lead_set] if name not in held.leads]
            reason = f"leads {', '.join(absent)} not recorded"
        elif card is None:
            reason = no_model(lead_set)
        else:
            found = _stored_score(predictions.get(card.family), card, variant)
            if found is not None:
                yield _other_row(words, card, *found)
                continue
            reason = NOT_SCORED
        yield StabilityRow("leads", words, family, "", reason=reason)


def _stored_score(
    prediction: Prediction | None, card: FamilyCard, variant: str
) -> tuple[str, VariantScore] | None:
    """Return the same variant's score, else the best applicable, of the installed weights."""
    if prediction is None or prediction.provenance is None:
        return None
    if prediction.provenance.weights_sha256 != card.weights_sha256:
        return None
    applicable = {
        name: score for name, score in prediction.scores.items() if isinstance(score, VariantScore)
    }
    if not applicable:
        return None
    name = variant if variant in applicable else list(applicable)[-1]
    return name, applicable[name]


def _other_row(words: str, card: FamilyCard, variant: str, score: VariantScore) -> StabilityRow:
    threshold = score.threshold.value
    return StabilityRow(
        kind="leads",
        condition=words,
        family=card.family,
        variant=variant,
        score=score.value,
        threshold=threshold,
        distance_logit=logit(score.value) - logit(threshold),
    )


def _with_side(row: StabilityRow, above: bool) -> StabilityRow:
    return row if row.above is None else replace(row, changed_side=row.above != above)
