"""Scoring on a CUDA device: ECGs per second, against the device's own matrix peak.

Wall time, from crops in the host's memory to logits there, so that the copies count.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.engine_figures import ACCELERATOR, Measured
from benchmarks.engine_nets import simulated_ecgs
from ecgdash.errors import InvalidValue
from ecgdash.inference.backends import TorchBackend

if TYPE_CHECKING:
    from benchmarks.engine_scoring import Subject

ECGS_A_PASS = {"demo": 512, "152": 64}
PEAK_SIZE = 8192
ROUNDS = 10


def accelerator(subject: "Subject", say: Callable[[str], None]) -> dict[str, Measured]:
    """Time one depth on the first CUDA device; without one, every figure says so."""
    if not torch.cuda.is_available():
        return dict.fromkeys(_keys(subject), Measured(None, note="no CUDA device"))
    say(f"{subject.key}: on the CUDA device")
    return on_device(subject, torch.device("cuda"), ECGS_A_PASS[subject.key], PEAK_SIZE)


def on_device(
    subject: "Subject", device: torch.device, n_ecgs: int, peak_size: int
) -> dict[str, Measured]:
    """Time passes of so many ECGs, each precision beside the peak of a matrix product in it."""
    crops = np.concatenate([subject.engine.crops(record) for record in simulated_ecgs(8)])
    net = subject.net.to(device)
    found = {}
    for key in _keys(subject):
        try:
            backend = TorchBackend(net, device, key.split(".")[-1])
        except InvalidValue as error:
            found[key] = Measured(None, note=str(error))
            continue
        x = backend.buffer((3 * n_ecgs, *net.input_shape))
        x[:] = np.resize(crops, x.shape)
        rate = n_ecgs / _least_s(lambda backend=backend, x=x: backend.run(x))  # type: ignore[misc]
        peak = _peak_gflops(device, backend.precision, peak_size)
        found[key] = Measured(
            rate,
            peak / subject.operations.shared,
            f"{n_ecgs} a pass; {rate * subject.operations.shared:,.0f} of {peak:,.0f} GFLOP/s",
        )
    net.to("cpu")
    return found


def _keys(subject: "Subject") -> list[str]:
    return [key for key in ACCELERATOR if key.split(".")[1] == subject.key]


def _least_s(act: Callable[[], object]) -> float:
    least = float("inf")
    for _ in range(ROUNDS + 2):  # the first ones choose algorithms; they are never the least
        started = time.perf_counter()
        act()
        least = min(least, time.perf_counter() - started)
    return least


def _peak_gflops(device: torch.device, precision: str, n: int) -> float:
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    a, b = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))

    def product() -> None:
        torch.mm(a, b)
        if device.type == "cuda":
            torch.cuda.synchronize()

    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    try:
        return 2 * n**3 / _least_s(product) / 1e9
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
