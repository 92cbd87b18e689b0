"""Opens the file of an external network: TorchScript isolated, safetensors in this process."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ecgdash.errors import InputDoesNotFitModel
from ecgdash.inference.external_process import IsolatedNet
from ecgdash.inference.external_spec import ExternalSpec

__all__ = ["Network", "open_network"]

Network = Callable[..., NDArray[np.float64]]
"""Arrays in, the network's output out."""


def open_network(raw: bytes, spec: ExternalSpec, name: str) -> Network:
    """Open a file's network: TorchScript in a process of its own, safetensors in this one.

    Raises
    ------
    InputDoesNotFitModel
        If the file is not what the spec tells.
    """
    if spec.format == "torchscript":
        return IsolatedNet(raw, spec.number_type, name)
    return _known_network(raw, spec, name)


def _known_network(raw: bytes, spec: ExternalSpec, name: str) -> Network:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    from ecgdash.nets.registry import architecture
    from ecgdash.nets.se_resnext import SeResNeXt1d

    arch = architecture(spec.architecture or "", len(spec.leads))
    net = SeResNeXt1d(replace(arch.config, n_outputs=spec.n_outputs))
    try:
        net.load_state_dict(load(raw))
    except (SafetensorError, RuntimeError) as error:
        raise InputDoesNotFitModel(
            f"the weights do not fit architecture {arch.name} with {spec.n_outputs} outputs",
            where=name,
            accepted="Accepted: safetensors with the names and shapes of that architecture",
            todo="Compare the spec with the weights",
        ) from error
    number_type = torch.float64 if spec.number_type == "float64" else torch.float32
    net = net.to(number_type).eval().requires_grad_(False)

    def run(*inputs: NDArray[np.floating]) -> NDArray[np.float64]:
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(inputs[0])).to(number_type)
            out: NDArray[np.float64] = net(x).double().numpy()
        return out

    return run
