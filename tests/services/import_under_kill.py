"""Imports ECGs one by one until somebody kills it; run by test_services_importing."""

import sys
import time
from datetime import UTC, datetime, timedelta

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.services.importing import import_records
from ecgdash.settings import Settings
from ecgdash.store import open_store

N_RECORDS = 60


def record(number: int) -> EcgRecord:
    """Return the same ECG for the same number, in every process."""
    rng = np.random.default_rng(number)
    return EcgRecord(
        signal_mv=rng.normal(scale=0.2, size=(12, 5000)).astype(np.float32),
        leads=CANONICAL_LEADS,
        sampling_hz=500.0,
        recorded_at=datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=number),
        patient_id=str(number % 7),
        age_years=60.0,
    )


def main() -> None:
    """Import slowly enough to be caught in the middle."""

    def records():
        for number in range(N_RECORDS):
            time.sleep(0.01)
            yield f"file {number}", record(number)

    import_records(open_store(sys.argv[1]), records(), settings=Settings())


if __name__ == "__main__":
    main()
