"""Scores for stored ECGs, in two passes.

Pass 1 runs the network over waveforms and keeps logits without history. Pass
2 forms pairs and histories and adds their terms: a new echo or a corrected
LVEF needs pass 2 alone, and no network.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ecgdash import __version__
from ecgdash.domain.ecg import EcgRecord, EcgRef
from ecgdash.domain.model import FamilyCard
from ecgdash.domain.pairs import TteEcgPair
from ecgdash.domain.prediction import NotApplicable, Prediction, Provenance, VariantScore
from ecgdash.services.external_inputs import INPUTS, extra_inputs, logits_with_inputs
from ecgdash.services.judging import ECGS_AT_ONCE, run_label_head
from ecgdash.services.scoring_parts import Course, Inputs, Waveforms, in_parts
from ecgdash.services.worklists import refresh_worklist
from ecgdash.settings import Settings
from ecgdash.store import Store

if TYPE_CHECKING:
    from ecgdash.inference import Engine

__all__ = [
    "ScoringEngine",
    "ScoringReport",
    "installed_cards",
    "load_engines",
    "own_engines",
    "score_patients",
]

_LOG = logging.getLogger(__name__)


class ScoringEngine(Protocol):
    """What scoring needs of `ecgdash.inference.Engine`."""

    @property
    def card(self) -> FamilyCard:
        """The family's card."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the 46-label head; empty: the family has none."""

    def label_scores(self, records: Sequence[EcgRecord]) -> list[dict[str, float]]:
        """Return each record's scores by label; empty for one the head cannot read."""

    @property
    def computed_by(self) -> str:
        """What carried out the passes so far, in a short string; see `Provenance.backend`."""

    def base_logits(self, records: Sequence[EcgRecord]) -> NDArray[np.float64]:
        """Return logits without history, shape (n, n_variants, n_crops)."""

    def score_course(
        self,
        refs: Sequence[EcgRef | None],
        base_logits: NDArray[np.float64],
        pairs: Sequence[TteEcgPair],
    ) -> list[dict[str, VariantScore | NotApplicable]]:
        """Score one patient's ECGs from base logits; a ref of None is undated."""


@dataclass(frozen=True)
class ScoringReport:
    """What a scoring run did.

    Attributes
    ----------
    n_patients : int
    n_networks : int
        ECG and family pairs that went through a network.
    n_updated : int
        Predictions written, because new or because a history changed.
    n_withheld : int
        ECGs whose score the gate withheld.
    n_labelled : int
        ECGs that went through the 46-label head.
    """

    n_patients: int
    n_networks: int
    n_updated: int
    n_withheld: int
    n_labelled: int = 0


def installed_cards(settings: Settings) -> list[FamilyCard]:
    """Return the cards of all installed families, without loading a network."""
    from ecgdash.inference.manifest import installed_families

    return list(installed_families(settings.models_dir))


def load_engines(settings: Settings, *, few: bool = False) -> list[ScoringEngine]:
    """Load every installed family that scores stored ECGs; none installed is an empty list.

    Parameters
    ----------
    settings : Settings
    few : bool
        Only some ECGs will be scored: a backend that must be compiled first does not pay then,
        so the setting "auto" means torch.
    """
    cards = [card for card in installed_cards(settings) if card.input_kind == "signal"]
    if not cards:
        return []
    from ecgdash.inference import Engine
    from ecgdash.inference.crops import SharedCrops
    from ecgdash.inference.external_engine import ExternalEngine

    engines: list[ScoringEngine] = [
        ExternalEngine.load(card.family, settings.models_dir)
        if card.external
        else Engine.load(
            card.family,
            settings.device,
            settings.models_dir,
            threads=settings.torch_threads,
            backend="torch" if few and settings.backend == "auto" else settings.backend,
            precision=settings.precision,
        )
        for card in cards
    ]
    shared = SharedCrops()
    for engine in own_engines(engines):
        engine.shared_crops = shared
    return engines


def own_engines(engines: Sequence[ScoringEngine]) -> "list[Engine]":
    """Return the families of this house: their networks can be looked into, others' cannot."""
    if not engines:
        return []
    from ecgdash.inference import Engine

    return [engine for engine in engines if isinstance(engine, Engine)]


