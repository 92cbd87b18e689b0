"""Domain objects in, figures out: no state, nothing shown, nothing saved."""

from ecgdash.plots.panel import TrajectoryView
from ecgdash.plots.style import DARK, LIGHT, Theme, variant_style
from ecgdash.plots.trajectory import trajectory

__all__ = ["DARK", "LIGHT", "Theme", "TrajectoryView", "trajectory", "variant_style"]
