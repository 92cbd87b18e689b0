"""A family's network from its weights file, its memory taken once and no weight made in vain.

The network is built on PyTorch's meta device, where tensors have a shape and no memory, and takes
the file's values tensor by tensor. Made on the CPU it would first hold random weights.
The file is read, not mapped into memory: mapped pages change with a file that is written anew in
place, and end the process where it was cut short. Nor do the tensors stay where the reading put
them: they lie at addresses of any kind there, and matrix libraries promise the same bits for the
same alignment only.
"""

from pathlib import Path

import torch

from ecgdash.errors import InvalidValue
from ecgdash.nets.family import FamilyConfig, FamilyNet

__all__ = ["net_with_weights"]


def net_with_weights(config: FamilyConfig, path: Path) -> FamilyNet:
    """Return a network with a file's weights, statistics and counts, on the CPU.

    Parameters
    ----------
    config : FamilyConfig
    path : Path
        Safetensors; verified by the caller.

    Raises
    ------
    InvalidValue
        If the file's tensors are not those of such a network.
    """
    from safetensors import safe_open

    with torch.device("meta"):
        net = FamilyNet(config)
    wanted = net.state_dict()
    shown = [name for name, _ in (*net.named_parameters(), *net.named_buffers())]
    if any(name not in wanted for name in shown):  # it would stay without values
        raise InvalidValue("the network holds a tensor that no weights file does")
    tensors = {}
    with safe_open(path, framework="pt", backend="pread") as file:
        if set(file.keys()) != set(wanted):
            raise _misfit(path)
        for name, tensor in wanted.items():
            found = file.get_tensor(name)
            if found.shape != tensor.shape:
                raise _misfit(path)
            tensors[name] = torch.empty(tensor.shape, dtype=tensor.dtype).copy_(found)
    net.load_state_dict(tensors, assign=True)
    return net


def _misfit(path: Path) -> InvalidValue:
    return InvalidValue(
        f"{path.name} does not hold the weights of this network",
        where=path.parent.name,
        accepted="Accepted: the tensors of the architecture that the card names, in their shapes",
        todo="Install card and weights of the same training",
    )
