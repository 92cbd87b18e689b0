"""SE-ResNeXt in one dimension: the backbone of DeepECG LVSD (paper 000).

Xie et al. 2017 (aggregated residual transformations) with the squeeze-and-
excitation modules of Hu et al. 2018, convolving over time; leads are channels.
Blocks in order: stem, block 1 to 4 (each a row of bottlenecks), global pooling,
linear `final_layer`. Input (batch, n_leads, n_samples), output logits
(batch, n_outputs).

The paper names the depth (152) and the SE modules; cardinality 32, bottleneck
width 4, the stem and the reduction of 16 are those of the cited papers. With
them the 12-lead net with one output has 62,062,641 parameters.

Two operations exist in two forms: the product of the SE gate, and the maxima.
The plain form is fast; the complete form (`use_complete_forms`) has the same
output to rounding and is exact under DeepLIFT's rules, which captum's rules for
products and max-pooling are not (docs/decisions).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor, nn

__all__ = [
    "SeResNeXt1d",
    "SeResNeXtConfig",
    "Square",
    "make_block",
    "make_pool",
    "make_stem",
    "use_complete_forms",
]

N_BLOCKS: Final = 4


@dataclass(frozen=True)
class SeResNeXtConfig:
    """Everything that shapes an SE-ResNeXt.

    Attributes
    ----------
    stem_width, stem_kernel, stem_stride : int
        First convolution.
    stem_pool : bool
        Max-pooling (kernel 3, stride 2) after it.
    depths : tuple of int
        Bottlenecks per block.
    inner_widths, widths : tuple of int
        Channels inside the bottlenecks, and between them, per block.
    groups, kernel : int
        Of the grouped convolution.
    strides : tuple of int
        Per block, in its first bottleneck.
    se_reduction : int
    shortcut : {"strided", "averaged"}
        A strided 1x1 convolution, or average pooling before it.
    pooling : {"mean", "mean+max"}
        Over time, after block 4.
    dropout : float
        Before the final layer.
    """

    n_leads: int = 12
    n_outputs: int = 1
    n_samples: int = 2250
    stem_width: int = 64
    stem_kernel: int = 7
    stem_stride: int = 2
    stem_pool: bool = True
    depths: tuple[int, ...] = (3, 8, 36, 3)
    inner_widths: tuple[int, ...] = (128, 256, 512, 1024)
    widths: tuple[int, ...] = (256, 512, 1024, 2048)
    groups: int = 32
    kernel: int = 3
    strides: tuple[int, ...] = (1, 2, 2, 2)
    se_reduction: int = 16
    shortcut: Literal["strided", "averaged"] = "strided"
    pooling: Literal["mean", "mean+max"] = "mean"
    dropout: float = 0.0

    @property
    def n_features(self) -> int:
        """Pooled features before the final layer."""
        return self.widths[-1] * (2 if self.pooling == "mean+max" else 1)


class Square(nn.Module):
    """The square as a module of its own, so that DeepLIFT can give it a rule."""

    def forward(self, x: Tensor) -> Tensor:
        """Return x * x, any shape."""
        return x * x


class GatedProduct(nn.Module):
    """x times gate; in complete form ((x + gate)^2 - (x - gate)^2) / 4."""

    def __init__(self) -> None:
        super().__init__()
        self.complete = False
        self.square_of_sum = Square()
        self.square_of_difference = Square()

    def forward(self, x: Tensor, gate: Tensor) -> Tensor:
        """Scale (batch, channels, time) by (batch, channels, 1)."""
        if not self.complete:
            return x * gate
        total, difference = self.square_of_sum(x + gate), self.square_of_difference(x - gate)
        return (total - difference) / 4  # type: ignore[no-any-return]


class MaxPool3(nn.Module):
    """Max-pooling, kernel 3, stride 2, padding 1, of inputs that are never negative."""

    def __init__(self) -> None:
        super().__init__()
        self.complete = False
        self.first = nn.ReLU()
        self.second = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Halve the time axis: (batch, channels, time) -> (batch, channels, ceil(time / 2))."""
        if not self.complete:
            return nn.functional.max_pool1d(x, 3, stride=2, padding=1)
        padded = nn.functional.pad(x, (1, 1))  # zeros, harmless beside values >= 0
        n_out = (x.shape[-1] + 1) // 2
        left, middle, right = (padded[..., i : i + 2 * n_out - 1 : 2] for i in range(3))
        best = left + self.first(middle - left)
        return best + self.second(right - best)  # type: ignore[no-any-return]


class MaxOverTime(nn.Module):
    """The largest value over time; in complete form a tree of max(a, b) = a + relu(b - a)."""

    def __init__(self, n_levels: int = 12) -> None:
        super().__init__()
        self.complete = False
        self.levels = nn.ModuleList(nn.ReLU() for _ in range(n_levels))

    def forward(self, x: Tensor) -> Tensor:
        """Reduce (batch, channels, time) -> (batch, channels)."""
        if not self.complete:
            return x.amax(dim=-1)
        for relu in self.levels:
            n_half = x.shape[-1] // 2
            if n_half == 0:
                break
            a, b, odd = x[..., :n_half], x[..., n_half : 2 * n_half], x[..., 2 * n_half :]
            x = torch.cat([a + relu(b - a), odd], dim=-1)
        return x.squeeze(-1)  # (batch, channels, 1) -> (batch, channels)


