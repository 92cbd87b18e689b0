"""Import at size: memory per ECG, and time against reading alone.

    python -m benchmarks.import_size memory            # 1,000 and 10,000 generated ECGs
    python -m benchmarks.import_size time FOLDER       # WFDB records below a folder

Memory: ECGs of 12 leads, 1.5 s at 250 Hz, ten a patient, so that the run is short; the
gate withholds them for their length. Each size runs in a process of its own, and its peak
is of that process alone, workers not included.

Time: the whole import (read, gate, measure, hash, compress, commit, worklist) against
`wfdb.rdrecord` alone on the same files, in one run. What happens once and not for every
file is not timed: the libraries are loaded and the (empty) store is open. "Without
measurements" leaves the gate out too, because the gate judges by our measurements: it is
no way to import, only what reading, hashing, compressing and committing cost.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.domain.gate import GateResult
from ecgdash.services.importing import import_paths
from ecgdash.settings import Settings
from ecgdash.store import Findings, Store, open_store

SIZES = (1_000, 10_000)
ECGS_PER_PATIENT = 10


def generate(folder: Path, n_ecgs: int) -> None:
    """Write small WFDB records; the noise of each is its own."""
    from ecgdash.io import write_wfdb

    rng = np.random.default_rng(7)
    for number in range(n_ecgs):
        place = folder / f"{number // 1000:03d}"
        place.mkdir(exist_ok=True)
        record = EcgRecord(
            rng.normal(scale=0.2, size=(12, 375)).astype(np.float32),
            CANONICAL_LEADS,
            250.0,
            recorded_at=datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=number),
            patient_id=str(number // ECGS_PER_PATIENT),
            age_years=60.0,
        )
        write_wfdb(record, place, f"e{number:05d}")


def peak_of(folder: Path, jobs: int) -> tuple[int, int, float]:
    """Import a folder in this process; return ECGs, peak bytes and seconds."""
    store, settings = _store(folder.parent / f"{folder.name}.db", folder.parent)
    started = time.monotonic()
    report = import_paths(store, [folder], settings=settings, jobs=jobs)
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return len(report.rows), peak, seconds


def memory() -> None:
    """Print the peak at each size and the slope between them."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for size in SIZES:
            place = Path(folder) / str(size)
            place.mkdir()
            generate(place, size)
            told = subprocess.run(
                [sys.executable, "-m", "benchmarks.import_size", "peak", str(place)],
                capture_output=True, text=True, check=True,
            ).stdout.split()  # fmt: skip
            n_ecgs, peak, seconds = int(told[0]), int(told[1]), float(told[2])
            found.append((n_ecgs, peak))
            print(f"{n_ecgs:6d} ECGs: peak {peak / 2**20:.0f} MiB, {n_ecgs / seconds:.0f} ECG/s")
        (few, low), (many, high) = found
        print(f"slope {(high - low) / (many - few):.0f} bytes an ECG")


def times(folder: Path) -> None:
    """Print each way's seconds and its ratio to `wfdb.rdrecord` alone."""
    import wfdb

    from ecgdash.io import read_ecg
    from ecgdash.services import judging

    files = sorted(folder.rglob("*.hea"))
    for file in files:  # the disk's part is the same for all
        wfdb.rdrecord(str(file.with_suffix("")))
    bare = Findings(GateResult((), None))
    ways: list[tuple[str, Callable[[], object]]] = [
        ("wfdb.rdrecord alone", lambda: [wfdb.rdrecord(str(f.with_suffix(""))) for f in files]),
        ("read_ecg alone", lambda: [read_ecg(file) for file in files]),
    ]
    base = 0.0
    for name, act in ways:
        seconds = _timed(act)
        base = base or seconds
        _say(name, seconds, base, len(files))
    _import(files[0], 1)
    with mock.patch.object(judging, "findings_of", return_value=bare):
        _say("import, no measurements, 1", _import(folder, 1), base, len(files))
    for jobs in (1, 2):
        _say(f"import, {jobs} process(es)", _import(folder, jobs), base, len(files))


def _import(path: Path, jobs: int) -> float:
    """Import into a store of its own; return the seconds that it took."""
    with tempfile.TemporaryDirectory() as place:
        store, settings = _store(Path(place) / "store.db", Path(place))
        seconds = _timed(lambda: import_paths(store, [path], settings=settings, jobs=jobs))
        store.close()
    return seconds


def _store(database: Path, folder: Path) -> tuple[Store, Settings]:
    return open_store(f"sqlite:///{database}"), Settings(models_dir=folder / "no-models")


def _timed(act: Callable[[], object]) -> float:
    started = time.monotonic()
    act()
    return time.monotonic() - started


def _say(name: str, seconds: float, base: float, n_files: int) -> None:
    rate = n_files / seconds
    print(f"{name:28s} {seconds:7.2f} s  {rate:7.1f} ECG/s  {seconds / base:6.2f} x", flush=True)


def main() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if sys.argv[1:2] == ["peak"]:
        print(*peak_of(Path(sys.argv[2]), jobs=2))
    elif sys.argv[1:2] == ["time"]:
        times(Path(sys.argv[2]))
    else:
        memory()


if __name__ == "__main__":
    main()
