"""A family: the models of one lead set over one trunk (DESIGN section 2, paper 000).

    stem - block1 - block2 -+- block3 -+- block4 uncalibrated - pooled f - final_layer
                            |          +- block4 masked       - f + g(history, 9)  - final_layer
                            |          +- block4 recalibrated - f + g(history, 12) - final_layer
                            +- pretraining: own block3, block4 - final_layer (one output a label)

Because the heads are linear, logit = w.f + b + w.g(history): `forward` gives the
part without history for all variants at once, and the rest needs no ECG.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor, nn

from ecgdash.domain.model import MASKED, RECALIBRATED, UNCALIBRATED
from ecgdash.nets.se_resnext import SeResNeXtConfig, make_block, make_pool, make_stem

__all__ = [
    "HISTORY_INPUTS",
    "Branch",
    "FamilyConfig",
    "FamilyNet",
    "HistoryPerceptron",
]

HISTORY_INPUTS: Final = {UNCALIBRATED: 0, MASKED: 9, RECALIBRATED: 12}
"""Numbers a variant is told about the past (paper 000: 4 for each of 3 pairs, LVEF masked: 3)."""


@dataclass(frozen=True)
class FamilyConfig:
    """Backbone, branches and sizes of a family."""

    net: SeResNeXtConfig
    n_labels: int
    history_hidden: int = 64
    history_inputs: Mapping[str, int] = field(default_factory=lambda: dict(HISTORY_INPUTS))


class HistoryPerceptron(nn.Module):
    """Two layers from the history vector to a shift of the pooled features.

    The last layer starts at zero: an untrained perceptron changes nothing.
    """

    def __init__(self, n_inputs: int, n_hidden: int, n_features: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(n_inputs, n_hidden)
        self.relu = nn.ReLU()
        self.out = nn.Linear(n_hidden, n_features)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, history: Tensor) -> Tensor:
        """(batch, n_inputs) -> (batch, n_features)."""
        return self.out(self.relu(self.hidden(history)))  # type: ignore[no-any-return]


class Branch(nn.Module):
    """Block 4, pooling, the history perceptron if there is one, and a linear head."""

    def __init__(
        self, config: SeResNeXtConfig, n_outputs: int, n_history: int = 0, n_hidden: int = 0
    ) -> None:
        super().__init__()
        self.block4 = make_block(config, 3)
        self.pool = make_pool(config)
        self.dropout = nn.Dropout(config.dropout)
        self.perceptron = (
            HistoryPerceptron(n_history, n_hidden, config.n_features) if n_history else None
        )
        self.final_layer = nn.Linear(config.n_features, n_outputs)

    def features(self, block3_map: Tensor) -> Tensor:
        """Pool block 4's output: (batch, width3, time) -> (batch, n_features)."""
        return self.pool(self.block4(block3_map))  # type: ignore[no-any-return]

    def head(self, features: Tensor, history: Tensor | None = None) -> Tensor:
        """Logits (batch, n_outputs) of pooled features, with a history if one is given."""
        features = self.dropout(features)
        if history is not None and self.perceptron is not None:
            features = features + self.perceptron(history)
        return self.final_layer(features)  # type: ignore[no-any-return]

    def forward(self, block3_map: Tensor, history: Tensor | None = None) -> Tensor:
        """Logits (batch, n_outputs)."""
        return self.head(self.features(block3_map), history)


class PretrainingBranch(Branch):
    """A branch with a block 3 of its own, one output for each label of the cart."""

    def __init__(self, config: SeResNeXtConfig, n_labels: int) -> None:
        super().__init__(config, n_labels)
        self.block3 = make_block(config, 2)

    def features(self, block3_map: Tensor) -> Tensor:
        """Pool from the trunk's output: (batch, width2, time) -> (batch, n_features)."""
        return super().features(self.block3(block3_map))


class FamilyNet(nn.Module):
    """All models of one lead set.

    Parameters
    ----------
    config : FamilyConfig
    """

    def __init__(self, config: FamilyConfig) -> None:
        super().__init__()
        net = config.net
        self.config = config
        self.stem = make_stem(net)
        self.block1 = make_block(net, 0)
        self.block2 = make_block(net, 1)
        self.block3 = make_block(net, 2)
        self.branches = nn.ModuleDict(
            {
                name: Branch(net, 1, n_history, config.history_hidden)
                for name, n_history in config.history_inputs.items()
            }
        )
        self.pretraining = PretrainingBranch(net, config.n_labels)
        self._trained: tuple[str, ...] | None = None

    @property
    def input_shape(self) -> tuple[int, int]:
        """(n_leads, n_samples)."""
        return (self.config.net.n_leads, self.config.net.n_samples)

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the branches, from least to most history."""
        return tuple(self.config.history_inputs)

    def branch(self, variant: str) -> Branch:
        """Return one variant's branch."""
        found = self.branches[variant]
        assert isinstance(found, Branch)
        return found

    def trunk(self, x: Tensor) -> Tensor:
        """(batch, n_leads, n_samples) -> (batch, width2, time): stem, block 1, block 2."""
        return self.block2(self.block1(self.stem(x)))  # type: ignore[no-any-return]

    def block3_map(self, x: Tensor) -> Tensor:
        """(batch, n_leads, n_samples) -> (batch, width3, time): what the variants share."""
        return self.block3(self.trunk(x))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """Logits without history, (batch, n_variants), with one pass through the trunk."""
        shared = self.block3_map(x)
        return torch.cat([self.branch(name)(shared) for name in self.variants], dim=1)

    def logit(self, variant: str, x: Tensor, history: Tensor | None = None) -> Tensor:
        """Full pass of one variant, history included: (batch, 1)."""
        return self.branch(variant)(self.block3_map(x), history)  # type: ignore[no-any-return]

    def label_logits(self, x: Tensor) -> Tensor:
        """Logits of the cart's labels, (batch, n_labels)."""
        return self.pretraining(self.trunk(x))  # type: ignore[no-any-return]

    def train_only(self, parts: Collection[str]) -> None:
        """Freeze everything but these sub-modules, BatchNorm statistics included.

        Frozen parts stay in evaluation mode whatever `train` says later.

        Parameters
        ----------
        parts : collection of str
            Names as in `named_modules`, for instance "branches.masked.perceptron".
        """
        self._trained = tuple(parts)
        self.requires_grad_(False)
        for part in parts:
            self.get_submodule(part).requires_grad_(True)
        self.train(self.training)

    def train(self, mode: bool = True) -> "FamilyNet":
        """Switch to training mode, frozen parts excepted."""
        if self._trained is None:
            return super().train(mode)
        super().train(False)
        self.training = mode
        for part in self._trained:
            self.get_submodule(part).train(mode)
        return self
