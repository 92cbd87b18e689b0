"""Clocks: the least of several, measured in turn, so that a disturbance meets all alike.

CPU time of this process, its threads included, where a process works alone on one thread: time
that other processes take does not enter. Wall time where waiting is what is measured.
"""

import time
from collections.abc import Callable, Mapping

import torch

Act = Callable[[], object]

SHORTEST_S = 0.02
"""Acts shorter than this are called again within a round until it is filled."""

GEMM_SIZES = (1024, 1536, 2048)
"""Square matrices among which the peak is looked for."""


def least_ms(acts: Mapping[str, Act], rounds: int) -> dict[str, float]:
    """Warm every act up, then run all of them in turn; return each one's least, in ms."""
    calls = {name: _calls(act) for name, act in acts.items()}
    least = dict.fromkeys(acts, float("inf"))
    for _ in range(rounds):
        for name, act in acts.items():
            for _ in range(calls[name]):
                started = time.process_time()
                act()
                least[name] = min(least[name], time.process_time() - started)
    return {name: 1000 * seconds for name, seconds in least.items()}


def _calls(act: Act) -> int:
    """Warm an act up; return how often to call it within a round."""
    if _seconds(act) > 100 * SHORTEST_S:  # so long that a first call's extra work hardly counts
        return 1
    return max(1, min(100, round(SHORTEST_S / max(_seconds(act), 1e-9))))


def _seconds(act: Act) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def least_ms_of_many(act: Act, calls: int = 500, rounds: int = 15) -> float:
    """Return the least time of acts that are too short to be timed one by one, in ms."""
    act()
    least = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(calls):
            act()
        least = min(least, time.process_time() - started)
    return 1000 * least / calls


def gemm_acts(dtype: torch.dtype) -> dict[int, Act]:
    """Return square matrix products by size."""
    found: dict[int, Act] = {}
    for n in GEMM_SIZES:
        a, b, out = (torch.randn(n, n).to(dtype) for _ in range(3))
        found[n] = lambda a=a, b=b, out=out: torch.mm(a, b, out=out)  # type: ignore[misc]
    return found


def gemm_gflops(n: int, ms: float) -> float:
    """Return the rate of an n x n matrix product, in GFLOP/s."""
    return 2 * n**3 / ms / 1e6
