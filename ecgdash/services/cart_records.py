"""Simulated ECGs as an ECG cart would send them: with its measurements and statements."""

from typing import TYPE_CHECKING

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.simulate.cohort import EcgBatch, SimulatedCohort

if TYPE_CHECKING:
    from ecgdash.signal.measure import Measurements

__all__ = ["cart_records", "measured_records"]

DEVICE = "ECGDash simulator"


def cart_records(batch: EcgBatch, cohort: SimulatedCohort, sampling_hz: float) -> list[EcgRecord]:
    """Return a batch as records.

    Measurements come from the noisy waveform and statements from the
    measurements, as a cart's do; nothing hidden in the simulator reaches them.
    """
    return measured_records(batch, cohort, sampling_hz)[0]


def measured_records(
    batch: EcgBatch, cohort: SimulatedCohort, sampling_hz: float
) -> "tuple[list[EcgRecord], Measurements]":
    """Return a batch as records, and the measurements that their statements come from."""
    from ecgdash.labels.cart import statements_batch
    from ecgdash.signal.measure import measure_batch

    measured = measure_batch(batch.signal_mv, sampling_hz)
    sexes, times = batch.sex, batch.recorded_at
    statements = statements_batch(measured, sexes, batch.age_years)
    records = [
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
    return records, measured
