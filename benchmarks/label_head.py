"""What the 46-label head costs beside the scores, per ECG, on one core, filters included in both.

python -m benchmarks.label_head [ECGS]
"""

import sys
from time import perf_counter

import numpy as np

from ecgdash.inference import Engine
from ecgdash.simulate.cohort import simulate_patients


def main(n: int) -> None:
    engine = Engine.load("deepecg-lvsd-12")
    cohort = simulate_patients(n, 907)
    records = list(cohort.records(np.arange(n), 500.0))
    for _ in range(2):  # the first round warms up
        started = perf_counter()
        engine.base_logits(records)
        scores = perf_counter()
        engine.label_logits(records)
        head = perf_counter()
    base_ms, head_ms = ((b - a) / n * 1000 for a, b in ((started, scores), (scores, head)))
    print(f"three scores {base_ms:.2f} ms an ECG, label head {head_ms:.2f} ms: "
          f"{head_ms / base_ms:.2f} of the scores")  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 256)
