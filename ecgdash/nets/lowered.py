"""A family's networks in the form that computes fastest: the same function, fewer passes of memory.

Batch normalisation is folded into the convolution before it, the product of the SE gate and the
sum with the shortcut are one operation, and channels may lie next to each other in memory. The
result differs from `FamilyNet` by rounding alone. Training and explanations stay with `FamilyNet`,
whose parts are those of the paper; this form only scores.

Time is the last of two image axes, the first has length 1: PyTorch lays out channels last for
images only.
"""

from copy import copy, deepcopy

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d, relu_
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ecgdash.nets.family import Branch, FamilyNet
from ecgdash.nets.se_resnext import Bottleneck, MaxPool3

__all__ = ["LoweredHead", "lower_labels", "lower_variants"]


class LoweredHead(nn.Module):
    """A trunk and the branches on it, from crops to logits.

    Convolutions run in `dtype`; pooling over time and the linear heads follow in float32, because a
    logit of 4 rounded to bfloat16 would be wrong by up to 0.016.

    Parameters
    ----------
    net : FamilyNet
        In evaluation mode. What this gives is fixed here: later changes of its weights do not
        count.
    trunk : list of Bottleneck
        What all branches share, after the stem.
    branches : list of (list of Bottleneck, Branch)
        What each branch has of its own, and the branch, whose pooling and head follow.
    dtype : torch.dtype
    channels_last : bool
    """

    def __init__(
        self,
        net: FamilyNet,
        trunk: list[nn.Module],
        branches: list[tuple[list[nn.Module], Branch]],
        dtype: torch.dtype,
        channels_last: bool,
    ) -> None:
        super().__init__()
        self._format = torch.channels_last if channels_last else torch.contiguous_format
        self._dtype = dtype
        self.stem = _conv(net.stem[0])
        self.pooled_stem = any(isinstance(layer, MaxPool3) for layer in net.stem)
        self.trunk = _row(trunk)
        self.branches = nn.ModuleList(_row(own) for own, _ in branches)
        self.to(dtype=dtype, memory_format=self._format)  # type: ignore[call-overload]
        self.heads = nn.ModuleList(deepcopy(branch.final_layer) for _, branch in branches)
        self.pools = nn.ModuleList(deepcopy(branch.pool) for _, branch in branches)
        self.requires_grad_(False).eval()

    def forward(self, x: Tensor) -> Tensor:
        """Logits without history, float32 (batch, n_outputs), of (batch, n_leads, n_samples)."""
        x = x.unsqueeze(2).to(dtype=self._dtype, memory_format=self._format)
        x = relu_(self.stem(x))
        if self.pooled_stem:
            x = max_pool2d(x, (1, 3), stride=(1, 2), padding=(0, 1))
        shared = self.trunk(x)
        rows = []
        for own, pool, head in zip(self.branches, self.pools, self.heads, strict=True):
            maps = own(shared).float().squeeze(2)  # (batch, width, 1, time) -> (batch, width, time)
            rows.append(head(pool(maps)))
        return torch.cat(rows, dim=1)

    def only(self, branch: int) -> "LoweredHead":
        """Return the same networks with one branch; nothing is copied."""
        one = copy(self)
        one._modules = dict(self._modules)
        for name in ("branches", "pools", "heads"):
            setattr(one, name, nn.ModuleList([self.get_submodule(f"{name}.{branch}")]))
        return one


def lower_variants(
    net: FamilyNet, dtype: torch.dtype = torch.float32, *, channels_last: bool = True
) -> LoweredHead:
    """Return what `FamilyNet.forward` computes: one logit a variant, by one pass of the trunk."""
    branches = [net.branch(name) for name in net.variants]
    own = [(list(branch.block4), branch) for branch in branches]
    trunk = [*net.block1, *net.block2, *net.block3]
    return LoweredHead(net, trunk, own, dtype, channels_last)


def lower_labels(
    net: FamilyNet, dtype: torch.dtype = torch.float32, *, channels_last: bool = True
) -> LoweredHead:
    """Return what `FamilyNet.label_logits` computes."""
    branch = net.pretraining
    own = [*branch.block3, *branch.block4]
    return LoweredHead(net, [*net.block1, *net.block2], [(own, branch)], dtype, channels_last)


class _LoweredBottleneck(nn.Module):
    def __init__(self, block: Bottleneck) -> None:
        super().__init__()
        self.reduce, self.grouped = _conv(block.reduce), _conv(block.grouped)
        self.expand = _conv(block.expand)
        self.down, self.up = _conv(block.se.down), _conv(block.se.up)
        self.shortcut = _shortcut(block.shortcut)

    def forward(self, x: Tensor) -> Tensor:
        y = relu_(self.reduce(x))
        y = relu_(self.grouped(y))
        y = self.expand(y)
        means = y.mean((2, 3), keepdim=True)  # (batch, width, 1, time) -> (batch, width, 1, 1)
        gate = torch.sigmoid(self.up(relu_(self.down(means))))
        return relu_(torch.addcmul(self.shortcut(x), y, gate))


class _AveragedShortcut(nn.Module):
    def __init__(self, stride: int, conv: nn.Conv2d) -> None:
        super().__init__()
        self.stride = stride
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        pooled = avg_pool2d(x, (1, self.stride), ceil_mode=True, count_include_pad=False)
        return self.conv(pooled)  # type: ignore[no-any-return]


def _row(blocks: list[nn.Module]) -> nn.Sequential:
    lowered: list[nn.Module] = []
    for block in blocks:
        assert isinstance(block, Bottleneck)
        lowered.append(_LoweredBottleneck(block))
    return nn.Sequential(*lowered)


def _shortcut(module: nn.Module) -> nn.Module:
    if isinstance(module, nn.Identity):
        return nn.Identity()
    assert isinstance(module, nn.Sequential)
    if not isinstance(module[0], nn.AvgPool1d):
        return _conv(module)
    return _AveragedShortcut(_number(module[0].kernel_size), _conv(module[1]))


def _conv(module: nn.Module) -> nn.Conv2d:
    """Return a convolution over (1, time), a normalisation after it folded in."""
    if isinstance(module, nn.Sequential):
        conv, norm = module
        assert isinstance(conv, nn.Conv1d)
        assert isinstance(norm, nn.BatchNorm1d)
        folded = fuse_conv_bn_eval(conv, norm)
    else:
        assert isinstance(module, nn.Conv1d)
        folded = module
    wide = nn.Conv2d(
        folded.in_channels,
        folded.out_channels,
        kernel_size=(1, _number(folded.kernel_size)),
        stride=(1, _number(folded.stride)),
        padding=(0, _number(folded.padding)),
        groups=folded.groups,
        device="meta",  # its own weights are never made
    )
    assert folded.bias is not None
    wide.weight = nn.Parameter(folded.weight.detach().clone().unsqueeze(2), requires_grad=False)
    wide.bias = nn.Parameter(folded.bias.detach().clone(), requires_grad=False)
    return wide


def _number(of_one_axis: object) -> int:
    """Return what a layer over time alone says as a tuple of one."""
    assert isinstance(of_one_axis, tuple)
    (number,) = of_one_axis
    assert isinstance(number, int)
    return number
