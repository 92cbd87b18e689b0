"""Whether an external network does what its spec tells, tried on simulated ECGs.

A network that answers differently when asked twice, or differently beside other ECGs, gives
scores that nobody can repeat, and is refused.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.card import SelfCheck
from ecgdash.domain.ecg import EcgRecord
from ecgdash.errors import EcgDashError, InputDoesNotFitModel, InvalidValue
from ecgdash.inference.external_engine import ExternalEngine
from ecgdash.inference.gate import gate
from ecgdash.inference.self_check import CHECK_PATIENTS, CHECK_SEED
from ecgdash.simulate.cohort import simulate_patients

__all__ = ["try_network"]

_N_ECGS: Final = 3
_SAME: Final = 1e-6
"""Logits; twice the same computation must give the same, to float32 rounding."""
_SAME_IN_BATCH: Final = 1e-3
"""Logits; another batch may sum in another order, which moves far less."""


def try_network(engine: ExternalEngine) -> tuple[SelfCheck, tuple[str, ...]]:
    """Run a network on simulated ECGs alone, again and together.

    Returns
    -------
    check : SelfCheck
        A score that `models verify` computes again.
    notes : tuple of str
        What was found, for the card.

    Raises
    ------
    InputDoesNotFitModel
        With what was found: input not accepted, another output, NaN, or answers that differ.
    InvalidValue
        If the gate lets too few simulated ECGs through.
    """
    rows, records = _records(engine)
    crops = [engine.crops(record)[0] for record in records]
    alone = np.concatenate([_logits(engine, crop[np.newaxis]) for crop in crops])
    again = np.concatenate([_logits(engine, crop[np.newaxis]) for crop in crops[::-1]])[::-1]
    _check_same(engine, alone, again, _SAME, "asked twice")
    if np.ptp(alone) == 0.0:
        raise _refusal(
            engine,
            f"it gives the logit {alone[0]:.6g} for each of {_N_ECGS} different ECGs",
            "Accepted: an answer that depends on the ECG; divide_by or activation may be wrong",
        )
    notes: tuple[str, ...] = ()
    try:
        together = _logits(engine, np.stack(crops))
    except InputDoesNotFitModel:
        together, notes = alone, ("The network takes one ECG at a time.",)
    _check_same(engine, alone, together, _SAME_IN_BATCH, "asked beside other ECGs")
    logits = engine.base_logits(records[:1])[0]
    values = zip(engine.variants, logits.tolist(), strict=True)
    check = SelfCheck(
        n_patients=CHECK_PATIENTS,
        seed=CHECK_SEED,
        row=rows[0],
        waveform_sha256=records[0].sha256,
        logits={name: tuple(row) for name, row in values},
    )
    return check, notes


def _records(engine: ExternalEngine) -> tuple[list[int], list[EcgRecord]]:
    cohort = simulate_patients(CHECK_PATIENTS, CHECK_SEED)
    rows, found = [], []
    for row, record in enumerate(cohort.records()):
        if gate(record, lead_set=engine.card.lead_set).analysable:
            rows.append(row)
            found.append(record)
        if len(found) == _N_ECGS:
            return rows, found
    raise InvalidValue(f"fewer than {_N_ECGS} simulated ECGs are analysable")


def _logits(engine: ExternalEngine, crops: NDArray[np.floating]) -> NDArray[np.float64]:
    try:
        return engine.logits(engine.outputs(crops))
    except EcgDashError as error:
        raise _refusal(engine, error.what, error.accepted) from error


def _check_same(
    engine: ExternalEngine,
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    tolerance: float,
    when: str,
) -> None:
    at = int(np.argmax(np.abs(first - second)))
    if abs(first[at] - second[at]) <= tolerance:
        return
    pair: Sequence[float] = (first[at], second[at])
    raise _refusal(
        engine,
        f"it gives the logits {pair[0]:.6g} and {pair[1]:.6g} for the same ECG when {when}",
        "Accepted: the same answer to an ECG every time, whatever other ECGs there are",
    )


def _refusal(engine: ExternalEngine, what: str, accepted: str) -> InputDoesNotFitModel:
    return InputDoesNotFitModel(
        f"the file cannot be added: {what}",
        where=engine.card.family,
        accepted=accepted,
        todo="Compare the spec with the network's source, or export the network in eval mode",
    )
