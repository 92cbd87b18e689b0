"""The simulated ECGs on which a family's maps are checked."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import EcgRecord
from ecgdash.domain.pairs import form_pairs
from ecgdash.services.cart_records import measured_records
from ecgdash.services.evaluation_family import subgroup_row
from ecgdash.services.evaluation_pairs import SUBGROUP_KEYS
from ecgdash.simulate.cohort import SimulatedCohort, simulate_patients

__all__ = [
    "ADDED_GROUPS",
    "MAP_GROUPS",
    "N_PER_GROUP",
    "SIMULATED_HZ",
    "TrustEcg",
    "TrustSample",
    "trust_sample",
]

MAP_GROUPS: Final = ("LBBB", "AFIB", "sinus")
ADDED_GROUPS: Final = ("LBBB", "AFIB")
"""Rare groups, for whose maps patients are added; every other map is of the checked ECGs."""
N_PER_GROUP: Final = 40
"""At least as many ECGs per map, as far as there are (our choice)."""
SIMULATED_HZ: Final = 250.0
_BATCH: Final = 32
_PATIENTS_PER_ECG: Final = 8
"""About one patient in eight has a paired echo with LVEF <= 40, and half the ECGs need one."""
_ADDED_PER_ECG: Final = 2
"""The gate and a visit out of the rhythm take some."""


@dataclass(frozen=True, eq=False)
class TrustEcg:
    """One ECG of the sample.

    Attributes
    ----------
    row : int
        Of the cohort.
    record : EcgRecord
        As a cart sends it; the gate let it through.
    lvef_percent : float
        Of the paired echo.
    groups : frozenset of str
        Subgroup keys by flags.
    earlier : EcgRecord or None
        The patient's ECG before, if the gate let it through.
    checked : bool
        False: taken for the maps of its subgroups only.
    """

    row: int
    record: EcgRecord
    lvef_percent: float
    groups: frozenset[str]
    earlier: EcgRecord | None
    checked: bool

    @property
    def low(self) -> bool:
        """Whether the paired echo found an LVEF of at most 40 %."""
        return self.lvef_percent <= 40.0


@dataclass(frozen=True, eq=False)
class TrustSample:
    """The ECGs, and the cohort they are of."""

    cohort: SimulatedCohort
    ecgs: tuple[TrustEcg, ...]
    seed: int

    @property
    def data(self) -> str:
        """Which ECGs, in words."""
        checked = [ecg for ecg in self.ecgs if ecg.checked]
        low = sum(ecg.low for ecg in checked)
        return (
            f"SIMULATED: {len(checked)} ECGs of as many simulated patients, seed {self.seed}, each "
            f"the patient's last with a paired echo: {low} with LVEF at or below 40 %, "
            f"{len(checked) - low} of patients whose paired echoes are all above; only ECGs that "
            f"the gate lets through. Maps of LBBB and AFIB: {len(self.ecgs) - len(checked)} ECGs "
            "of patients added for them"
        )


def trust_sample(
    n_ecgs: int, seed: int, on_progress: Callable[[str], None] | None = None
) -> TrustSample:
    """Choose ECGs, half of them with a paired LVEF of at most 40 %, one a patient.

    Parameters
    ----------
    n_ecgs : int
        To be checked; more are added for the maps of subgroups.
    seed : int
    on_progress : callable, optional
        Told sentences.
    """
    tell = on_progress or (lambda _: None)
    per_group = min(N_PER_GROUP, n_ecgs)
    added = {name: _ADDED_PER_ECG * per_group for name in ADDED_GROUPS}
    cohort = simulate_patients(max(_PATIENTS_PER_ECG * n_ecgs, 64), seed, added)
    low, high, extra = _candidates(cohort)
    half = n_ecgs // 2
    chosen: list[TrustEcg] = []
    for rows, wanted in ((low, half), (high, n_ecgs - half)):
        chosen += _first(_passed(cohort, rows, checked=True), wanted)
    tell(f"{len(chosen)} ECGs chosen to be checked")
    for name, rows in extra.items():
        missing = per_group - sum(name in ecg.groups for ecg in chosen)
        found = (ecg for ecg in _passed(cohort, rows, checked=False) if name in ecg.groups)
        chosen += _first(found, missing)
    tell(f"{len(chosen)} ECGs with those added for the maps of subgroups")
    return TrustSample(cohort, tuple(chosen), seed)


def _first(found: Iterator[TrustEcg], wanted: int) -> list[TrustEcg]:
    return [ecg for ecg, _ in zip(found, range(wanted), strict=False)]


Rows = list[tuple[int, float]]
"""Rows of the cohort with the paired LVEF."""


def _candidates(cohort: SimulatedCohort) -> tuple[Rows, Rows, dict[str, Rows]]:
    """Return rows of low and of high LVEF in the plain cohort, and of those added by class."""
    low: Rows = []
    high: Rows = []
    extra: dict[str, Rows] = {"LBBB": [], "AFIB": []}
    for patient in range(cohort.n_patients):
        pairs = form_pairs(cohort.ecg_refs(patient), cohort.echo_studies(patient))
        rows = [(int(pair.ecg.key[1:]), pair.echo.lvef_percent) for pair in pairs]
        if not rows:
            continue
        group = str(cohort.enriched_as[patient])
        if group:
            extra[group].append(max(rows))
            continue
        ill = [row for row in rows if row[1] <= 40.0]
        if ill:
            low.append(max(ill))
        else:
            high.append(max(rows))
    return low, high, extra


def _passed(cohort: SimulatedCohort, rows: Rows, *, checked: bool) -> Iterator[TrustEcg]:
    """Yield those that the gate lets through, in order, with the ECG before."""
    for first in range(0, len(rows), _BATCH):
        part = rows[first : first + _BATCH]
        records = _analysable(cohort, [row for row, _ in part])
        before = {row: row - 1 for row in records if row - 1 in cohort.ecgs_of(_who(cohort, row))}
        earlier = _analysable(cohort, sorted(before.values())) if checked else {}
        for row, lvef in part:
            if row in records:
                record = records[row]
                held = subgroup_row(record, cohort, _who(cohort, row))
                groups = frozenset(np.array(SUBGROUP_KEYS)[held].tolist())
                yield TrustEcg(row, record, lvef, groups, earlier.get(row - 1), checked)


def _who(cohort: SimulatedCohort, row: int) -> int:
    return int(cohort.patient_index[row])


def _analysable(cohort: SimulatedCohort, rows: Sequence[int]) -> dict[int, EcgRecord]:
    from ecgdash.inference.gate import gate

    found: dict[int, EcgRecord] = {}
    which: NDArray[np.int64] = np.array(rows, dtype=np.int64)
    for batch in cohort.iter_ecgs(_BATCH, SIMULATED_HZ, which):
        records, measured = measured_records(batch, cohort, SIMULATED_HZ)
        for i, (row, record) in enumerate(zip(batch.index.tolist(), records, strict=True)):
            if gate(record, own=measured.take(slice(i, i + 1))).analysable:
                found[row] = record
    return found
