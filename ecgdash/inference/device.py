"""Where the networks run."""

import torch

from ecgdash.errors import InvalidValue

__all__ = ["resolve_device", "use_threads"]


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


def use_threads(n_threads: int) -> None:
    """Set PyTorch's threads in this process.

    Two spinning threads beside another busy process were twelve times slower
    than one, so one is the default everywhere.
    """
    if torch.get_num_threads() != n_threads:
        torch.set_num_threads(n_threads)
