"""Scoring records that are at hand, of any number of patients, without a store."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ecgdash import __version__
from ecgdash.domain.ecg import EcgRecord, EcgRef
from ecgdash.domain.model import FamilyCard
from ecgdash.domain.pairs import TteEcgPair
from ecgdash.domain.prediction import NotApplicable, Prediction, Provenance, VariantScore
from ecgdash.inference.gate import gate

__all__ = ["score_records"]


class _Engine(Protocol):
    @property
    def card(self) -> FamilyCard: ...

    @property
    def leads(self) -> tuple[str, ...]: ...

    @property
    def variants(self) -> tuple[str, ...]: ...

    @property
    def computed_by(self) -> str: ...

    def base_logits(self, records: Iterable[EcgRecord]) -> NDArray[np.float64]: ...

    def score_course(
        self,
        refs: Sequence[EcgRef | None],
        base_logits: NDArray[np.float64],
        pairs: Sequence[TteEcgPair],
    ) -> list[dict[str, VariantScore | NotApplicable]]: ...


def score_records(
    engine: _Engine, records: Sequence[EcgRecord], pairs: Sequence[TteEcgPair]
) -> list[Prediction]:
    """Score records; see `Engine.score_cohort`."""
    withheld = [_why_withheld(engine, record) for record in records]
    usable = [i for i, reason in enumerate(withheld) if reason is None]
    logits: dict[int, NDArray[np.float64]] = {}
    if usable:  # even an empty pass would choose a backend, and compile it
        logits.update(zip(usable, engine.base_logits(records[i] for i in usable), strict=True))
    scores: dict[int, dict[str, VariantScore | NotApplicable]] = {}
    pairs_of: dict[str, list[TteEcgPair]] = {}
    for pair in pairs:
        pairs_of.setdefault(pair.echo.patient_id, []).append(pair)
    for patient_id, members in _by_patient(records, usable):
        refs = [_ref(records[i]) for i in members]
        course = engine.score_course(
            refs, np.stack([logits[i] for i in members]), pairs_of.get(patient_id or "", [])
        )
        scores.update(zip(members, course, strict=True))
    made_at, computed_by = datetime.now(UTC), engine.computed_by
    made = []
    for i, record in enumerate(records):
        found = logits.get(i)
        told = scores.get(i) or _not_applicable(engine, withheld[i])
        base = {} if found is None else _crop_logits(engine.variants, found)
        backend = "" if found is None else computed_by
        provenance = _provenance(engine.card, record, made_at, backend)
        made.append(Prediction(record.sha256, engine.card.lead_set, told, base, provenance))
    return made


def _not_applicable(engine: _Engine, reason: str | None) -> dict[str, VariantScore | NotApplicable]:
    return {name: NotApplicable(reason or "not scored") for name in engine.variants}


def _why_withheld(engine: _Engine, record: EcgRecord) -> str | None:
    missing = [name for name in engine.leads if name not in record.leads]
    if missing:
        return f"score withheld: leads {', '.join(missing)} not recorded"
    result = gate(record, lead_set=engine.card.lead_set)
    return None if result.analysable else f"score withheld: {'; '.join(result.reasons)}"


def _provenance(card: FamilyCard, record: EcgRecord, made_at: datetime, backend: str) -> Provenance:
    return Provenance(
        family=card.family,
        weights_sha256=card.weights_sha256,
        preprocessing_version=card.preprocessing_version,
        waveform_sha256=record.sha256,
        software_version=__version__,
        made_at=made_at,
        backend=backend,
    )


def _ref(record: EcgRecord) -> EcgRef | None:
    if record.recorded_at is None or record.local_day is None:
        return None
    return EcgRef(record.sha256, record.recorded_at, record.local_day)


def _by_patient(
    records: Sequence[EcgRecord], usable: Sequence[int]
) -> Iterator[tuple[str | None, list[int]]]:
    groups: dict[str, list[int]] = {}
    for i in usable:
        patient_id = records[i].patient_id
        if patient_id is None:
            yield None, [i]
        else:
            groups.setdefault(patient_id, []).append(i)
    yield from groups.items()


def _crop_logits(
    variants: Sequence[str], logits: NDArray[np.float64]
) -> dict[str, tuple[float, ...]]:
    return {name: tuple(row) for name, row in zip(variants, logits.tolist(), strict=True)}
