"""Training data at size: what the loader gives beside what the network takes, and memory.

    python -m benchmarks.loader speed     # ECGs a second, as ratios within one run
    python -m benchmarks.loader memory    # peak of `train prepare --store` at two sizes

Speed: one process, one thread. Random 9-s crops of a prepared shard, filtered, through the
loader of phase 1 with no worker and with one, beside a training step of phase 1 of the shipped
network on a batch that is there already. The ways take turns, and medians are compared: other
work on the machine then touches them alike. The shard is in the page cache, as a shard smaller
than memory is from the second epoch on.

Memory: stores of two sizes, each prepared by a process of its own; the slope between the peaks
is what an ECG costs. Waveforms are a few simulated ones over and over: how many ECGs there are
matters, not what they show.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from ecgdash.domain import EcgRecord, EchoStudy, GateResult, Patient
from ecgdash.services.cart_records import cart_records
from ecgdash.simulate.pretraining import pretraining_ecgs
from ecgdash.store import Findings, open_store

SIZES = (1_000, 8_000)
N_WAVEFORMS = 200
N_SHARD = 1_536
BATCH = 64
ROUNDS = 5


def records() -> list[EcgRecord]:
    """Return simulated ECGs with a cart's statements."""
    cohort = pretraining_ecgs(N_WAVEFORMS, 5)
    batches = cohort.iter_ecgs(100, 250.0)
    return [record for batch in batches for record in cart_records(batch, cohort, 250.0)]


def fill(database: Path, n_ecgs: int) -> None:
    """Store patients of two ECGs each; every second one has two echoes, half of those LVSD."""
    store = open_store(f"sqlite:///{database}")
    waveforms = records()
    start = datetime(2020, 1, 1, 9, tzinfo=UTC)
    with store.transaction():
        for number in range(n_ecgs // 2):
            key = store.put_patient(Patient(str(number)), simulated=True)
            for visit in range(2):
                record = waveforms[(2 * number + visit) % len(waveforms)]
                at = start + timedelta(days=100 * visit)
                moved = EcgRecord(**{**vars_of(record), "recorded_at": at, "local_day": at.date()})
                store.add_ecg(key, moved, Findings(GateResult()))
                if number % 2:
                    lvef = 35.0 if number % 4 == 1 else 60.0
                    store.add_echo(key, EchoStudy(str(number), at, at.date(), lvef))
    store.close()


def vars_of(record: EcgRecord) -> dict[str, Any]:
    """Return the fields of a record."""
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def memory() -> None:
    """Print the peak at each size and the slope between them."""
    with tempfile.TemporaryDirectory() as place:
        found = []
        for size in SIZES:
            database = Path(place) / f"{size}.db"
            fill(database, size)
            out = Path(place) / str(size)
            told = subprocess.run(
                [sys.executable, "-m", "benchmarks.loader", "peak", str(database), str(out)],
                capture_output=True, text=True, check=True,
            ).stdout.split()  # fmt: skip
            peak, seconds = int(told[0]), float(told[1])
            found.append((size, peak))
            speed = size / seconds
            print(f"{size:6d} ECGs: peak {peak / 2**20:.0f} MiB, {speed:.0f} ECG/s", flush=True)
        (few, low), (many, high) = found
        print(f"slope {(high - low) / (many - few):.0f} bytes an ECG")


def peak_of(database: Path, out: Path) -> tuple[int, float]:
    """Prepare a store in this process; return its peak in bytes, and the seconds."""
    from ecgdash.services.training_data import prepare_from_store

    store = open_store(f"sqlite:///{database}")
    started = time.monotonic()
    prepare_from_store(store, out)
    seconds = time.monotonic() - started
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, seconds


def speed() -> None:
    """Print ECGs a second of each way, and its ratio to the training step."""
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        epoch = _loader(Path(place))
        ways = {
            "training step, phase 1": _step(),
            "loader, no worker": lambda: epoch(0),
            "loader, one worker": lambda: epoch(1),
        }
        took: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, seconds_an_ecg in ways.items():
                took[name].append(seconds_an_ecg())
        base = statistics.median(took["training step, phase 1"])
        for name, seconds in took.items():
            middle = statistics.median(seconds)
            print(f"{name:24s} {1 / middle:8.0f} ECG/s  {base / middle:6.2f} x", flush=True)


def _step() -> Callable[[], float]:
    """Return what times steps of phase 1 on a batch that is there."""
    import torch

    from ecgdash.labels.cart import LABEL_NAMES
    from ecgdash.nets.family import FamilyConfig, FamilyNet
    from ecgdash.nets.registry import architecture

    arch = architecture("demo")
    net = FamilyNet(FamilyConfig(arch.config, len(LABEL_NAMES), arch.history_hidden)).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3)
    x = torch.randn(BATCH, 12, 2250, generator=torch.Generator().manual_seed(1))
    y = torch.zeros(BATCH, len(LABEL_NAMES))

    def steps(n: int = 4) -> float:
        started = time.monotonic()
        for _ in range(n):
            optimiser.zero_grad()
            loss = torch.nn.functional.binary_cross_entropy_with_logits(net.label_logits(x), y)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        return (time.monotonic() - started) / (n * BATCH)

    steps(1)  # what happens once is not timed
    return steps


def _loader(place: Path) -> Callable[[int], float]:
    """Write a shard; return what times an epoch of it, by the number of workers."""
    from torch.utils.data import DataLoader

    from ecgdash.training.phases import _EpochBatches, _Targets
    from ecgdash.training.shards import Shard, ShardWriter

    signals = np.stack([record.signal_mv for record in records()])
    writer = ShardWriter(place, [f"p{i}" for i in range(N_SHARD)], ("any",))
    while not writer.complete:
        rows = np.arange(writer.n_done, min(writer.n_done + 128, N_SHARD)) % len(signals)
        writer.append(signals[rows], np.zeros((len(rows), 1), bool))
    shard = Shard(place)
    rows = np.arange(len(shard))
    targets = _Targets(rows, rows[:0], np.zeros((len(shard), 1), np.float32))

    def epoch(n_workers: int) -> float:
        data = _EpochBatches(shard, targets, BATCH, (1, 0))
        batches = iter(DataLoader(data, batch_size=None, num_workers=n_workers))
        next(batches)  # a worker starts once an epoch: not timed
        started = time.monotonic()
        n_ecgs = sum(len(x) for x, _ in batches)
        return (time.monotonic() - started) / n_ecgs

    return epoch


def main() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if sys.argv[1:2] == ["peak"]:
        print(*peak_of(Path(sys.argv[2]), Path(sys.argv[3])))
    elif sys.argv[1:2] == ["memory"]:
        memory()
    else:
        speed()


if __name__ == "__main__":
    main()
