"""Where a training runs: one process or several of torchrun's, on the CPU or on CUDA devices.

    torchrun --nproc-per-node 2 -m ecgdash train pretrain ...

torchrun starts the processes and ends them all when one fails, `torch.distributed` averages
their gradients; nothing of that is ours (DESIGN, decision 21). The first process alone
validates, writes and reports. All of them read the same folder, so that on several machines it
must lie on a file system that they share.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import torch
from torch import Tensor, distributed, nn

from ecgdash.inference.device import resolve_device, use_ieee_float32

__all__ = [
    "average",
    "average_statistics",
    "device_of",
    "first_goes_ahead",
    "is_first",
    "joined",
    "n_planned",
    "n_processes",
    "on_device",
    "own_share",
    "tell_all",
]

LONGEST_WAIT: Final = timedelta(days=7)
"""For the first process, which validates a large net or stores phase 3's maps while the others
wait; torch's own limit of 10 to 30 minutes would end them. A process that fails is torchrun's
business, not this limit's."""

CUBLAS_WORKSPACE: Final = ":4096:8"
"""CUBLAS_WORKSPACE_CONFIG with which cuBLAS adds in one order (PyTorch's notes on
reproducibility); it must be set before the first CUDA call."""


@contextmanager
def joined(device_name: str) -> Iterator[torch.device]:
    """Join the other processes, if torchrun started this one, and yield the device to train on.

    Over gloo on the CPU and NCCL on CUDA, where each process takes the device of its number
    on its machine. Within another `joined` it only yields the device.

    Parameters
    ----------
    device_name : str
        "auto", "cpu" or "cuda".

    Raises
    ------
    InvalidValue
        If the machine has no such device.
    """
    several = distributed.is_available() and distributed.is_torchelastic_launched()
    device = resolve_device(device_name)
    if device.type == "cuda":
        if several:
            device = resolve_device(f"cuda:{os.environ['LOCAL_RANK']}")
        _be_deterministic(device)
    if not several or distributed.is_initialized():
        yield device
        return
    if device.type == "cuda":
        distributed.init_process_group("nccl", timeout=LONGEST_WAIT, device_id=device)
    else:
        distributed.init_process_group("gloo", timeout=LONGEST_WAIT)
    yield device
    # Not in a `finally`: after an error the others may be inside a collective call, and this
    # would wait for them; the process ends instead, and torchrun ends the others.
    distributed.destroy_process_group()


def _be_deterministic(device: torch.device) -> None:
    """Make CUDA repeat itself: the same seed, device and versions give the same weights.

    Only a warning where an operation has no deterministic form: the backward pass of
    overlapping max-pooling, in the stem of SE-ResNeXt-152, has none in some versions of torch.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", CUBLAS_WORKSPACE)
    if device.index is not None:  # "cuda" is the current device already
        torch.cuda.set_device(device)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    # Full float32 products, as on the CPU; --bf16 is the way to be faster.
    use_ieee_float32()


def on_device(net: nn.Module, device: torch.device) -> None:
    """Move a network to its device, in place; on several CUDA devices its BatchNorm sees all.

    There each BatchNorm becomes a SyncBatchNorm, of the same tensors under the same names. On
    the CPU, where torch has none, each process normalises its own share.
    """
    if n_processes() > 1 and device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(net)  # type: ignore[no-untyped-call]
    net.to(device)


def device_of(net: nn.Module) -> torch.device:
    """Return the device of a network's weights."""
    return next(net.parameters()).device


def n_processes() -> int:
    """Return how many processes train together."""
    return distributed.get_world_size() if _together() else 1


def n_planned() -> int:
    """Return how many processes torchrun started, before they have joined; 1 without it."""
    launched = distributed.is_available() and distributed.is_torchelastic_launched()
    return int(os.environ.get("WORLD_SIZE", "1")) if launched else 1


def is_first() -> bool:
    """Whether this process validates, writes and reports.

    It follows from torchrun's environment, so that it holds after the training too.
    """
    return not distributed.is_torchelastic_launched() or os.environ.get("RANK", "0") == "0"


def own_share(n: int) -> slice:
    """Return this process's consecutive share of `n` items, of which each gets as many."""
    size = n // n_processes()
    rank = distributed.get_rank() if _together() else 0
    return slice(rank * size, (rank + 1) * size)


def average(value: float, device: torch.device) -> float:
    """Return the mean of a number over the processes."""
    if not _together():
        return value
    total = torch.tensor(value, dtype=torch.float64, device=device)
    distributed.all_reduce(total)
    return float(total) / n_processes()


def tell_all(value: float, device: torch.device) -> float:
    """Return the first process's number, in all of them."""
    if not _together():
        return value
    told = torch.tensor(value, dtype=torch.float64, device=device)
    distributed.broadcast(told, src=0)
    return float(told)


def average_statistics(net: nn.Module) -> None:
    """Set the running statistics of every BatchNorm to their mean over the processes.

    A running statistic is linear in the batches' statistics: its mean at the end of an epoch
    is what averaging after every step would have given.
    """
    if not _together():
        return
    for name, statistic in net.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            _average_tensor(statistic)


def _average_tensor(tensor: Tensor) -> None:
    distributed.all_reduce(tensor)
    tensor /= n_processes()


@contextmanager
def first_goes_ahead() -> Iterator[None]:
    """Run the body in the first process, then, when it is done there, in the others."""
    if _together() and not is_first():
        distributed.barrier()
    yield
    if _together() and is_first():
        distributed.barrier()


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized()
