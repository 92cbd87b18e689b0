"""What a network reads beside the ECG: made of the patient's record as it is now.

Such numbers enter inside the network, so a changed echo means another pass. They are kept with
the prediction, under `INPUTS` among its base logits, which is how a change is noticed.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain.ecg import EcgRecord
from ecgdash.domain.pairs import form_pairs
from ecgdash.store import Store, StoredEcg

__all__ = ["INPUTS", "extra_inputs", "logits_with_inputs"]

INPUTS: Final = "inputs"

_Rows = Mapping[str, tuple[float, ...]]


class _ReadsMore(Protocol):
    def base_logits(
        self, records: Sequence[EcgRecord], extra: Sequence[Sequence[float]] | None = None
    ) -> NDArray[np.float64]: ...


def extra_inputs(
    store: Store, engine: object, patient_key: str, ecgs: Sequence[StoredEcg]
) -> dict[str, tuple[float, ...]]:
    """Return the numbers of each ECG by its key; empty for an engine that reads ECGs alone.

    Parameters
    ----------
    store : Store
    engine : scoring engine
    patient_key : str
    ecgs : sequence of StoredEcg
        All of the patient.
    """
    if getattr(engine, "extra_inputs", "none") == "none":
        return {}
    from ecgdash.inference.external_features import heart_failure_since, pulse_hf_features

    refs = [ref for ecg in ecgs if (ref := ecg.ref) is not None]
    echoes = sorted(store.echoes_of(patient_key), key=lambda echo: (echo.performed_at, echo.key))
    # every echo that an ECG could be labelled by, the winner or not: a later echo, which may
    # win, must never change what an earlier ECG was told
    claimed = [next((pair.ecg.key for pair in form_pairs(refs, [echo])), None) for echo in echoes]
    since = heart_failure_since(store.diagnoses_of(patient_key))
    return {
        ecg.key: pulse_hf_features(
            ecg.local_day if ecg.recorded_at is not None else None,
            [
                (echo.local_day, echo.lvef_percent)
                for echo, labels in zip(echoes, claimed, strict=True)
                if labels != ecg.key
            ],
            since,
        )
        for ecg in ecgs
    }


def logits_with_inputs(
    engine: object, records: Sequence[EcgRecord], keys: Sequence[str], inputs: _Rows
) -> NDArray[np.float64]:
    """Run an engine's network, with what it reads beside the ECGs where it does.

    Returns
    -------
    ndarray of float64, shape (n, n_variants, n_crops)
    """
    network = cast("_ReadsMore", engine)
    if not inputs:
        return network.base_logits(records)
    return network.base_logits(records, [inputs[key] for key in keys])
