"""What an installed family and a cart say about a batch of simulated ECGs."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, LEADS_OF_SET, EcgRecord, FamilyCard
from ecgdash.inference.gate import gate
from ecgdash.services.cart_records import measured_records
from ecgdash.services.evaluation_ecgs import EcgPart
from ecgdash.services.evaluation_pairs import SUBGROUP_KEYS, Bools
from ecgdash.simulate.cohort import EcgBatch, SimulatedCohort

if TYPE_CHECKING:
    from ecgdash.inference import Engine

__all__ = ["FamilyWork", "judged", "subgroup_row"]

_SAMPLING_HZ = 250.0


@dataclass(frozen=True)
class FamilyWork:
    """Score ECGs by one installed family; the gate and the flags work as at import.

    Attributes
    ----------
    card : FamilyCard
    models_dir : Path
    device : str
    """

    card: FamilyCard
    models_dir: Path
    device: str = "cpu"

    @property
    def key(self) -> str:
        """Weights and preprocessing, which decide the results."""
        card = self.card
        return f"{card.family}/{card.weights_sha256}/{card.preprocessing_version}"

    def analyse(self, batch: EcgBatch, cohort: SimulatedCohort) -> EcgPart:
        """Measure, state, flag, judge and score one batch."""
        from ecgdash.signal.preprocess import preprocess_batch

        analysable, members = judged(batch, cohort)
        rows = [CANONICAL_LEADS.index(name) for name in LEADS_OF_SET[self.card.lead_set]]
        crops = preprocess_batch(batch.signal_mv[:, rows], _SAMPLING_HZ)
        engine = _engine(self.card.family, self.device, self.models_dir)
        return EcgPart(batch.index, engine.base_logits_from_crops(crops), analysable, members)


@lru_cache(maxsize=1)
def _engine(family: str, device: str, models_dir: Path) -> "Engine":
    """Load a family once a process."""
    from ecgdash.inference import Engine

    return Engine.load(family, device, models_dir)


def judged(batch: EcgBatch, cohort: SimulatedCohort) -> tuple[Bools, Bools]:
    """Return whether the gate lets each ECG pass, and its subgroups.

    What a hospital would know and no more: measurements on the waveform, the
    cart's statements made of them, and diagnoses dated on or before the ECG.

    Returns
    -------
    analysable : ndarray of bool, shape (b,)
    members : ndarray of bool, shape (b, len(SUBGROUP_KEYS))
    """
    analysable = np.zeros(batch.index.size, dtype=bool)
    members = np.zeros((batch.index.size, len(SUBGROUP_KEYS)), dtype=bool)
    records, measured = measured_records(batch, cohort, _SAMPLING_HZ)
    for i, record in enumerate(records):
        analysable[i] = gate(record, own=measured.take(slice(i, i + 1))).analysable
        members[i] = subgroup_row(record, cohort, int(batch.patient_index[i]))
    return analysable, members


def subgroup_row(record: EcgRecord, cohort: SimulatedCohort, patient: int) -> Bools:
    """Return the subgroups of one ECG as a row of `SUBGROUP_KEYS`."""
    from ecgdash.labels.diagnoses import diagnoses_known_on
    from ecgdash.labels.flags import Known, flags_of
    from ecgdash.labels.subgroups import subgroups_of

    diagnoses = diagnoses_known_on(cohort.diagnoses(patient), record.local_day)
    known = Known(record.statements, record.measurements, sex=record.sex)
    flags = flags_of(known, diagnoses)
    held = subgroups_of(flags, record.age_years, record.sex)
    return np.array([key in held for key in SUBGROUP_KEYS], dtype=bool)
