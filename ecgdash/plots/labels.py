"""Keeps labels apart: plotly does not."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["spread"]


@dataclass
class _Block:
    """Labels that touch, as one stack."""

    members: list[int]
    height: float
    top: float

    @property
    def bottom(self) -> float:
        return self.top + self.height


def spread(wanted: Sequence[tuple[float, float]], limit_px: float) -> list[float]:
    """Move labels apart that would overlap, each as little as its neighbours allow.

    Parameters
    ----------
    wanted : sequence of (centre, height)
        Pixels from the top.
    limit_px : float
        Height of the panel; labels stay inside it where they fit.

    Returns
    -------
    list of float
        Centres, in the order given.
    """
    blocks: list[_Block] = []
    for i in sorted(range(len(wanted)), key=lambda i: wanted[i][0]):
        centre, height = wanted[i]
        blocks.append(_inside(_Block([i], height, centre - height / 2), limit_px))
        while len(blocks) > 1 and blocks[-1].top < blocks[-2].bottom:
            lower, upper = blocks.pop(), blocks.pop()
            blocks.append(_inside(_merged(upper, lower, wanted), limit_px))
    return _centres(blocks, wanted)


def _merged(upper: _Block, lower: _Block, wanted: Sequence[tuple[float, float]]) -> _Block:
    """Stack two blocks so that the mean distance from the wanted centres is zero."""
    members = upper.members + lower.members
    offset, tops = 0.0, []
    for i in members:
        centre, height = wanted[i]
        tops.append(centre - height / 2 - offset)
        offset += height
    return _Block(members, offset, sum(tops) / len(tops))


def _inside(block: _Block, limit_px: float) -> _Block:
    block.top = max(min(block.top, limit_px - block.height), 0.0)
    return block


def _centres(blocks: list[_Block], wanted: Sequence[tuple[float, float]]) -> list[float]:
    centres = [0.0] * len(wanted)
    for block in blocks:
        top = block.top
        for i in block.members:
            centres[i] = top + wanted[i][1] / 2
            top += wanted[i][1]
    return centres
