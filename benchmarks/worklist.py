"""Time of the worklist's first page over many patients (rows generated).

Run: python -m benchmarks.worklist [n_patients]
"""

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from ecgdash.domain import Change, Patient, WorklistRow
from ecgdash.services.monitoring import WorklistQuery, worklist
from ecgdash.store import Store, open_store

QUERIES = {
    "first page": WorklistQuery(),
    "first page by score": WorklistQuery(order="score"),
    "needs action only": WorklistQuery(groups=("act",)),
    "LBBB, no echo": WorklistQuery(flags=("LBBB",), last_echo="none"),
    "find by part of an id": WorklistQuery(find="01234"),
    "page 400": WorklistQuery(page=400),
}


def generated_row(key: str, number: int, rng: np.random.Generator) -> WorklistRow:
    now = datetime.now(UTC)
    value, before = rng.uniform(0.001, 0.999, 2)
    logits = np.log(value / (1 - value)) - np.log(before / (1 - before))
    echo = now - timedelta(days=float(rng.uniform(0, 2000))) if rng.random() < 0.6 else None
    change = Change("recalibrated", "e", now, before, value, float(logits), 0.8, None)
    return WorklistRow(
        key=key,
        code=f"{number:06d}",
        site="local",
        age_years=float(rng.uniform(20, 90)),
        sex="male" if rng.random() < 0.5 else "female",
        flags=("LBBB",) if rng.random() < 0.03 else (),
        group=("act", "repeat", "stable")[int(rng.choice(3, p=[0.02, 0.03, 0.95]))],
        lead_set="12",
        variant="recalibrated",
        value=value,
        threshold=0.05,
        withheld_reason=None,
        weak_evidence=None,
        change=change,
        trend=tuple((float(score), "recalibrated") for score in rng.uniform(0, 1, 12)),
        last_lvef_percent=None if echo is None else float(rng.uniform(20, 70)),
        last_echo_at=echo,
        last_ecg_at=now - timedelta(days=float(rng.uniform(0, 2000))),
        n_ecgs=12,
        next_step="",
        next_reason="",
    )


def fill(store: Store, n_patients: int) -> None:
    rng = np.random.default_rng(1)
    for start in range(0, n_patients, 500):
        with store.transaction():
            numbers = range(start, min(start + 500, n_patients))
            keys = [store.put_patient(Patient(f"{number:06d}")) for number in numbers]
            store.save_worklist_rows(
                [generated_row(key, number, rng) for key, number in zip(keys, numbers, strict=True)]
            )


def main() -> None:
    n_patients = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'worklist.db'}"
        store = open_store(url)
        started = time.perf_counter()
        fill(store, n_patients)
        print(f"{n_patients} rows written in {time.perf_counter() - started:.1f} s")
        store.close()
        started = time.perf_counter()
        store = open_store(url)
        worklist(store, WorklistQuery())
        print(f"open and first page, cold: {1000 * (time.perf_counter() - started):.0f} ms")
        for name, query in QUERIES.items():
            times = []
            for _ in range(9):
                started = time.perf_counter()
                page = worklist(store, query)
                times.append(time.perf_counter() - started)
            print(f"{name}: {1000 * median(times):.1f} ms, {page.n_matching} match")
        store.close()


if __name__ == "__main__":
    main()
