"""The one table of architectures, with the parameter counts the tests hold them to."""

from dataclasses import dataclass, replace
from typing import Final

from ecgdash.errors import InvalidValue
from ecgdash.nets.se_resnext import SeResNeXtConfig

__all__ = ["ARCHITECTURES", "Architecture", "architecture"]


@dataclass(frozen=True)
class Architecture:
    """A named network.

    Attributes
    ----------
    n_parameters : int
        Of the 12-lead net with one output and one branch.
    ecgs_per_batch : int
        ECGs the engine runs in one pass, always this many (see `inference.engine`).
    history_hidden : int
        Hidden units of the history perceptron; not stated in the paper: our choice.
    """

    name: str
    config: SeResNeXtConfig
    n_parameters: int
    ecgs_per_batch: int
    history_hidden: int = 64


ARCHITECTURES: Final = {
    "demo": Architecture(
        name="demo",
        config=SeResNeXtConfig(
            stem_width=48,
            stem_kernel=15,
            stem_stride=4,
            stem_pool=False,
            depths=(1, 1, 1, 1),
            inner_widths=(64, 96, 128, 192),
            widths=(64, 96, 128, 192),
            groups=4,
            kernel=7,
            strides=(2, 2, 2, 2),
            se_reduction=8,
            shortcut="averaged",
            pooling="mean+max",
            dropout=0.2,
        ),
        n_parameters=305_341,
        ecgs_per_batch=8,
    ),
    "se-resnext-152": Architecture(
        name="se-resnext-152",
        config=SeResNeXtConfig(),
        n_parameters=62_062_641,
        ecgs_per_batch=1,
    ),
}
"""Small enough to train on a CPU in minutes, and the paper's own backbone."""


def architecture(name: str, n_leads: int = 12) -> Architecture:
    """Return an architecture for a number of leads.

    Raises
    ------
    InvalidValue
        If the table has no such row.
    """
    if name not in ARCHITECTURES:
        raise InvalidValue(
            f"architecture {name!r} is not known", accepted=f"Known: {', '.join(ARCHITECTURES)}"
        )
    row = ARCHITECTURES[name]
    return replace(row, config=replace(row.config, n_leads=n_leads))