def score_patients(
    store: Store,
    engines: Sequence[ScoringEngine],
    patient_keys: Sequence[str] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> ScoringReport:
    """Score what lacks a current score, run the label head, renew histories and worklist rows.

    May be stopped at any time and called again: what is stored is not computed twice.

    Parameters
    ----------
    store : Store
    engines : sequence of ScoringEngine
        One per family; an ECG is scored by each whose leads it holds.
    patient_keys : sequence of str, optional
        Default: everybody.
    on_progress : callable, optional
        Told patients done and in all.
    """
    keys = store.patient_keys() if patient_keys is None else list(patient_keys)
    cards = [engine.card for engine in engines]
    labeller = _labeller(engines)
    n_networks = n_updated = n_withheld = n_labelled = n_done = 0
    for part in in_parts(store, labeller, keys):
        ecgs = Waveforms(store)
        if labeller is not None:
            n_labelled += run_label_head(store, labeller, part, read=ecgs.read)
        courses = [Course.load(store, key) for key in part]
        n_withheld += sum(not ecg.gate.analysable for course in courses for ecg in course.ecgs)
        for engine in engines:
            inputs = {
                course.key: extra_inputs(store, engine, course.key, course.ecgs)
                for course in courses
            }
            base = _pass_one(ecgs, engine, courses, inputs)
            n_networks += len(base)
            made = [
                new
                for course in courses
                for new in _pass_two(engine, course, base, inputs[course.key])
            ]
            store.save_predictions(made)
            n_updated += len(made)
        refresh_worklist(store, cards, part)
        n_done += len(part)
        if on_progress is not None:
            on_progress(n_done, len(keys))
    _LOG.info("scored %d patients, %d network passes", len(keys), n_networks)
    return ScoringReport(len(keys), n_networks, n_updated, n_withheld, n_labelled)


def _labeller(engines: Sequence[ScoringEngine]) -> ScoringEngine | None:
    """Return the family whose head judges rhythm and conduction: the first with twelve leads."""
    found = (engine for engine in engines if engine.card.lead_set == "12" and engine.labels)
    return next(found, None)


def _pass_one(
    ecgs: Waveforms,
    engine: ScoringEngine,
    courses: Sequence[Course],
    inputs: Mapping[str, Inputs],
) -> dict[str, NDArray[np.float64]]:
    """Run the network over ECGs that lack current base logits.

    Returns
    -------
    dict of str to ndarray, shape (n_variants, n_crops)
        By ECG key.
    """
    lacking = [
        ecg.key
        for course in courses
        for ecg in course.scorable(engine.card)
        if course.current(ecg, engine.card, inputs[course.key]) is None
    ]
    known = {key: row for rows in inputs.values() for key, row in rows.items()}
    base: dict[str, NDArray[np.float64]] = {}
    for start in range(0, len(lacking), ECGS_AT_ONCE):
        keys = lacking[start : start + ECGS_AT_ONCE]
        made = logits_with_inputs(engine, ecgs.read(keys), keys, known)
        base.update(zip(keys, made, strict=True))
    return base


def _pass_two(
    engine: ScoringEngine,
    course: Course,
    fresh: Mapping[str, NDArray[np.float64]],
    inputs: Inputs,
) -> Iterator[Prediction]:
    """Yield the predictions of one patient that are new or differ from the stored ones."""
    card = engine.card
    scorable = course.scorable(card)
    if not scorable:
        return
    names = [variant.variant for variant in card.variants]
    stored = [course.current(ecg, card, inputs) for ecg in scorable]
    base = [
        fresh[ecg.key] if known is None else np.array([known.base_logits[name] for name in names])
        for ecg, known in zip(scorable, stored, strict=True)
    ]
    scored = engine.score_course([ecg.ref for ecg in scorable], np.stack(base), course.pairs)
    for ecg, known, logits, scores in zip(scorable, stored, base, scored, strict=True):
        if known is not None and dict(known.scores) == scores:
            continue
        crops = {name: tuple(row) for name, row in zip(names, logits.tolist(), strict=True)}
        if inputs:
            crops[INPUTS] = inputs[ecg.key]
        of_logits = None if known is None else known.provenance
        backend = engine.computed_by if of_logits is None else of_logits.backend
        made = _provenance(card, ecg.sha256, backend)
        yield Prediction(ecg.key, card.lead_set, scores, crops, made)


def _provenance(card: FamilyCard, waveform_sha256: str, backend: str) -> Provenance:
    return Provenance(
        family=card.family,
        weights_sha256=card.weights_sha256,
        preprocessing_version=card.preprocessing_version,
        waveform_sha256=waveform_sha256,
        software_version=__version__,
        made_at=datetime.now(UTC),
        backend=backend,
    )
