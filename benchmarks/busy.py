"""Scoring beside one busy process per core: does the wall time collapse (decision 23)?

    python -m benchmarks.busy [--passes 12]

For each installed backend, a pass of the shipped 12-lead network is timed by the wall clock with
the machine as it is and beside as many busy processes as there are cores. Printed are medians and
their ratio, from one run. With n cores and n busy processes, an even share is a ratio of 2.
"""

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ecgdash.inference import Engine
from ecgdash.inference.backend_openvino import openvino_is_there

FAMILY = "deepecg-lvsd-12"
ROUNDS = 3


def spin() -> None:
    while True:
        pass


@contextmanager
def busy(n: int) -> Iterator[None]:
    """Keep n cores busy with processes of our own."""
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=spin, daemon=True) for _ in range(n)]
    for one in others:
        one.start()
    time.sleep(1.0)  # until they have started
    try:
        yield
    finally:
        for one in others:
            one.terminate()
            one.join()


def wall_ms(engine: Engine, crops: np.ndarray, passes: int) -> list[float]:
    found = []
    for _ in range(passes):
        started = time.perf_counter()
        engine.base_logits_from_crops(crops)
        found.append(1000 * (time.perf_counter() - started))
    return found


def busy_ratios(passes: int = 12, beside: int | None = None) -> dict[str, tuple[float, float]]:
    """Return medians of a pass quiet and busy, in ms, by backend and threads.

    Parameters
    ----------
    passes : int
        A round; quiet and busy rounds take turns.
    beside : int, optional
        Busy processes; one per core by default.
    """
    n_cores = os.cpu_count() or 1
    beside = n_cores if beside is None else beside
    names = ["torch", "openvino"] if openvino_is_there() else ["torch"]
    found = {}
    for name in names:
        for threads in sorted({1, n_cores}):
            engine = Engine.load(FAMILY, "cpu", threads=threads, backend=name)
            crops = np.zeros((8, 3, *engine.net.input_shape), dtype=np.float32)
            wall_ms(engine, crops, 2)
            quiet: list[float] = []
            loaded: list[float] = []
            for _ in range(ROUNDS):
                quiet += wall_ms(engine, crops, passes)
                with busy(beside):
                    loaded += wall_ms(engine, crops, passes)
            key = f"{name}, {threads} {'thread' if threads == 1 else 'threads'}"
            found[key] = (statistics.median(quiet), statistics.median(loaded))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passes", type=int, default=12)
    parser.add_argument("--beside", type=int, default=None)
    options = parser.parse_args()
    print(f"{FAMILY}, 8 ECGs a pass, {os.cpu_count()} cores; busy processes beside it")
    for key, (quiet, loaded) in busy_ratios(options.passes, options.beside).items():
        print(f"{key:22} quiet {quiet:7.1f} ms  busy {loaded:7.1f} ms  ratio {loaded / quiet:5.2f}")


if __name__ == "__main__":
    main()
