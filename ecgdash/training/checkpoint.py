"""Checkpoints after every epoch: safetensors and JSON, never a pickle.

    <folder>/state.json            last finished epoch, the log so far, the best loss
    <folder>/epoch-003/net.safetensors, optimiser.safetensors
    <folder>/best.safetensors      weights of the best epoch

`state.json` is written last and names the folder, so a kill at any moment
leaves the previous epoch whole.
"""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ecgdash.training.shards import write_json

__all__ = ["Checkpoints", "FitState", "load_weights", "save_weights"]


@dataclass
class FitState:
    """Where a fit stands.

    Attributes
    ----------
    epoch : int
        Finished epochs.
    finished : bool
        No more epochs will follow.
    log : list of dict
        One row an epoch.
    """

    epoch: int = 0
    best_loss: float = float("inf")
    best_epoch: int = 0
    finished: bool = False
    log: list[dict[str, Any]] = field(default_factory=list)


def save_weights(net: nn.Module, path: Path) -> None:
    """Write a network's tensors, through a temporary file."""
    part = path.with_suffix(".part")
    save_file({n: t.detach().cpu().contiguous() for n, t in net.state_dict().items()}, part)
    part.chmod(0o644)  # the library writes for its owner alone
    part.replace(path)


def load_weights(net: nn.Module, path: Path) -> None:
    """Read a network's tensors; names and shapes must agree."""
    net.load_state_dict(load_file(path))


class Checkpoints:
    """The checkpoints of one fit.

    Parameters
    ----------
    folder : Path
    settings : dict
        Everything that decides the fit's outcome; a checkpoint of other
        settings is not resumed.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.best_path = folder / "best.safetensors"
        self._folder = folder
        self._settings = json.loads(json.dumps(settings))
        self._path = folder / "state.json"

    def resume(self, net: nn.Module, optimiser: torch.optim.Optimizer) -> FitState:
        """Restore the last finished epoch, or return a fresh state."""
        if not self._path.exists():
            return FitState()
        content = json.loads(self._path.read_text(encoding="utf-8"))
        if content.pop("settings") != self._settings:
            return FitState()
        state = FitState(**content)
        load_weights(net, self._epoch_folder(state.epoch) / "net.safetensors")
        tensors = load_file(self._epoch_folder(state.epoch) / "optimiser.safetensors")
        _restore_optimiser(optimiser, tensors)
        return state

    def save(self, net: nn.Module, optimiser: torch.optim.Optimizer, state: FitState) -> None:
        """Keep a finished epoch, and its weights if they are the best so far."""
        folder = self._epoch_folder(state.epoch)
        folder.mkdir(exist_ok=True)
        save_weights(net, folder / "net.safetensors")
        save_file(_optimiser_tensors(optimiser), folder / "optimiser.safetensors")
        if state.best_epoch == state.epoch:
            save_weights(net, self.best_path)
        write_json(self._path, {**vars(state), "settings": self._settings})
        for old in self._folder.glob("epoch-*"):
            if old != folder:
                shutil.rmtree(old)

    def _epoch_folder(self, epoch: int) -> Path:
        return self._folder / f"epoch-{epoch:03d}"


def _optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimiser.state_dict()["state"]
    return {
        f"{index}.{name}": value.detach().cpu().contiguous()
        for index, row in state.items()
        for name, value in row.items()
        if isinstance(value, Tensor)
    }


def _restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})
