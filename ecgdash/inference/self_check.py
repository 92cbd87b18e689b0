"""One score that can be computed again: whole files prove nothing about what the engine does.

The ECG is simulated, so it is no patient's and need not be shipped. Its waveform's hash tells a
changed simulator (or another numpy, whose random streams may differ) from a changed engine.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.card import SelfCheck
from ecgdash.domain.ecg import EcgRecord
from ecgdash.domain.model import FamilyCard
from ecgdash.errors import InvalidValue, WeightsHashMismatch
from ecgdash.inference.gate import gate
from ecgdash.simulate.cohort import simulate_patients

__all__ = ["CHECK_TOLERANCE_LOGIT", "difference_from_check", "make_self_check"]

CHECK_PATIENTS: Final = 20
CHECK_SEED: Final = 7

CHECK_TOLERANCE_LOGIT: Final = 1e-4
"""Our choice, a hundred times what a batch may change (1e-6): other processors and libraries sum
float32 in another order, while other weights or another preprocessing move far more."""


class _Scores(Protocol):
    """What this module needs of an engine, of this house or another."""

    @property
    def card(self) -> FamilyCard: ...

    @property
    def variants(self) -> tuple[str, ...]: ...

    def base_logits(self, records: Sequence[EcgRecord]) -> NDArray[np.float64]: ...


def make_self_check(engine: _Scores) -> SelfCheck:
    """Score the first analysable ECG of a small simulated cohort.

    Raises
    ------
    InvalidValue
        If the gate lets none through.
    """
    cohort = simulate_patients(CHECK_PATIENTS, CHECK_SEED)
    for row, record in enumerate(cohort.records()):
        if gate(record, lead_set="12").analysable:
            return SelfCheck(
                n_patients=CHECK_PATIENTS,
                seed=CHECK_SEED,
                row=row,
                waveform_sha256=record.sha256,
                logits=_logits(engine, record),
            )
    raise InvalidValue(
        f"no ECG of {CHECK_PATIENTS} simulated patients with seed {CHECK_SEED} is analysable"
    )


def difference_from_check(engine: _Scores, check: SelfCheck) -> float | None:
    """Score the card's ECG again and compare.

    Parameters
    ----------
    engine : Engine or ExternalEngine
        Of the family whose card holds the check.

    Returns
    -------
    float or None
        Largest difference in logits, at most 1e-4. None: this installation simulates another
        waveform (another simulator or numpy), so that nothing can be compared.

    Raises
    ------
    WeightsHashMismatch
        If the engine gives other logits or has other variants than the card states.
    """
    cohort = simulate_patients(check.n_patients, check.seed)
    record = next(cohort.records([check.row]))
    if record.sha256 != check.waveform_sha256:
        return None
    found = _logits(engine, record)
    # a history that was fitted to an external family later adds a variant, not another network
    known = set(found) & set(check.logits) if engine.card.external else set(found)
    if known != set(check.logits):
        raise WeightsHashMismatch(
            f"the card's score is of the variants {', '.join(check.logits)}",
            where=engine.card.family,
            accepted=f"The weights have {', '.join(found)}",
            todo="Restore card and weights of the same training",
        )
    differences = [
        np.abs(np.subtract(found[name], stored)).max() for name, stored in check.logits.items()
    ]
    # NaN must fail too: numpy's maximum keeps it, and no comparison with it holds.
    largest = float(np.max(differences))
    if not largest <= CHECK_TOLERANCE_LOGIT:
        raise WeightsHashMismatch(
            f"the score computed again is {largest:.3g} logits from the one on the card",
            where=engine.card.family,
            accepted=f"Accepted: at most {CHECK_TOLERANCE_LOGIT:g}",
            todo="Restore card and weights of the same training, or the software they belong to",
        )
    return largest


def _logits(engine: _Scores, record: EcgRecord) -> dict[str, tuple[float, ...]]:
    rows = engine.base_logits([record])[0]  # (n_variants, 3 crops)
    return {name: tuple(row) for name, row in zip(engine.variants, rows.tolist(), strict=True)}
