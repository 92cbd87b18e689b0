"""Imports until somebody kills it; run by tests.

`import_under_kill URL` imports from memory; `import_under_kill URL FOLDER JOBS` imports
files with their tables and says "committed N" after each.
"""

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.services.importing import import_paths, import_records
from ecgdash.settings import Settings
from ecgdash.store import open_store

N_RECORDS = 60


def record(number: int, n_samples: int = 5000) -> EcgRecord:
    """Return the same ECG for the same number, in every process."""
    rng = np.random.default_rng(number)
    return EcgRecord(
        signal_mv=rng.normal(scale=0.2, size=(12, n_samples)).astype(np.float32),
        leads=CANONICAL_LEADS,
        sampling_hz=500.0,
        recorded_at=datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=number),
        patient_id=str(number % 7),
        age_years=60.0,
    )


def say(line: str) -> None:
    """Tell the test that started this process."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say_slowly(done: int) -> None:
    """Tell how far it is, and leave the test time to kill: it is faster than a signal."""
    say(f"committed {done}")
    time.sleep(0.05)


def import_folder(url: str, folder: Path, jobs: int) -> None:
    """Import a folder laid out as test_services_import_size makes it."""
    import_paths(
        open_store(url),
        [folder / "ecgs", folder / "more.zip"],
        settings=Settings(models_dir=folder / "no-models"),
        echo=folder / "echo.csv",
        diagnoses=folder / "diagnoses.csv",
        jobs=jobs,
        on_progress=lambda done, total: say_slowly(done),
    )
    say("finished")


def main() -> None:
    """Import slowly enough to be caught in the middle."""
    if len(sys.argv) > 2:
        import_folder(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
        return

    def records():
        for number in range(N_RECORDS):
            time.sleep(0.01)
            yield f"file {number}", record(number)

    import_records(open_store(sys.argv[1]), records(), settings=Settings())


if __name__ == "__main__":
    main()
