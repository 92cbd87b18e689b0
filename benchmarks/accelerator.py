"""Scoring on a CUDA device, in a table of its own: ECGs a second beside the device's limits.

    python -m benchmarks.accelerator [--json FILE] [--update-readme]

Wall time, from crops (or records) in the host's memory to logits there, so that copies count.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.engine_figures import (
    NETS,
    Figure,
    Groups,
    Measured,
    replace_between_markers,
    table,
    write_json,
)
from benchmarks.engine_machine import load_average, machine
from benchmarks.engine_nets import DEEP, DEMO, simulated_ecgs
from benchmarks.engine_operations import N_CROPS
from benchmarks.engine_scoring import Subject, load_subjects
from ecgdash.domain import EcgRecord
from ecgdash.errors import InvalidValue
from ecgdash.inference import Engine
from ecgdash.inference.backends import Finish, TorchBackend
from ecgdash.nets.family import FamilyNet

ROOT = Path(__file__).resolve().parents[1]
MARKED = "accelerator"

PRECISIONS = {"float32": "float32", "tf32": "tf32", "bfloat16": "bf16"}
PASSES = {"demo": (64, 512), "152": (64, 128)}
"""ECGs a pass: the engine's own number first."""
PEAK_SIZE = 8192
ROUNDS = 10
N_RECORDS = {"demo": 2048, "152": 1024}
"""Scored from records; a multiple of the engine's pass, so that none is padded."""


def _networks(net: str) -> dict[str, Figure]:
    return {
        f"cuda.{net}.{precision}.{n}": Figure(
            f"{NETS[net]}, {words}, {n} ECGs a pass", "ECGs/s", "high", "at the matrix peak"
        )
        for precision, words in PRECISIONS.items()
        for n in PASSES[net]
    }


