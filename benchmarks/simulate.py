"""Print how many ECGs the simulator makes per second on one core.

OMP_NUM_THREADS=1 python benchmarks/simulate.py [N_ECGS]
"""

import sys
import time

from ecgdash.simulate.examples import mixed_parameters
from ecgdash.simulate.waveform import synthesise


def measure(sampling_hz, n_ecgs):
    parameters = mixed_parameters(n_ecgs, seed=1)
    synthesise(parameters, sampling_hz)
    start = time.perf_counter()
    synthesise(parameters, sampling_hz)
    return n_ecgs / (time.perf_counter() - start)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    for rate_hz in (250.0, 500.0):
        print(f"{rate_hz:.0f} Hz: {measure(rate_hz, count):.0f} ECG/s (batch of {count})")
