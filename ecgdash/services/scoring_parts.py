"""What scoring takes in hand at a time: patients, what is stored of them, their ECGs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ecgdash.domain.ecg import EcgRecord
from ecgdash.domain.model import FamilyCard
from ecgdash.domain.pairs import TteEcgPair, form_pairs
from ecgdash.domain.prediction import Prediction
from ecgdash.services.external_inputs import INPUTS
from ecgdash.services.judging import ECGS_AT_ONCE, LabelEngine
from ecgdash.store import Store, StoredEcg

__all__ = ["Course", "Inputs", "Waveforms", "in_parts"]

_PATIENTS_PER_PART: Final = 50

Inputs = Mapping[str, tuple[float, ...]]
"""What a network reads beside each ECG, by the ECG's key."""


def in_parts(
    store: Store, labeller: LabelEngine | None, keys: Sequence[str]
) -> Iterator[Sequence[str]]:
    """Yield patients in their order, so many at a time as are scored together.

    Where every network must run, a part holds `ECGS_AT_ONCE` at most, or a single patient.
    """
    waiting = [
        keys[start : start + _PATIENTS_PER_PART]
        for start in range(0, len(keys), _PATIENTS_PER_PART)
    ]
    waiting.reverse()
    while waiting:
        part = waiting.pop()
        fresh = store.without_head(part, labeller.card.weights_sha256) if labeller else []
        if len(part) == 1 or len(fresh) <= ECGS_AT_ONCE:
            yield part
            continue
        middle = (len(part) + 1) // 2
        waiting += [part[middle:], part[:middle]]


class Waveforms:
    """The ECGs of a part, decoded once for all its networks; the same objects every time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, EcgRecord] = {}

    def read(self, keys: Sequence[str]) -> list[EcgRecord]:
        """Return ECGs in the order of the keys."""
        lacking = [key for key in keys if key not in self._kept]
        if len(self._kept) + len(lacking) > ECGS_AT_ONCE:
            self._kept, lacking = {}, list(keys)
        if lacking:
            self._kept.update(zip(lacking, self._store.records(lacking), strict=True))
        return [self._kept[key] for key in keys]


@dataclass(frozen=True)
class Course:
    """What is stored of one patient, waveforms excepted."""

    key: str
    ecgs: list[StoredEcg]
    pairs: list[TteEcgPair]
    predictions: Mapping[str, Mapping[str, Prediction]]

    @classmethod
    def load(cls, store: Store, key: str) -> "Course":
        """Read one patient's ECGs, pairs and predictions."""
        ecgs = store.ecgs_of(key)
        refs = [ref for ecg in ecgs if (ref := ecg.ref) is not None]
        return cls(key, ecgs, form_pairs(refs, store.echoes_of(key)), store.predictions_of(key))

    def scorable(self, card: FamilyCard) -> list[StoredEcg]:
        """Return the ECGs that a family can score."""
        return [ecg for ecg in self.ecgs if ecg.gate.analysable and card.lead_set in ecg.lead_sets]

    def current(self, ecg: StoredEcg, card: FamilyCard, inputs: Inputs) -> Prediction | None:
        """Return the stored prediction if its base logits still hold."""
        found = self.predictions.get(ecg.key, {}).get(card.family)
        if found is None or found.provenance is None:
            return None
        made = found.provenance
        holds = (made.weights_sha256, made.preprocessing_version, made.waveform_sha256) == (
            card.weights_sha256,
            card.preprocessing_version,
            ecg.sha256,
        )
        # a history that was fitted later adds a variant without changing the weights
        known = all(variant.variant in found.base_logits for variant in card.variants)
        same = found.base_logits.get(INPUTS) == inputs.get(ecg.key)
        return found if holds and known and same else None
