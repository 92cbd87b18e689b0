"""Simulated ECGs as an ECG cart would send them: with its measurements and statements."""

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.simulate.cohort import EcgBatch, SimulatedCohort

__all__ = ["cart_records"]

DEVICE = "ECGDash simulator"


def cart_records(batch: EcgBatch, cohort: SimulatedCohort, sampling_hz: float) -> list[EcgRecord]:
    """Return a batch as records.

    Measurements come from the noisy waveform and statements from the
    measurements, as a cart's do; nothing hidden in the simulator reaches them.
    """
    from ecgdash.labels.cart import statements_batch
    from ecgdash.signal.measure import measure_batch

    measured = measure_batch(batch.signal_mv, sampling_hz)
    sexes, times = batch.sex, batch.recorded_at
    statements = statements_batch(measured, sexes, batch.age_years)
    return [
        EcgRecord(
            signal_mv=signal,
            leads=CANONICAL_LEADS,
            sampling_hz=sampling_hz,
            recorded_at=times[i],
            patient_id=cohort.patient_id(int(batch.patient_index[i])),
            age_years=float(np.floor(batch.age_years[i])),
            sex=sexes[i],
            statements=statements[i],
            measurements=measured.as_cart(i),
            device=DEVICE,
            source_name=f"e{batch.index[i]}",
            file_format="simulated",
        )
        for i, signal in enumerate(batch.signal_mv)
    ]