@contextmanager
def use_complete_forms(net: nn.Module) -> Iterator[None]:
    """Compute products and maxima in the forms that DeepLIFT handles exactly."""
    switched = [m for m in net.modules() if isinstance(m, GatedProduct | MaxPool3 | MaxOverTime)]
    try:
        for module in switched:
            module.complete = True
        yield
    finally:
        for module in switched:
            module.complete = False


class SqueezeExcitation(nn.Module):
    """Weigh channels by a small network of their means (Hu et al. 2018)."""

    def __init__(self, width: int, reduction: int) -> None:
        super().__init__()
        self.squeeze = nn.AdaptiveAvgPool1d(1)
        self.down = nn.Conv1d(width, width // reduction, 1)
        self.relu = nn.ReLU()
        self.up = nn.Conv1d(width // reduction, width, 1)
        self.gate = nn.Sigmoid()
        self.product = GatedProduct()

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape (batch, width, time)."""
        means = self.squeeze(x)  # (batch, width, time) -> (batch, width, 1)
        gate = self.gate(self.up(self.relu(self.down(means))))
        return self.product(x, gate)  # type: ignore[no-any-return]


class Bottleneck(nn.Module):
    """1x1, grouped k, 1x1 convolution with SE and a shortcut around them."""

    def __init__(
        self, config: SeResNeXtConfig, n_in: int, inner: int, n_out: int, stride: int
    ) -> None:
        super().__init__()
        self.reduce = _conv_norm(n_in, inner, 1)
        self.relu1 = nn.ReLU()
        self.grouped = _conv_norm(inner, inner, config.kernel, stride, config.groups)
        self.relu2 = nn.ReLU()
        self.expand = _conv_norm(inner, n_out, 1)
        self.se = SqueezeExcitation(n_out, config.se_reduction)
        self.shortcut = _shortcut(config, n_in, n_out, stride)
        self.relu3 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, n_in, time) -> (batch, n_out, ceil(time / stride))."""
        y = self.relu1(self.reduce(x))
        y = self.relu2(self.grouped(y))
        y = self.se(self.expand(y))
        return self.relu3(y + self.shortcut(x))  # type: ignore[no-any-return]


class Pool(nn.Module):
    """Mean over time, with the maximum beside it where the configuration says so."""

    def __init__(self, with_max: bool) -> None:
        super().__init__()
        self.maximum = MaxOverTime() if with_max else None

    def forward(self, x: Tensor) -> Tensor:
        """Reduce (batch, width, time) -> (batch, n_features)."""
        mean = x.mean(dim=-1)
        if self.maximum is None:
            return mean
        return torch.cat([mean, self.maximum(x)], dim=1)  # (batch, width) x2 -> (batch, 2 width)


class SeResNeXt1d(nn.Module):
    """The whole network with one linear head.

    Parameters
    ----------
    config : SeResNeXtConfig
    """

    def __init__(self, config: SeResNeXtConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = make_stem(config)
        self.blocks = nn.ModuleList(make_block(config, i) for i in range(N_BLOCKS))
        self.pool = make_pool(config)
        self.dropout = nn.Dropout(config.dropout)
        self.final_layer = nn.Linear(config.n_features, config.n_outputs)

    @property
    def input_shape(self) -> tuple[int, int]:
        """(n_leads, n_samples)."""
        return (self.config.n_leads, self.config.n_samples)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, n_outputs) of (batch, n_leads, n_samples) in millivolts."""
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        pooled = self.pool(x)  # (batch, width, time) -> (batch, n_features)
        return self.final_layer(self.dropout(pooled))  # type: ignore[no-any-return]


def make_stem(config: SeResNeXtConfig) -> nn.Sequential:
    """Build the first convolution: (batch, n_leads, time) -> (batch, stem_width, shorter)."""
    layers: list[nn.Module] = [
        _conv_norm(config.n_leads, config.stem_width, config.stem_kernel, config.stem_stride),
        nn.ReLU(),
    ]
    if config.stem_pool:
        layers.append(MaxPool3())
    return nn.Sequential(*layers)


def make_block(config: SeResNeXtConfig, index: int) -> nn.Sequential:
    """Build block 1 to 4 (index 0 to 3): a row of bottlenecks, the first one strided."""
    n_in = config.stem_width if index == 0 else config.widths[index - 1]
    inner, width = config.inner_widths[index], config.widths[index]
    rows = [Bottleneck(config, n_in, inner, width, config.strides[index])]
    rows += [Bottleneck(config, width, inner, width, 1) for _ in range(config.depths[index] - 1)]
    return nn.Sequential(*rows)


def make_pool(config: SeResNeXtConfig) -> Pool:
    """Build the pooling over time."""
    return Pool(with_max=config.pooling == "mean+max")


def _conv_norm(
    n_in: int, n_out: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    conv = nn.Conv1d(
        n_in, n_out, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False
    )
    return nn.Sequential(conv, nn.BatchNorm1d(n_out))


def _shortcut(config: SeResNeXtConfig, n_in: int, n_out: int, stride: int) -> nn.Module:
    if stride == 1 and n_in == n_out:
        return nn.Identity()
    if config.shortcut == "strided" or stride == 1:
        return _conv_norm(n_in, n_out, 1, stride)
    pool = nn.AvgPool1d(stride, ceil_mode=True, count_include_pad=False)
    return nn.Sequential(pool, _conv_norm(n_in, n_out, 1))
