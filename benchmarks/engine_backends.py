"""The engine's backends as things to be timed: each makes one pass over crops when called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ecgdash.errors import InvalidValue
from ecgdash.inference import Engine
from ecgdash.inference.backend_openvino import OpenVinoBackend, openvino_is_there
from ecgdash.inference.backends import Backend, TorchBackend

Crops = NDArray[np.float32]


@dataclass(frozen=True)
class Unavailable:
    """A backend that this machine does not have, and why."""

    why: str


def make_backend(name: str, engine: Engine, n_crops: int) -> Backend | Unavailable:
    """Return a backend of `engine_figures.BACKENDS` on the CPU, one thread."""
    library, precision = name.split("-")
    if library == "openvino" and not openvino_is_there():
        return Unavailable("OpenVINO is not installed")
    try:
        if library == "openvino":
            return OpenVinoBackend(engine.net, n_crops, 1, precision)
        return TorchBackend(engine.net, torch.device("cpu"), precision)
    except InvalidValue as error:
        return Unavailable(str(error))


def runners(
    name: str, engine: Engine, batches: Mapping[int, Crops]
) -> dict[int, Callable[[], NDArray[np.float64]] | Unavailable]:
    """Return a pass over each batch, compiled where a backend compiles."""
    found: dict[int, Callable[[], NDArray[np.float64]] | Unavailable] = {}
    for n, crops in batches.items():
        backend = make_backend(name, engine, len(crops))
        if isinstance(backend, Unavailable):
            found[n] = backend
        else:
            found[n] = lambda backend=backend, crops=crops: backend.run(crops)  # type: ignore[misc]
    return found
