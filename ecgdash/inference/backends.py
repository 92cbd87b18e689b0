"""What carries out the networks: one small interface, PyTorch behind it (docs/decisions/0017).

A backend is handed crops in one fixed number and gives logits in float64. It may begin a pass
and give its result later (`start`), so that a device works while the next crops are prepared.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Final, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgdash.errors import InvalidValue
from ecgdash.nets.family import FamilyNet

__all__ = ["BACKENDS", "PRECISIONS", "Backend", "Head", "TorchBackend", "pooled_features"]

BACKENDS: Final = ("auto", "torch", "openvino")
PRECISIONS: Final = ("float32", "tf32", "bfloat16")

Head = Literal["variants", "labels"]
Crops = NDArray[np.float32]
Logits = NDArray[np.float64]
Finish = Callable[[], Logits]


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


def pooled_features(net: FamilyNet, x: Tensor, head: Head) -> list[Tensor]:
    """Return block 4's maps of the branches that a head needs, (batch, width, time) each.

    They are not pooled yet where a lower precision computed them: pooling and the linear heads
    then follow in float32, because a logit rounded to 8 bits is wrong by up to 0.016 at 4.
    """
    if head == "labels":
        return [net.pretraining.block4(net.pretraining.block3(net.trunk(x)))]
    shared = net.block3_map(x)
    return [net.branch(name).block4(shared) for name in net.variants]


class TorchBackend:
    """PyTorch, on the CPU or a CUDA device.

    Parameters
    ----------
    net : FamilyNet
        In evaluation mode, on the device.
    device : torch.device
    precision : str
        "float32" is IEEE single throughout, convolutions on CUDA included (where PyTorch by
        itself would round their inputs to TF32). "tf32": CUDA only. "bfloat16": convolutions
        by autocast; pooling and heads in float32.

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

    def buffer(self, shape: tuple[int, ...]) -> Crops:
        """Return zeros, page-locked where they go to a CUDA device."""
        pinned = self._device.type == "cuda"
        zeros: Crops = torch.zeros(shape, pin_memory=pinned).numpy()
        return zeros

    def start(self, x: Crops, head: Head = "variants") -> Finish:
        """Begin a pass; on the CPU it is done on return."""
        with torch.inference_mode(), self._flags():
            logits = self._logits(torch.from_numpy(x).to(self._device, non_blocking=True), head)
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

    def _logits(self, x: Tensor, head: Head) -> Tensor:
        net = self._net
        if self.precision != "bfloat16":
            return net.label_logits(x) if head == "labels" else net(x)
        with torch.autocast(self._device.type, dtype=torch.bfloat16):
            maps = pooled_features(net, x, head)
        names = net.variants
        branches = [net.pretraining] if head == "labels" else [net.branch(name) for name in names]
        rows = [
            branch.head(branch.pool(one.float()))
            for branch, one in zip(branches, maps, strict=True)
        ]
        return torch.cat(rows, dim=1)

    def _flags(self) -> AbstractContextManager[object]:
        stack = ExitStack()
        if self._device.type == "cuda":
            tf32 = self.precision == "tf32"
            stack.enter_context(torch.backends.cudnn.flags(enabled=True, allow_tf32=tf32))
        return stack
