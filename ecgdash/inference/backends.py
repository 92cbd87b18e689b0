"""What carries out the networks: one small interface, PyTorch behind it (docs/decisions/0017).

A backend is handed crops in one fixed number and gives logits in float64. It may begin a pass
and give its result later (`start`), so that a device works while the next crops are prepared.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from ecgdash.errors import InvalidValue
from ecgdash.nets.family import FamilyNet
from ecgdash.nets.lowered import LoweredHead, lower_labels, lower_variants

__all__ = ["BACKENDS", "PRECISIONS", "Backend", "Head", "TorchBackend"]

BACKENDS: Final = ("auto", "torch", "openvino")
PRECISIONS: Final = ("float32", "tf32", "bfloat16")

Head = Literal["variants", "labels"]
Crops = NDArray[np.float32]
Logits = NDArray[np.float64]
Finish = Callable[[], Logits]

_LAUNCHING: Final = threading.Lock()
"""Held while a GPU's kernels are launched, which is short; not while they work."""


class Backend(Protocol):
    """One family's networks on one device, in one precision."""

    @property
    def name(self) -> str:
        """Of `BACKENDS`, never "auto"."""

    @property
    def precision(self) -> str:
        """Of `PRECISIONS`."""

    @property
    def version(self) -> str:
        """Of the library."""

    def buffer(self, shape: tuple[int, ...]) -> Crops:
        """Return zeroed host memory from which crops reach the device fastest."""

    def start(self, x: Crops, head: Head = "variants") -> Finish:
        """Begin a pass; what is returned waits for it and gives its logits.

        Parameters
        ----------
        x : ndarray of float32, shape (n_crops, n_leads, 2250)
            Left as it is until the result was fetched.
        head : {"variants", "labels"}
        """

    def run(self, x: Crops) -> Logits:
        """Return logits without history, float64 (n_crops, n_variants)."""

    def labels(self, x: Crops) -> Logits:
        """Return the logits of the cart's labels, float64 (n_crops, n_labels)."""


class TorchBackend:
    """PyTorch, on the CPU or a CUDA device, in the form of `ecgdash.nets.lowered`.

    Parameters
    ----------
    net : FamilyNet
        In evaluation mode, on the device. What it gives is fixed at a head's first pass: later
        changes of its weights do not count.
    device : torch.device
    precision : str
        "float32" is IEEE single throughout, convolutions on CUDA included (where PyTorch by
        itself would round their inputs to TF32). "tf32": CUDA only. "bfloat16": convolutions;
        pooling and heads in float32.

    Raises
    ------
    InvalidValue
        If the device has no such precision.
    """

    name = "torch"
    version = str(torch.__version__)

    def __init__(self, net: FamilyNet, device: torch.device, precision: str = "float32") -> None:
        if precision not in PRECISIONS or (precision == "tf32" and device.type != "cuda"):
            raise InvalidValue(
                f"precision {precision!r} is not there with torch on {device.type}",
                accepted="Accepted: float32, bfloat16; on CUDA also tf32",
            )
        self.precision = precision
        self._net = net
        self._device = device
        self._forms: dict[Head, LoweredHead] = {}
        self._lowering = threading.Lock()

    def buffer(self, shape: tuple[int, ...]) -> Crops:
        """Return zeros, page-locked where they go to a CUDA device."""
        pinned = self._device.type == "cuda"
        zeros: Crops = torch.zeros(shape, pin_memory=pinned).numpy()
        return zeros

    def start(self, x: Crops, head: Head = "variants") -> Finish:
        """Begin a pass; on the CPU it is done on return."""
        with torch.inference_mode(), self._rounding():
            logits = self._form(head)(torch.from_numpy(x).to(self._device, non_blocking=True))
            if self._device.type != "cuda":
                return lambda: logits.double().numpy()
            host = torch.empty(logits.shape, dtype=logits.dtype, pin_memory=True)
            host.copy_(logits, non_blocking=True)
            done = torch.cuda.Event()  # type: ignore[no-untyped-call]
            done.record()

        def finish() -> Logits:
            done.synchronize()
            found: Logits = host.double().numpy()
            return found

        return finish

    def run(self, x: Crops) -> Logits:
        """Return logits without history, float64 (n_crops, n_variants)."""
        return self.start(x)()

    def labels(self, x: Crops) -> Logits:
        """Return the logits of the cart's labels, float64 (n_crops, n_labels)."""
        return self.start(x, "labels")()

    def _form(self, head: Head) -> LoweredHead:
        """Return the lowered network of a head, made on first use."""
        with self._lowering:
            if head not in self._forms:
                lower = lower_labels if head == "labels" else lower_variants
                dtype = torch.bfloat16 if self.precision == "bfloat16" else torch.float32
                # In float32 a GPU's convolutions are slower with channels last (decision 0019).
                last = self._device.type == "cpu" or self.precision != "float32"
                self._forms[head] = lower(self._net, dtype, channels_last=last)
            return self._forms[head]

    @contextmanager
    def _rounding(self) -> Iterator[None]:
        """Say how convolutions on a GPU may round, while a pass is launched.

        The flag is the process's: without the lock, a session that ends its pass would switch it
        back in the middle of another's (seen on a GPU: 6e-6 logits between two runs).
        """
        if self._device.type != "cuda":
            yield
            return
        tf32 = self.precision == "tf32"
        with _LAUNCHING, torch.backends.cudnn.flags(enabled=True, allow_tf32=tf32):
            yield
