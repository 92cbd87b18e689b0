"""OpenVINO as a backend: an optional library, faster on many CPUs, and silent.

Its Python part reports usage over the network where the package `openvino_telemetry` is
installed. This project makes no network calls, so that package is barred from the process before
openvino is imported; openvino then uses its own stub, which does nothing (tested).
"""

import copy
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ecgdash.errors import InvalidValue
from ecgdash.inference.backends import Crops, Finish, Head, Logits
from ecgdash.nets.family import FamilyNet

if TYPE_CHECKING:
    from types import ModuleType

__all__ = [
    "OpenVinoBackend",
    "openvino_has_bfloat16",
    "openvino_is_there",
    "openvino_version",
]

_TELEMETRY: Final = "openvino_telemetry"
_HINTS: Final = {"float32": "f32", "bfloat16": "bf16"}
_TRACING: Final = threading.Lock()
"""Tracing changes global state of PyTorch; warnings filters and the one core are global too."""


@cache
def openvino_is_there() -> bool:
    """Return whether OpenVINO is installed and can be kept silent."""
    return find_spec("openvino") is not None and sys.modules.get(_TELEMETRY) is None


def _openvino() -> "ModuleType":
    if not openvino_is_there():
        raise InvalidValue(
            "the backend 'openvino' is not installed",
            accepted="Accepted: torch, or auto",
            todo="Install it with 'pip install -r requirements-openvino.txt'",
        )
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # an import of it now fails
    return import_module("openvino")


def openvino_version() -> str:
    """Return the installed version, without its build.

    Raises
    ------
    InvalidValue
        If openvino is not installed.
    """
    return str(_openvino().__version__).split("-")[0]


@cache
def _core() -> Any:
    """Return the process's one core, with its CPU plugin loaded.

    The plugin gives the thread that loads it a signal stack of its own (for AMX) and unmaps that
    when it is destroyed. Several cores, freed in any order, so left the main thread on unmapped
    memory, and the next signal that Python handles (Ctrl-C, the end of a child) killed the
    process. So there is one core, never freed, and a thread that ends at once bears that stack.
    """

    def loaded() -> Any:
        core = _openvino().Core()
        core.get_versions("CPU")
        return core

    with ThreadPoolExecutor(1, "ecgdash-openvino") as pool:
        return pool.submit(loaded).result()


@cache
def openvino_has_bfloat16() -> bool:
    """Return whether OpenVINO computes in bfloat16 here; elsewhere it silently does in float32.

    Raises
    ------
    InvalidValue
        If openvino is not installed.
    """
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class _Features(nn.Module):
    """The part that OpenVINO computes: from crops to the pooled features of all branches."""

    def __init__(self, net: FamilyNet, head: Head) -> None:
        super().__init__()
        self.net = net
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """(batch, n_leads, n_samples) -> (batch, n_branches * n_features)."""
        net = self.net
        if self.head == "labels":
            return net.pretraining.features(net.trunk(x))
        shared = net.block3_map(x)
        return torch.cat([net.branch(name).features(shared) for name in net.variants], dim=1)


class OpenVinoBackend:
    """A family's networks compiled for this processor.

    Trunk and branches run in OpenVINO; the linear heads follow in float32, so that a lower
    precision never rounds a logit. One pass at a time: an engine is shared by many sessions.

    Parameters
    ----------
    net : FamilyNet
        In evaluation mode, on the CPU. What it gives is fixed here: later changes of its
        weights do not count.
    n_crops : int
        Crops a pass, always this many.
    threads : int
    precision : {"float32", "bfloat16"}

    Raises
    ------
    InvalidValue
        If openvino is not installed, or has no such precision here.
    """

    name = "openvino"

    def __init__(
        self, net: FamilyNet, n_crops: int, threads: int = 1, precision: str = "float32"
    ) -> None:
        if precision not in _HINTS:
            raise InvalidValue(
                f"precision {precision!r} is not there with openvino",
                accepted=f"Accepted: {', '.join(_HINTS)}",
            )
        self.version = openvino_version()
        if precision == "bfloat16" and not openvino_has_bfloat16():
            raise InvalidValue(
                "this processor has no bfloat16 for openvino", accepted="Accepted: float32"
            )
        self.precision = precision
        self._net = net
        self._n_crops = n_crops
        self._threads = threads
        self._lock = threading.Lock()
        self._requests: dict[Head, Any] = {}

    def buffer(self, shape: tuple[int, ...]) -> Crops:
        """Return zeros."""
        return np.zeros(shape, dtype=np.float32)

    def start(self, x: Crops, head: Head = "variants") -> Finish:
        """Run a pass; it is done on return."""
        with self._lock:
            if head not in self._requests:
                self._requests[head] = self._compile(head)
            request = self._requests[head]
            request.infer({0: x}, share_inputs=True)
            features = np.array(request.get_output_tensor(0).data)  # its memory is used again
        logits = self._heads(features, head)
        return lambda: logits

    def run(self, x: Crops) -> Logits:
        """Return logits without history, float64 (n_crops, n_variants)."""
        return self.start(x)()

    def labels(self, x: Crops) -> Logits:
        """Return the logits of the cart's labels, float64 (n_crops, n_labels)."""
        return self.start(x, "labels")()

    def _heads(self, features: NDArray[np.float32], head: Head) -> Logits:
        net = self._net
        with torch.inference_mode():
            found = torch.from_numpy(features)
            if head == "labels":
                logits = net.pretraining.head(found)
            else:
                parts = found.chunk(len(net.variants), dim=1)
                rows = [
                    net.branch(name).head(part)
                    for name, part in zip(net.variants, parts, strict=True)
                ]
                logits = torch.cat(rows, dim=1)
        exact: Logits = logits.double().numpy()
        return exact

    def _compile(self, head: Head) -> Any:
        ov = _openvino()
        shape = (self._n_crops, *self._net.input_shape)
        module = _Features(self._net, head).eval()
        if any(weight.requires_grad for weight in module.parameters()):
            module = copy.deepcopy(module).requires_grad_(False)  # a constant has no gradient
        with _TRACING, torch.inference_mode(), warnings.catch_warnings():
            # OpenVINO reads traced modules, and PyTorch calls tracing deprecated.
            warnings.simplefilter("ignore", DeprecationWarning)
            # A function's trace holds the weights as constants: a module's would first make a
            # scripted copy of each of its layers, for which most of the time went.
            traced = torch.jit.trace(  # type: ignore[no-untyped-call]
                lambda x: module(x), torch.zeros(1, *shape[1:]), check_trace=False
            )
            model = ov.convert_model(traced, input=[shape])
            core = _core()
        options = {
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": self._threads,
            "INFERENCE_PRECISION_HINT": _HINTS[self.precision],
            # Processes beside each other must not all be bound to the same core.
            "ENABLE_CPU_PINNING": False,
        }
        return core.compile_model(model, "CPU", options).create_infer_request()
