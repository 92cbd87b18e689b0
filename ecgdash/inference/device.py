"""Where the networks run."""

import os
from typing import Final

import torch

from ecgdash.errors import InvalidValue

__all__ = ["preparing_workers", "resolve_device", "use_ieee_float32", "use_threads"]

_MOST_PREPARING: Final = 8
"""One thread prepared 205 ECGs a second for a GPU that scored 26,000; eight prepared 1,025,
sixteen 1,105 (decision 0019)."""


def resolve_device(name: str = "auto") -> torch.device:
    """Return the device of a setting: auto, cpu, cuda or cuda:N.

    "auto" takes the first CUDA device if there is one.

    Raises
    ------
    InvalidValue
        If the name is none of these, or the machine has no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InvalidValue(
            f"device {name!r} is not known", accepted="Accepted: auto, cpu, cuda, cuda:N"
        ) from error
    n_cuda = torch.cuda.device_count()
    if device.type == "cuda" and (device.index or 0) >= n_cuda:
        raise InvalidValue(
            f"device {name!r} is not there", accepted=f"This machine has {n_cuda} CUDA devices"
        )
    return device


def preparing_workers() -> int:
    """Return how many threads or processes prepare ECGs for a GPU: half the cores, at most 8."""
    return max(1, min(_MOST_PREPARING, (os.cpu_count() or 1) // 2))


def use_ieee_float32() -> None:
    """Keep float32 on CUDA devices what it is on the CPU, in this process.

    PyTorch by itself rounds the inputs of a GPU's convolutions to TF32. Explanations and training
    must not; a pass that may is allowed to by `inference.backends`.
    """
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def use_threads(n_threads: int) -> None:
    """Set PyTorch's threads in this process.

    Two spinning threads beside another busy process were twelve times slower
    than one, so one is the default everywhere.
    """
    if torch.get_num_threads() != n_threads:
        torch.set_num_threads(n_threads)
