"""Which backend runs a family: the one asked for, or the faster one, measured (decision 0017)."""

import logging
import threading
import time
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from ecgdash.errors import InvalidValue
from ecgdash.inference.backends import BACKENDS, Backend, Crops, TorchBackend
from ecgdash.inference.precision_record import PrecisionResult
from ecgdash.nets.family import FamilyNet

__all__ = ["AT_LEAST_FASTER", "BackendWish", "Chosen", "choose_backend", "lower_backends"]

AT_LEAST_FASTER: Final = 1.3
"""Times as fast as PyTorch that OpenVINO must be to be chosen (issue 8)."""
_LARGEST_NET: Final = 20_000_000
"""Parameters above which auto does not try: the 62-million net took 10 s to convert, 0.7 s to
compile, where the shipped ones take less than a second."""
_ROUNDS: Final = 3

_LOG = logging.getLogger(__name__)
_LOCK = threading.Lock()
_RATIOS: dict[tuple[str, int, int, str], float] = {}
"""Measured in this process: by weights, crops a pass, threads and precision."""


@dataclass(frozen=True)
class BackendWish:
    """What a caller asks for.

    Attributes
    ----------
    name : {"auto", "torch", "openvino"}
    threads : int
    lower : tuple of PrecisionResult
        Precisions below float32 that passed for these weights.

    Raises
    ------
    InvalidValue
        If there is no such backend.
    """

    name: str = "torch"
    threads: int = 1
    lower: tuple[PrecisionResult, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in BACKENDS:
            raise InvalidValue(
                f"backend {self.name!r} is not known", accepted=f"Accepted: {', '.join(BACKENDS)}"
            )

    def precision(self, backend: str, version: str) -> str:
        """Return the precision a backend runs in: where several passed, the first."""
        allowed = (one for one in self.lower if (one.backend, one.version) == (backend, version))
        return next((one.precision for one in allowed), "float32")


@dataclass(frozen=True)
class Chosen:
    """A backend, and how many times as fast as PyTorch it was; None: not measured."""

    backend: Backend
    ratio: float | None


def choose_backend(
    net: FamilyNet, device: torch.device, n_crops: int, wish: BackendWish, weights_sha256: str
) -> Chosen:
    """Return the backend that a wish means for a network on this machine.

    "auto" is torch on a CUDA device, without openvino, and for networks that take long to
    convert; else whichever a few passes show to be faster by the factor `AT_LEAST_FASTER`,
    measured once a process, weights and pass size.

    Parameters
    ----------
    net : FamilyNet
        On the device, in evaluation mode.
    n_crops : int
        A pass, always this many.
    weights_sha256 : str
        Tells families apart.

    Raises
    ------
    InvalidValue
        If openvino is asked for and not installed, or asked to run on a CUDA device.
    """
    from ecgdash.inference.backend_openvino import (
        OpenVinoBackend,
        openvino_has_bfloat16,
        openvino_is_there,
        openvino_version,
    )

    on_torch = TorchBackend(net, device, wish.precision(_kind(device), TorchBackend.version))
    if wish.name == "torch":
        return Chosen(on_torch, None)
    if device.type != "cpu":
        if wish.name == "openvino":
            raise InvalidValue(
                f"the backend 'openvino' does not run on {device.type}",
                accepted="Accepted: the device cpu, or the backend torch",
            )
        return Chosen(on_torch, None)
    if wish.name == "auto" and (not openvino_is_there() or _size(net) > _LARGEST_NET):
        return Chosen(on_torch, None)
    precision = wish.precision("openvino", openvino_version())
    if precision == "bfloat16" and not openvino_has_bfloat16():
        precision = "float32"  # it passed on another machine
    if wish.name == "openvino":
        return Chosen(OpenVinoBackend(net, n_crops, wish.threads, precision), None)
    other = OpenVinoBackend(net, n_crops, wish.threads, precision)
    key = (weights_sha256, n_crops, wish.threads, precision)
    with _LOCK:
        if key not in _RATIOS:
            x = _example((n_crops, *net.input_shape))
            _RATIOS[key] = _ratio(on_torch, other, x)
        ratio = _RATIOS[key]
    chosen = other if ratio >= AT_LEAST_FASTER else on_torch
    _LOG.info("backend %s %s: openvino %.2f times torch", chosen.name, chosen.precision, ratio)
    return Chosen(chosen, ratio)


def lower_backends(
    net: FamilyNet, device: torch.device, n_crops: int, threads: int
) -> list[tuple[str, Backend]]:
    """Return every backend in a precision below float32 that this machine has.

    Returns
    -------
    list of tuple of str and Backend
        The name under which a record keeps it; the fastest kind first.
    """
    from ecgdash.inference.backend_openvino import (
        OpenVinoBackend,
        openvino_has_bfloat16,
        openvino_is_there,
    )

    kind = _kind(device)
    if device.type == "cuda":
        return [(kind, TorchBackend(net, device, name)) for name in ("bfloat16", "tf32")]
    found: list[tuple[str, Backend]] = [(kind, TorchBackend(net, device, "bfloat16"))]
    if openvino_is_there() and openvino_has_bfloat16():
        found.insert(0, ("openvino", OpenVinoBackend(net, n_crops, threads, "bfloat16")))
    return found


def _kind(device: torch.device) -> str:
    """Return the name under which a lower precision of torch is recorded."""
    return "torch-cuda" if device.type == "cuda" else "torch"


def _size(net: FamilyNet) -> int:
    return sum(one.numel() for one in net.parameters())


def _example(shape: tuple[int, ...]) -> Crops:
    return np.random.default_rng(0).normal(0.0, 0.3, shape).astype(np.float32)


def _ratio(first: Backend, second: Backend, x: Crops) -> float:
    """Return how many times faster the second is: least of a few passes, taken in turn."""
    least = [np.inf, np.inf]
    for backend in (first, second):
        backend.run(x)
    for _ in range(_ROUNDS):
        for i, backend in enumerate((first, second)):
            started = time.perf_counter()
            backend.run(x)
            least[i] = min(least[i], time.perf_counter() - started)
    return float(least[0] / least[1])