GROUPS: Groups = {
    "The device": {
        **{
            f"peak.{precision}": Figure(f"matrix product, {words}", "TFLOP/s")
            for precision, words in PRECISIONS.items()
        },
        "copy": Figure("copying from page-locked memory", "GB/s"),
    },
    "The network alone: three scores of an ECG": _networks("demo") | _networks("152"),
    "The plain form (batch normalisation apart, channels first) over the form in use": {
        f"plain.{net}.{precision}": Figure(
            f"{NETS[net]}, {words}, {PASSES[net][0]} ECGs a pass", "times", "high"
        )
        for net in NETS
        for precision, words in PRECISIONS.items()
    },
    "The engine: records in, logits out, float32": {
        "prepare.one": Figure("preparing crops, one thread", "ECGs/s"),
        **{
            f"engine.{net}": Figure(
                f"{NETS[net]}, crops prepared meanwhile", "ECGs/s", "high", "the slower of the two"
            )
            for net in NETS
        },
    },
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write what was asked for."""
    import tempfile

    parser = argparse.ArgumentParser(prog="python -m benchmarks.accelerator", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, unrounded")
    parser.add_argument("--update-readme", action="store_true", help="replace README.md's table")
    wanted = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        raise SystemExit("benchmarks: this machine has no CUDA device")
    before, started = load_average(), time.monotonic()
    device = torch.device("cuda")
    found = limits(device)
    with tempfile.TemporaryDirectory() as folder:
        models_dir = Path(folder)
        subjects = load_subjects(models_dir, print)
        for subject, family in zip(subjects, (DEMO, DEEP), strict=True):
            found |= networks(subject, device, found)
            own_dir = models_dir if family == DEEP else None
            found |= engine(subject.key, Engine.load(family, "cuda", own_dir), device)
    found["prepare.one"] = Measured(_one_thread(subjects[0].engine))
    named, loads = machine(), (before, load_average())
    text = f"{_caption(named, (time.monotonic() - started) / 60)}\n\n{table(found, GROUPS)}"
    print(text)
    if wanted.json is not None:
        write_json(wanted.json, found, named, loads, GROUPS)
    if wanted.update_readme:
        readme = ROOT / "README.md"
        old = readme.read_text(encoding="utf-8")
        readme.write_text(replace_between_markers(old, text, MARKED), encoding="utf-8")


def _caption(named: dict[str, str], minutes: float) -> str:
    told = "; ".join(f"{name} {value}" for name, value in named.items() if name != "openvino")
    return (
        f"One run of `python -m benchmarks.accelerator` ({minutes:.0f} min). "
        f"{told[0].upper()}{told[1:]}.\n"
        "Wall time, copies included: the least of several passes. Depth 152 has random weights."
    )


def limits(device: torch.device, peak_size: int = PEAK_SIZE) -> dict[str, Measured]:
    """Measure the device: matrix products of each precision, and a copy to it."""
    found = {
        f"peak.{precision}": Measured(
            _peak_tflops(device, precision, peak_size), note=f"{peak_size} x {peak_size}"
        )
        for precision in PRECISIONS
    }
    on_cuda = device.type == "cuda"
    host = torch.empty(peak_size**2 * 4, dtype=torch.uint8, pin_memory=on_cuda)
    there = torch.empty_like(host, device=device)

    def copy() -> None:
        there.copy_(host, non_blocking=True)
        _wait(device)

    return {**found, "copy": Measured(host.numel() / _least_s(copy) / 1e9)}


def networks(
    subject: Subject,
    device: torch.device,
    known: Mapping[str, Measured],
    passes: Sequence[int] = (),
) -> dict[str, Measured]:
    """Time passes in every precision, and the plain form beside them.

    Parameters
    ----------
    known : mapping
        What `limits` found.
    passes : sequence of int, optional
        ECGs a pass instead of `PASSES`, for a test.
    """
    key = subject.key
    crops = np.concatenate([subject.engine.crops(record) for record in simulated_ecgs(8)])
    net = subject.net.to(device)
    found = {}
    passes = passes or PASSES[key]
    for precision in PRECISIONS:
        try:
            backend = TorchBackend(net, device, precision)
        except InvalidValue as error:
            absent = Measured(None, note=str(error))
            found |= {f"cuda.{key}.{precision}.{n}": absent for n in PASSES[key]}
            found[f"plain.{key}.{precision}"] = absent
            continue
        seconds = []
        for named, n in zip(PASSES[key], passes, strict=True):
            x = backend.buffer((N_CROPS * n, *net.input_shape))
            x[:] = np.resize(crops, x.shape)
            seconds.append(_least_s(lambda b=backend, x=x: b.run(x)))  # type: ignore[misc]
            rate = n / seconds[-1]
            peak = known[f"peak.{precision}"].value or 0.0
            note = f"{rate * subject.operations.shared / 1000:,.1f} of {peak:,.0f} TFLOP/s"
            limit = 1000 * peak / subject.operations.shared
            found[f"cuda.{key}.{precision}.{named}"] = Measured(rate, limit, note)
        x = backend.buffer((N_CROPS * passes[0], *net.input_shape))
        x[:] = np.resize(crops, x.shape)
        plain_s = _least_s(lambda x=x, p=precision: _plain(net, p, x, device))  # type: ignore[misc]
        found[f"plain.{key}.{precision}"] = Measured(plain_s / seconds[0])
    net.to("cpu")
    return found


def _plain(
    net: FamilyNet, precision: str, x: NDArray[np.float32], device: torch.device
) -> NDArray[np.float32]:
    """Run `FamilyNet` as it is trained."""
    low = precision == "bfloat16"
    with (
        torch.inference_mode(),
        torch.backends.cudnn.flags(enabled=True, allow_tf32=precision == "tf32"),
        torch.autocast(device.type, torch.bfloat16, enabled=low),
    ):
        logits = net(torch.from_numpy(x).to(device))
        found: NDArray[np.float32] = logits.float().cpu().numpy()
    return found


class _Nothing:
    """A backend that answers at once: what is left is the preparing of crops."""

    name, precision, version = "nothing", "float32", "1"

    def __init__(self, backend: TorchBackend, n_outputs: int) -> None:
        self.buffer = backend.buffer
        self._n_outputs = n_outputs

    def start(self, x: NDArray[np.float32], head: str = "variants") -> Finish:
        logits = np.zeros((len(x), self._n_outputs))
        return lambda: logits


def engine(
    key: str, made: Engine, device: torch.device, n_records: int | None = None
) -> dict[str, Measured]:
    """Time the engine from records, beside its two halves alone."""
    n = n_records or N_RECORDS[key]
    records = simulated_ecgs(64)
    many = [records[i % len(records)] for i in range(n)]
    backend = TorchBackend(made.net, device)
    nothing = made._batches(_Nothing(backend, len(made.variants)))
    preparing = _rate(lambda: list(nothing.run(iter(many), made._prepare)), n)
    rate = _rate(lambda: made.base_logits(iter(many)), n)
    n_pass = made._ecgs_per_batch
    x = backend.buffer((N_CROPS * n_pass, *made.net.input_shape))
    x[:] = np.resize(made.crops(records[0]), x.shape)
    network = n_pass / _least_s(lambda: backend.run(x))
    note = f"preparing alone {preparing:,.0f}, network alone {network:,.0f}"
    return {f"engine.{key}": Measured(rate, min(preparing, network), note)}


def _one_thread(made: Engine, n: int = 64) -> float:
    records: list[EcgRecord] = simulated_ecgs(n)
    return _rate(lambda: [made.crops(record) for record in records], n)


def _rate(act: Callable[[], object], n: int) -> float:
    act()
    started = time.perf_counter()
    act()
    return n / (time.perf_counter() - started)


def _least_s(act: Callable[[], object]) -> float:
    least = float("inf")
    for _ in range(ROUNDS + 2):  # the first ones choose algorithms; they are never the least
        started = time.perf_counter()
        act()
        least = min(least, time.perf_counter() - started)
    return least


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def _peak_tflops(device: torch.device, precision: str, n: int) -> float:
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    a, b = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))

    def product() -> None:
        torch.mm(a, b)
        _wait(device)

    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    try:
        return 2 * n**3 / _least_s(product) / 1e12
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


if __name__ == "__main__":
    main()
